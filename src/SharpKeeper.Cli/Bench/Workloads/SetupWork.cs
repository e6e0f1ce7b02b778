using SharpKeeper.Cli.Bench.Driver;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Bench.Workloads;

/// <summary>Creates znodes one behind the other on the first session, parents before children.</summary>
internal sealed class SetupWork(IReadOnlyList<(string Path, byte[] Data)> znodes) : Workload
{
    private int sent;
    private int answered;

    /// <summary>The first znodes of the list may exist already: they are shared with other runs.</summary>
    public int SharedCount { get; init; }

    /// <summary>Those of the shared znodes that did not exist, parents first.</summary>
    public List<string> SharedCreated { get; } = [];

    public override bool TryWrite(Session session, int xid, JuteBuffer output)
    {
        if (session.Number != 0 || sent == znodes.Count)
            return false;
        (string path, byte[] data) = znodes[sent++];
        Frames.Append(output, Frames.Create(path, data), xid);
        return true;
    }

    public override void Check(Session session, in Reply reply)
    {
        int index = answered++;
        string path = znodes[index].Path;
        if (reply.Error == 0 && index < SharedCount)
            SharedCreated.Add(path);
        if (reply.Error == 0 || (reply.Error == (int)ErrorCode.NodeExists && index < SharedCount))
            return;
        if (reply.Error == (int)ErrorCode.NodeExists)
            throw new BenchException($"{path} exists already, left by an earlier run; "
                + "remove it with `sharpkeeper bench clean` or choose another --root");
        throw new BenchException($"cannot create {path}: {NameOf(reply.Error)}");
    }
}
