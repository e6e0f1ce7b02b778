using CsCheck;
using SharpKeeper.Protocol;
using SharpKeeper.ReplicaTests;

namespace SharpKeeper.ProtocolTests;

/// <summary>Jute's encoding and what the reader makes of input that breaks it.</summary>
public class JuteTests
{
    [Fact]
    public void Writer_uses_the_wire_form()
    {
        using var buffer = new JuteBuffer();
        buffer.WriteInt32(-2);
        buffer.WriteInt64(0x0102030405060708);
        buffer.WriteBoolean(true);
        buffer.WriteBoolean(false);
        buffer.WriteString(null);
        buffer.WriteString("é");
        buffer.WriteBuffer([], isNull: true);
        buffer.WriteBuffer([], isNull: false);
        Assert.Equal(
            "FFFFFFFE" + "0102030405060708" + "01" + "00" + "FFFFFFFF" + "00000002C3A9" + "FFFFFFFF" + "00000000",
            Convert.ToHexString(buffer.WrittenSpan));
    }

    [Fact]
    public void Reader_gives_back_what_the_writer_wrote() =>
        Gen.Select(Gen.Int, Gen.Long, Gen.Bool, Gen.String.Null(), Gen.Byte.Array.Null()).Sample(
            (number, wide, flag, text, data) =>
            {
                using var buffer = new JuteBuffer();
                buffer.WriteInt32(number);
                buffer.WriteInt64(wide);
                buffer.WriteBoolean(flag);
                buffer.WriteBuffer(data, data is null);
                buffer.WriteString(text);
                var reader = new JuteReader(buffer.WrittenSpan);
                Assert.Equal(number, reader.ReadInt32());
                Assert.Equal(wide, reader.ReadInt64());
                Assert.Equal(flag, reader.ReadBoolean());
                byte[] actual = reader.ReadBuffer(out bool isNull).ToArray();
                Assert.Equal(data, isNull ? null : actual);
                // Unpaired surrogates have no form in UTF-8.
                string? expected = text is null
                    ? null
                    : System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(text));
                Assert.Equal(expected, reader.ReadString());
                Assert.Equal(0, reader.Remaining);
                Assert.False(reader.Failed);
            },
            iter: TestScale.Of(500), threads: 1);

    [Theory]
    [InlineData("")]
    [InlineData("000000")]
    [InlineData("FFFFFFFE")]
    [InlineData("80000000")]
    [InlineData("7FFFFFFF00")]
    [InlineData("0000000141FF", 2)]
    public void ReadBuffer_impossible_length_fails(string hex, int reads = 1)
    {
        var reader = new JuteReader(Convert.FromHexString(hex));
        for (int i = 0; i < reads; i++)
        {
            Assert.False(reader.Failed);
            reader.ReadBuffer();
        }
        Assert.True(reader.Failed);
    }

    [Fact]
    public void Reader_that_failed_gives_defaults_for_good()
    {
        var reader = new JuteReader([1, 2, 3, 4, 5, 6]);
        Assert.Equal(0L, reader.ReadInt64());
        Assert.True(reader.Failed);
        Assert.Equal(0, reader.ReadInt32());
        Assert.Equal(0, reader.ReadByte());
        Assert.True(reader.ReadBuffer(out bool isNull).IsEmpty);
        Assert.False(isNull);
        Assert.Equal("", reader.ReadString());
        Assert.Equal(0, reader.ReadVectorCount(1));
        reader.Skip(1);
        Assert.True(reader.Failed);
        Assert.Equal(0, reader.Position);
    }

    [Theory]
    [InlineData("FFFFFFFF", 4, -1, false)]
    [InlineData("00000000", 4, 0, false)]
    [InlineData("0000000100000000", 4, 1, false)]
    [InlineData("0000000200000000", 4, 0, true)]
    [InlineData("FFFFFFFE", 4, 0, true)]
    [InlineData("7FFFFFFF00", 4, 0, true)]
    [InlineData("80000000", 4, 0, true)]
    public void ReadVectorCount_fits_in_what_is_left(string hex, int elementBytes, int expected, bool isFailed)
    {
        var reader = new JuteReader(Convert.FromHexString(hex));
        Assert.Equal(expected, reader.ReadVectorCount(elementBytes));
        Assert.Equal(isFailed, reader.Failed);
    }

    [Fact]
    public void ReadString_malformed_utf8_becomes_replacement_characters()
    {
        var reader = new JuteReader([0, 0, 0, 2, 0xff, 0x41]);
        Assert.Equal("\ufffdA", reader.ReadString());
    }

    [Fact]
    public void ReadBoolean_any_other_byte_than_zero_is_true()
    {
        var reader = new JuteReader([0, 1, 2, 255]);
        Assert.Equal(
            (false, true, true, true),
            (reader.ReadBoolean(), reader.ReadBoolean(), reader.ReadBoolean(), reader.ReadBoolean()));
    }

    [Fact]
    public void Skip_negative_count_fails()
    {
        var reader = new JuteReader([1, 2]);
        reader.Skip(-1);
        Assert.True(reader.Failed);
    }

    [Fact]
    public void Buffer_frames_hold_their_length_and_survive_growth()
    {
        using var buffer = new JuteBuffer();
        int first = buffer.BeginFrame();
        buffer.Append(100_000).Fill(7);
        buffer.EndFrame(first);
        int second = buffer.BeginFrame();
        buffer.EndFrame(second);
        var reader = new JuteReader(buffer.WrittenSpan);
        Assert.Equal(100_000, reader.ReadBuffer().Length);
        Assert.Equal(0, reader.ReadBuffer().Length);
        Assert.Equal(0, reader.Remaining);
    }

    [Fact]
    public void Buffer_refuses_to_go_where_nothing_was_written()
    {
        using var buffer = new JuteBuffer();
        buffer.WriteInt32(1);
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Truncate(5));
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Truncate(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Advance(buffer.Capacity));
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Advance(-1));
        buffer.Truncate(0);
        Assert.Equal(0, buffer.Length);
        buffer.Reset();
        Assert.Equal(0, buffer.Capacity);
    }

    [Fact]
    public void ConnectRequest_reads_with_and_without_the_readOnly_byte()
    {
        foreach (bool? readOnly in (bool?[])[null, false, true])
        {
            using var buffer = new JuteBuffer();
            new ConnectRequest(0, 5, 1000, 7, new byte[16], readOnly).Write(buffer);
            Assert.Equal(readOnly is null ? 44 : 45, buffer.Length);
            Assert.True(ConnectRequest.TryRead(buffer.WrittenSpan, out ConnectRequest request));
            Assert.Equal((5L, 1000, 7L), (request.LastZxidSeen, request.TimeoutMs, request.SessionId));
            Assert.Equal(readOnly, request.ReadOnly);
            for (int length = 0; length < 44; length++)
                Assert.False(ConnectRequest.TryRead(buffer.WrittenSpan[..length], out _));
        }
    }
}
