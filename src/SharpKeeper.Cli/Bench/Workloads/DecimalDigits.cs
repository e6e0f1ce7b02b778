namespace SharpKeeper.Cli.Bench.Workloads;

/// <summary>Zero-padded decimal numbers in ASCII, changed in place inside a prepared frame.</summary>
internal static class DecimalDigits
{
    /// <summary>Writes a number over all of <paramref name="digits"/>; what does not fit is cut off in front.</summary>
    public static void Write(Span<byte> digits, long value)
    {
        for (int i = digits.Length - 1; i >= 0; i--)
        {
            digits[i] = (byte)('0' + value % 10);
            value /= 10;
        }
    }
}
