using System.Text;
using System.Text.Unicode;

namespace SharpKeeper.Protocol;

/// <summary>
/// The rules for paths, on UTF-8 bytes and on strings. They are Java's, so they speak of UTF-16 units: every character
/// outside the basic plane is illegal, as are control characters, U+D800 to U+F8FF and U+FFF0 to U+FFFF.
/// </summary>
public static class ZnodePath
{
    /// <summary>The root.</summary>
    public const string Root = "/";

    /// <summary>Is it a legal path? <paramref name="reason"/> says in words why not.</summary>
    public static bool IsValid(ReadOnlySpan<byte> path, out string? reason)
    {
        if (path.IsEmpty)
        {
            reason = "a path must not be empty";
            return false;
        }
        if (path[0] != (byte)'/')
        {
            reason = "a path must start with '/'";
            return false;
        }
        if (path.Length == 1)
        {
            reason = null;
            return true;
        }
        if (path[^1] == (byte)'/')
        {
            reason = "a path must not end with '/'";
            return false;
        }
        return HasLegalSegments(path, out reason) && HasLegalCharacters(path, out reason);
    }

    /// <summary>Is it a legal path?</summary>
    public static bool IsValid(ReadOnlySpan<byte> path) => IsValid(path, out _);

    /// <summary>Throws unless it is a legal path; sequential creates may end with '/'.</summary>
    /// <exception cref="ArgumentException">The path breaks a rule; the message names it.</exception>
    public static void Validate(string path, bool isSequential = false)
    {
        ArgumentNullException.ThrowIfNull(path);
        byte[] bytes = Encoding.UTF8.GetBytes(isSequential ? path + "1" : path);
        if (!IsValid(bytes, out string? reason))
            throw new ArgumentException($"Invalid path \"{path}\": {reason}.", nameof(path));
    }

    /// <summary>Length of the parent's part of a path: 1 for children of the root, 0 if there is no slash.</summary>
    public static int ParentLength(ReadOnlySpan<byte> path)
    {
        int slash = path.LastIndexOf((byte)'/');
        return slash == 0 ? 1 : Math.Max(slash, 0);
    }

    /// <summary>The part after the last slash.</summary>
    public static ReadOnlySpan<byte> Name(ReadOnlySpan<byte> path) => path[(path.LastIndexOf((byte)'/') + 1)..];

    private static bool HasLegalSegments(ReadOnlySpan<byte> path, out string? reason)
    {
        int start = 1;
        while (start <= path.Length)
        {
            int length = path[start..].IndexOf((byte)'/');
            if (length < 0)
                length = path.Length - start;
            ReadOnlySpan<byte> segment = path.Slice(start, length);
            if (segment.IsEmpty || segment.SequenceEqual("."u8) || segment.SequenceEqual(".."u8))
            {
                reason = segment.IsEmpty ? "a path must not have an empty part" : "a path must not have a part '.' or '..'";
                return false;
            }
            start += length + 1;
        }
        reason = null;
        return true;
    }

    private static bool HasLegalCharacters(ReadOnlySpan<byte> path, out string? reason)
    {
        reason = null;
        if (!path.ContainsAnyExceptInRange((byte)0x20, (byte)0x7e))
            return true;
        if (!Utf8.IsValid(path))
        {
            reason = "a path must be valid UTF-8";
            return false;
        }
        foreach (Rune rune in Encoding.UTF8.GetString(path).EnumerateRunes())
        {
            int c = rune.Value;
            if (c <= 0x1f || (c >= 0x7f && c <= 0x9f) || (c >= 0xd800 && c <= 0xf8ff) || c >= 0xfff0)
            {
                reason = $"a path must not contain the character U+{c:X4}";
                return false;
            }
        }
        return true;
    }
}
