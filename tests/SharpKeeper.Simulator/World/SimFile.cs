namespace SharpKeeper.Simulation;

/// <summary>
/// The contents of one simulated file: what has been written, and what would be there after a loss of power.
/// </summary>
internal sealed class SimFile
{
    private byte[] written = [];
    private byte[] durable = [];
    private int durableLength;

    // Bytes before this one are the same in both.
    private int common;

    /// <summary>Length as the running system sees it.</summary>
    public int Length { get; private set; }

    /// <summary>Contents as the running system sees them.</summary>
    public ReadOnlySpan<byte> Contents => written.AsSpan(0, Length);

    /// <summary>Would a loss of power change anything?</summary>
    public bool IsDurable => common == Length && durableLength == Length;

    /// <summary>Bytes at the start that a loss of power leaves alone.</summary>
    public int DurableLength => durableLength;

    /// <summary>Appends bytes.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        Reserve(ref written, Length + bytes.Length);
        bytes.CopyTo(written.AsSpan(Length));
        Length += bytes.Length;
    }

    /// <summary>Writes bytes somewhere, behind the end with zeros before them.</summary>
    public void WriteAt(int offset, ReadOnlySpan<byte> bytes)
    {
        int end = Math.Max(Length, offset + bytes.Length);
        Reserve(ref written, end);
        if (offset > Length)
            written.AsSpan(Length, offset - Length).Clear();
        bytes.CopyTo(written.AsSpan(offset));
        Length = end;
        common = Math.Min(common, offset);
    }

    /// <summary>Makes it shorter.</summary>
    public void Truncate(int length)
    {
        Length = Math.Min(Length, length);
        common = Math.Min(common, Length);
    }

    /// <summary>Makes what has been written durable.</summary>
    public void Sync()
    {
        Reserve(ref durable, Length);
        written.AsSpan(common, Length - common).CopyTo(durable.AsSpan(common));
        durableLength = Length;
        common = Length;
    }

    /// <summary>Changes a durable byte behind everybody's back.</summary>
    public void Rot(int offset, byte mask)
    {
        written[offset] ^= mask;
        if (offset < durableLength)
            durable[offset] ^= mask;
    }

    /// <summary>The power fails: what was not synced is there in part, as <paramref name="choices"/> says.</summary>
    public void LosePower(SimRandom choices, bool tears)
    {
        if (IsDurable)
            return;
        if (common < durableLength)
            LoseRewrite(choices);
        else
            LoseTail(choices, tears);
        durable = written.AsSpan(0, Length).ToArray();
        durableLength = common = Length;
    }

    /// <summary>A copy as it would be after a loss of power at its worst: nothing that was not synced.</summary>
    public SimFile Durable()
    {
        var copy = new SimFile { written = durable.AsSpan(0, durableLength).ToArray(), Length = durableLength };
        copy.Sync();
        return copy;
    }

    /// <summary>A copy as the running system sees it.</summary>
    public SimFile Copy()
    {
        var copy = new SimFile { written = Contents.ToArray(), Length = Length };
        copy.Sync();
        return copy;
    }

    // A file that was cut, or written in the middle, is as it was before or as it was to be.
    private void LoseRewrite(SimRandom choices)
    {
        if (choices.PerMille(500))
            return;
        written = durable.AsSpan(0, durableLength).ToArray();
        Length = durableLength;
    }

    // A file that was appended to has some of it, in order; behind that nothing, or zeros up to where it had grown.
    private void LoseTail(SimRandom choices, bool tears)
    {
        int grown = Length;
        int tail = grown - durableLength;
        int kept = choices.Below(4) switch
        {
            0 => 0,
            1 => tail,
            _ => tears ? choices.Between(0, tail) : choices.PerMille(500) ? tail : 0,
        };
        Length = durableLength + kept;
        if (kept < tail && tears && choices.PerMille(400))
        {
            written.AsSpan(Length, grown - Length).Clear();
            Length = grown;
        }
    }

    private static void Reserve(ref byte[] bytes, int length)
    {
        if (bytes.Length >= length)
            return;
        Array.Resize(ref bytes, Math.Max(length, Math.Max(256, bytes.Length * 2)));
    }
}
