using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SharpKeeper.Core.Tree;

/// <summary>
/// Records of one size in chunks of native memory, named by 32-bit numbers from 1 on. Growing never moves a record, so
/// pointers stay valid until the record is freed. A debug build checks that a number names a live record.
/// </summary>
internal sealed unsafe class NativeSlab<T> : IDisposable where T : unmanaged
{
    private const int ChunkShift = 13;
    private const uint ChunkMask = (1u << ChunkShift) - 1;

    private T** chunks;
    private uint chunkCount;
    private uint chunkRoom;
    private uint next = 1;
    private uint free;
#if DEBUG
    private ulong[] live = new ulong[16];
#endif

    /// <summary>Records in use.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of native memory held.</summary>
    public long ReservedBytes => (long)chunkCount * sizeof(T) << ChunkShift;

    /// <summary>The record of that number.</summary>
    public T* this[uint id]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
#if DEBUG
            CheckLive(id);
#endif
            return chunks[id >> ChunkShift] + (id & ChunkMask);
        }
    }

    /// <summary>A new record, all zero.</summary>
    public uint Allocate()
    {
        uint id = free;
        if (id != 0)
        {
            free = *(uint*)(chunks[id >> ChunkShift] + (id & ChunkMask));
        }
        else
        {
            id = next;
            Invariant.Check(id != uint.MaxValue, "the tree holds as many znodes as 32 bits can count");
            if (id >> ChunkShift >= chunkCount)
                AddChunk();
            next++;
        }
        Count++;
#if DEBUG
        SetLive(id);
#endif
        chunks[id >> ChunkShift][id & ChunkMask] = default;
        return id;
    }

    /// <summary>Gives a record back.</summary>
    public void Free(uint id)
    {
        T* record = this[id];
#if DEBUG
        live[id >> 6] &= ~(1UL << (int)(id & 63));
        new Span<byte>(record, sizeof(T)).Fill(0xdd);
#endif
        *(uint*)record = free;
        free = id;
        Count--;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        for (uint i = 0; i < chunkCount; i++)
            NativeMemory.Free(chunks[i]);
        NativeMemory.Free(chunks);
        chunks = null;
        chunkCount = chunkRoom = 0;
        free = 0;
        next = 1;
        Count = 0;
#if DEBUG
        Array.Clear(live);
#endif
    }

#if DEBUG
    private void CheckLive(uint id)
    {
        bool isLive = id >> 6 < live.Length && (live[id >> 6] >> (int)(id & 63) & 1) != 0;
        if (!isLive)
            throw new InvariantException($"record {id} is not in use");
    }

    private void SetLive(uint id)
    {
        if (id >> 6 >= live.Length)
            Array.Resize(ref live, Math.Max((int)(id >> 6) + 1, live.Length * 2));
        live[id >> 6] |= 1UL << (int)(id & 63);
    }
#endif

    private void AddChunk()
    {
        if (chunkCount == chunkRoom)
        {
            chunkRoom = Math.Max(16, chunkRoom * 2);
            chunks = (T**)NativeMemory.Realloc(chunks, chunkRoom * (nuint)sizeof(T*));
        }
        chunks[chunkCount] = (T*)NativeMemory.Alloc((nuint)sizeof(T) << ChunkShift);
        chunkCount++;
    }
}
