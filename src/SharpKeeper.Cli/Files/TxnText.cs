using System.Globalization;
using System.Text;
using SharpKeeper.Core.Log;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Files;

/// <summary>A transaction as one line of text, in the order of Apache's log toolkit.</summary>
internal static class TxnText
{
    internal static string Line(scoped in TxnView txn, bool wholeData)
    {
        TxnHeader header = txn.Header;
        var line = new StringBuilder();
        line.Append(CultureInfo.InvariantCulture, $"{TxnNames.Time(header.Time)} session 0x{header.ClientId:x} ");
        line.Append(CultureInfo.InvariantCulture, $"cxid 0x{header.Cxid:x} zxid 0x{header.Zxid:x} ");
        AppendOperation(line, header.Type, txn.Record, wholeData);
        if (txn.HasDigest)
            line.Append(CultureInfo.InvariantCulture, $" digest {txn.Digest.TreeDigest}");
        return line.ToString();
    }

    private static void AppendOperation(StringBuilder line, OpCode type, ReadOnlySpan<byte> record, bool wholeData)
    {
        line.Append(TxnNames.Of(type)).Append(' ');
        switch (type)
        {
            case OpCode.Create or OpCode.Create2 or OpCode.CreateContainer or OpCode.CreateTtl:
                AppendCreate(line, type, record, wholeData);
                break;
            case OpCode.Delete or OpCode.DeleteContainer:
                TxnRecords.TryReadDelete(record, out ReadOnlySpan<byte> deleted);
                line.Append(TxnNames.Text(deleted));
                break;
            case OpCode.SetData or OpCode.Reconfig:
                TxnRecords.TryReadSetData(record, out SetDataTxn set);
                line.Append(TxnNames.Text(set.Path)).Append(',');
                line.Append(TxnNames.Data(set.Data, set.DataIsNull, wholeData));
                line.Append(CultureInfo.InvariantCulture, $",{set.Version}");
                break;
            case OpCode.SetAcl:
                TxnRecords.TryReadSetAcl(record, out SetAclTxn acl);
                line.Append(TxnNames.Text(acl.Path)).Append(",[").Append(TxnNames.AclText(acl.Acl)).Append(']');
                line.Append(CultureInfo.InvariantCulture, $",{acl.Version}");
                break;
            case OpCode.Check:
                TxnRecords.TryReadCheck(record, out ReadOnlySpan<byte> path, out int version);
                line.Append(TxnNames.Text(path)).Append(CultureInfo.InvariantCulture, $",{version}");
                break;
            case OpCode.CreateSession:
                TxnRecords.TryReadCreateSession(record, out int timeoutMs);
                line.Append(CultureInfo.InvariantCulture, $"{timeoutMs}");
                break;
            case OpCode.Error:
                TxnRecords.TryReadError(record, out ErrorCode error);
                line.Append(CultureInfo.InvariantCulture, $"{(int)error}");
                break;
            case OpCode.CloseSession:
                AppendPaths(line, record);
                break;
            case OpCode.Multi:
                AppendMulti(line, record, wholeData);
                break;
        }
    }

    private static void AppendCreate(StringBuilder line, OpCode type, ReadOnlySpan<byte> record, bool wholeData)
    {
        TxnRecords.TryReadCreate(type, record, out CreateTxn create);
        line.Append(TxnNames.Text(create.Path)).Append(',');
        line.Append(TxnNames.Data(create.Data, create.DataIsNull, wholeData));
        line.Append(",[").Append(TxnNames.AclText(create.Acl)).Append(']');
        if (type is OpCode.Create or OpCode.Create2)
            line.Append(create.IsEphemeral ? ",true" : ",false");
        line.Append(CultureInfo.InvariantCulture, $",{create.ParentCversion}");
        if (type == OpCode.CreateTtl)
            line.Append(CultureInfo.InvariantCulture, $",{create.Ttl}");
    }

    private static void AppendPaths(StringBuilder line, ReadOnlySpan<byte> record)
    {
        PathVectorReader paths = TxnRecords.ReadCloseSession(record);
        line.Append('[');
        for (bool first = true; paths.Next(out ReadOnlySpan<byte> path); first = false)
            line.Append(first ? "" : ",").Append(TxnNames.Text(path));
        line.Append(']');
    }

    private static void AppendMulti(StringBuilder line, ReadOnlySpan<byte> record, bool wholeData)
    {
        MultiTxnReader parts = TxnRecords.ReadMulti(record);
        line.Append('[');
        for (bool first = true; parts.Next(out OpCode type, out ReadOnlySpan<byte> part); first = false)
        {
            line.Append(first ? "" : "; ");
            AppendOperation(line, type, part, wholeData);
        }
        line.Append(']');
    }
}
