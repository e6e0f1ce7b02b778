using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SharpKeeper.Core.Tree;

/// <summary>
/// A seeded 32-bit hash of paths, built name by name: the hash of a child follows from its parent's and its name.
/// Nobody who does not know the seed can choose paths that collide.
/// </summary>
internal readonly struct PathHash
{
    private readonly ulong first;
    private readonly ulong second;
    private readonly ulong third;

    /// <summary>A hash function of its own for every seed.</summary>
    public PathHash(uint seed)
    {
        ulong state = seed;
        first = NextSecret(ref state);
        second = NextSecret(ref state);
        third = NextSecret(ref state);
        Root = (uint)NextSecret(ref state);
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
    public uint Child(uint parent, ReadOnlySpan<byte> name) => (uint)Bytes(parent, name);

    /// <summary>A hash of bytes that are not a path.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Bytes(ulong start, ReadOnlySpan<byte> bytes)
    {
        ref byte at = ref MemoryMarshal.GetReference(bytes);
        int length = bytes.Length;
        ulong state = first ^ (start * 0x9e3779b97f4a7c15);
        while (length > 16)
        {
            state = Mix(Word(ref at) ^ second, Word(ref Unsafe.Add(ref at, 8)) ^ state);
            at = ref Unsafe.Add(ref at, 16);
            length -= 16;
        }
        ulong low;
        ulong high = 0;
        if (length >= 8)
        {
            low = Word(ref at);
            high = Word(ref Unsafe.Add(ref at, length - 8));
        }
        else if (length >= 4)
        {
            low = Unsafe.ReadUnaligned<uint>(ref at);
            high = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref at, length - 4));
        }
        else
        {
            low = length == 0
                ? 0
                : at | ((ulong)Unsafe.Add(ref at, length >> 1) << 8) | ((ulong)Unsafe.Add(ref at, length - 1) << 16);
        }
        state = Mix(low ^ second, high ^ state);
        return Mix(state ^ third, (ulong)bytes.Length ^ second);
    }

    private static ulong Word(ref byte at) => Unsafe.ReadUnaligned<ulong>(ref at);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mix(ulong left, ulong right)
    {
        ulong high = Math.BigMul(left, right, out ulong low);
        return high ^ low;
    }

    private static ulong NextSecret(ref ulong state)
    {
        ulong z = state += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return (z ^ (z >> 31)) | 1;
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
    public int GetHashCode(byte[] obj) => (int)hash.Bytes(0, obj);

    /// <inheritdoc/>
    public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

    /// <inheritdoc/>
    public int GetHashCode(ReadOnlySpan<byte> alternate) => (int)hash.Bytes(0, alternate);

    /// <inheritdoc/>
    public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
}
