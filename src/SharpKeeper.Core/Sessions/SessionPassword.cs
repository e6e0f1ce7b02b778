using System.Buffers.Binary;

namespace SharpKeeper.Core.Sessions;

/// <summary>
/// The password of a session. It follows from the id, so that every server of an ensemble can check it without shared
/// state; the generator is java.util.Random, as Apache's servers use it.
/// </summary>
public static class SessionPassword
{
    /// <summary>Length in bytes.</summary>
    public const int Bytes = 16;

    private const long SessionMask = 0xB3415C00L;
    private const long Multiplier = 0x5DEECE66DL;
    private const long StateMask = (1L << 48) - 1;

    /// <summary>The password of <paramref name="sessionId"/>.</summary>
    public static byte[] Derive(long sessionId)
    {
        var password = new byte[Bytes];
        long state = ((sessionId ^ SessionMask) ^ Multiplier) & StateMask;
        for (int i = 0; i < Bytes; i += 4)
        {
            state = ((state * Multiplier) + 0xB) & StateMask;
            BinaryPrimitives.WriteInt32LittleEndian(password.AsSpan(i), (int)(state >> 16));
        }
        return password;
    }

    /// <summary>Is it the session's password?</summary>
    public static bool Matches(long sessionId, ReadOnlySpan<byte> password) =>
        password.SequenceEqual(Derive(sessionId));
}
