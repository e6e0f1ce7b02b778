using System.Text;
using SharpKeeper.Core;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Sessions;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.TransactionTests;

/// <summary>
/// The transaction of a reconfiguration: its form is that of the captures, the znode's stat that of a live 3.8.0.
/// </summary>
public sealed class ReconfigTxnTests : IDisposable
{
    private const string Text = "server.1=h:1:2:participant;0.0.0.0:3\nversion=";
    private static readonly AuthId Super = new("super", "");

    private readonly DataTree tree = new(hashSeed: 1);
    private readonly SessionTimeouts timeouts = new();
    private readonly TxnOutcome outcome = new();
    private readonly Session session = new(7, 10_000);
    private readonly TxnPreparer preparer;
    private readonly TxnApplier applier;

    public ReconfigTxnTests()
    {
        preparer = new TxnPreparer(tree, new ReplicaOptions { Access = new AccessControl([], skipChecks: false) });
        applier = new TxnApplier(tree, timeouts);
    }

    public void Dispose() => tree.Dispose();

    [Fact]
    public void PrepareReconfig_writes_the_new_text_with_the_zxid_as_version()
    {
        var batch = new TxnBatch();
        Assert.Equal(ErrorCode.Ok, Prepare(0x100000005, batch, Super));
        Assert.True(TxnRecords.TryRead(batch.Payload(0), out TxnView txn));
        Assert.Equal(new TxnHeader(7, 3, 0x100000005, 1234, OpCode.Reconfig), txn.Header);
        Assert.True(TxnRecords.TryReadSetData(txn.Record, out SetDataTxn set));
        Assert.Equal("/zookeeper/config", Encoding.UTF8.GetString(set.Path));
        Assert.Equal(Text + "100000005", Encoding.UTF8.GetString(set.Data));
        Assert.Equal(-1, set.Version);
        Assert.True(txn.HasDigest);
        Assert.Equal(tree.Digest, txn.Digest.TreeDigest);
    }

    [Fact]
    public void Apply_reconfig_sets_data_and_stat_and_tells_watches()
    {
        var batch = new TxnBatch();
        Prepare(0x100000005, batch, Super);
        Stat before = tree.GetStat(tree.Find("/zookeeper/config"u8));
        long digest = tree.Digest;
        Assert.Equal(ErrorCode.Ok, applier.Apply(batch.Payload(0), outcome));
        preparer.Applied(new Zxid(0x100000005));
        ZnodeId id = tree.Find("/zookeeper/config"u8);
        Assert.Equal(Text + "100000005", Encoding.UTF8.GetString(tree.GetData(id, out _)));
        Stat expected = before with
        {
            Version = -1,
            Mzxid = 0x100000005,
            Mtime = 1234,
            DataLength = Text.Length + 9,
        };
        Assert.Equal(expected, tree.GetStat(id));
        Assert.Equal((OpCode.Reconfig, expected), (outcome.Results[0].Type, outcome.Results[0].Stat));
        TreeChange change = Assert.Single(outcome.Changes);
        Assert.Equal(TreeChangeKind.DataChanged, change.Kind);
        Assert.Equal("/zookeeper/config"u8, outcome.PathOf(change, batch.Payload(0)));
        Assert.Equal(digest, tree.Digest);
        Assert.Equal(0, preparer.PendingCount);
    }

    [Fact]
    public void PrepareReconfig_without_the_right_to_write_becomes_an_error_transaction()
    {
        var batch = new TxnBatch();
        Assert.Equal(ErrorCode.NoAuth, Prepare(0x100000005, batch));
        AssertError(batch, ErrorCode.NoAuth);
        Assert.Equal(0, preparer.PendingCount);
    }

    [Fact]
    public void PrepareReconfig_of_a_closing_session_becomes_an_error_transaction()
    {
        session.IsClosing = true;
        var batch = new TxnBatch();
        Assert.Equal(ErrorCode.SessionExpired, Prepare(0x100000005, batch, Super));
        AssertError(batch, ErrorCode.SessionExpired);
    }

    [Fact]
    public void PrepareReconfig_is_seen_by_a_write_behind_it()
    {
        var batch = new TxnBatch();
        Prepare(0x100000005, batch, Super);
        using var body = new JuteBuffer();
        body.WriteBuffer("/zookeeper/config"u8);
        body.WriteBuffer("x"u8);
        body.WriteInt32(-1);
        AuthId[] identities = [Super];
        var context = new TxnContext(session, identities, 4, new Zxid(0x100000006), 1235);
        Assert.True(preparer.TryPrepare(context, OpCode.SetData, body.WrittenSpan, batch));
        applier.Apply(batch.Payload(0));
        applier.Apply(batch.Payload(1));
        // As on 3.8.0: a plain write counts on from -1.
        Assert.Equal(0, tree.GetStat(tree.Find("/zookeeper/config"u8)).Version);
    }

    [Fact]
    public void ReconfigRequest_keeps_null_apart_from_empty()
    {
        using var body = new JuteBuffer();
        body.WriteString("server.4=a:1:2;3");
        body.WriteString("");
        body.WriteString(null);
        body.WriteInt64(-1);
        Assert.True(ReconfigRequest.TryRead(body.WrittenSpan, out ReconfigRequest request));
        Assert.Equal(new ReconfigRequest("server.4=a:1:2;3", "", null, ReconfigRequest.AnyVersion), request);
        for (int length = 0; length < body.Length; length++)
            Assert.False(ReconfigRequest.TryRead(body.WrittenSpan[..length], out _));
    }

    private ErrorCode Prepare(long zxid, TxnBatch batch, params AuthId[] identities)
    {
        Assert.True(EnsembleConfig.TryParse(Text + "1", out EnsembleConfig? config, out string problem), problem);
        return preparer.PrepareReconfig(new TxnContext(session, identities, 3, new Zxid(zxid), 1234), config, batch);
    }

    private static void AssertError(TxnBatch batch, ErrorCode expected)
    {
        Assert.True(TxnRecords.TryRead(batch.Payload(0), out TxnView txn));
        Assert.Equal(OpCode.Error, txn.Header.Type);
        Assert.True(TxnRecords.TryReadError(txn.Record, out ErrorCode error));
        Assert.Equal(expected, error);
    }
}
