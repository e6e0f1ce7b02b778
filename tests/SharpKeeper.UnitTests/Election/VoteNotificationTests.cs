using System.Text;
using CsCheck;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Election;
using SharpKeeper.Protocol.Quorum;
using SharpKeeper.QuorumTests;
using SharpKeeper.ReplicaTests;

namespace SharpKeeper.ElectionTests;

/// <summary>The messages of an election, in the forms of all times.</summary>
public sealed class VoteNotificationTests
{
    private const string Head = "00000002" + "0000000000000003" + "0000000500000007" + "0000000000000009";
    private const string Epoch = "0000000000000006";

    public static TheoryData<string> Captures => EnsembleCapture.Names;

    [Theory]
    [MemberData(nameof(Captures))]
    public void TryRead_recorded_message_is_written_as_the_same_bytes(string capture)
    {
        int count = 0;
        foreach (CapturedMessage message in EnsembleCapture.Read(capture, "election"))
        {
            if (message.Kind != "notification")
                continue;
            byte[] bytes = message.Bytes;
            Assert.Equal(
                PacketReadResult.Complete,
                ElectionFrames.TryRead(bytes, out ReadOnlySpan<byte> payload, out int consumed));
            Assert.Equal(bytes.Length, consumed);
            Assert.Equal(message["length"].GetInt32(), payload.Length);
            Assert.True(VoteNotification.TryRead(payload, out VoteNotification vote));
            Check(message, vote);
            Assert.Equal(payload, vote.ToArray());
            using var output = new JuteBuffer();
            ElectionFrames.Write(output, vote.ToArray());
            Assert.Equal(bytes, output.WrittenSpan);
            count++;
        }
        // The captures of reconfigurations that begin in the middle of a conversation have few votes or none.
        Assert.True(count > 0 || capture.StartsWith("reconfig", StringComparison.Ordinal));
    }

    [Fact]
    public void TryRead_28_bytes_take_the_epoch_of_the_zxid() =>
        Assert.Equal(Vote(5, 0, null), Read(Head));

    [Fact]
    public void TryRead_40_bytes_have_no_version_whatever_the_last_four_say()
    {
        Assert.Equal(Vote(6, 0, null), Read(Head + Epoch + "00000002"));
        Assert.Equal(Vote(6, 0, null), Read(Head + Epoch + "FFFFFFFF"));
    }

    [Fact]
    public void TryRead_version_below_two_has_no_configuration()
    {
        Assert.Equal(Vote(6, 1, null), Read(Head + Epoch + "00000001" + "FF"));
        Assert.Equal(Vote(6, -1, null), Read(Head + Epoch + "FFFFFFFF" + "00000000" + "00"));
    }

    [Fact]
    public void TryRead_configuration_may_be_empty_and_is_not_looked_at()
    {
        Assert.Equal(Vote(6, 2, []), Read(Head + Epoch + "00000002" + "00000000"));
        Assert.Equal(Vote(6, 2, [0xFF, 0xFE]), Read(Head + Epoch + "00000002" + "00000002" + "FFFE"));
        Assert.Equal(Vote(6, 3, [0x41]), Read(Head + Epoch + "00000003" + "00000001" + "41" + "DEADBEEF"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("00000002" + "0000000000000003" + "0000000500000007" + "00000000000000")]
    [InlineData(Head + "00")]
    [InlineData(Head + "00000000000000")]
    [InlineData(Head + Epoch)]
    [InlineData(Head + Epoch + "00")]
    [InlineData(Head + Epoch + "000000")]
    [InlineData(Head + Epoch + "00000002" + "00")]
    [InlineData(Head + Epoch + "00000002" + "000000")]
    [InlineData(Head + Epoch + "00000002" + "00000001")]
    [InlineData(Head + Epoch + "00000002" + "00000003" + "4142")]
    [InlineData(Head + Epoch + "00000002" + "FFFFFFFF" + "4142")]
    [InlineData(Head + Epoch + "00000002" + "80000000" + "4142")]
    [InlineData(Head + Epoch + "00000002" + "7FFFFFFF" + "4142")]
    [InlineData("00000004" + "0000000000000003" + "0000000500000007" + "0000000000000009" + Epoch + "00000000")]
    [InlineData("FFFFFFFF" + "0000000000000003" + "0000000500000007" + "0000000000000009" + Epoch + "00000000")]
    public void TryRead_cut_off_or_unknown_message_is_dropped(string hex) =>
        Assert.False(VoteNotification.TryRead(Convert.FromHexString(hex), out _));

    [Fact]
    public void TryRead_gives_back_what_was_written() =>
        Gen.Select(
            Gen.Select(Gen.Int[0, 3], Gen.Long, Gen.Long), Gen.Long, Gen.Long, Gen.OneOf(0, 2, 3),
            Gen.Byte.Array[0, 40]).Sample(
            (head, round, epoch, version, config) =>
            {
                var vote = new VoteNotification(
                    (ServerState)head.Item1, new ServerId(head.Item2), new Zxid(head.Item3), round, epoch, version,
                    version > 1 ? config : null);
                Assert.True(VoteNotification.TryRead(vote.ToArray(), out VoteNotification read));
                Assert.Equal(vote, read);
                Assert.Equal(vote.GetHashCode(), read.GetHashCode());
            },
            iter: TestScale.Of(500), threads: 1);

    [Fact]
    public void TryRead_any_bytes_neither_fails_nor_keeps_more_than_it_got() =>
        HostileBytes.Gen.Sample(
            bytes =>
            {
                if (VoteNotification.TryRead(bytes, out VoteNotification vote))
                    Assert.InRange(vote.Config?.Length ?? 0, 0, bytes.Length);
                PacketReadResult result =
                    ElectionFrames.TryRead(bytes, out ReadOnlySpan<byte> payload, out int consumed);
                Assert.Equal(result == PacketReadResult.Complete ? payload.Length + 4 : 0, consumed);
            },
            iter: TestScale.Of(2000), threads: 1);

    [Theory]
    [InlineData("00000000", PacketReadResult.Corrupt)]
    [InlineData("FFFFFFFF", PacketReadResult.Corrupt)]
    [InlineData("00080001", PacketReadResult.Corrupt)]
    [InlineData("00080000", PacketReadResult.Incomplete)]
    [InlineData("000000", PacketReadResult.Incomplete)]
    [InlineData("0000000100", PacketReadResult.Complete)]
    public void Frame_of_impossible_length_is_corrupt(string hex, PacketReadResult expected) =>
        Assert.Equal(expected, ElectionFrames.TryRead(Convert.FromHexString(hex), out _, out _));

    [Fact]
    public void Frame_of_impossible_payload_is_not_written()
    {
        using var output = new JuteBuffer();
        Assert.Throws<ArgumentException>(() => ElectionFrames.Write(output, []));
        Assert.Throws<ArgumentException>(() => ElectionFrames.Write(output, new byte[524_289]));
        ElectionFrames.Write(output, new byte[524_288]);
        Assert.Equal(524_292, output.Length);
    }

    private static void Check(CapturedMessage message, in VoteNotification vote)
    {
        Assert.Equal(message["state"].GetString(), vote.State.ToString().ToUpperInvariant());
        Assert.Equal(message["leader"].GetInt64(), vote.Leader.Value);
        Assert.Equal(CapturedMessage.Number(message["zxid"]), vote.Zxid.Value);
        Assert.Equal(message["electionEpoch"].GetInt64(), vote.Round);
        Assert.Equal(message["peerEpoch"].GetInt64(), vote.PeerEpoch);
        Assert.Equal(message["version"].GetInt32(), vote.Version);
        string text = message["config"].GetString()!;
        Assert.Equal(text, Encoding.UTF8.GetString(vote.Config!));
        Assert.True(EnsembleConfig.TryParse(vote.Config, out EnsembleConfig? config, out string problem), problem);
        Assert.Equal(text, config.Format());
    }

    private static VoteNotification Read(string hex)
    {
        Assert.True(VoteNotification.TryRead(Convert.FromHexString(hex), out VoteNotification vote));
        return vote;
    }

    private static VoteNotification Vote(long epoch, int version, byte[]? config) => new(
        ServerState.Leading, new ServerId(3), new Zxid(0x500000007), 9, epoch, version, config);
}
