using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace SharpKeeper.Core;

/// <summary>A broken invariant: a bug in SharpKeeper, never the effect of input. Ends the process.</summary>
public sealed class InvariantException(string message) : Exception(message);

/// <summary>Bytes on disk that are not what they must be; the message says where and what to do.</summary>
public sealed class CorruptDataException(string message) : Exception(message);

/// <summary>Checks that stay on in release builds.</summary>
public static class Invariant
{
    /// <summary>Throws unless <paramref name="condition"/> holds.</summary>
    /// <exception cref="InvariantException">It does not hold.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Check([DoesNotReturnIf(false)] bool condition, string message)
    {
        if (!condition)
            Throw(message);
    }

    [DoesNotReturn]
    private static void Throw(string message) => throw new InvariantException(message);
}
