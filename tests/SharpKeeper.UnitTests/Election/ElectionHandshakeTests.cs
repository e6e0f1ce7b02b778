using System.Text;
using CsCheck;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Election;
using SharpKeeper.Protocol.Quorum;
using SharpKeeper.QuorumTests;
using SharpKeeper.ReplicaTests;

namespace SharpKeeper.ElectionTests;

/// <summary>What the connecting side of an election connection says first.</summary>
public sealed class ElectionHandshakeTests
{
    private const string First = "FFFFFFFFFFFF0000";
    private const string Second = "FFFFFFFFFFFF0001";

    public static TheoryData<string> Captures => EnsembleCapture.Names;

    [Theory]
    [MemberData(nameof(Captures))]
    public void TryRead_recorded_handshake_is_written_as_the_same_bytes(string capture)
    {
        foreach (CapturedMessage message in EnsembleCapture.Read(capture, "election"))
        {
            if (message.Kind != "initial message")
                continue;
            byte[] bytes = message.Bytes;
            PacketReadResult result =
                ElectionHandshake.TryRead(bytes, out ElectionHandshake handshake, out int consumed, out _);
            Assert.Equal(PacketReadResult.Complete, result);
            Assert.Equal(bytes.Length, consumed);
            Assert.Equal(message["sid"].GetInt64(), handshake.Server.Value);
            ElectionAddress address = Assert.Single(handshake.Addresses);
            Assert.Equal(message["addr"].GetString(), $"{address.Host}:{address.Port}");
            using var output = new JuteBuffer();
            handshake.Write(output);
            Assert.Equal(bytes, output.WrittenSpan);
            for (int length = 0; length < bytes.Length; length++)
            {
                result = ElectionHandshake.TryRead(bytes.AsSpan(0, length), out _, out _, out _);
                Assert.Equal(PacketReadResult.Incomplete, result);
            }
        }
    }

    [Theory]
    [InlineData(First, "h:1", "h 1")]
    [InlineData(Second, "h:1", "h 1")]
    [InlineData(Second, "h1:1|[::1]:2|10.0.0.1:3", "h1 1,0:0:0:0:0:0:0:1 2,10.0.0.1 3")]
    [InlineData(First, "h1:1|h2:2", "h1 1,h2 2")]
    [InlineData(First, "0.0.0.0:1", "")]
    [InlineData(Second, "0.0.0.0:1|[::]:1|h:1", "h 1")]
    [InlineData(Second, "[0:0:0:0:0:0:0:0]:1", "")]
    public void TryRead_addresses_are_split_and_wildcards_dropped(string version, string text, string expected)
    {
        byte[] bytes = [.. Bytes(version, 7, text), 1, 2, 3];
        PacketReadResult result =
            ElectionHandshake.TryRead(bytes, out ElectionHandshake handshake, out int consumed, out string reason);
        Assert.Equal(PacketReadResult.Complete, result);
        Assert.Equal("", reason);
        Assert.Equal(bytes.Length - 3, consumed);
        Assert.Equal(7, handshake.Server.Value);
        Assert.Equal(version == Second, handshake.IsMultiAddress);
        Assert.Equal(expected, string.Join(',', handshake.Addresses.Select(static a => $"{a.Host} {a.Port}")));
    }

    [Theory]
    [InlineData("0000000000000000", 0)]
    [InlineData("0000000000000003FF", 3)]
    [InlineData("7FFFFFFFFFFFFFFF", long.MaxValue)]
    public void TryRead_oldest_form_is_an_id_only(string hex, long server)
    {
        PacketReadResult result = ElectionHandshake.TryRead(
            Convert.FromHexString(hex), out ElectionHandshake handshake, out int consumed, out _);
        Assert.Equal(PacketReadResult.Complete, result);
        Assert.Equal(new ElectionHandshake(new ServerId(server), [], false), handshake);
        Assert.Equal(8, consumed);
        Assert.Equal(server == long.MaxValue, handshake.Server == ElectionHandshake.AnonymousObserver);
    }

    [Theory]
    [InlineData("FFFFFFFFFFFFFFFF", "unknown version -1")]
    [InlineData("FFFFFFFFFFFF0002", "unknown version -65534")]
    [InlineData("8000000000000000", "unknown version")]
    [InlineData(First + "FFFFFFFFFFFFFFFE" + "00000001", "server -2")]
    [InlineData(First + "0000000000000001" + "00000000", "0 bytes of addresses")]
    [InlineData(First + "0000000000000001" + "FFFFFFFF", "-1 bytes of addresses")]
    [InlineData(First + "0000000000000001" + "00000801", "2049 bytes of addresses; 1 to 2048")]
    [InlineData(Second + "0000000000000001" + "7FFFFFFF", "2147483647 bytes")]
    public void TryRead_impossible_start_is_corrupt_at_once(string hex, string expected)
    {
        PacketReadResult result =
            ElectionHandshake.TryRead(Convert.FromHexString(hex), out _, out _, out string reason);
        Assert.Equal(PacketReadResult.Corrupt, result);
        Assert.Contains(expected, reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("h")]
    [InlineData("h:")]
    [InlineData(":1")]
    [InlineData("h:x")]
    [InlineData("h:0")]
    [InlineData("h:65536")]
    [InlineData("h:-1")]
    [InlineData("h:1:2")]
    [InlineData("::1:2")]
    [InlineData("[::1:2")]
    [InlineData("h:1|")]
    [InlineData("a b:1")]
    [InlineData("a\n:1")]
    [InlineData("\ufffd:1")]
    public void TryRead_malformed_address_is_corrupt(string text)
    {
        PacketReadResult result = ElectionHandshake.TryRead(Bytes(Second, 1, text), out _, out _, out string reason);
        Assert.Equal(PacketReadResult.Corrupt, result);
        Assert.Contains("host:port is expected", reason, StringComparison.Ordinal);
        Assert.DoesNotContain(reason, char.IsControl);
    }

    [Fact]
    public void TryRead_longest_addresses_are_read()
    {
        string text = string.Join('|', Enumerable.Repeat("h:1", 512)) + "1";
        Assert.Equal(ElectionHandshake.AddressBytesMax, text.Length);
        byte[] bytes = Bytes(Second, 1, text);
        Assert.Equal(ElectionHandshake.BytesMax, bytes.Length);
        PacketReadResult result = ElectionHandshake.TryRead(bytes, out ElectionHandshake handshake, out _, out _);
        Assert.Equal(PacketReadResult.Complete, result);
        Assert.Equal(512, handshake.Addresses.Count);
    }

    [Fact]
    public void Write_several_addresses_is_the_second_version()
    {
        ElectionAddress[] addresses = [new("a", 1), new("0:0:0:0:0:0:0:1", 2)];
        byte[] all = Write(new ElectionHandshake(new ServerId(5), addresses, true));
        Assert.Equal(Bytes(Second, 5, "a:1|[0:0:0:0:0:0:0:1]:2"), all);
        Assert.Equal(Bytes(First, 5, "a:1"), Write(new ElectionHandshake(new ServerId(5), addresses, false)));
    }

    [Fact]
    public void Write_no_address_or_too_many_is_refused()
    {
        Assert.Throws<InvalidOperationException>(() => Write(new ElectionHandshake(new ServerId(5), [], false)));
        Assert.Throws<InvalidOperationException>(() => Write(default));
        ElectionAddress[] many = [.. Enumerable.Repeat(new ElectionAddress("h", 1), 600)];
        Assert.Throws<InvalidOperationException>(() => Write(new ElectionHandshake(new ServerId(5), many, true)));
    }

    [Fact]
    public void TryRead_any_bytes_neither_fails_nor_reads_beyond_them() =>
        Gen.Select(Gen.OneOf(First, Second, ""), HostileBytes.Gen).Sample(
            (start, rest) =>
            {
                byte[] bytes = [.. Convert.FromHexString(start), .. rest];
                PacketReadResult result =
                    ElectionHandshake.TryRead(bytes, out _, out int consumed, out string reason);
                Assert.Equal(result == PacketReadResult.Corrupt, reason.Length > 0);
                Assert.InRange(consumed, result == PacketReadResult.Complete ? 8 : 0, bytes.Length);
            },
            iter: TestScale.Of(2000), threads: 1);

    private static byte[] Bytes(string version, long server, string text)
    {
        using var output = new JuteBuffer();
        output.WriteRaw(Convert.FromHexString(version));
        output.WriteInt64(server);
        output.WriteBuffer(Encoding.UTF8.GetBytes(text));
        return output.WrittenSpan.ToArray();
    }

    private static byte[] Write(ElectionHandshake handshake)
    {
        using var output = new JuteBuffer();
        handshake.Write(output);
        return output.WrittenSpan.ToArray();
    }
}
