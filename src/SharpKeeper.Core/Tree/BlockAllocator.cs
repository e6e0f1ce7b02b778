using System.Numerics;
using System.Runtime.InteropServices;

namespace SharpKeeper.Core.Tree;

/// <summary>
/// Native memory for names and data. Sizes are rounded up to a class: every 8 bytes up to 1 KiB, eight classes per
/// doubling up to 64 KiB; larger blocks come straight from the system and return to it. Freed small blocks wait for
/// the next request of their class.
/// </summary>
internal sealed unsafe class BlockAllocator : IDisposable
{
    private const int FineBytesMax = 1024;
    private const int FineClasses = FineBytesMax / 8 + 1;
    private const int StepsPerDoubling = 8;
    private const int PooledBytesMax = 64 * 1024;
    private const int FineBytesLog2 = 10;
    private const int PooledBytesLog2 = 16;
    private const int Classes = FineClasses + (PooledBytesLog2 - FineBytesLog2) * StepsPerDoubling;
    private const int FineChunkBytes = 256 * 1024;
    private const int CoarseChunkBytes = 1024 * 1024;

    private readonly SizeClass[] classes = new SizeClass[Classes];
    private readonly List<nint> chunks = [];
    private readonly HashSet<nint> large = [];

    /// <summary>Bytes in blocks that are in use, as rounded up.</summary>
    public long UsedBytes { get; private set; }

    /// <summary>Blocks in use.</summary>
    public long BlockCount { get; private set; }

    /// <summary>Bytes of native memory held.</summary>
    public long ReservedBytes { get; private set; }

    /// <summary>Do both sizes fit the same block?</summary>
    public static bool IsSameClass(long bytes, long otherBytes) => RoundUp(bytes) == RoundUp(otherBytes);

    /// <summary>A block of at least that size, not cleared; null for 0 bytes.</summary>
    public byte* Allocate(long bytes)
    {
        if (bytes == 0)
            return null;
        long rounded = RoundUp(bytes);
        UsedBytes += rounded;
        BlockCount++;
        if (rounded > PooledBytesMax)
        {
            var block = (byte*)NativeMemory.Alloc((nuint)rounded);
            large.Add((nint)block);
            ReservedBytes += rounded;
            return block;
        }
        ref SizeClass sizeClass = ref classes[ClassOf(bytes)];
        byte* head = sizeClass.Free;
        if (head != null)
        {
            sizeClass.Free = *(byte**)head;
            return head;
        }
        return Carve(ref sizeClass, (int)rounded);
    }

    /// <summary>Takes back a block; <paramref name="bytes"/> falls in the class it was asked for.</summary>
    public void Free(byte* block, long bytes)
    {
        if (bytes == 0)
            return;
        long rounded = RoundUp(bytes);
        UsedBytes -= rounded;
        BlockCount--;
        if (rounded > PooledBytesMax)
        {
            Invariant.Check(large.Remove((nint)block), "a large block was freed twice");
            ReservedBytes -= rounded;
            NativeMemory.Free(block);
            return;
        }
        ref SizeClass sizeClass = ref classes[ClassOf(bytes)];
        *(byte**)block = sizeClass.Free;
        sizeClass.Free = block;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (nint chunk in chunks)
            NativeMemory.Free((void*)chunk);
        foreach (nint block in large)
            NativeMemory.Free((void*)block);
        chunks.Clear();
        large.Clear();
        Array.Clear(classes);
        UsedBytes = BlockCount = ReservedBytes = 0;
    }

    private static int ClassOf(long bytes)
    {
        if (bytes <= FineBytesMax)
            return (int)((bytes + 7) >> 3);
        int log = BitOperations.Log2((ulong)(bytes - 1));
        int step = (int)((bytes - 1) >> (log - 3)) - StepsPerDoubling;
        return FineClasses + (log - FineBytesLog2) * StepsPerDoubling + step;
    }

    private static long RoundUp(long bytes)
    {
        if (bytes <= FineBytesMax)
            return (bytes + 7) & ~7;
        const long page = 4096;
        if (bytes > PooledBytesMax)
            return (bytes + page - 1) & ~(page - 1);
        int shift = BitOperations.Log2((ulong)(bytes - 1)) - 3;
        return (((bytes - 1) >> shift) + 1) << shift;
    }

    private byte* Carve(ref SizeClass sizeClass, int bytes)
    {
        if (sizeClass.End - sizeClass.Next < bytes)
        {
            int chunkBytes = bytes <= FineBytesMax ? FineChunkBytes : CoarseChunkBytes;
            sizeClass.Next = (byte*)NativeMemory.Alloc((nuint)chunkBytes);
            sizeClass.End = sizeClass.Next + chunkBytes;
            chunks.Add((nint)sizeClass.Next);
            ReservedBytes += chunkBytes;
        }
        byte* block = sizeClass.Next;
        sizeClass.Next += bytes;
        return block;
    }

    private struct SizeClass
    {
        public byte* Free;
        public byte* Next;
        public byte* End;
    }
}
