using System.Text;
using CsCheck;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.LogTests;
using SharpKeeper.Protocol;

namespace SharpKeeper.ReplicaTests;

/// <summary>Random requests of several sessions, durable and applied at random points, against the model.</summary>
public class PipelinedWritesTests
{
    private static readonly Gen<int[]> GenSteps = Gen.Int[0, 1 << 24].Array[1, 120];

    [Fact]
    public void Random_requests_are_answered_as_the_model_answers() =>
        GenSteps.Sample(
            steps =>
            {
                using var run = new PipelinedRun();
                run.Run(steps);
                run.AssertAnswers();
                run.AssertTree();
                run.AssertLog();
            },
            iter: TestScale.Of(400), threads: 1, print: Print);

    [Fact]
    public void Crash_points_recover_the_tree_of_that_moment() =>
        GenSteps.Sample(
            steps =>
            {
                using var run = new PipelinedRun();
                var dumps = new List<string> { TreeAssert.Dump(run.Harness.Tree) };
                var sessions = new List<SessionTimeout[]> { Array.Empty<SessionTimeout>() };
                run.Harness.Applied = () =>
                {
                    dumps.Add(TreeAssert.Dump(run.Harness.Tree));
                    sessions.Add(run.Harness.Replica.CommittedSessions.ToArray());
                };
                run.Restart();
                run.Run(steps);
                Assert.Equal(run.Harness.Log.Count + 1, dumps.Count);
                var dice = new Dice(steps[0]);
                for (int i = 0; i < 4; i++)
                {
                    int end = dice.Roll(dumps.Count);
                    Replay(run.Harness.Log, end, dice.Roll(end + 1), dumps[end], sessions[end]);
                    Recover(run.Harness.Log.Take(end), dice.Roll(40), dumps[end], sessions[end]);
                }
            },
            iter: TestScale.Of(60), threads: 1, print: Print);

    // Applies the log up to its end, then once more from somewhere, as a snapshot taken meanwhile makes it necessary.
    private static void Replay(List<byte[]> log, int end, int again, string expected, SessionTimeout[] sessions)
    {
        using var tree = new DataTree(hashSeed: 9) { ExtendedTypesEnabled = true };
        var timeouts = new SessionTimeouts();
        var applier = new TxnApplier(tree, timeouts);
        for (int i = 0; i < end; i++)
            applier.Apply(log[i]);
        Assert.Equal(expected, TreeAssert.Dump(tree));
        Assert.Equal(sessions, timeouts.ToArray());
        long digest = tree.Digest;
        for (int i = again; i < end; i++)
            applier.Apply(log[i]);
        Assert.Equal(expected, TreeAssert.Dump(tree));
        Assert.Equal(sessions, timeouts.ToArray());
        Assert.Equal(digest, tree.Digest);
        Assert.Equal(end, tree.LastProcessed.Value);
    }

    // Recovers from a log file that holds so much, and some bytes of an entry that was being written.
    private static void Recover(
        IEnumerable<byte[]> log, int tornBytes, string expected, SessionTimeout[] sessions)
    {
        using var file = new JuteBuffer();
        file.WriteInt32(TxnLogReader.Magic);
        file.WriteInt32(TxnLogReader.Version);
        file.WriteInt64(0);
        foreach (byte[] payload in log)
        {
            file.WriteInt64(Adler32.Compute(payload));
            file.WriteBuffer(payload);
            file.WriteByte(TxnBatch.EndOfRecord);
        }
        if (tornBytes > 12)
        {
            file.WriteInt64(1);
            file.WriteInt32(100);
            file.Append(tornBytes - 12).Fill(1);
        }
        var device = new MemoryStorageDevice();
        device.Put(StorageArea.Logs, "log.1", file.WrittenSpan.ToArray());
        RecoveryResult result = Recovery.Run(
            device, new RecoveryOptions { ExtendedTypesEnabled = true, TrustEmptySnapshot = true });
        using DataTree tree = result.Tree;
        Assert.Equal(expected, TreeAssert.Dump(tree));
        Assert.Equal(sessions, result.Sessions.ToArray());
        Assert.Equal(0, result.DigestMismatches);
    }

    private static string Print(int[] steps)
    {
        using var run = new PipelinedRun { Trace = [] };
        try
        {
            run.Run(steps);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            run.Trace.Add(exception.Message);
        }
        return string.Join(',', steps) + "\n" + string.Join('\n', run.Trace);
    }
}

/// <summary>One run of random steps: what was sent, and what the model says about it.</summary>
internal sealed class PipelinedRun : IDisposable
{
    private sealed record Expectation(
        ModelRequest Request, int Xid, long Zxid, ErrorCode Error, string Body, IReadOnlyList<AuthId> Identities)
    {
        public bool IsRead => OpTable.Find(Request.Op).Class == OpClass.Read;
    }

    private const int ClientCount = 3;

    private static readonly string[] Names =
    [
        "a", "b", "s-", "数é", "", ".", "..", "x\u0001", "x\0", "\ud83d\ude00", "\ue000", "\ufff0", new string('n', 400),
    ];

    private static readonly string[] OddPaths =
        ["", "a", "/", "//", "/zookeeper", "/zookeeper/config", "/zookeeper/quota", "/a/"];

    private static readonly OpCode[] ReadOps =
    [
        OpCode.Exists, OpCode.GetData, OpCode.GetChildren, OpCode.GetChildren2, OpCode.GetAcl,
        OpCode.GetAllChildrenNumber,
    ];

    private static readonly byte[]?[] Datas = [null, [], "x"u8.ToArray(), "hello"u8.ToArray(), new byte[700]];

    private static readonly IReadOnlyList<Acl>?[] Acls =
    [
        [new(Permissions.All, new AuthId("auth", ""))],
        Acl.ReadUnsafe,
        [new(Permissions.All, new AuthId("digest", "u:h")), new(Permissions.Read, AuthId.Anyone)],
        [new(Permissions.All, new AuthId("digest", "u:h")), new(Permissions.All, new AuthId("digest", "u:h"))],
        [new(Permissions.All & ~Permissions.Create, AuthId.Anyone)],
        [new(Permissions.All & ~Permissions.Delete, AuthId.Anyone)],
        [new(Permissions.None, AuthId.Anyone), new(Permissions.Admin, AuthId.Anyone)],
        [new((Permissions)0x7fff_ffff, AuthId.Anyone)],
        [], null,
        [new(Permissions.All, new AuthId("world", "everyone"))],
        [new(Permissions.All, new AuthId("digest", "nocolon"))],
        [new(Permissions.All, new AuthId("nosuch", "x"))],
        [new(Permissions.All, new AuthId("super", ""))],
        [new(Permissions.Read, new AuthId("ip", "127.0.0.1")), new(Permissions.All, AuthId.Anyone)],
    ];

    private readonly Dictionary<HarnessClient, List<Expectation>> expected = [];
    private readonly ModelServer model = new();

    public PipelinedRun() => Harness = new ReplicaHarness();

    public ReplicaHarness Harness { get; }

    public List<string>? Trace { get; init; }

    /// <summary>Connects the clients; the first and the second are somebody, the third is nobody.</summary>
    public void Restart()
    {
        for (int i = 0; i < ClientCount; i++)
        {
            HarnessClient client = Harness.Connect(20_000);
            model.OpenSession();
            Assert.Single(client.Take());
            expected.Add(client, []);
            if (i < 2)
                client.Link.AddIdentity(new AuthId("digest", i == 0 ? "u:h" : "v:h"));
        }
        Harness.IsAutomatic = false;
    }

    public void Run(int[] steps)
    {
        if (expected.Count == 0)
            Restart();
        foreach (int step in steps)
            Take(new Dice(step));
        Harness.Settle();
    }

    public void AssertAnswers()
    {
        foreach ((HarnessClient client, List<Expectation> all) in expected)
        {
            List<Frame> frames = client.Take();
            Assert.Equal(all.Count, frames.Count);
            long zxid = 0;
            for (int i = 0; i < all.Count; i++)
            {
                AssertAnswer(all[i], frames[i], zxid);
                zxid = frames[i].Zxid;
            }
            Assert.Equal(client.Link.Posted, client.Link.Answered);
        }
        Assert.Equal(0, Harness.Replica.Statistics.DigestMismatches);
        Assert.Equal(0, Harness.Replica.OutstandingTxns);
        Assert.Equal(0, Harness.Replica.PendingZnodes);
    }

    public void AssertTree()
    {
        DataTree tree = Harness.Tree;
        Assert.Equal(model.Zxid, tree.LastProcessed.Value);
        Assert.Equal(model.Znodes.Count, tree.Count);
        foreach ((string path, ModelZnode znode) in model.Znodes)
        {
            ZnodeId id = tree.Find(Encoding.UTF8.GetBytes(path));
            Assert.False(id.IsNone, path + " is missing");
            Assert.Equal((path, znode.Persisted), (path, tree.GetPersisted(id)));
            byte[] data = tree.GetData(id, out bool isNull).ToArray();
            Assert.Equal(znode.Data, isNull ? null : data);
            Assert.Equal(znode.Acl, tree.Acls.Entries(tree.GetAclId(id)));
        }
        Assert.Equal(model.DigestAt(model.Zxid), tree.Digest);
    }

    public void AssertLog()
    {
        Assert.Equal(model.Zxid, Harness.Log.Count);
        for (int i = 0; i < Harness.Log.Count; i++)
        {
            Assert.True(TxnRecords.TryRead(Harness.Log[i], out TxnView txn));
            Assert.Equal(i + 1, txn.Header.Zxid);
            if (txn.HasDigest)
                Assert.Equal((i + 1, model.DigestAt(i + 1)), (i + 1, txn.Digest.TreeDigest));
            else
                Assert.True(txn.Header.Type is OpCode.Error or OpCode.Multi);
        }
    }

    public void Dispose() => Harness.Dispose();

    private static void AssertAnswer(Expectation wanted, Frame frame, long formerZxid, ModelServer model)
    {
        Assert.Equal((wanted.Request.Op, wanted.Xid), (frame.Op, frame.Xid));
        Assert.True(frame.Zxid >= formerZxid, "the zxid of replies went back");
        ErrorCode error = wanted.Error;
        string body = wanted.Body;
        if (wanted.Zxid > 0)
            Assert.Equal(wanted.Zxid, frame.Zxid);
        if (wanted.IsRead && wanted.Request.CutOff == 0)
            (error, body) = model.Read(wanted.Request, wanted.Identities, frame.Zxid);
        Assert.Equal((wanted.Request.ToString(), error, body), (wanted.Request.ToString(), frame.Error, frame.Body));
    }

    private void AssertAnswer(Expectation wanted, Frame frame, long formerZxid) =>
        AssertAnswer(wanted, frame, formerZxid, model);

    private void Take(Dice dice)
    {
        HarnessClient client = dice.Pick([.. expected.Keys]);
        switch (dice.Roll(20))
        {
            case <= 9:
                Send(client, RandomWrite(dice, isPart: false));
                break;
            case <= 12:
                Send(client, RandomMulti(dice));
                break;
            case <= 15:
                Send(client, RandomRead(dice));
                break;
            case 16:
                Harness.MakeDurable(dice.Roll(5));
                Trace?.Add("durable to " + Harness.Durable);
                break;
            case <= 18:
                Harness.MakeDurable(dice.Roll(4));
                int txns = dice.Roll(5);
                Harness.Apply(txns);
                Trace?.Add($"apply up to {txns}, at {Harness.Tree.LastProcessed}");
                break;
            default:
                if (dice.Hits(15))
                    Send(client, new ModelRequest(OpCode.CloseSession));
                else
                    Harness.NowMs += dice.Roll(50);
                break;
        }
    }

    private void Send(HarnessClient client, ModelRequest request)
    {
        if (!client.CanSend)
            return;
        AuthId[] identities = client.Link.Identities.ToArray();
        bool isRead = OpTable.Find(request.Op).Class == OpClass.Read;
        long session = client.SessionId;
        long zxid = 0;
        ErrorCode error = ErrorCode.MarshallingError;
        string body = "";
        bool isClosing = model.IsClosing(session);
        if (request.Op == OpCode.CloseSession)
        {
            zxid = isClosing ? 0 : model.CloseSession(session);
            error = isClosing ? ErrorCode.SessionExpired : ErrorCode.Ok;
        }
        else if (!isRead && ModelServer.IsDecodable(request))
        {
            (error, body) = model.Write(request, session, identities, Harness.WallMs);
            zxid = model.Zxid;
        }
        int xid = client.Send(request.Op, request.Encode());
        Trace?.Add($"{client.Name} #{xid} z{zxid} {error} {request}");
        expected[client].Add(new Expectation(request, xid, zxid, error, body, identities));
    }

    private ModelRequest RandomWrite(Dice dice, bool isPart)
    {
        OpCode op = dice.Pick<OpCode>(
        [
            OpCode.Create, OpCode.Create, OpCode.Create, OpCode.Create2, OpCode.Create2, OpCode.CreateContainer,
            OpCode.CreateTtl, OpCode.Delete, OpCode.Delete, OpCode.Delete, OpCode.SetData, OpCode.SetData,
            isPart ? OpCode.Check : OpCode.SetAcl, isPart ? OpCode.Check : OpCode.Reconfig,
        ]);
        if (op == OpCode.Reconfig && !dice.Hits(10))
            op = OpCode.SetAcl;
        bool isCreate = op is OpCode.Create or OpCode.Create2 or OpCode.CreateContainer or OpCode.CreateTtl;
        string path = isCreate ? NewPath(dice) : dice.Hits(85) ? dice.Pick([.. model.Znodes.Keys]) : NewPath(dice);
        ModelZnode? znode = model.Znodes.GetValueOrDefault(path);
        int current = (op == OpCode.SetAcl ? znode?.Aversion : znode?.Version) ?? 0;
        int mode = op == OpCode.CreateTtl ? 5 + dice.Roll(2) : dice.Roll(5);
        if (dice.Hits(4))
            mode = dice.Pick([-1, 7, 5, 6, 0]);
        return new ModelRequest(op)
        {
            Path = path,
            Data = dice.Pick(Datas),
            Version = dice.Pick([-1, -1, current, current, current + 1, -2]),
            Mode = (CreateMode)mode,
            Ttl = dice.Hits(7) ? dice.Pick<long>([0x100_0000_0000, 0, -1]) : dice.Pick<long>([1, 1000, 0xff_ffff_ffff]),
            Acl = (isCreate ? dice.Hits(75) : dice.Hits(30)) ? RequestBody.Open : dice.Pick(Acls),
            CutOff = !isPart && op != OpCode.Reconfig && dice.Hits(2) ? 1 : 0,
        };
    }

    private ModelRequest RandomMulti(Dice dice)
    {
        var parts = new ModelRequest[dice.Roll(6)];
        for (int i = 0; i < parts.Length; i++)
        {
            parts[i] = i > 0 && dice.Hits(30)
                ? new ModelRequest(dice.Pick<OpCode>([OpCode.SetData, OpCode.Delete, OpCode.Check, OpCode.Create2]))
                {
                    // What an earlier part made, and below it.
                    Path = parts[i - 1].Path + (dice.Hits(40) ? "/k" : ""),
                    Data = dice.Pick(Datas),
                }
                : RandomWrite(dice, isPart: true);
        }
        if (parts.Length > 0 && dice.Hits(3))
            parts[^1] = new ModelRequest(dice.Pick<OpCode>([OpCode.GetData, OpCode.SetAcl])) { Path = "/" };
        return new ModelRequest(OpCode.Multi) { Parts = parts, CutOff = dice.Hits(2) ? 1 : 0 };
    }

    private ModelRequest RandomRead(Dice dice) => new(dice.Pick(ReadOps))
    {
        Path = dice.Hits(80) ? dice.Pick([.. model.Znodes.Keys]) : NewPath(dice),
        CutOff = dice.Hits(3) ? 1 : 0,
    };

    private string NewPath(Dice dice)
    {
        if (dice.Hits(6))
            return dice.Pick(OddPaths);
        string parent = dice.Hits(50) ? "" : dice.Pick([.. model.Znodes.Keys]);
        string name = dice.Hits(80) ? Names[dice.Roll(4)] : dice.Pick(Names);
        return (parent == "/" ? "" : parent) + "/" + name;
    }
}
