using System.Globalization;
using System.Text;
using System.Text.Json;
using SharpKeeper.Core.Log;
using SharpKeeper.Protocol;

namespace SharpKeeper.LogTests;

public class TxnRecordsTests
{
    [Theory]
    [InlineData("standalone")]
    [InlineData("standalone-gz")]
    [InlineData("standalone-snappy")]
    public void Recorded_logs_decode_as_another_decoder_reads_them(string directory)
    {
        MemoryStorageDevice device = ApacheFixture.Load(directory);
        using IEnumerator<JsonElement> expected = ApacheFixture.Txns(directory).GetEnumerator();
        foreach (LogFile log in StorageListing.Logs(device))
        {
            using var reader = new TxnLogReader(device.Open(StorageArea.Logs, log.Name));
            while (reader.Next())
            {
                Assert.True(expected.MoveNext());
                Assert.Equal(log.Name, expected.Current.GetProperty("file").GetString());
                Assert.Equal(expected.Current.GetProperty("offset").GetInt64(), reader.Offset);
                Assert.Equal(Normalize(expected.Current), Describe(reader.Payload));
            }
            Assert.Equal(LogReadStatus.End, reader.Status);
        }
        Assert.False(expected.MoveNext());
    }

    [Fact]
    public void Create_reads_back_as_written()
    {
        using var buffer = new JuteBuffer();
        TxnRecords.WriteCreate(buffer, "/a"u8, "data"u8, false, LogImage.OpenAcl, isEphemeral: true, 5);
        Assert.True(TxnRecords.TryReadCreate(OpCode.Create2, buffer.WrittenSpan, out CreateTxn txn));
        Assert.Equal("/a"u8, txn.Path);
        Assert.Equal("data"u8, txn.Data);
        Assert.False(txn.DataIsNull);
        Assert.Equal(LogImage.OpenAcl, txn.Acl);
        Assert.True(txn.IsEphemeral);
        Assert.Equal(5, txn.ParentCversion);
    }

    [Fact]
    public void Create_container_and_ttl_read_back_as_written()
    {
        using var buffer = new JuteBuffer();
        TxnRecords.WriteCreateContainer(buffer, "/c"u8, default, true, LogImage.OpenAcl, 3);
        Assert.True(TxnRecords.TryReadCreate(OpCode.CreateContainer, buffer.WrittenSpan, out CreateTxn container));
        Assert.True(container.IsContainer && container.DataIsNull && !container.IsEphemeral);
        Assert.Equal(3, container.ParentCversion);

        buffer.Clear();
        TxnRecords.WriteCreateTtl(buffer, "/t"u8, "x"u8, false, LogImage.OpenAcl, 4, 1234);
        Assert.True(TxnRecords.TryReadCreate(OpCode.CreateTtl, buffer.WrittenSpan, out CreateTxn ttl));
        Assert.Equal((4, 1234L, false), (ttl.ParentCversion, ttl.Ttl, ttl.IsContainer));
    }

    [Fact]
    public void Create_of_a_version_before_3_4_has_no_parent_version()
    {
        byte[] payload = new LogImage().Add(9, OpCode.Create, static output =>
        {
            output.WriteBuffer("/old"u8);
            output.WriteBuffer("v"u8);
            output.WriteRaw(LogImage.OpenAcl);
            output.WriteBoolean(true);
        }).Payload(0);
        Assert.True(TxnRecords.TryRead(payload, out TxnView txn));
        Assert.False(txn.HasDigest);
        Assert.True(TxnRecords.TryReadCreate(OpCode.Create, txn.Record, out CreateTxn create));
        Assert.True(create.IsEphemeral);
        Assert.Equal(-1, create.ParentCversion);
    }

    [Fact]
    public void CloseSession_lists_its_paths_before_the_digest()
    {
        byte[] payload = new LogImage().Add(9, OpCode.CloseSession, WriteTwoPaths, session: 1, digest: 77).Payload(0);
        Assert.True(TxnRecords.TryRead(payload, out TxnView txn));
        Assert.Equal((true, true, 77L), (txn.HasRecord, txn.HasDigest, txn.Digest.TreeDigest));
        PathVectorReader paths = TxnRecords.ReadCloseSession(txn.Record);
        Assert.Equal(2, paths.Left);
        Assert.True(paths.Next(out ReadOnlySpan<byte> first));
        Assert.Equal("/a"u8, first);
        Assert.True(paths.Next(out ReadOnlySpan<byte> second));
        Assert.Equal("/b/c"u8, second);
        Assert.False(paths.Next(out _));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(0L)]
    [InlineData(1L)]
    [InlineData(69L << 32 | 7)]
    [InlineData(-1L)]
    public void CloseSession_without_record_is_told_apart_by_its_length(long? digest)
    {
        byte[] payload = new LogImage()
            .Add(9, OpCode.CloseSession, static _ => { }, session: 1, digest: digest)
            .Payload(0);
        Assert.True(TxnRecords.TryRead(payload, out TxnView txn));
        Assert.False(txn.HasRecord);
        Assert.Equal(digest is not null, txn.HasDigest);
        Assert.Equal(digest ?? 0, txn.Digest.TreeDigest);
        Assert.Equal(0, TxnRecords.ReadCloseSession(txn.Record).Left);
    }

    [Fact]
    public void Multi_hands_out_its_parts()
    {
        byte[] payload = new LogImage().Add(9, OpCode.Multi, static output =>
        {
            int multi = TxnRecords.BeginMulti(output);
            int part = TxnRecords.BeginPart(output, OpCode.Delete);
            TxnRecords.WriteDelete(output, "/a"u8);
            TxnRecords.EndPart(output, part);
            part = TxnRecords.BeginPart(output, OpCode.Check);
            TxnRecords.WriteCheck(output, "/b"u8, 4);
            TxnRecords.EndPart(output, part);
            TxnRecords.EndVector(output, multi, 2);
        }).Payload(0);
        Assert.True(TxnRecords.TryRead(payload, out TxnView txn));
        MultiTxnReader parts = TxnRecords.ReadMulti(txn.Record);
        Assert.Equal(2, parts.Count);
        Assert.True(parts.Next(out OpCode type, out ReadOnlySpan<byte> record));
        Assert.Equal(OpCode.Delete, type);
        Assert.True(TxnRecords.TryReadDelete(record, out ReadOnlySpan<byte> path));
        Assert.Equal("/a"u8, path);
        Assert.True(parts.Next(out type, out record));
        Assert.True(TxnRecords.TryReadCheck(record, out path, out int version));
        Assert.Equal((OpCode.Check, 4), (type, version));
        Assert.False(parts.Next(out _, out _));
    }

    [Fact]
    public void TryRead_refuses_every_cut_of_a_record()
    {
        byte[] payload = new LogImage().Add(9, OpCode.Multi, static output =>
        {
            int multi = TxnRecords.BeginMulti(output);
            int part = TxnRecords.BeginPart(output, OpCode.SetData);
            TxnRecords.WriteSetData(output, "/a"u8, "abc"u8, false, 4);
            TxnRecords.EndPart(output, part);
            TxnRecords.EndVector(output, multi, 1);
        }).Payload(0);
        for (int length = 0; length < payload.Length; length++)
            Assert.False(TxnRecords.TryRead(payload.AsSpan(0, length), out _));
        Assert.True(TxnRecords.TryRead(payload, out _));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(99)]
    [InlineData(-2)]
    public void TryRead_refuses_types_that_are_no_transaction(int type)
    {
        byte[] payload = new LogImage()
            .Add(9, (OpCode)type, static output => output.WriteRaw(new byte[40]))
            .Payload(0);
        Assert.False(TxnRecords.TryRead(payload, out _));
    }

    private static void WriteTwoPaths(JuteBuffer output)
    {
        int vector = TxnRecords.BeginCloseSession(output);
        output.WriteBuffer("/a"u8);
        output.WriteBuffer("/b/c"u8);
        TxnRecords.EndVector(output, vector, 2);
    }

    private static string Normalize(JsonElement entry)
    {
        JsonElement header = entry.GetProperty("header");
        int type = header.GetProperty("type").GetInt32();
        JsonElement digest = entry.GetProperty("digest");
        string head = string.Join(
            ' ', header.GetProperty("clientId").GetString(), header.GetProperty("cxid").GetInt32(),
            header.GetProperty("zxid").GetString(), header.GetProperty("time").GetInt64(), type);
        string tail = digest.ValueKind == JsonValueKind.Null ? "" : $" digest {digest.GetInt64()}";
        return $"{head} {NormalizeRecord(type, entry.GetProperty("txn"))}{tail}";
    }

    private static string NormalizeRecord(int type, JsonElement txn) => (OpCode)type switch
    {
        OpCode.Multi => string.Join(';', txn.GetProperty("txns").EnumerateArray().Select(part =>
            $"{part.GetProperty("type").GetInt32()}"
            + $" {NormalizeRecord(part.GetProperty("type").GetInt32(), part.GetProperty("txn"))}")),
        OpCode.CloseSession => string.Join(
            ',', txn.GetProperty("paths2Delete").EnumerateArray().Select(path => path.GetString())),
        _ => string.Join(' ', txn.EnumerateObject().Select(field => $"{field.Name}={NormalizeValue(field)}")),
    };

    private static string NormalizeValue(JsonProperty field) => field.Value.ValueKind switch
    {
        JsonValueKind.Null => "null",
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        JsonValueKind.Array => string.Join('+', field.Value.EnumerateArray().Select(acl =>
            $"{acl.GetProperty("perms").GetInt32()}:{acl.GetProperty("scheme").GetString()}"
            + $":{acl.GetProperty("id").GetString()}")),
        _ => field.Value.ToString(),
    };

    private static string Describe(ReadOnlySpan<byte> payload)
    {
        Assert.True(TxnRecords.TryRead(payload, out TxnView txn));
        TxnHeader header = txn.Header;
        string head = string.Join(
            ' ', new SessionId(header.ClientId), header.Cxid, new Zxid(header.Zxid), header.Time, (int)header.Type);
        string tail = txn.HasDigest ? $" digest {txn.Digest.TreeDigest}" : "";
        return $"{head} {DescribeRecord(header.Type, txn.Record)}{tail}";
    }

    private static string DescribeRecord(OpCode type, ReadOnlySpan<byte> record)
    {
        switch (type)
        {
            case OpCode.Create or OpCode.Create2 or OpCode.CreateContainer or OpCode.CreateTtl:
                return DescribeCreate(type, record);
            case OpCode.Delete or OpCode.DeleteContainer:
                Assert.True(TxnRecords.TryReadDelete(record, out ReadOnlySpan<byte> deleted));
                return $"path={Text(deleted)}";
            case OpCode.SetData or OpCode.Reconfig:
                Assert.True(TxnRecords.TryReadSetData(record, out SetDataTxn data));
                return $"path={Text(data.Path)} data={Base64(data.Data, data.DataIsNull)} version={data.Version}";
            case OpCode.SetAcl:
                Assert.True(TxnRecords.TryReadSetAcl(record, out SetAclTxn acl));
                return $"path={Text(acl.Path)} acl={Acls(acl.Acl)} version={acl.Version}";
            case OpCode.Check:
                Assert.True(TxnRecords.TryReadCheck(record, out ReadOnlySpan<byte> path, out int version));
                return $"path={Text(path)} version={version}";
            case OpCode.CreateSession:
                Assert.True(TxnRecords.TryReadCreateSession(record, out int timeoutMs));
                return $"timeOut={timeoutMs}";
            case OpCode.Error:
                Assert.True(TxnRecords.TryReadError(record, out ErrorCode error));
                return $"err={(int)error}";
            case OpCode.CloseSession:
                var paths = new List<string>();
                PathVectorReader vector = TxnRecords.ReadCloseSession(record);
                while (vector.Next(out ReadOnlySpan<byte> one))
                    paths.Add(Text(one));
                return string.Join(',', paths);
            default:
                var parts = new List<string>();
                MultiTxnReader multi = TxnRecords.ReadMulti(record);
                while (multi.Next(out OpCode partType, out ReadOnlySpan<byte> part))
                    parts.Add($"{(int)partType} {DescribeRecord(partType, part)}");
                return string.Join(';', parts);
        }
    }

    private static string DescribeCreate(OpCode type, ReadOnlySpan<byte> record)
    {
        Assert.True(TxnRecords.TryReadCreate(type, record, out CreateTxn create));
        var text = new StringBuilder(
            $"path={Text(create.Path)} data={Base64(create.Data, create.DataIsNull)} acl={Acls(create.Acl)}");
        if (type is OpCode.Create or OpCode.Create2)
            text.Append(create.IsEphemeral ? " ephemeral=true" : " ephemeral=false");
        text.Append(CultureInfo.InvariantCulture, $" parentCVersion={create.ParentCversion}");
        if (type == OpCode.CreateTtl)
            text.Append(CultureInfo.InvariantCulture, $" ttl={create.Ttl}");
        return text.ToString();
    }

    private static string Text(ReadOnlySpan<byte> utf8) => Encoding.UTF8.GetString(utf8);

    private static string Base64(ReadOnlySpan<byte> data, bool isNull) =>
        isNull ? "null" : Convert.ToBase64String(data);

    private static string Acls(ReadOnlySpan<byte> vector)
    {
        var reader = new JuteReader(vector);
        Acl[] acl = Acl.ReadVector(ref reader)!;
        return string.Join('+', acl.Select(entry => $"{(int)entry.Permissions}:{entry.Id.Scheme}:{entry.Id.Id}"));
    }
}
