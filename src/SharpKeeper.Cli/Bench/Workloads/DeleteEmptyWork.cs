using SharpKeeper.Cli.Bench.Driver;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Bench.Workloads;

/// <summary>Deletes znodes one behind the other on the first session; those in use by other runs stay.</summary>
internal sealed class DeleteEmptyWork(IReadOnlyList<string> paths) : Workload
{
    private int sent;

    public override bool TryWrite(Session session, int xid, JuteBuffer output)
    {
        if (session.Number != 0 || sent == paths.Count)
            return false;
        Frames.Append(output, Frames.Delete(paths[sent++]), xid);
        return true;
    }

    public override void Check(Session session, in Reply reply)
    {
        if ((ErrorCode)reply.Error is not (ErrorCode.Ok or ErrorCode.NotEmpty or ErrorCode.NoNode))
            throw new BenchException($"cannot delete the root of the benchmark: {NameOf(reply.Error)}");
    }

    /// <summary>The znodes deleted may have been watched.</summary>
    public override void OnEvent(Session session, in Reply reply, Meter meter, long now)
    {
    }
}
