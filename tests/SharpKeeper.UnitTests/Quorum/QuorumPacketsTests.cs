using CsCheck;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;
using SharpKeeper.ReplicaTests;

namespace SharpKeeper.QuorumTests;

/// <summary>What the reader of packets makes of bytes that no server sent.</summary>
public sealed class QuorumPacketsTests
{
    [Fact]
    public void TryRead_gives_back_what_was_written() =>
        Gen.Select(Gen.Int[1, 19], Gen.Long, Gen.Byte.Array[0, 50], Gen.Select(Gen.String, Gen.String).Array[0, 4])
            .Sample(
                (type, zxid, data, ids) =>
                {
                    using var output = new JuteBuffer();
                    AuthId[] identities = [.. ids.Select(static id => new AuthId(Plain(id.Item1), Plain(id.Item2)))];
                    int begun = QuorumPackets.Begin(output, (QuorumPacketType)type, new Zxid(zxid));
                    output.WriteRaw(data);
                    QuorumPackets.End(output, begun, identities);
                    PacketReadResult result =
                        QuorumPackets.TryRead(output.WrittenSpan, 10_000, out QuorumPacket packet, out int consumed);
                    Assert.Equal(PacketReadResult.Complete, result);
                    Assert.Equal(output.Length, consumed);
                    Assert.Equal(type, (int)packet.Type);
                    Assert.Equal(zxid, packet.Zxid.Value);
                    Assert.Equal(data, packet.Data);
                    Assert.Equal(identities, QuorumPackets.ReadAuth(packet));
                },
                iter: TestScale.Of(500), threads: 1);

    [Fact]
    public void TryRead_any_bytes_neither_fails_nor_reads_beyond_them() =>
        HostileBytes.Gen.Sample(
            bytes =>
            {
                PacketReadResult result =
                    QuorumPackets.TryRead(bytes, 1000, out QuorumPacket packet, out int consumed);
                if (result == PacketReadResult.Complete)
                {
                    Assert.InRange(consumed, QuorumPackets.HeadBytes + 4, bytes.Length);
                    QuorumPackets.ReadAuth(packet);
                    LearnerInfo.Read(packet.Data);
                }
            },
            iter: TestScale.Of(2000), threads: 1);

    [Theory]
    [InlineData("00000002" + "0000000000000001" + "FFFFFFFE")]
    [InlineData("00000002" + "0000000000000001" + "000003E9")]
    [InlineData("00000002" + "0000000000000001" + "7FFFFFFF")]
    [InlineData("00000001" + "0000000000000001" + "FFFFFFFF" + "FFFFFFFE")]
    [InlineData("00000001" + "0000000000000001" + "FFFFFFFF" + "7FFFFFFF")]
    [InlineData("00000001" + "0000000000000001" + "FFFFFFFF" + "00000001" + "FFFFFFFE")]
    [InlineData("00000001" + "0000000000000001" + "FFFFFFFF" + "00000001" + "7FFFFFFF")]
    public void TryRead_impossible_length_is_corrupt_at_once(string hex) => Assert.Equal(
        PacketReadResult.Corrupt, QuorumPackets.TryRead(Convert.FromHexString(hex), 1000, out _, out _));

    [Theory]
    [InlineData("", long.MinValue, 1, 0)]
    [InlineData("0000000000000005", 5, 1, 0)]
    [InlineData("000000000000000500010000", 5, 0x10000, 0)]
    [InlineData("0000000000000005000100000000000100000003", 5, 0x10000, 0x100000003)]
    public void LearnerInfo_of_older_servers_is_completed(string hex, long server, int protocol, long config) =>
        Assert.Equal(
            new LearnerInfo(new ServerId(server), protocol, config), LearnerInfo.Read(Convert.FromHexString(hex)));

    // Unpaired surrogates have no form in UTF-8.
    private static string Plain(string text) => string.Concat(text.Where(static c => !char.IsSurrogate(c)));
}

/// <summary>Bytes as an enemy or a bug would send them: arbitrary, and small numbers where lengths are read.</summary>
internal static class HostileBytes
{
    private static readonly Gen<byte[]> Word = CsCheck.Gen.OneOf(
        CsCheck.Gen.Byte.Array[4],
        CsCheck.Gen.Int[-3, 40].Select(static number => BitConverter.GetBytes(number).Reverse().ToArray()),
        CsCheck.Gen.OneOf(int.MaxValue, int.MinValue, 524_288, 524_289, -65536, -65535)
            .Select(static number => BitConverter.GetBytes(number).Reverse().ToArray()));

    public static Gen<byte[]> Gen { get; } = CsCheck.Gen.Select(
        Word.Array[0, 20], CsCheck.Gen.Byte.Array[0, 5],
        static (words, tail) => words.SelectMany(static word => word).Concat(tail).ToArray());
}
