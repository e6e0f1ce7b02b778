using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Tree;

/// <summary>
/// The checksum that all servers of an ensemble must agree on: the sum modulo 2^64 of the digests of all znodes that
/// are not below /zookeeper. ACLs and the order of children have no part in it.
/// </summary>
public static class TreeDigest
{
    /// <summary>The digest of a tree that nobody wrote to.</summary>
    public const long OfFreshTree = 1371985504;

    private const int StatBytes = 60;
    private const int GatheredBytesMax = 1024;

    /// <summary>
    /// The digest of one znode. The root's path is empty here.
    /// </summary>
    public static uint OfNode(ReadOnlySpan<byte> path, ReadOnlySpan<byte> data, in StatPersisted stat) =>
        OfStat(Prefix(path, data), stat);

    /// <summary>Is the znode of that path left out of the sum?</summary>
    public static bool IsExcluded(ReadOnlySpan<byte> path) => path.StartsWith("/zookeeper/"u8);

    /// <summary>The part of a znode's digest that its stat does not change.</summary>
    [SkipLocalsInit]
    internal static uint Prefix(ReadOnlySpan<byte> path, ReadOnlySpan<byte> data)
    {
        int length = path.Length + data.Length;
        if (length > GatheredBytesMax)
            return Crc32.Compute(data, Crc32.Compute(path));
        Span<byte> gathered = stackalloc byte[GatheredBytesMax];
        path.CopyTo(gathered);
        data.CopyTo(gathered[path.Length..]);
        return Crc32.Compute(gathered[..length]);
    }

    /// <summary>Completes <see cref="Prefix"/> to a znode's digest.</summary>
    [SkipLocalsInit]
    internal static uint OfStat(uint prefix, in StatPersisted stat)
    {
        Span<byte> bytes = stackalloc byte[StatBytes];
        BinaryPrimitives.WriteInt64BigEndian(bytes, stat.Czxid);
        BinaryPrimitives.WriteInt64BigEndian(bytes[8..], stat.Mzxid);
        BinaryPrimitives.WriteInt64BigEndian(bytes[16..], stat.Pzxid);
        BinaryPrimitives.WriteInt64BigEndian(bytes[24..], stat.Ctime);
        BinaryPrimitives.WriteInt64BigEndian(bytes[32..], stat.Mtime);
        BinaryPrimitives.WriteInt32BigEndian(bytes[40..], stat.Version);
        BinaryPrimitives.WriteInt32BigEndian(bytes[44..], stat.Cversion);
        BinaryPrimitives.WriteInt32BigEndian(bytes[48..], stat.Aversion);
        BinaryPrimitives.WriteInt64BigEndian(bytes[52..], stat.EphemeralOwner);
        return Crc32.Compute(bytes, prefix);
    }
}
