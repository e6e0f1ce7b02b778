namespace SharpKeeper.Simulation;

/// <summary>What the simulator knows of the stream that follows a SNAP packet.</summary>
internal static class SnapshotTransfer
{
    // The path that ends the znodes, then the signature: each a string with its length.
    private static ReadOnlySpan<byte> Ending => "\0\0\0\u0001/\0\0\0\nBenWasHere"u8;

    /// <summary>Length of the stream at the start of <paramref name="bytes"/>; -1 while its end is missing.</summary>
    public static int FindEnd(ReadOnlySpan<byte> bytes)
    {
        int at = bytes.IndexOf(Ending);
        return at < 0 ? -1 : at + Ending.Length;
    }
}
