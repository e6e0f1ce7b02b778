using SharpKeeper.Core.Log;

namespace SharpKeeper.TreeTests;

public class Adler32Tests
{
    [Fact]
    public void Compute_known_text_gives_the_known_sum() => Assert.Equal(0x11e60398u, Adler32.Compute("Wikipedia"u8));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Compute_every_short_length_equals_the_definition(bool isHighest)
    {
        byte[] bytes = Bytes(1000, isHighest);
        for (int length = 0; length <= bytes.Length; length++)
        {
            ReadOnlySpan<byte> part = bytes.AsSpan(0, length);
            Assert.Equal(Reference(part, 1), Adler32.Compute(part));
            Assert.Equal(Reference(part, 0xfff0fff0), Adler32.Compute(part, 0xfff0fff0));
            ReadOnlySpan<byte> blocks = part[..(length / 32 * 32)];
            Assert.Equal(Reference(blocks, 0xfff0fff0), Adler32.ComputeByBlocks(blocks, 0xfff0fff0));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Compute_long_input_in_two_parts_equals_the_definition(bool isHighest)
    {
        byte[] bytes = Bytes(50_000, isHighest);
        uint whole = Reference(bytes, 1);
        Assert.Equal(whole, Adler32.Compute(bytes));
        for (int cut = 0; cut <= bytes.Length; cut += 997)
            Assert.Equal(whole, Adler32.Compute(bytes.AsSpan(cut), Adler32.Compute(bytes.AsSpan(0, cut))));
    }

    private static byte[] Bytes(int count, bool isHighest)
    {
        var bytes = new byte[count];
        new Random(1).NextBytes(bytes);
        if (isHighest)
            bytes.AsSpan().Fill(0xff);
        return bytes;
    }

    private static uint Reference(ReadOnlySpan<byte> bytes, uint start)
    {
        uint a = start & 0xffff;
        uint b = start >> 16;
        foreach (byte value in bytes)
        {
            a = (a + value) % 65521;
            b = (b + a) % 65521;
        }
        return (b << 16) | a;
    }
}
