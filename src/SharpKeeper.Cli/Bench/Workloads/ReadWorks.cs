using System.Buffers.Binary;
using SharpKeeper.Cli.Bench.Driver;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Bench.Workloads;

/// <summary>getData of the session's own znode, which nobody writes.</summary>
internal sealed class GetWork(IReadOnlyList<string> paths, int size) : Workload
{
    private readonly byte[][] frames = [.. paths.Select(path => Frames.Read(OpCode.GetData, path))];
    private readonly byte[] payload = Payload.Build(size, 0);

    public override bool TryWrite(Session session, int xid, JuteBuffer output)
    {
        Frames.Append(output, frames[session.Number], xid);
        return true;
    }

    public override void Check(Session session, in Reply reply)
    {
        RequireOk(session, reply, "getData");
        Replies.CheckData(session, reply, payload, 0);
    }
}

/// <summary>exists of the session's own znode, which nobody writes.</summary>
internal sealed class ExistsWork(IReadOnlyList<string> paths, int size) : Workload
{
    private readonly byte[][] frames = [.. paths.Select(path => Frames.Read(OpCode.Exists, path))];

    public override bool TryWrite(Session session, int xid, JuteBuffer output)
    {
        Frames.Append(output, frames[session.Number], xid);
        return true;
    }

    public override void Check(Session session, in Reply reply)
    {
        RequireOk(session, reply, "exists");
        Replies.CheckStat(session, reply, reply.Body, 0, size);
    }
}

/// <summary>getChildren of one znode with many children, whose names are <c>c0000000000</c> and so on.</summary>
internal sealed class ChildrenWork(string path, int children) : Workload
{
    /// <summary>Letter and digits.</summary>
    public const int NameBytes = 11;

    private readonly byte[] frame = Frames.Read(OpCode.GetChildren, path);
    private byte[]? known;

    /// <summary>Name of a child.</summary>
    public static string ChildName(int child) => $"c{child:d10}";

    public override bool TryWrite(Session session, int xid, JuteBuffer output)
    {
        Frames.Append(output, frame, xid);
        return true;
    }

    public override void Check(Session session, in Reply reply)
    {
        RequireOk(session, reply, "getChildren");
        // The order of the names is the server's choice; a list equal to one that was checked needs no second look.
        if (known is not null && reply.Body.SequenceEqual(known))
            return;
        CheckNames(session, reply);
        known = reply.Body.ToArray();
    }

    private void CheckNames(Session session, in Reply reply)
    {
        var reader = new JuteReader(reply.Body);
        int count = reader.ReadVectorCount(4);
        if (count != children)
            Wrong(session, reply, $"getChildren returned {count} names instead of {children}");
        var seen = new bool[children];
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> name = reader.ReadBuffer();
            if (name.Length != NameBytes || name[0] != (byte)'c' || !int.TryParse(name[1..], out int child)
                || (uint)child >= (uint)children || seen[child])
                Wrong(session, reply, $"getChildren returned an unknown name or one name twice, at place {i}");
            else
                seen[child] = true;
        }
        if (reader.Failed || reader.Remaining > 0)
            Wrong(session, reply, "the list of children is not as long as it says");
    }
}

/// <summary>Checks that several works share.</summary>
internal static class Replies
{
    // Offsets in the wire form of Stat.
    private const int MzxidAt = 8;
    private const int VersionAt = 32;
    private const int DataLengthAt = 52;

    /// <summary>Checks a whole body that is one stat; returns its mzxid.</summary>
    public static long CheckStat(
        Session session, in Reply reply, ReadOnlySpan<byte> stat, int version, int dataLength)
    {
        if (stat.Length != Stat.Bytes)
            throw Wrong(session, reply, $"{stat.Length} bytes came where a stat has {Stat.Bytes}");
        int itsVersion = BinaryPrimitives.ReadInt32BigEndian(stat[VersionAt..]);
        if (itsVersion != version)
            throw Wrong(session, reply, $"version {itsVersion} came instead of {version}");
        int itsLength = BinaryPrimitives.ReadInt32BigEndian(stat[DataLengthAt..]);
        if (itsLength != dataLength)
            throw Wrong(session, reply, $"a data length of {itsLength} came instead of {dataLength}");
        return BinaryPrimitives.ReadInt64BigEndian(stat[MzxidAt..]);
    }

    /// <summary>Checks a body of data and stat.</summary>
    public static void CheckData(Session session, in Reply reply, ReadOnlySpan<byte> payload, int version)
    {
        ReadOnlySpan<byte> body = reply.Body;
        int length = body.Length < 4 ? -1 : BinaryPrimitives.ReadInt32BigEndian(body);
        if (length != payload.Length)
            throw Wrong(session, reply, $"{length} bytes of data came instead of {payload.Length}");
        if (body.Length != 4 + length + Stat.Bytes)
            throw Wrong(session, reply, $"a body of {body.Length} bytes came instead of {4 + length + Stat.Bytes}");
        CheckStat(session, reply, body[(4 + length)..], version, length);
        if (!Payload.Matches(body.Slice(4, length), payload, version))
            throw Wrong(session, reply, $"the data is not what version {version} was written with");
    }

    private static WrongReplyException Wrong(Session session, in Reply reply, string what) =>
        new($"{session}, xid {reply.Xid}: {what}");
}
