using SharpKeeper.Cli.Bench.Driver;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Bench.Workloads;

/// <summary>
/// Creates znodes in blocks: a session takes the next block, creates its parent <c>aNNNNNN</c> and then up to 1,000
/// children <c>nNNNNNNNNN</c>, so that no list of children becomes long. The name in each reply is checked.
/// </summary>
internal sealed class CreateWork : Workload
{
    /// <summary>Children of one parent.</summary>
    public const int BlockChildren = 1000;

    private const int ParentDigits = 6;
    private const int ChildDigits = 9;

    private readonly State[] states;
    private readonly long total;
    private long nextBlock;

    /// <param name="root">An existing znode.</param>
    /// <param name="sessions">Sessions that take part.</param>
    /// <param name="size">Bytes of data of each child.</param>
    /// <param name="total">Children to create in all.</param>
    public CreateWork(string root, int sessions, int size, long total = long.MaxValue)
    {
        this.total = total;
        byte[] payload = Payload.Build(size, 0);
        states = [.. Enumerable.Range(0, sessions).Select(_ => new State(root, payload))];
    }

    /// <summary>Children created and checked.</summary>
    public long Children { get; private set; }

    public override bool TryWrite(Session session, int xid, JuteBuffer output)
    {
        State state = states[session.Number];
        if (state.Sent.IsAtEnd(total))
        {
            if (nextBlock * BlockChildren >= total)
                return false;
            state.Blocks.Enqueue(nextBlock);
            state.Sent = new Cursor(nextBlock++);
        }
        state.Sent.MoveNext();
        WriteFrame(state, xid, output);
        return true;
    }

    public override void Check(Session session, in Reply reply)
    {
        RequireOk(session, reply, "create");
        State state = states[session.Number];
        if (state.Checked.IsAtEnd(total))
            state.Checked = new Cursor(state.Blocks.Dequeue());
        state.Checked.MoveNext();
        if (!state.Checked.IsParent)
            Children++;
        ReadOnlySpan<byte> expected = ExpectedPath(state);
        var reader = new JuteReader(reply.Body);
        ReadOnlySpan<byte> name = reader.ReadBuffer();
        if (!name.SequenceEqual(expected) || reader.Remaining > 0 || reader.Failed)
            Wrong(session, reply, $"create returned the name {System.Text.Encoding.UTF8.GetString(name)} instead of "
                + System.Text.Encoding.UTF8.GetString(expected));
    }

    private static void WriteFrame(State state, int xid, JuteBuffer output)
    {
        byte[] prepared = state.Sent.IsParent ? state.ParentFrame : state.ChildFrame;
        Span<byte> path = Frames.Append(output, prepared, xid)[(Frames.HeadBytes + 4)..];
        DecimalDigits.Write(path.Slice(state.ParentAt, ParentDigits), state.Sent.Block);
        if (!state.Sent.IsParent)
            DecimalDigits.Write(path.Slice(state.ChildAt, ChildDigits), state.Sent.Number);
    }

    private static ReadOnlySpan<byte> ExpectedPath(State state)
    {
        Span<byte> path = state.Path;
        DecimalDigits.Write(path.Slice(state.ParentAt, ParentDigits), state.Checked.Block);
        if (state.Checked.IsParent)
            return path[..(state.ParentAt + ParentDigits)];
        DecimalDigits.Write(path.Slice(state.ChildAt, ChildDigits), state.Checked.Number);
        return path;
    }

    /// <summary>A place in a block: the parent first, then its children.</summary>
    private struct Cursor(long block)
    {
        private int place = -1;
        private readonly bool isSet = true;

        public readonly long Block => block;

        public readonly bool IsParent => place == 0;

        /// <summary>Number of the child among all.</summary>
        public readonly long Number => block * BlockChildren + place - 1;

        public void MoveNext() => place++;

        public readonly bool IsAtEnd(long total) =>
            !isSet || place >= Math.Min(BlockChildren, total - block * BlockChildren);
    }

    private sealed class State
    {
        public readonly byte[] ParentFrame;
        public readonly byte[] ChildFrame;
        public readonly byte[] Path;
        public readonly int ParentAt;
        public readonly int ChildAt;
        public readonly Queue<long> Blocks = new();
        public Cursor Sent;
        public Cursor Checked;

        public State(string root, byte[] payload)
        {
            string parent = $"{root}/a{new string('0', ParentDigits)}";
            string child = $"{parent}/n{new string('0', ChildDigits)}";
            ParentFrame = Frames.Create(parent, ReadOnlyMemory<byte>.Empty);
            ChildFrame = Frames.Create(child, payload);
            Path = System.Text.Encoding.UTF8.GetBytes(child);
            ParentAt = parent.Length - ParentDigits;
            ChildAt = child.Length - ChildDigits;
        }
    }
}

/// <summary>
/// Creates or deletes the znodes <c>n0000000000</c> and so on below each session's own znode; a delete follows a create
/// of the same number of znodes.
/// </summary>
internal sealed class StockWork : Workload
{
    private const int Digits = 10;

    private readonly OpCode operation;
    private readonly int perSession;
    private readonly byte[][] frames;
    private readonly int[] sent;
    private readonly int[] numberAt;

    private StockWork(OpCode operation, IReadOnlyList<string> parents, Func<string, byte[]> frame, int perSession)
    {
        this.operation = operation;
        this.perSession = perSession;
        string zeros = new('0', Digits);
        frames = [.. parents.Select(parent => frame($"{parent}/n{zeros}"))];
        numberAt = [.. parents.Select(parent => Frames.HeadBytes + 4 + parent.Length + 2)];
        sent = new int[parents.Count];
    }

    /// <summary>Creates the stock.</summary>
    public static StockWork Create(IReadOnlyList<string> parents, int perSession, int size)
    {
        byte[] payload = Payload.Build(size, 0);
        return new StockWork(OpCode.Create, parents, path => Frames.Create(path, payload), perSession);
    }

    /// <summary>Deletes the stock.</summary>
    public static StockWork Delete(IReadOnlyList<string> parents, int perSession) =>
        new(OpCode.Delete, parents, Frames.Delete, perSession);

    public override bool TryWrite(Session session, int xid, JuteBuffer output)
    {
        int number = session.Number;
        if (sent[number] == perSession)
            return false;
        Span<byte> frame = Frames.Append(output, frames[number], xid);
        DecimalDigits.Write(frame.Slice(numberAt[number], Digits), sent[number]++);
        return true;
    }

    public override void Check(Session session, in Reply reply)
    {
        bool isDelete = operation == OpCode.Delete;
        RequireOk(session, reply, isDelete ? "delete" : "create");
        if (isDelete && reply.Body.Length > 0)
            Wrong(session, reply, $"delete was answered with {reply.Body.Length} bytes instead of none");
    }
}
