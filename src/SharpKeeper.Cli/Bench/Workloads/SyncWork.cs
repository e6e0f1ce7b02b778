using SharpKeeper.Cli.Bench.Driver;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Bench.Workloads;

/// <summary>One sync on every session, so that a server that lags shows what was set up through another.</summary>
internal sealed class SyncWork(int sessions) : Workload
{
    private readonly byte[] frame = Frames.Request(OpCode.Sync, body => body.WriteString("/"));
    private readonly bool[] sent = new bool[sessions];

    public override bool TryWrite(Session session, int xid, JuteBuffer output)
    {
        if (sent[session.Number])
            return false;
        sent[session.Number] = true;
        Frames.Append(output, frame, xid);
        return true;
    }

    public override void Check(Session session, in Reply reply) => RequireOk(session, reply, "sync");
}
