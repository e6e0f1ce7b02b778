using System.Globalization;
using System.Net.Sockets;
using SharpKeeper.Protocol;
using SharpKeeper.ServerTests;

namespace SharpKeeper.CrashTests;

/// <summary>
/// One session that writes to its own part of the tree as fast as the server takes it, and knows what every request
/// must come to: requests of a session are done in order, so after a crash the tree must stand where some prefix of
/// them leaves it, and no shorter one than what was acknowledged.
/// </summary>
internal sealed class LoadSession(int index, Random random)
{
    private const int DepthMax = 48;
    private const int NodesMax = 60;

    private readonly List<LoadOp> unanswered = [];
    private SubtreeState sent = new();
    private SubtreeState acknowledged = new();
    private RawClient? client;
    private int nextXid = 1;
    private bool isClosing;
    private bool closeIsAcknowledged;
    private long id;
    private byte[] password = [];

    /// <summary>The znode that all others are below.</summary>
    public string Root { get; } = "/s" + index.ToString(CultureInfo.InvariantCulture);

    /// <summary>Highest zxid any reply had.</summary>
    public long LastZxid { get; private set; }

    /// <summary>Writes acknowledged so far.</summary>
    public long Acknowledged { get; private set; }

    /// <summary>What was read back last.</summary>
    public SubtreeState State => acknowledged;

    /// <summary>Makes the session's own znode, on a fresh server.</summary>
    public void Begin(int port)
    {
        client = RawClient.Connect(port);
        (id, password) = (client.SessionId, client.Password);
        Assert.Equal(ErrorCode.Ok, client.Call(OpCode.Create, nextXid++, Bodies.Create(Root, "")).Error);
        LastZxid = client.LastZxid;
    }

    /// <summary>
    /// Writes until the connection is lost. Calls <paramref name="onAck"/> for each acknowledged write.
    /// </summary>
    public void Run(Action onAck)
    {
        RawClient connection = client!;
        try
        {
            // One round in four ends with the end of the session under way.
            int closeAfter = random.Next(4) == 0 ? random.Next(1, 3000) : int.MaxValue;
            while (true)
            {
                while (unanswered.Count < DepthMax && !isClosing)
                    Send(connection, closeAfter-- <= 0);
                connection.Flush();
                do
                {
                    if (connection.TryRead() is not { } reply)
                        return;
                    Acknowledge(reply);
                    onAck();
                }
                while (connection.HasFrame);
                if (closeIsAcknowledged)
                    return;
            }
        }
        catch (SocketException)
        {
            // The server was killed.
        }
        finally
        {
            connection.Dispose();
            client = null;
        }
    }

    /// <summary>Takes up the session again and finds out how far the server has come.</summary>
    public void Recover(int port, SubtreeState actual)
    {
        RawClient? resumed = RawClient.Open(port);
        if (!resumed.Handshake(session: id, password: password, lastZxid: LastZxid))
        {
            resumed.Dispose();
            resumed = null;
        }
        Assert.True(resumed is not null || isClosing, $"{Root}: the session is gone though nobody closed it");
        Assert.False(resumed is not null && closeIsAcknowledged, $"{Root}: the session is there though it was closed");
        Settle(actual, isOpen: resumed is not null);
        client = resumed ?? RawClient.Connect(port);
        Assert.True(resumed is null || client.SessionId == id);
        (id, password) = (client.SessionId, client.Password);
        isClosing = closeIsAcknowledged = false;
    }

    private void Settle(SubtreeState actual, bool isOpen)
    {
        var problems = new List<string>();
        SubtreeState candidate = acknowledged.Clone();
        for (int done = 0; done <= unanswered.Count; done++)
        {
            if (done > 0)
                candidate.Apply(unanswered[done - 1], 0);
            bool endsSession = closeIsAcknowledged || (done > 0 && unanswered[done - 1].Kind == OpCode.CloseSession);
            string? difference = isOpen == endsSession
                ? "the session would have " + (isOpen ? "ended" : "gone on")
                : SubtreeState.Difference(candidate, actual);
            if (difference is null)
            {
                AssertNewer(candidate, actual);
                unanswered.Clear();
                acknowledged = actual;
                sent = actual.Clone();
                return;
            }
            problems.Add($"after {done} of {unanswered.Count} unacknowledged requests: {difference}");
        }
        Assert.Fail($"{Root} stands where no prefix of its requests leaves it:\n{string.Join('\n', problems)}");
    }

    // What was not acknowledged came after everything that was.
    private void AssertNewer(SubtreeState expected, SubtreeState actual)
    {
        foreach ((string name, NodeState node) in expected.Nodes)
        {
            if (node.Mzxid == 0)
                Assert.True(actual.Nodes[name].Mzxid > LastAcknowledgedZxid, $"{Root}/{name} is out of order");
        }
    }

    private long LastAcknowledgedZxid { get; set; }

    private void Send(RawClient connection, bool close)
    {
        LoadOp op = close ? new LoadOp(nextXid++, OpCode.CloseSession, ErrorCode.Ok, []) : NextOp();
        isClosing |= close;
        sent.Apply(op, 0);
        unanswered.Add(op);
        (OpCode Op, Action<JuteBuffer> Body)[] parts = [.. op.Changes.Select(BodyOf)];
        if (op.Kind == OpCode.Multi)
            connection.Put(op.Kind, op.Xid, Bodies.Multi(parts));
        else
            connection.Put(op.Kind, op.Xid, parts.Length == 0 ? null : parts[0].Body);
    }

    private (OpCode Op, Action<JuteBuffer> Body) BodyOf(LoadChange change)
    {
        string path = $"{Root}/{change.Name}";
        return (change.Op, change.Op switch
        {
            OpCode.Create => Bodies.Create(
                path, change.Data, change.IsEphemeral ? CreateMode.Ephemeral : CreateMode.Persistent),
            OpCode.SetData => Bodies.Set(path, change.Data, change.Version),
            _ => Bodies.Versioned(path, change.Version),
        });
    }

    private void Acknowledge(RawReply reply)
    {
        LoadOp op = unanswered[0];
        unanswered.RemoveAt(0);
        Assert.Equal(op.Xid, reply.Xid);
        Assert.True(reply.Zxid > LastAcknowledgedZxid, $"{Root}: zxid {reply.Zxid:x} follows {LastAcknowledgedZxid:x}");
        Assert.Equal(op.Kind == OpCode.Multi ? ErrorCode.Ok : op.Expected, reply.Error);
        if (op.Kind == OpCode.Multi)
            Assert.Equal(op.Expected == ErrorCode.Ok, new JuteReader(reply.Body).ReadInt32() != (int)OpCode.Error);
        acknowledged.Apply(op, reply.Zxid);
        closeIsAcknowledged |= op.Kind == OpCode.CloseSession;
        LastAcknowledgedZxid = LastZxid = reply.Zxid;
        Acknowledged++;
    }

    private LoadOp NextOp()
    {
        int xid = nextXid++;
        int dice = random.Next(100);
        if (sent.Nodes.Count < 4 || (dice < 35 && sent.Nodes.Count < NodesMax))
            return Single(xid, NextCreate([]));
        if (dice < 65)
            return Single(xid, NextSet([]));
        if (dice < 82)
            return Single(xid, NextDelete([]));
        if (dice < 86)
            return Single(xid, NextSet([]) with { Version = 1_000_000 }, ErrorCode.BadVersion);
        bool fails = dice < 89;
        var changes = new List<LoadChange>();
        var names = new HashSet<string>();
        changes.Add(NextCreate(names));
        changes.Add(NextSet(names));
        changes.Add(NextDelete(names));
        if (fails)
            changes.Add(NextSet(names) with { Version = 1_000_000 });
        return new LoadOp(xid, OpCode.Multi, fails ? ErrorCode.BadVersion : ErrorCode.Ok, changes);
    }

    private static LoadOp Single(int xid, LoadChange change, ErrorCode expected = ErrorCode.Ok) =>
        new(xid, change.Op, expected, [change]);

    private LoadChange NextCreate(HashSet<string> taken)
    {
        string name;
        do
            name = "n" + random.Next(10 * NodesMax).ToString(CultureInfo.InvariantCulture);
        while (sent.Nodes.ContainsKey(name) || !taken.Add(name));
        return new LoadChange(OpCode.Create, name, NextData(), 0, IsEphemeral: random.Next(5) == 0);
    }

    private LoadChange NextSet(HashSet<string> taken)
    {
        string name = NextName(taken);
        return new LoadChange(OpCode.SetData, name, NextData(), sent.Nodes[name].Version, false);
    }

    private LoadChange NextDelete(HashSet<string> taken)
    {
        string name = NextName(taken);
        return new LoadChange(OpCode.Delete, name, "", sent.Nodes[name].Version, false);
    }

    private string NextName(HashSet<string> taken)
    {
        string name;
        do
            name = sent.Nodes.ElementAt(random.Next(sent.Nodes.Count)).Key;
        while (!taken.Add(name));
        return name;
    }

    // Each value is the only one of its kind; now and then it is long enough to fill what is prepared of the log.
    private string NextData()
    {
        string text = nextXid.ToString(CultureInfo.InvariantCulture) + ":";
        int padding = random.Next(100) == 0 ? 20_000 : random.Next(200);
        return text.PadRight(text.Length + padding, (char)('a' + random.Next(26)));
    }
}
