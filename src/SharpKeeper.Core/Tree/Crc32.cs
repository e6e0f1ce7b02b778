using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ArmCrc32 = System.Runtime.Intrinsics.Arm.Crc32;

namespace SharpKeeper.Core.Tree;

/// <summary>CRC-32 as in IEEE 802.3, zlib and Java: polynomial 0x04C11DB7 reflected, start and end inverted.</summary>
public static class Crc32
{
    private const uint Polynomial = 0xedb88320;
    private const int Slices = 8;

    private static readonly uint[] Tables = BuildTables();

    /// <summary>
    /// The checksum of <paramref name="bytes"/> following on those whose checksum is <paramref name="start"/>.
    /// </summary>
    public static uint Compute(ReadOnlySpan<byte> bytes, uint start = 0)
    {
        uint state = ~start;
        if (ArmCrc32.Arm64.IsSupported)
            return ~ByInstruction(bytes, state);
        if (Pclmulqdq.IsSupported && bytes.Length >= 16)
        {
            state = ByFolding(bytes, state);
            bytes = bytes[(bytes.Length & ~15)..];
        }
        return ~ByTables(bytes, state);
    }

    /// <summary>The same by tables only, as on processors without help; for tests.</summary>
    internal static uint ComputeByTables(ReadOnlySpan<byte> bytes, uint start) => ~ByTables(bytes, ~start);

    private static uint ByInstruction(ReadOnlySpan<byte> bytes, uint state)
    {
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (ulong word in words)
            state = ArmCrc32.Arm64.ComputeCrc32(state, word);
        foreach (byte value in bytes[(words.Length * sizeof(ulong))..])
            state = ArmCrc32.ComputeCrc32(state, value);
        return state;
    }

    // Eight bytes at a time: table k holds the effect of a byte that k more bytes follow.
    private static uint ByTables(ReadOnlySpan<byte> bytes, uint state)
    {
        ref uint tables = ref MemoryMarshal.GetArrayDataReference(Tables);
        while (bytes.Length >= Slices)
        {
            uint low = MemoryMarshal.Read<uint>(bytes) ^ state;
            uint high = MemoryMarshal.Read<uint>(bytes[4..]);
            state = At(ref tables, 7, low) ^ At(ref tables, 6, low >> 8) ^ At(ref tables, 5, low >> 16)
                ^ At(ref tables, 4, low >> 24) ^ At(ref tables, 3, high) ^ At(ref tables, 2, high >> 8)
                ^ At(ref tables, 1, high >> 16) ^ At(ref tables, 0, high >> 24);
            bytes = bytes[Slices..];
        }
        foreach (byte value in bytes)
            state = At(ref tables, 0, state ^ value) ^ (state >> 8);
        return state;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint At(ref uint tables, int slice, uint value) =>
        Unsafe.Add(ref tables, slice * 256 + (int)(value & 0xff));

    // Carry-less multiplication by x^n mod P moves 16 bytes of message n bits ahead, so that they can be added to the
    // bytes there. The method and the constants for the reflected polynomial are those of Intel's paper "Fast CRC
    // Computation for Generic Polynomials Using PCLMULQDQ". Whole groups of 16 bytes only.
    private static uint ByFolding(ReadOnlySpan<byte> bytes, uint state)
    {
        ref byte at = ref MemoryMarshal.GetReference(bytes);
        int left = bytes.Length & ~15;
        Vector128<ulong> sum = Load(ref at, 0) ^ Vector128.CreateScalar((ulong)state);
        int done = 16;
        if (left >= 64)
        {
            sum = FoldFourLanes(ref at, left, sum, out done);
        }
        Vector128<ulong> by16 = Vector128.Create(0x01751997d0UL, 0x00ccaa009eUL);
        for (; done < left; done += 16)
            sum = Fold(sum, by16) ^ Load(ref at, done);
        return Reduce(sum);
    }

    private static Vector128<ulong> FoldFourLanes(ref byte at, int left, Vector128<ulong> first, out int done)
    {
        Vector128<ulong> by64 = Vector128.Create(0x0154442bd4UL, 0x01c6e41596UL);
        Vector128<ulong> by16 = Vector128.Create(0x01751997d0UL, 0x00ccaa009eUL);
        Vector128<ulong> second = Load(ref at, 16);
        Vector128<ulong> third = Load(ref at, 32);
        Vector128<ulong> fourth = Load(ref at, 48);
        for (done = 64; done + 64 <= left; done += 64)
        {
            first = Fold(first, by64) ^ Load(ref at, done);
            second = Fold(second, by64) ^ Load(ref at, done + 16);
            third = Fold(third, by64) ^ Load(ref at, done + 32);
            fourth = Fold(fourth, by64) ^ Load(ref at, done + 48);
        }
        second ^= Fold(first, by16);
        third ^= Fold(second, by16);
        return fourth ^ Fold(third, by16);
    }

    private static uint Reduce(Vector128<ulong> sum)
    {
        Vector128<ulong> by8 = Vector128.Create(0x01751997d0UL, 0x00ccaa009eUL);
        Vector128<ulong> by4 = Vector128.CreateScalar(0x0163cd6124UL);
        Vector128<ulong> barrett = Vector128.Create(0x01db710641UL, 0x01f7011641UL);
        Vector128<ulong> low32 = Vector128.Create(0xffffffffUL);
        sum = Pclmulqdq.CarrylessMultiply(sum, by8, 0x10) ^ Sse2.ShiftRightLogical128BitLane(sum, 8);
        sum = Pclmulqdq.CarrylessMultiply(sum & low32, by4, 0x00) ^ Sse2.ShiftRightLogical128BitLane(sum, 4);
        Vector128<ulong> quotient = Pclmulqdq.CarrylessMultiply(sum & low32, barrett, 0x10) & low32;
        sum ^= Pclmulqdq.CarrylessMultiply(quotient, barrett, 0x00);
        return sum.AsUInt32()[1];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Fold(Vector128<ulong> value, Vector128<ulong> distance) =>
        Pclmulqdq.CarrylessMultiply(value, distance, 0x00) ^ Pclmulqdq.CarrylessMultiply(value, distance, 0x11);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Load(ref byte at, int offset) =>
        Vector128.LoadUnsafe(ref at, (nuint)offset).AsUInt64();

    private static uint[] BuildTables()
    {
        var tables = new uint[Slices * 256];
        for (uint i = 0; i < 256; i++)
        {
            uint value = i;
            for (int bit = 0; bit < 8; bit++)
                value = (value >> 1) ^ ((value & 1) * Polynomial);
            tables[i] = value;
        }
        for (int i = 256; i < tables.Length; i++)
            tables[i] = (tables[i - 256] >> 8) ^ tables[tables[i - 256] & 0xff];
        return tables;
    }
}
