using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SharpKeeper.Core.Tree;

/// <summary>
/// A seeded 32-bit hash of paths, built name by name: the hash of a child follows from its parent's and its name.
/// Nobody who does not know the seed can choose paths that collide.
/// </summary>
/// <remarks>
/// Stripes of 64 bytes are hashed as in NH (Black et al., "UMAC"): sums of products of 32-bit halves, each with a
/// secret added. That is universal whatever the input, and needs no 128-bit product, which Native AOT emulates.
/// </remarks>
internal sealed class PathHash
{
    private const int WordsPerStripe = 8;

    private readonly uint[] keys = new uint[WordsPerStripe * 2];
    private readonly ulong first;
    private readonly ulong second;

    /// <summary>A hash function of its own for every seed.</summary>
    public PathHash(uint seed)
    {
        ulong state = seed;
        first = NextSecret(ref state) | 1;
        second = NextSecret(ref state) | 1;
        Root = (uint)NextSecret(ref state);
        for (int i = 0; i < keys.Length; i++)
            keys[i] = (uint)NextSecret(ref state);
    }

    /// <summary>The hash of the root.</summary>
    public uint Root { get; }

    /// <summary>Hashes a whole path; false if it has no leading slash or an empty part.</summary>
    public bool TryHash(ReadOnlySpan<byte> path, out uint hash)
    {
        hash = Root;
        if (path.IsEmpty || path[0] != (byte)'/')
            return false;
        ReadOnlySpan<byte> rest = path[1..];
        while (true)
        {
            int slash = rest.IndexOf((byte)'/');
            if (slash == 0 || rest.IsEmpty)
                return false;
            if (slash < 0)
            {
                hash = Child(hash, rest);
                return true;
            }
            hash = Child(hash, rest[..slash]);
            rest = rest[(slash + 1)..];
        }
    }

    /// <summary>The hash of a child of the path that hashes to <paramref name="parent"/>.</summary>
    public uint Child(uint parent, ReadOnlySpan<byte> name)
    {
        ref byte at = ref MemoryMarshal.GetReference(name);
        int left = name.Length;
        ulong state = ((ulong)name.Length << 32) | parent;
        while (left > WordsPerStripe * sizeof(ulong))
        {
            state = Stir(state + Stripe(ref at, WordsPerStripe));
            at = ref Unsafe.Add(ref at, WordsPerStripe * sizeof(ulong));
            left -= WordsPerStripe * sizeof(ulong);
        }
        int words = left >> 3;
        ulong sum = Stripe(ref at, words);
        if ((left & 7) != 0 || left == 0)
            sum += Product(Tail(ref at, left, name.Length), words);
        state = Stir(Stir(state) + sum);
        return (uint)(state >> 32);
    }

    /// <summary>A hash of bytes that are not a path.</summary>
    public int Bytes(ReadOnlySpan<byte> bytes) => (int)Child(Root, bytes);

    // The last one to seven bytes as a word; where eight or more were given the word reaches back.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Tail(ref byte at, int left, int length)
    {
        if (length >= 8)
            return Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref at, left - 8));
        if (length >= 4)
        {
            return Unsafe.ReadUnaligned<uint>(ref at)
                | ((ulong)Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref at, length - 4)) << 32);
        }
        return length == 0
            ? 0
            : at | ((ulong)Unsafe.Add(ref at, length >> 1) << 8) | ((ulong)Unsafe.Add(ref at, length - 1) << 16);
    }

    private static ulong NextSecret(ref ulong state)
    {
        ulong z = state += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong Stripe(ref byte at, int words)
    {
        ulong sum = 0;
        for (int i = 0; i < words; i++)
            sum += Product(Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref at, i * sizeof(ulong))), i);
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong Product(ulong word, int place)
    {
        ref uint key = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(keys), place * 2);
        return (ulong)((uint)word + key) * ((uint)(word >> 32) + Unsafe.Add(ref key, 1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong Stir(ulong value)
    {
        value *= first;
        value ^= value >> 32;
        return value * second;
    }
}

/// <summary>Compares byte arrays by content, also against spans.</summary>
internal sealed class BytesComparer(uint seed)
    : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
{
    private readonly PathHash hash = new(seed);

    /// <inheritdoc/>
    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

    /// <inheritdoc/>
    public int GetHashCode(byte[] obj) => hash.Bytes(obj);

    /// <inheritdoc/>
    public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

    /// <inheritdoc/>
    public int GetHashCode(ReadOnlySpan<byte> alternate) => hash.Bytes(alternate);

    /// <inheritdoc/>
    public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
}
