using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SharpKeeper.Core.Log;

/// <summary>The Adler-32 checksum of logs and snapshots, start value 1.</summary>
public static class Adler32
{
    private const uint Modulus = 65521;

    // The largest number of bytes that cannot overflow the second sum.
    private const int RunBytesMax = 5552;

    private const int BlockBytes = 32;

    /// <summary>The checksum of <paramref name="bytes"/> following on <paramref name="start"/>.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes, uint start = 1)
    {
        uint a = start & 0xffff;
        uint b = start >> 16;
        while (!bytes.IsEmpty)
        {
            ReadOnlySpan<byte> run = bytes[..Math.Min(bytes.Length, RunBytesMax)];
            bytes = bytes[run.Length..];
            int blocks = run.Length / BlockBytes;
            if (blocks > 0 && Vector128.IsHardwareAccelerated)
            {
                if (Avx2.IsSupported)
                    AddBlocksWide(ref MemoryMarshal.GetReference(run), blocks, ref a, ref b);
                else
                    AddBlocks(ref MemoryMarshal.GetReference(run), blocks, ref a, ref b);
                run = run[(blocks * BlockBytes)..];
            }
            foreach (byte value in run)
            {
                a += value;
                b += a;
            }
            a %= Modulus;
            b %= Modulus;
        }
        return (b << 16) | a;
    }

    /// <summary>The same for whole blocks with 128-bit vectors only, as on other processors; for tests.</summary>
    internal static uint ComputeByBlocks(ReadOnlySpan<byte> bytes, uint start)
    {
        uint a = start & 0xffff;
        uint b = start >> 16;
        AddBlocks(ref MemoryMarshal.GetReference(bytes), bytes.Length / BlockBytes, ref a, ref b);
        return ((b % Modulus) << 16) | (a % Modulus);
    }

    // Over a block the second sum grows by 32 times the first sum before it, plus each byte times the number of
    // positions from it to the block's end. The first sums before each block are added up in their own lanes and
    // multiplied once at the end.
    private static void AddBlocksWide(ref byte at, int blocks, ref uint a, ref uint b)
    {
        Vector256<sbyte> weights = Vector256.Create(
            32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17,
            16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1);
        Vector256<uint> sums = Vector256<uint>.Zero;
        Vector256<uint> sumsBefore = Vector256<uint>.Zero;
        Vector256<int> weighted = Vector256<int>.Zero;
        for (int i = 0; i < blocks; i++)
        {
            Vector256<byte> block = Vector256.LoadUnsafe(ref at, (nuint)(i * BlockBytes));
            sumsBefore += sums;
            sums += Avx2.SumAbsoluteDifferences(block, Vector256<byte>.Zero).AsUInt32();
            Vector256<short> pairs = Avx2.MultiplyAddAdjacent(block, weights);
            weighted += Avx2.MultiplyAddAdjacent(pairs, Vector256<short>.One);
        }
        b += (uint)blocks * BlockBytes * a;
        b += BlockBytes * Vector256.Sum(sumsBefore) + (uint)Vector256.Sum(weighted);
        a += Vector256.Sum(sums);
    }

    private static void AddBlocks(ref byte at, int blocks, ref uint a, ref uint b)
    {
        Vector128<uint> sums = Vector128<uint>.Zero;
        Vector128<uint> sumsBefore = Vector128<uint>.Zero;
        Vector128<uint> weighted = Vector128<uint>.Zero;
        for (int i = 0; i < blocks; i++)
        {
            Vector128<byte> first = Vector128.LoadUnsafe(ref at, (nuint)(i * BlockBytes));
            Vector128<byte> second = Vector128.LoadUnsafe(ref at, (nuint)(i * BlockBytes + 16));
            sumsBefore += sums;
            sums += Widen(Vector128.WidenLower(first) + Vector128.WidenUpper(first)
                + Vector128.WidenLower(second) + Vector128.WidenUpper(second));
            weighted += Weigh(Vector128.WidenLower(first), 32) + Weigh(Vector128.WidenUpper(first), 24)
                + Weigh(Vector128.WidenLower(second), 16) + Weigh(Vector128.WidenUpper(second), 8);
        }
        b += (uint)blocks * BlockBytes * a;
        b += BlockBytes * Vector128.Sum(sumsBefore) + Vector128.Sum(weighted);
        a += Vector128.Sum(sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Weigh(Vector128<ushort> values, ushort heaviest)
    {
        Vector128<ushort> weights = Vector128.Create(heaviest) - Vector128<ushort>.Indices;
        return Widen(values * weights);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Widen(Vector128<ushort> values) =>
        Vector128.WidenLower(values) + Vector128.WidenUpper(values);
}
