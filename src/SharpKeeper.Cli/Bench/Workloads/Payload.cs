using System.Buffers.Binary;

namespace SharpKeeper.Cli.Bench.Workloads;

/// <summary>
/// Znode data that can be checked: a pattern whose first 8 bytes, where there are so many, hold a version.
/// </summary>
internal static class Payload
{
    /// <summary>Length from which a payload carries its version.</summary>
    public const int StampBytes = 8;

    /// <summary>Builds the data of a given length and version.</summary>
    public static byte[] Build(int size, long version)
    {
        byte[] data = new byte[size];
        for (int i = 0; i < size; i++)
            data[i] = (byte)(i * 31 + 7);
        Stamp(data, version);
        return data;
    }

    /// <summary>Writes the version into data of a length that holds one.</summary>
    public static void Stamp(Span<byte> data, long version)
    {
        if (data.Length >= StampBytes)
            BinaryPrimitives.WriteInt64BigEndian(data, version);
    }

    /// <summary>Is it what <see cref="Build"/> makes of this version?</summary>
    /// <param name="data">What came.</param>
    /// <param name="expected">The payload of the right size and any version.</param>
    /// <param name="version">The version it must carry.</param>
    public static bool Matches(ReadOnlySpan<byte> data, ReadOnlySpan<byte> expected, long version)
    {
        if (data.Length != expected.Length)
            return false;
        if (data.Length < StampBytes)
            return data.SequenceEqual(expected);
        return BinaryPrimitives.ReadInt64BigEndian(data) == version
            && data[StampBytes..].SequenceEqual(expected[StampBytes..]);
    }
}
