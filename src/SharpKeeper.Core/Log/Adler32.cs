namespace SharpKeeper.Core.Log;

/// <summary>The Adler-32 checksum of logs and snapshots, start value 1.</summary>
public static class Adler32
{
    private const uint Modulus = 65521;

    // The largest number of bytes that cannot overflow the second sum.
    private const int RunBytesMax = 5552;

    /// <summary>The checksum of <paramref name="bytes"/> following on <paramref name="start"/>.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes, uint start = 1)
    {
        uint a = start & 0xffff;
        uint b = start >> 16;
        while (!bytes.IsEmpty)
        {
            ReadOnlySpan<byte> run = bytes[..Math.Min(bytes.Length, RunBytesMax)];
            foreach (byte value in run)
            {
                a += value;
                b += a;
            }
            a %= Modulus;
            b %= Modulus;
            bytes = bytes[run.Length..];
        }
        return (b << 16) | a;
    }
}
