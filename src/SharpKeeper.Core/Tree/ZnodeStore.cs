using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SharpKeeper.Core.Tree;

/// <summary>What every znode has; 80 bytes, of which a lookup touches one or two cache lines.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ZnodeRecord
{
    public long Czxid;
    public long Mzxid;
    public long Ctime;
    public long Mtime;

    /// <summary>The name, then the data.</summary>
    public byte* Block;

    /// <summary>Length of the data, or <see cref="ZnodeStore.NullData"/>.</summary>
    public int DataLength;
    public int Version;
    public int AclId;
    public uint Parent;
    public uint PreviousSibling;
    public uint NextSibling;

    /// <summary>Number of the <see cref="ZnodeExtra"/>, 0 while all its values are the usual ones.</summary>
    public uint Extra;
    public uint PathHash;
    public uint Digest;
    public ushort NameLength;
    public ZnodeFlags Flags;
}

/// <summary>Marks of a record.</summary>
[Flags]
internal enum ZnodeFlags : ushort
{
    None = 0,

    /// <summary>Below /zookeeper: no part of the tree digest.</summary>
    OutsideDigest = 1,

    /// <summary>Came from a snapshot, so it is older than any snapshot taken by this process.</summary>
    Loaded = 2,
}

/// <summary>What only parents, owned znodes and znodes with a changed ACL have; 48 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ZnodeExtra
{
    public long Pzxid;
    public long Owner;

    /// <summary>As stored: the number of children ever created.</summary>
    public int Cversion;
    public int Aversion;
    public uint FirstChild;
    public uint LastChild;
    public int ChildCount;

    /// <summary>The CRC of path and data, from which the digest follows when only the stat changes.</summary>
    public uint PrefixCrc;

    /// <summary>Link in the list of a session's ephemerals, or the place in the list of containers or TTL znodes.</summary>
    public uint OwnerPrevious;
    public uint OwnerNext;
}

/// <summary>
/// Znodes in native memory: fixed records, names and data in blocks of fitting size, children as linked lists in order
/// of creation, and an index of paths. It knows the shape of the tree and nothing of the meaning of a transaction.
/// </summary>
/// <remarks>Many readers at once, or one writer alone: no read changes anything.</remarks>
internal sealed unsafe class ZnodeStore(uint hashSeed) : IDisposable
{
    /// <summary>The data length that stands for null.</summary>
    public const int NullData = -1;

    // Names of this length or longer have their length in front of them in the block.
    private const ushort LongName = ushort.MaxValue;

    private readonly NativeSlab<ZnodeRecord> records = new();
    private readonly NativeSlab<ZnodeExtra> extras = new();
    private readonly BlockAllocator blocks = new();
    private readonly PathIndex index = new();
    private readonly PathHash hash = new(hashSeed);

    /// <summary>Number of znodes.</summary>
    public int Count => records.Count;

    /// <summary>The root, 0 before <see cref="AddRoot"/>.</summary>
    public uint Root { get; private set; }

    /// <summary>Bytes in blocks of names and data, as rounded up.</summary>
    public long BlockBytes => blocks.UsedBytes;

    /// <summary>Blocks of names and data in use.</summary>
    public long BlockCount => blocks.BlockCount;

    /// <summary>Extra records in use.</summary>
    public int ExtraCount => extras.Count;

    /// <summary>Bytes of native memory held.</summary>
    public long ReservedBytes =>
        records.ReservedBytes + extras.ReservedBytes + blocks.ReservedBytes + index.ReservedBytes;

    /// <summary>The record of a znode.</summary>
    public ZnodeRecord* this[uint id]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => records[id];
    }

    /// <summary>The extra record of a znode, or null.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ZnodeExtra* ExtraOf(ZnodeRecord* record) => record->Extra == 0 ? null : extras[record->Extra];

    /// <summary>The name; empty for the root. Valid until the znode's next change.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ReadOnlySpan<byte> NameOf(ZnodeRecord* record) =>
        record->NameLength == LongName ? LongNameOf(record) : new(record->Block, record->NameLength);

    /// <summary>The data; empty for null. Valid until the znode's next change.</summary>
    public static ReadOnlySpan<byte> DataOf(ZnodeRecord* record) =>
        record->DataLength <= 0 ? default : new(record->Block + NameBytes(record), record->DataLength);

    /// <summary>The znode of that path, 0 if there is none.</summary>
    public uint Find(ReadOnlySpan<byte> path)
    {
        if (path.Length <= 1 && (path.IsEmpty || path[0] == (byte)'/'))
            return Root;
        if (!hash.TryHash(path, out uint pathHash))
            return 0;
        PathIndex.Probe probe = index.Search(pathHash);
        while (true)
        {
            uint id = probe.Next();
            if (id == 0 || HasPath(id, path))
                return id;
        }
    }

    /// <summary>The child of that name, 0 if there is none; also gives the hash of its path.</summary>
    public uint FindChild(uint parent, ReadOnlySpan<byte> name, out uint pathHash)
    {
        pathHash = hash.Child(records[parent]->PathHash, name);
        PathIndex.Probe probe = index.Search(pathHash);
        while (true)
        {
            uint id = probe.Next();
            if (id == 0)
                return 0;
            ZnodeRecord* record = records[id];
            if (record->Parent == parent && NameOf(record).SequenceEqual(name))
                return id;
        }
    }

    /// <summary>Adds the root to an empty store.</summary>
    public uint AddRoot(ReadOnlySpan<byte> data, bool isNull)
    {
        Invariant.Check(Root == 0, "the tree has a root already");
        Root = NewRecord(default, data, isNull);
        records[Root]->PathHash = hash.Root;
        return Root;
    }

    /// <summary>
    /// Adds a znode as the last child of its parent. <paramref name="pathHash"/> is what <see cref="FindChild"/> gave
    /// when it did not find the name. The parent gets an extra record if it has none.
    /// </summary>
    public uint AddChild(uint parent, ReadOnlySpan<byte> name, uint pathHash, ReadOnlySpan<byte> data, bool isNull)
    {
        uint id = NewRecord(name, data, isNull);
        ZnodeRecord* record = records[id];
        record->PathHash = pathHash;
        record->Parent = parent;
        ZnodeExtra* family = EnsureExtra(records[parent]);
        record->PreviousSibling = family->LastChild;
        if (family->LastChild == 0)
            family->FirstChild = id;
        else
            records[family->LastChild]->NextSibling = id;
        family->LastChild = id;
        family->ChildCount++;
        index.Add(pathHash, id);
        return id;
    }

    /// <summary>Removes a znode without children that is not the root.</summary>
    public void Remove(uint id)
    {
        ZnodeRecord* record = records[id];
        Invariant.Check(id != Root, "the root cannot be removed");
        ZnodeExtra* family = ExtraOf(records[record->Parent]);
        if (record->PreviousSibling == 0)
            family->FirstChild = record->NextSibling;
        else
            records[record->PreviousSibling]->NextSibling = record->NextSibling;
        if (record->NextSibling == 0)
            family->LastChild = record->PreviousSibling;
        else
            records[record->NextSibling]->PreviousSibling = record->PreviousSibling;
        family->ChildCount--;
        index.Remove(record->PathHash, id);
        if (record->Extra != 0)
        {
            Invariant.Check(extras[record->Extra]->ChildCount == 0, "a znode with children cannot be removed");
            extras.Free(record->Extra);
        }
        blocks.Free(record->Block, NameBytes(record) + Math.Max(record->DataLength, 0L));
        records.Free(id);
    }

    /// <summary>Replaces the data; the new bytes may be a part of the old ones.</summary>
    public void SetData(uint id, ReadOnlySpan<byte> data, bool isNull)
    {
        ZnodeRecord* record = records[id];
        long nameBytes = NameBytes(record);
        long oldBytes = nameBytes + Math.Max(record->DataLength, 0);
        long newBytes = nameBytes + data.Length;
        if (BlockAllocator.IsSameClass(oldBytes, newBytes))
        {
            data.CopyTo(new Span<byte>(record->Block + nameBytes, data.Length));
        }
        else
        {
            byte* block = blocks.Allocate(newBytes);
            new ReadOnlySpan<byte>(record->Block, (int)nameBytes).CopyTo(new Span<byte>(block, (int)nameBytes));
            data.CopyTo(new Span<byte>(block + nameBytes, data.Length));
            blocks.Free(record->Block, oldBytes);
            record->Block = block;
        }
        record->DataLength = isNull ? NullData : data.Length;
    }

    /// <summary>The extra record of a znode, made with the usual values if it has none.</summary>
    public ZnodeExtra* EnsureExtra(ZnodeRecord* record)
    {
        if (record->Extra != 0)
            return extras[record->Extra];
        record->Extra = extras.Allocate();
        ZnodeExtra* extra = extras[record->Extra];
        extra->Pzxid = record->Czxid;
        return extra;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        records.Dispose();
        extras.Dispose();
        blocks.Dispose();
        index.Dispose();
        Root = 0;
    }

    private static ReadOnlySpan<byte> LongNameOf(ZnodeRecord* record) =>
        new(record->Block + sizeof(int), Unsafe.ReadUnaligned<int>(record->Block));

    private static long NameBytes(ZnodeRecord* record) => record->NameLength == LongName
        ? sizeof(int) + (long)Unsafe.ReadUnaligned<int>(record->Block)
        : record->NameLength;

    private bool HasPath(uint id, ReadOnlySpan<byte> path)
    {
        while (true)
        {
            ZnodeRecord* record = records[id];
            ReadOnlySpan<byte> name = NameOf(record);
            int slash = path.Length - name.Length - 1;
            if (slash < 0 || path[slash] != (byte)'/' || !path[(slash + 1)..].SequenceEqual(name))
                return false;
            path = path[..slash];
            id = record->Parent;
            if (id == Root)
                return path.IsEmpty;
        }
    }

    private uint NewRecord(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data, bool isNull)
    {
        uint id = records.Allocate();
        ZnodeRecord* record = records[id];
        bool isLong = name.Length >= LongName;
        long lengthBytes = isLong ? sizeof(int) : 0;
        byte* block = blocks.Allocate(lengthBytes + name.Length + data.Length);
        if (isLong)
            Unsafe.WriteUnaligned(block, name.Length);
        name.CopyTo(new Span<byte>(block + lengthBytes, name.Length));
        data.CopyTo(new Span<byte>(block + lengthBytes + name.Length, data.Length));
        record->Block = block;
        record->NameLength = isLong ? LongName : (ushort)name.Length;
        record->DataLength = isNull ? NullData : data.Length;
        return id;
    }
}
