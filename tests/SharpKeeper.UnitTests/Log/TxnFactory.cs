using System.Globalization;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;

namespace SharpKeeper.LogTests;

/// <summary>Makes random transactions that fit a tree, as a leader would log them.</summary>
internal sealed class TxnFactory(DataTree tree, SessionTimeouts sessions, Random random)
{
    private static readonly byte[][] Acls =
    [
        LogImage.OpenAcl,
        LogImage.Encode(Acl.ReadUnsafe),
        LogImage.Encode([new(Permissions.All, new AuthId("digest", "alice:x"))]),
        LogImage.Encode([new(Permissions.Read, AuthId.Anyone), new(Permissions.All, new AuthId("ip", "10.0.0.1"))]),
    ];

    private readonly List<string> paths = ["/"];
    private long zxid;

    /// <summary>The next transaction of the log, not yet applied.</summary>
    public byte[] Next()
    {
        zxid++;
        var image = new LogImage { Time = 1_700_000_000_000 + zxid };
        paths.RemoveAll(path => tree.Find(LogImage.Utf8(path)).IsNone);
        int choice = random.Next(100);
        long session = random.Next(1, 6);
        if (choice < 5)
            image.Add(zxid, OpCode.CreateSession, static o => TxnRecords.WriteCreateSession(o, 60_000), session);
        else if (choice < 10)
            AddCloseSession(image, session);
        else if (choice < 13)
            image.Add(zxid, OpCode.Error, static o => TxnRecords.WriteError(o, ErrorCode.BadVersion), session);
        else if (choice < 25)
            AddMulti(image, session);
        else
            AddOne(image, session);
        return image.Payload(0);
    }

    private void AddOne(LogImage image, long session)
    {
        using var record = new JuteBuffer();
        OpCode type = WriteOperation(record, session);
        byte[] bytes = record.WrittenSpan.ToArray();
        image.Add(zxid, type, output => output.WriteRaw(bytes), session);
    }

    private void AddMulti(LogImage image, long session) => image.Add(zxid, OpCode.Multi, output =>
    {
        int multi = TxnRecords.BeginMulti(output);
        int count = random.Next(4);
        var touched = new HashSet<string>();
        int written = 0;
        for (int i = 0; i < count; i++)
        {
            using var record = new JuteBuffer();
            string parent = paths[random.Next(paths.Count)];
            // Parts of one multi stay apart from each other, so that each fits the tree as it is.
            if (!touched.Add(parent) || !CanHaveChildren(parent))
                continue;
            OpCode type = WriteCreate(record, parent, session, isPart: true);
            int part = TxnRecords.BeginPart(output, type);
            output.WriteRaw(record.WrittenSpan);
            TxnRecords.EndPart(output, part);
            written++;
        }
        TxnRecords.EndVector(output, multi, written);
    }, session);

    private void AddCloseSession(LogImage image, long session) => image.Add(zxid, OpCode.CloseSession, output =>
    {
        var owned = new List<string>();
        tree.CollectEphemerals(session, owned);
        int vector = TxnRecords.BeginCloseSession(output);
        foreach (string path in owned)
            output.WriteString(path);
        TxnRecords.EndVector(output, vector, owned.Count);
    }, session);

    private OpCode WriteOperation(JuteBuffer record, long session)
    {
        string path = paths[random.Next(paths.Count)];
        ZnodeId id = tree.Find(LogImage.Utf8(path));
        int choice = random.Next(10);
        if (choice < 2 && path != "/")
        {
            TxnRecords.WriteSetAcl(
                record, LogImage.Utf8(path), Acls[random.Next(Acls.Length)], tree.GetStat(id).Aversion + 1);
            return OpCode.SetAcl;
        }
        if (choice < 5 && path != "/" && tree.GetChildCount(id) == 0)
        {
            TxnRecords.WriteDelete(record, LogImage.Utf8(path));
            return OpCode.Delete;
        }
        if (choice < 7 || !CanHaveChildren(path))
        {
            TxnRecords.WriteSetData(
                record, LogImage.Utf8(path), Data(), random.Next(8) == 0, tree.GetStat(id).Version + 1);
            return OpCode.SetData;
        }
        return WriteCreate(record, path, session, isPart: false);
    }

    private OpCode WriteCreate(JuteBuffer record, string parent, long session, bool isPart)
    {
        int cversion = tree.GetStoredCversion(tree.Find(LogImage.Utf8(parent))) + 1;
        // Few names, so that deleted ones come back.
        string name = random.Next(12).ToString(CultureInfo.InvariantCulture);
        string path = parent == "/" ? "/" + name : parent + "/" + name;
        if (!tree.Find(LogImage.Utf8(path)).IsNone)
            path += "-" + zxid.ToString(CultureInfo.InvariantCulture);
        paths.Add(path);
        byte[] acl = Acls[random.Next(Acls.Length)];
        bool isNull = random.Next(8) == 0;
        switch (random.Next(6))
        {
            case 0:
                TxnRecords.WriteCreateContainer(record, LogImage.Utf8(path), Data(), isNull, acl, cversion);
                return OpCode.CreateContainer;
            case 1:
                TxnRecords.WriteCreateTtl(record, LogImage.Utf8(path), Data(), isNull, acl, cversion, 600_000);
                return OpCode.CreateTtl;
            default:
                bool isEphemeral = random.Next(4) == 0 && sessions.TryGet(new SessionId(session), out _);
                TxnRecords.WriteCreate(record, LogImage.Utf8(path), Data(), isNull, acl, isEphemeral, cversion);
                // Apache 3.8.0 knows no create2 within a multi.
                return isPart || random.Next(2) == 0 ? OpCode.Create : OpCode.Create2;
        }
    }

    private bool CanHaveChildren(string path)
    {
        ZnodeId id = tree.Find(LogImage.Utf8(path));
        return !id.IsNone && tree.KindOf(id) != NodeKind.Ephemeral;
    }

    private byte[] Data()
    {
        var data = new byte[random.Next(60)];
        random.NextBytes(data);
        return data;
    }
}
