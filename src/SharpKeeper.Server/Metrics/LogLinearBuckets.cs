using System.Numerics;

namespace SharpKeeper.Server.Metrics;

/// <summary>
/// Sorts whole numbers into buckets that are exact below 16 and a sixteenth of their value wide above, so a fixed
/// few hundred of them cover 32 bits.
/// </summary>
internal static class LogLinearBuckets
{
    private const int SubBits = 4;
    private const int SubCount = 1 << SubBits;
    private const int MaxBits = 32;

    /// <summary>The number of buckets.</summary>
    internal const int Count = (MaxBits - SubBits + 1) * SubCount;

    /// <summary>The bucket of a value; negative values share that of 0, those over 32 bits the last.</summary>
    internal static int IndexOf(long value)
    {
        if (value < SubCount)
            return (int)Math.Max(0, value);
        value = Math.Min(value, uint.MaxValue);
        int shift = BitOperations.Log2((ulong)value) - SubBits;
        return ((shift + 1) << SubBits) + (int)(value >> shift) - SubCount;
    }

    /// <summary>The largest value of a bucket.</summary>
    internal static long UpperBound(int index)
    {
        if (index < SubCount)
            return index;
        int shift = (index >> SubBits) - 1;
        long start = SubCount + (index & (SubCount - 1));
        return ((start + 1) << shift) - 1;
    }
}
