using SharpKeeper.Core.Tree;

namespace SharpKeeper.TreeTests;

public class Crc32Tests
{
    [Fact]
    public void Compute_check_value_is_that_of_the_standard() =>
        Assert.Equal(0xcbf43926u, Crc32.Compute("123456789"u8));

    [Fact]
    public void Compute_every_short_length_equals_the_bitwise_definition()
    {
        byte[] bytes = Bytes(1000);
        for (int length = 0; length <= bytes.Length; length++)
        {
            uint expected = Reference(bytes.AsSpan(0, length), 0);
            Assert.Equal(expected, Crc32.Compute(bytes.AsSpan(0, length)));
            Assert.Equal(expected, Crc32.ComputeByTables(bytes.AsSpan(0, length), 0));
        }
    }

    [Fact]
    public void Compute_in_two_parts_equals_the_whole()
    {
        byte[] bytes = Bytes(300);
        uint whole = Reference(bytes, 0);
        for (int cut = 0; cut <= bytes.Length; cut++)
            Assert.Equal(whole, Crc32.Compute(bytes.AsSpan(cut), Crc32.Compute(bytes.AsSpan(0, cut))));
    }

    [Fact]
    public void Compute_unaligned_and_long_input_equals_the_definition()
    {
        byte[] bytes = Bytes(100_003);
        for (int start = 0; start < 20; start++)
            Assert.Equal(Reference(bytes.AsSpan(start), 7), Crc32.Compute(bytes.AsSpan(start), 7));
    }

    private static byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        new Random(1).NextBytes(bytes);
        return bytes;
    }

    private static uint Reference(ReadOnlySpan<byte> bytes, uint start)
    {
        uint state = ~start;
        foreach (byte value in bytes)
        {
            state ^= value;
            for (int bit = 0; bit < 8; bit++)
                state = (state >> 1) ^ ((state & 1) * 0xedb88320);
        }
        return ~state;
    }
}
