using System.Text;
using System.Text.Json;
using SharpKeeper.Core.Log;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Files;

/// <summary>A transaction as one line of JSON: ids in hexadecimal text, data in base64.</summary>
internal static class TxnJson
{
    /// <summary>The fields of a transaction, into an object that is open.</summary>
    internal static void Write(Utf8JsonWriter json, scoped in TxnView txn)
    {
        TxnHeader header = txn.Header;
        json.WriteString("zxid", new Zxid(header.Zxid).ToString());
        json.WriteString("session", new SessionId(header.ClientId).ToString());
        json.WriteNumber("cxid", header.Cxid);
        json.WriteNumber("time", header.Time);
        WriteOperation(json, header.Type, txn.Record);
        if (txn.HasDigest)
            json.WriteNumber("digest", txn.Digest.TreeDigest);
    }

    /// <summary>ACL entries as an array of objects.</summary>
    internal static void WriteAcl(Utf8JsonWriter json, ReadOnlySpan<byte> vector)
    {
        var reader = new JuteReader(vector);
        json.WriteStartArray("acl");
        foreach (Acl entry in Acl.ReadVector(ref reader) ?? [])
        {
            json.WriteStartObject();
            json.WriteNumber("perms", (int)entry.Permissions);
            json.WriteString("scheme", entry.Id.Scheme);
            json.WriteString("id", entry.Id.Id);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    /// <summary>Data in base64, or null.</summary>
    internal static void WriteData(Utf8JsonWriter json, ReadOnlySpan<byte> data, bool isNull)
    {
        if (isNull)
            json.WriteNull("data");
        else
            json.WriteBase64String("data", data);
    }

    private static void WriteOperation(Utf8JsonWriter json, OpCode type, ReadOnlySpan<byte> record)
    {
        json.WriteString("op", TxnNames.Of(type));
        switch (type)
        {
            case OpCode.Create or OpCode.Create2 or OpCode.CreateContainer or OpCode.CreateTtl:
                WriteCreate(json, type, record);
                break;
            case OpCode.Delete or OpCode.DeleteContainer:
                TxnRecords.TryReadDelete(record, out ReadOnlySpan<byte> deleted);
                WritePath(json, deleted);
                break;
            case OpCode.SetData or OpCode.Reconfig:
                TxnRecords.TryReadSetData(record, out SetDataTxn set);
                WritePath(json, set.Path);
                WriteData(json, set.Data, set.DataIsNull);
                json.WriteNumber("version", set.Version);
                break;
            case OpCode.SetAcl:
                TxnRecords.TryReadSetAcl(record, out SetAclTxn acl);
                WritePath(json, acl.Path);
                WriteAcl(json, acl.Acl);
                json.WriteNumber("version", acl.Version);
                break;
            case OpCode.Check:
                TxnRecords.TryReadCheck(record, out ReadOnlySpan<byte> path, out int version);
                WritePath(json, path);
                json.WriteNumber("version", version);
                break;
            case OpCode.CreateSession:
                TxnRecords.TryReadCreateSession(record, out int timeoutMs);
                json.WriteNumber("timeoutMs", timeoutMs);
                break;
            case OpCode.Error:
                TxnRecords.TryReadError(record, out ErrorCode error);
                json.WriteNumber("error", (int)error);
                break;
            case OpCode.CloseSession:
                WritePaths(json, record);
                break;
            case OpCode.Multi:
                WriteParts(json, record);
                break;
        }
    }

    private static void WriteCreate(Utf8JsonWriter json, OpCode type, ReadOnlySpan<byte> record)
    {
        TxnRecords.TryReadCreate(type, record, out CreateTxn create);
        WritePath(json, create.Path);
        WriteData(json, create.Data, create.DataIsNull);
        WriteAcl(json, create.Acl);
        if (type is OpCode.Create or OpCode.Create2)
            json.WriteBoolean("ephemeral", create.IsEphemeral);
        json.WriteNumber("parentCversion", create.ParentCversion);
        if (type == OpCode.CreateTtl)
            json.WriteNumber("ttl", create.Ttl);
    }

    private static void WritePaths(Utf8JsonWriter json, ReadOnlySpan<byte> record)
    {
        json.WriteStartArray("paths");
        PathVectorReader paths = TxnRecords.ReadCloseSession(record);
        while (paths.Next(out ReadOnlySpan<byte> path))
            json.WriteStringValue(Encoding.UTF8.GetString(path));
        json.WriteEndArray();
    }

    private static void WriteParts(Utf8JsonWriter json, ReadOnlySpan<byte> record)
    {
        json.WriteStartArray("parts");
        MultiTxnReader parts = TxnRecords.ReadMulti(record);
        while (parts.Next(out OpCode type, out ReadOnlySpan<byte> part))
        {
            json.WriteStartObject();
            WriteOperation(json, type, part);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WritePath(Utf8JsonWriter json, ReadOnlySpan<byte> path) =>
        json.WriteString("path", Encoding.UTF8.GetString(path));
}
