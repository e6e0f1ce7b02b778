using System.Text;
using SharpKeeper.Cli.Bench.Driver;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Bench.Workloads;

/// <summary>
/// Deletes a znode and all below it, on all sessions at once. It tries each delete first and lists the children only
/// where that is refused, because most znodes are leaves.
/// </summary>
internal sealed class PurgeWork : Workload
{
    private readonly Stack<Branch> branches = new();
    private readonly Queue<(Step Step, Branch Branch, byte[] Path)>[] inFlight;
    private readonly Stack<(Step Step, Branch Branch)> due = new();

    public PurgeWork(string root, int sessions)
    {
        inFlight = [.. Enumerable.Range(0, sessions).Select(_ => new Queue<(Step, Branch, byte[])>())];
        due.Push((Step.DeleteBranch, new Branch(null, Encoding.UTF8.GetBytes(root))));
    }

    private enum Step
    {
        /// <summary>A child of the branch that is thought to be a leaf.</summary>
        DeleteLeaf,

        /// <summary>The branch's own znode.</summary>
        DeleteBranch,

        /// <summary>The names of the branch's children.</summary>
        List,
    }

    public override bool RunsItself => true;

    /// <summary>Znodes deleted.</summary>
    public long Deleted { get; private set; }

    public override bool TryWrite(Session session, int xid, JuteBuffer output)
    {
        Queue<(Step, Branch, byte[])> queue = inFlight[session.Number];
        if (due.TryPop(out (Step Step, Branch Branch) next))
        {
            Write(output, xid, next.Step, next.Branch.Path);
            queue.Enqueue((next.Step, next.Branch, next.Branch.Path));
            return true;
        }
        while (branches.TryPeek(out Branch? branch))
        {
            if (branch.NextName() is not { } path)
            {
                branches.Pop();
                continue;
            }
            Write(output, xid, Step.DeleteLeaf, path);
            queue.Enqueue((Step.DeleteLeaf, branch, path));
            return true;
        }
        return false;
    }

    public override void Check(Session session, in Reply reply)
    {
        (Step step, Branch branch, byte[] path) = inFlight[session.Number].Dequeue();
        var error = (ErrorCode)reply.Error;
        if (step == Step.List && error == ErrorCode.Ok)
            OnNames(branch, reply);
        else if (step != Step.List && error == ErrorCode.NotEmpty)
            Demand(Step.List, step == Step.DeleteBranch ? branch : new Branch(branch, path));
        else if (error is ErrorCode.Ok or ErrorCode.NoNode)
            OnGone(step == Step.DeleteLeaf ? branch : branch.Parent, error == ErrorCode.Ok);
        else
            throw new BenchException($"cannot clean up {Encoding.UTF8.GetString(path)}: {NameOf(reply.Error)}");
    }

    /// <summary>The znodes deleted may have been watched.</summary>
    public override void OnEvent(Session session, in Reply reply, Meter meter, long now)
    {
    }

    private static void Write(JuteBuffer output, int xid, Step step, ReadOnlySpan<byte> path)
    {
        int frame = output.BeginFrame();
        output.WriteInt32(xid);
        output.WriteInt32((int)(step == Step.List ? OpCode.GetChildren : OpCode.Delete));
        output.WriteBuffer(path);
        if (step == Step.List)
            output.WriteBoolean(false);
        else
            output.WriteInt32(-1);
        output.EndFrame(frame);
    }

    private void OnNames(Branch branch, in Reply reply)
    {
        var reader = new JuteReader(reply.Body);
        branch.Pending = Math.Max(reader.ReadVectorCount(4), 0);
        branch.Names = reply.Body[4..].ToArray();
        branch.NamesAt = 0;
        if (branch.Pending == 0)
            Demand(Step.DeleteBranch, branch);
        else
            branches.Push(branch);
        HasNews = true;
    }

    private void OnGone(Branch? parent, bool wasThere)
    {
        if (wasThere)
            Deleted++;
        if (parent is not null && --parent.Pending == 0)
            Demand(Step.DeleteBranch, parent);
    }

    private void Demand(Step step, Branch branch)
    {
        due.Push((step, branch));
        HasNews = true;
    }

    /// <summary>A znode with children.</summary>
    private sealed class Branch(Branch? parent, byte[] path)
    {
        public Branch? Parent { get; } = parent;

        public byte[] Path { get; } = path;

        /// <summary>Children not yet deleted.</summary>
        public int Pending { get; set; }

        /// <summary>The names as the reply had them; those before <see cref="NamesAt"/> are dealt with.</summary>
        public byte[] Names { get; set; } = [];

        public int NamesAt { get; set; }

        /// <summary>Path of the next child; null when all are dealt with.</summary>
        public byte[]? NextName()
        {
            var reader = new JuteReader(Names.AsSpan(NamesAt));
            ReadOnlySpan<byte> name = reader.ReadBuffer();
            if (reader.Failed)
                return null;
            NamesAt += reader.Position;
            return [.. Path, (byte)'/', .. name];
        }
    }
}
