using System.Text;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;

namespace SharpKeeper.LogTests;

public sealed class TxnApplierTests : IDisposable
{
    private readonly DataTree tree = new() { ExtendedTypesEnabled = true };
    private readonly SessionTimeouts sessions = new();
    private readonly TxnOutcome outcome = new();
    private readonly TxnApplier applier;
    private byte[] payload = [];
    private long zxid;

    public TxnApplierTests() => applier = new TxnApplier(tree, sessions);

    public void Dispose() => tree.Dispose();

    [Fact]
    public void Create_reports_znode_stat_and_change()
    {
        Apply(new LogImage().AddCreate(++zxid, "/a", "xyz"));
        OpResult result = Assert.Single(outcome.Results);
        Assert.Equal((OpCode.Create, ErrorCode.Ok), (result.Type, result.Error));
        Assert.Equal(tree.Find("/a"u8), result.Node);
        Assert.Equal("/a"u8, payload.AsSpan(result.PathOffset, result.PathLength));
        Assert.Equal(tree.GetStat(result.Node), result.Stat);
        Assert.Equal(["Created /a -1 -1"], Changes());
        Assert.Equal(zxid, outcome.Header.Zxid);
        Assert.Equal(new Zxid(zxid), tree.LastProcessed);
    }

    [Fact]
    public void Changes_carry_the_acls_of_znode_and_parent()
    {
        byte[] read = LogImage.Encode(Acl.ReadUnsafe);
        Apply(new LogImage().Add(++zxid, OpCode.Create2, o => TxnRecords.WriteCreate(o, "/p"u8, default, false, read,
            false, 1)));
        Apply(new LogImage().AddCreate(++zxid, "/p/c"));
        int acl = tree.GetAclId(tree.Find("/p"u8));
        Assert.Equal([$"Created /p/c -1 {acl}"], Changes());
        Apply(new LogImage().Add(++zxid, OpCode.SetData, o => TxnRecords.WriteSetData(o, "/p"u8, "1"u8, false, 1)));
        Assert.Equal([$"DataChanged /p {acl} -1"], Changes());
        Apply(new LogImage().Add(
            ++zxid, OpCode.SetAcl, o => TxnRecords.WriteSetAcl(o, "/p/c"u8, LogImage.OpenAcl, 1)));
        Assert.Equal(["AclChanged /p/c -1 -1"], Changes());
        Apply(new LogImage().Add(++zxid, OpCode.Delete, o => TxnRecords.WriteDelete(o, "/p/c"u8)));
        Assert.Equal([$"Deleted /p/c -1 {acl}"], Changes());
    }

    [Fact]
    public void Acls_of_znodes_deleted_by_one_multi_stay_readable()
    {
        byte[][] acls = [LogImage.Encode(Acl.ReadUnsafe), LogImage.Encode(Acl.CreatorAll)];
        Apply(new LogImage().Add(++zxid, OpCode.Create, o => TxnRecords.WriteCreate(o, "/a"u8, default, false, acls[0],
            false, 1)));
        Apply(new LogImage().Add(++zxid, OpCode.Create, o => TxnRecords.WriteCreate(o, "/b"u8, default, false, acls[1],
            false, 2)));
        Apply(Multi(
            (OpCode.Delete, o => TxnRecords.WriteDelete(o, "/a"u8)),
            (OpCode.Delete, o => TxnRecords.WriteDelete(o, "/b"u8)),
            (OpCode.Create, o => TxnRecords.WriteCreate(
                o, "/c"u8, default, false, LogImage.Encode([new(Permissions.Write, AuthId.Anyone)]), false, 3))));
        Assert.Equal(acls[0], tree.Acls.Encoded(outcome.Changes[0].AclId));
        Assert.Equal(acls[1], tree.Acls.Encoded(outcome.Changes[1].AclId));
        Apply(new LogImage().AddCreate(++zxid, "/d"));
        Apply(new LogImage().AddCreate(++zxid, "/e"));
        // The list of /zookeeper/config is the first one; that of /b is forgotten.
        Assert.Equal(2, tree.Acls.Count);
    }

    [Fact]
    public void Multi_reports_each_part_with_the_stat_of_its_moment()
    {
        Apply(Multi(
            (OpCode.Create, o => TxnRecords.WriteCreate(o, "/m"u8, "1"u8, false, LogImage.OpenAcl, false, 1)),
            (OpCode.SetData, o => TxnRecords.WriteSetData(o, "/m"u8, "22"u8, false, 1)),
            (OpCode.Check, o => TxnRecords.WriteCheck(o, "/m"u8, 1)),
            (OpCode.Delete, o => TxnRecords.WriteDelete(o, "/m"u8))));
        Assert.Equal(
            [OpCode.Create, OpCode.SetData, OpCode.Check, OpCode.Delete], outcome.Results.Select(r => r.Type));
        Assert.All(outcome.Results, r => Assert.Equal(ErrorCode.Ok, r.Error));
        Assert.Equal((0, 1), (outcome.Results[0].Stat.Version, outcome.Results[0].Stat.DataLength));
        Assert.Equal((1, 2), (outcome.Results[1].Stat.Version, outcome.Results[1].Stat.DataLength));
        Assert.Equal(["Created /m -1 -1", "DataChanged /m -1 -1", "Deleted /m -1 -1"], Changes());
        Assert.Equal(new Zxid(zxid), tree.LastProcessed);
    }

    [Fact]
    public void Multi_with_an_error_changes_nothing()
    {
        Apply(Multi(
            (OpCode.Create, o => TxnRecords.WriteCreate(o, "/m"u8, default, false, LogImage.OpenAcl, false, 1)),
            (OpCode.Error, o => TxnRecords.WriteError(o, ErrorCode.BadVersion)),
            (OpCode.Error, o => TxnRecords.WriteError(o, ErrorCode.RuntimeInconsistency))));
        Assert.True(tree.Find("/m"u8).IsNone);
        Assert.Empty(outcome.Changes);
        Assert.All(outcome.Results, r => Assert.Equal(OpCode.Error, r.Type));
        Assert.Equal(
            [ErrorCode.Ok, ErrorCode.BadVersion, ErrorCode.RuntimeInconsistency], outcome.Results.Select(r => r.Error));
        Assert.Equal(new Zxid(zxid), tree.LastProcessed);
    }

    [Fact]
    public void Sessions_come_and_go_with_their_ephemerals()
    {
        Apply(new LogImage().Add(++zxid, OpCode.CreateSession, o => TxnRecords.WriteCreateSession(o, 5000), 9));
        Assert.True(sessions.TryGet(new SessionId(9), out int timeoutMs));
        Assert.Equal(5000, timeoutMs);
        Apply(new LogImage().AddCreate(++zxid, "/listed", isEphemeral: true, session: 9));
        Apply(new LogImage().AddCreate(++zxid, "/left", isEphemeral: true, session: 9));
        Apply(new LogImage().Add(++zxid, OpCode.CloseSession, output =>
        {
            int vector = TxnRecords.BeginCloseSession(output);
            output.WriteBuffer("/listed"u8);
            output.WriteBuffer("/gone"u8);
            TxnRecords.EndVector(output, vector, 2);
        }, 9));
        Assert.Equal(["Deleted /listed -1 -1", "Deleted /left -1 -1"], Changes());
        Assert.Equal(OpCode.CloseSession, Assert.Single(outcome.Results).Type);
        Assert.Equal(0, sessions.Count);
        Assert.Equal(0, tree.EphemeralCount);
    }

    [Fact]
    public void Error_moves_the_last_transaction_only()
    {
        long before = tree.Digest;
        Apply(new LogImage().Add(++zxid, OpCode.Error, o => TxnRecords.WriteError(o, ErrorCode.NoNode)));
        Assert.Equal(ErrorCode.NoNode, Assert.Single(outcome.Results).Error);
        Assert.Equal((before, new Zxid(zxid)), (tree.Digest, tree.LastProcessed));
    }

    [Fact]
    public void Containers_and_ttl_znodes_get_their_owners()
    {
        Apply(new LogImage().Add(++zxid, OpCode.CreateContainer, o => TxnRecords.WriteCreateContainer(
            o, "/c"u8, default, false, LogImage.OpenAcl, 1)));
        Apply(new LogImage().Add(++zxid, OpCode.CreateTtl, o => TxnRecords.WriteCreateTtl(
            o, "/t"u8, default, false, LogImage.OpenAcl, 2, 60_000)));
        Assert.Equal(NodeKind.Container, tree.KindOf(tree.Find("/c"u8)));
        Assert.Equal(60_000, tree.GetTtl(tree.Find("/t"u8)));
        Apply(new LogImage().Add(++zxid, OpCode.DeleteContainer, o => TxnRecords.WriteDelete(o, "/c"u8)));
        Assert.Equal(["Deleted /c -1 -1"], Changes());
    }

    [Fact]
    public void Applying_a_transaction_again_changes_nothing()
    {
        LogImage create = new LogImage().AddCreate(++zxid, "/a", "1");
        LogImage set = new LogImage().Add(
            ++zxid, OpCode.SetData, o => TxnRecords.WriteSetData(o, "/a"u8, "2"u8, false, 1));
        Apply(create);
        Apply(set);
        string before = TreeAssert.Dump(tree);
        applier.Apply(set.Payload(0), outcome);
        Assert.Equal(before, TreeAssert.Dump(tree));
        Assert.Equal(new Zxid(zxid), tree.LastProcessed);
    }

    private LogImage Multi(params (OpCode Type, Action<JuteBuffer> Write)[] parts) =>
        new LogImage().Add(++zxid, OpCode.Multi, output =>
        {
            int multi = TxnRecords.BeginMulti(output);
            foreach ((OpCode type, Action<JuteBuffer> write) in parts)
            {
                int part = TxnRecords.BeginPart(output, type);
                write(output);
                TxnRecords.EndPart(output, part);
            }
            TxnRecords.EndVector(output, multi, parts.Length);
        });

    private void Apply(LogImage image)
    {
        payload = image.Payload(0);
        applier.Apply(payload, outcome);
    }

    private List<string> Changes() =>
    [
        .. outcome.Changes.Select(change =>
            $"{change.Kind} {Encoding.UTF8.GetString(outcome.PathOf(change, payload))} {change.AclId}"
            + $" {change.ParentAclId}"),
    ];
}
