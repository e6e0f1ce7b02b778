using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SharpKeeper.Core.Tree;

/// <summary>
/// Finds record ids by 32-bit hash. The high bits of the hash choose a small open-addressed table; a table that fills
/// up grows by a quarter, and splits in two once it has 4096 slots, so no insertion ever waits for the whole index to
/// be rebuilt, and a growing tree has at least 60 % of the slots in use.
/// </summary>
/// <remarks>
/// A slot is hash and id in 64 bits; 0 is free. The home of an entry is monotonic in its hash, collisions go to the
/// following slots, and a removal moves entries back, so there are no tombstones.
/// </remarks>
internal sealed unsafe class PathIndex : IDisposable
{
    private const uint SlotsMin = 32;
    private const uint SlotsMax = 4096;

    // A backstop: beyond this depth equal hashes cannot be told apart by splitting, so the table grows instead.
    private const int DepthMax = 22;

    private Table* directory;
    private int depth;

    /// <summary>An empty index.</summary>
    public PathIndex()
    {
        directory = (Table*)NativeMemory.Alloc((nuint)sizeof(Table));
        directory[0] = NewTable(SlotsMin, 0);
    }

    /// <summary>Bytes of native memory held by the slots.</summary>
    public long ReservedBytes { get; private set; }

    /// <summary>Starts a search for entries of that hash.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Probe Search(uint hash)
    {
        ref Table table = ref directory[DirectoryIndex(hash)];
        return new Probe(table.Slots, table.Capacity, table.Home(hash), hash);
    }

    /// <summary>Adds an entry; equal hashes may occur, equal entries must not.</summary>
    public void Add(uint hash, uint id)
    {
        ref Table table = ref directory[DirectoryIndex(hash)];
        if ((*table.Count + 1) * 5UL > table.Capacity * 4UL)
        {
            MakeRoom(hash);
            table = ref directory[DirectoryIndex(hash)];
        }
        Insert(ref table, hash, Pack(hash, id));
    }

    /// <summary>Removes an entry that is there.</summary>
    public void Remove(uint hash, uint id)
    {
        ref Table table = ref directory[DirectoryIndex(hash)];
        ulong* slots = table.Slots;
        ulong wanted = Pack(hash, id);
        uint at = table.Home(hash);
        while (slots[at] != wanted)
        {
            Invariant.Check(slots[at] != 0, "a znode is missing from the index of paths");
            at = at + 1 == table.Capacity ? 0 : at + 1;
        }
        CloseGap(ref table, at);
        (*table.Count)--;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (directory == null)
            return;
        for (uint i = 0; i < 1u << depth; i += 1u << (depth - directory[i].Depth))
            NativeMemory.Free(directory[i].Count);
        NativeMemory.Free(directory);
        directory = null;
        ReservedBytes = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint DirectoryIndex(uint hash) => (uint)((ulong)hash >> (32 - depth));

    private static ulong Pack(uint hash, uint id) => ((ulong)hash << 32) | id;

    private static void Insert(ref Table table, uint hash, ulong entry)
    {
        ulong* slots = table.Slots;
        uint at = table.Home(hash);
        while (slots[at] != 0)
            at = at + 1 == table.Capacity ? 0 : at + 1;
        slots[at] = entry;
        (*table.Count)++;
    }

    // Entries behind the gap that may stand in it without preceding their home are moved there, one after another.
    private static void CloseGap(ref Table table, uint gap)
    {
        ulong* slots = table.Slots;
        uint capacity = table.Capacity;
        uint at = gap;
        while (true)
        {
            at = at + 1 == capacity ? 0 : at + 1;
            ulong entry = slots[at];
            if (entry == 0)
                break;
            uint home = table.Home((uint)(entry >> 32));
            uint fromHome = at >= home ? at - home : at + capacity - home;
            uint fromGap = at >= gap ? at - gap : at + capacity - gap;
            if (fromHome < fromGap)
                continue;
            slots[gap] = entry;
            gap = at;
        }
        slots[gap] = 0;
    }

    private void MakeRoom(uint hash)
    {
        uint index = DirectoryIndex(hash);
        Table old = directory[index];
        uint grown = old.Capacity + (old.Capacity >> 2);
        if (grown <= SlotsMax || old.Depth == DepthMax)
        {
            Table larger = NewTable(grown, old.Depth);
            Move(old, ref larger, ref larger);
            Publish(index, larger);
        }
        else
        {
            if (old.Depth == depth)
                DoubleDirectory();
            Split(old, DirectoryIndex(hash));
        }
        Release(old);
    }

    private void Split(in Table old, uint index)
    {
        uint slots = (uint)*old.Count * 3 / 4;
        Table low = NewTable(slots, old.Depth + 1);
        Table high = NewTable(slots, old.Depth + 1);
        Move(old, ref low, ref high);
        uint aliases = 1u << (depth - old.Depth);
        uint start = index & ~(aliases - 1);
        Publish(start, low);
        Publish(start + aliases / 2, high);
    }

    private void Move(in Table old, ref Table low, ref Table high)
    {
        uint bit = old.Depth == 32 ? 0 : 1u << (31 - old.Depth);
        for (uint i = 0; i < old.Capacity; i++)
        {
            ulong entry = old.Slots[i];
            if (entry == 0)
                continue;
            var hash = (uint)(entry >> 32);
            ref Table target = ref (hash & bit) == 0 ? ref low : ref high;
            // A split that happens to be lopsided may leave one half too full for its first size.
            if ((*target.Count + 1) * 10UL > target.Capacity * 9UL)
                Enlarge(ref target);
            Insert(ref target, hash, entry);
        }
    }

    private void Enlarge(ref Table table)
    {
        Table old = table;
        Table larger = NewTable(old.Capacity * 2, old.Depth);
        for (uint i = 0; i < old.Capacity; i++)
        {
            if (old.Slots[i] != 0)
                Insert(ref larger, (uint)(old.Slots[i] >> 32), old.Slots[i]);
        }
        Release(old);
        table = larger;
    }

    private void Publish(uint index, in Table table)
    {
        uint aliases = 1u << (depth - table.Depth);
        uint start = index & ~(aliases - 1);
        for (uint i = 0; i < aliases; i++)
            directory[start + i] = table;
    }

    private void DoubleDirectory()
    {
        uint count = 1u << depth;
        var doubled = (Table*)NativeMemory.Alloc((nuint)count * 2, (nuint)sizeof(Table));
        for (uint i = 0; i < count; i++)
        {
            doubled[2 * i] = directory[i];
            doubled[2 * i + 1] = directory[i];
        }
        NativeMemory.Free(directory);
        directory = doubled;
        depth++;
    }

    private Table NewTable(uint slots, int tableDepth)
    {
        nuint bytes = (slots + 1) * (nuint)sizeof(ulong);
        var count = (ulong*)NativeMemory.AllocZeroed(bytes);
        ReservedBytes += (long)bytes;
        return new Table { Count = count, Slots = count + 1, Capacity = slots, Depth = tableDepth };
    }

    private void Release(in Table table)
    {
        ReservedBytes -= (table.Capacity + 1L) * sizeof(ulong);
        NativeMemory.Free(table.Count);
    }

    /// <summary>The entries of one hash.</summary>
    public struct Probe(ulong* slots, uint capacity, uint at, uint hash)
    {
        /// <summary>The next id with the hash searched for; 0 when there is no more.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public uint Next()
        {
            while (true)
            {
                ulong entry = slots[at];
                if (entry == 0)
                    return 0;
                at = at + 1 == capacity ? 0 : at + 1;
                if ((uint)(entry >> 32) == hash)
                    return (uint)entry;
            }
        }
    }

    // The directory holds all that a search needs; the count is apart because several entries may share a table.
    private struct Table
    {
        public ulong* Slots;
        public ulong* Count;
        public uint Capacity;
        public int Depth;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly uint Home(uint hash) => (uint)(((ulong)(hash << Depth) * Capacity) >> 32);
    }
}
