using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using SharpKeeper.Core.Log;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.QuorumTests;

/// <summary>Every packet recorded between leaders and learners, read and written again.</summary>
public sealed class CapturedPacketTests
{
    private const int DataBytesMax = 1 << 20;

    public static TheoryData<string> Captures => EnsembleCapture.Names;

    [Theory]
    [MemberData(nameof(Captures))]
    public void TryRead_recorded_packet_gives_the_recorded_fields(string capture)
    {
        int count = 0;
        foreach (CapturedMessage message in EnsembleCapture.Read(capture, "quorum"))
        {
            QuorumPacket packet = Read(message);
            Assert.Equal(message.Kind, packet.Type.ToString().ToUpperInvariant());
            Assert.Equal(CapturedMessage.Number(message["zxid"]), packet.Zxid.Value);
            bool isNull = message["dataLength"].ValueKind == JsonValueKind.Null;
            Assert.Equal(isNull, packet.DataIsNull);
            Assert.Equal(isNull ? 0 : message["dataLength"].GetInt32(), packet.Data.Length);
            CheckAuth(message, packet);
            CheckData(message, packet);
            count++;
        }
        Assert.NotEqual(0, count);
    }

    [Theory]
    [MemberData(nameof(Captures))]
    public void Write_what_was_read_gives_the_recorded_bytes(string capture)
    {
        foreach (CapturedMessage message in EnsembleCapture.Read(capture, "quorum"))
        {
            QuorumPacket packet = Read(message);
            using var output = new JuteBuffer();
            if (packet.DataIsNull)
            {
                QuorumPackets.WriteEmpty(output, packet.Type, packet.Zxid);
            }
            else if (packet.AuthCount < 0)
            {
                QuorumPackets.Write(output, packet.Type, packet.Zxid, packet.Data);
                int begun = QuorumPackets.Begin(output, packet.Type, packet.Zxid);
                output.WriteRaw(packet.Data);
                QuorumPackets.End(output, begun);
                Assert.Equal(message.Bytes, output.WrittenSpan[begun..]);
                output.Truncate(begun);
            }
            else
            {
                int begun = QuorumPackets.Begin(output, packet.Type, packet.Zxid);
                output.WriteRaw(packet.Data);
                QuorumPackets.End(output, begun, QuorumPackets.ReadAuth(packet));
            }
            Assert.Equal(message.Bytes, output.WrittenSpan);
        }
    }

    [Theory]
    [MemberData(nameof(Captures))]
    public void TryRead_cut_off_packet_wants_more(string capture)
    {
        foreach (CapturedMessage message in EnsembleCapture.Read(capture, "quorum"))
        {
            byte[] bytes = message.Bytes;
            for (int length = 0; length < bytes.Length; length++)
            {
                PacketReadResult result = QuorumPackets.TryRead(bytes.AsSpan(0, length), DataBytesMax, out _, out _);
                Assert.Equal(PacketReadResult.Incomplete, result);
            }
        }
    }

    private static QuorumPacket Read(CapturedMessage message)
    {
        byte[] bytes = message.Bytes;
        byte[] received = [.. bytes, 0, 0, 0];
        PacketReadResult result =
            QuorumPackets.TryRead(received, DataBytesMax, out QuorumPacket packet, out int consumed);
        Assert.Equal(PacketReadResult.Complete, result);
        Assert.Equal(bytes.Length, consumed);
        return packet;
    }

    private static void CheckAuth(CapturedMessage message, in QuorumPacket packet)
    {
        JsonElement recorded = message["authinfo"];
        if (recorded.ValueKind == JsonValueKind.Null)
        {
            Assert.Equal(-1, packet.AuthCount);
            return;
        }
        AuthId[] expected = [.. recorded.EnumerateArray().Select(static id =>
            new AuthId(id.GetProperty("scheme").GetString()!, id.GetProperty("id").GetString()!))];
        Assert.Equal(expected, QuorumPackets.ReadAuth(packet));
    }

    private static void CheckData(CapturedMessage message, in QuorumPacket packet)
    {
        ReadOnlySpan<byte> data = packet.Data;
        if (message.Has("designatedLeader"))
        {
            Assert.Equal(message["designatedLeader"].GetInt64(), BinaryPrimitives.ReadInt64BigEndian(data));
            data = data[8..];
        }
        if (message.Has("learnerInfo"))
            CheckLearner(message["learnerInfo"], data);
        if (message.Has("config"))
            CheckConfig(message["config"].GetString()!, data);
        if (message.Has("entry"))
            CheckTxn(message["entry"], data);
        if (message.Has("request"))
            CheckRequest(message["request"], data);
        if (message.Has("touched"))
            CheckTouches(message["touched"], data);
        if (message.Has("currentEpoch"))
            Assert.Equal(message["currentEpoch"].GetInt32(), BinaryPrimitives.ReadInt32BigEndian(data));
    }

    private static void CheckLearner(JsonElement recorded, ReadOnlySpan<byte> data)
    {
        LearnerInfo learner = LearnerInfo.Read(data);
        Assert.Equal(CapturedMessage.Number(recorded.GetProperty("serverid")), learner.Server.Value);
        Assert.Equal(CapturedMessage.Number(recorded.GetProperty("protocolVersion")), learner.ProtocolVersion);
        Assert.Equal(CapturedMessage.Number(recorded.GetProperty("configVersion")), learner.ConfigVersion);
        using var output = new JuteBuffer();
        learner.Write(output);
        Assert.Equal(data, output.WrittenSpan);
    }

    private static void CheckConfig(string recorded, ReadOnlySpan<byte> data)
    {
        Assert.Equal(recorded, Encoding.UTF8.GetString(data));
        Assert.True(EnsembleConfig.TryParse(data, out EnsembleConfig? config, out string problem), problem);
        Assert.Equal(recorded, config.Format());
    }

    private static void CheckTxn(JsonElement recorded, ReadOnlySpan<byte> data)
    {
        Assert.True(TxnRecords.TryRead(data, out TxnView txn));
        JsonElement header = recorded.GetProperty("header");
        Assert.Equal(CapturedMessage.Number(header.GetProperty("zxid")), txn.Header.Zxid);
        Assert.Equal(CapturedMessage.Number(header.GetProperty("clientId")), txn.Header.ClientId);
        Assert.Equal(header.GetProperty("type").GetInt32(), (int)txn.Header.Type);
        if (txn.HasDigest)
        {
            long digest = recorded.GetProperty("digest").GetProperty("treeDigest").GetInt64();
            Assert.Equal(digest, txn.Digest.TreeDigest);
        }
        if (txn.Header.Type != OpCode.Reconfig)
            return;
        Assert.True(TxnRecords.TryReadSetData(txn.Record, out SetDataTxn set));
        Assert.Equal(-1, set.Version);
        byte[] text = recorded.GetProperty("txn").GetProperty("data").GetBytesFromBase64();
        CheckConfig(Encoding.UTF8.GetString(text), set.Data);
        Assert.EndsWith($"version={txn.Header.Zxid:x}", Encoding.UTF8.GetString(set.Data), StringComparison.Ordinal);
    }

    private static void CheckRequest(JsonElement recorded, ReadOnlySpan<byte> data)
    {
        var reader = new JuteReader(data);
        Assert.Equal(CapturedMessage.Number(recorded.GetProperty("sessionId")), reader.ReadInt64());
        Assert.Equal(recorded.GetProperty("cxid").GetInt32(), reader.ReadInt32());
        Assert.Equal(recorded.GetProperty("type").GetInt32(), reader.ReadInt32());
        Assert.Equal(Convert.FromHexString(recorded.GetProperty("payload").GetString()!), reader.Rest);
    }

    private static void CheckTouches(JsonElement recorded, ReadOnlySpan<byte> data)
    {
        var reader = new JuteReader(data);
        foreach (JsonElement touch in recorded.EnumerateArray())
        {
            Assert.Equal(CapturedMessage.Number(touch.GetProperty("sessionId")), reader.ReadInt64());
            Assert.Equal(touch.GetProperty("timeout").GetInt32(), reader.ReadInt32());
        }
        Assert.Equal(0, reader.Remaining);
        Assert.False(reader.Failed);
    }
}
