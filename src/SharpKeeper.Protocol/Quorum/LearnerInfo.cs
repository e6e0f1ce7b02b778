namespace SharpKeeper.Protocol.Quorum;

/// <summary>How a learner introduces itself: the data of FOLLOWERINFO and OBSERVERINFO.</summary>
/// <param name="Server">Its id; <see cref="ServerId.Nobody"/> if it gave none.</param>
/// <param name="ProtocolVersion">0x10000 since 3.4; 1 if it gave none.</param>
/// <param name="ConfigVersion">Version of its configuration; 0 if it gave none.</param>
public readonly record struct LearnerInfo(ServerId Server, int ProtocolVersion, long ConfigVersion)
{
    /// <summary>The version that knows LEADERINFO and ACKEPOCH.</summary>
    public const int CurrentVersion = 0x10000;

    /// <summary>Reads what is there: older learners sent less.</summary>
    public static LearnerInfo Read(ReadOnlySpan<byte> data)
    {
        var reader = new JuteReader(data);
        var server = data.Length >= 8 ? new ServerId(reader.ReadInt64()) : ServerId.Nobody;
        int protocol = data.Length >= 12 ? reader.ReadInt32() : 1;
        long config = data.Length >= 20 ? reader.ReadInt64() : 0;
        return new LearnerInfo(server, protocol, config);
    }

    /// <summary>Appends the 20 bytes.</summary>
    public void Write(JuteBuffer output)
    {
        output.WriteInt64(Server.Value);
        output.WriteInt32(ProtocolVersion);
        output.WriteInt64(ConfigVersion);
    }
}
