namespace SharpKeeper.Protocol;

/// <summary>The first frame of a connection, without a request header.</summary>
/// <param name="ProtocolVersion">0; not checked.</param>
/// <param name="LastZxidSeen">Highest zxid the client has seen, 0 at first.</param>
/// <param name="TimeoutMs">Session timeout the client asks for, milliseconds.</param>
/// <param name="SessionId">0 for a new session.</param>
/// <param name="Password">16 bytes; anything for a new session.</param>
/// <param name="ReadOnly">May a read-only server answer? Null where the client did not send the byte.</param>
public readonly record struct ConnectRequest(
    int ProtocolVersion, long LastZxidSeen, int TimeoutMs, long SessionId, byte[] Password, bool? ReadOnly)
{
    /// <summary>Reads the frame's payload; false if it is too short.</summary>
    public static bool TryRead(ReadOnlySpan<byte> payload, out ConnectRequest request)
    {
        var reader = new JuteReader(payload);
        int version = reader.ReadInt32();
        long lastZxid = reader.ReadInt64();
        int timeout = reader.ReadInt32();
        long session = reader.ReadInt64();
        byte[] password = reader.ReadBuffer().ToArray();
        bool? readOnly = reader.Remaining > 0 ? reader.ReadBoolean() : null;
        request = new ConnectRequest(version, lastZxid, timeout, session, password, readOnly);
        return !reader.Failed;
    }

    /// <summary>Appends the payload.</summary>
    public void Write(JuteBuffer output)
    {
        output.WriteInt32(ProtocolVersion);
        output.WriteInt64(LastZxidSeen);
        output.WriteInt32(TimeoutMs);
        output.WriteInt64(SessionId);
        output.WriteBuffer(Password);
        if (ReadOnly is { } readOnly)
            output.WriteBoolean(readOnly);
    }
}

/// <summary>The answer to a <see cref="ConnectRequest"/>, without a reply header.</summary>
/// <param name="ProtocolVersion">0.</param>
/// <param name="TimeoutMs">Negotiated timeout, milliseconds; 0 says that the session has expired.</param>
/// <param name="SessionId">The session.</param>
/// <param name="Password">16 bytes to resume it with.</param>
/// <param name="ReadOnly">Is the server read-only? Null leaves the byte out, for clients that did not send theirs.</param>
public readonly record struct ConnectResponse(
    int ProtocolVersion, int TimeoutMs, long SessionId, byte[] Password, bool? ReadOnly)
{
    /// <summary>Reads the frame's payload; false if it is too short.</summary>
    public static bool TryRead(ReadOnlySpan<byte> payload, out ConnectResponse response)
    {
        var reader = new JuteReader(payload);
        int version = reader.ReadInt32();
        int timeout = reader.ReadInt32();
        long session = reader.ReadInt64();
        byte[] password = reader.ReadBuffer().ToArray();
        bool? readOnly = reader.Remaining > 0 ? reader.ReadBoolean() : null;
        response = new ConnectResponse(version, timeout, session, password, readOnly);
        return !reader.Failed;
    }

    /// <summary>Appends the payload.</summary>
    public void Write(JuteBuffer output)
    {
        output.WriteInt32(ProtocolVersion);
        output.WriteInt32(TimeoutMs);
        output.WriteInt64(SessionId);
        output.WriteBuffer(Password);
        if (ReadOnly is { } readOnly)
            output.WriteBoolean(readOnly);
    }
}
