using System.Buffers.Binary;
using SharpKeeper.Protocol;

namespace SharpKeeper.BenchTests;

/// <summary>
/// Just enough of a server for the benchmark: one tree in a dictionary, every request answered at once. A test makes it
/// lie by changing its replies.
/// </summary>
internal sealed class FakeServer
{
    private readonly Dictionary<string, Znode> tree = new(StringComparer.Ordinal) { ["/"] = new Znode([], 0) };
    private readonly List<(FakeConnection Connection, string Path, bool Lasts)> watches = [];
    private long zxid;
    private long sessions;

    /// <summary>Changes a reply before it is sent: gets the operation, how many of it came before, and the frame's
    /// payload; null closes the connection instead.</summary>
    public Func<OpCode, int, byte[], byte[]?> Tamper { get; set; } = (_, _, payload) => payload;

    /// <summary>Requests of each operation so far.</summary>
    public Dictionary<OpCode, int> Counts { get; } = [];

    /// <summary>Znodes beside the root.</summary>
    public IEnumerable<string> Paths => tree.Keys.Where(path => path != "/").Order(StringComparer.Ordinal);

    /// <summary>Sessions ever opened.</summary>
    public long Sessions => sessions;

    /// <summary>Sends each event this often; a correct server once.</summary>
    public int EventCopies { get; set; } = 1;

    /// <summary>Takes a whole frame's payload and adds what is answered, events first, to the connections' output.</summary>
    public void Take(FakeConnection connection, byte[] payload)
    {
        if (!connection.IsOpen)
        {
            connection.IsOpen = true;
            using var response = new JuteBuffer();
            new ConnectResponse(0, 30_000, 0x100 + ++sessions, new byte[16], false).Write(response);
            Send(connection, (OpCode)(-10), response.WrittenSpan.ToArray());
            return;
        }
        var reader = new JuteReader(payload);
        int xid = reader.ReadInt32();
        var operation = (OpCode)reader.ReadInt32();
        using var body = new JuteBuffer();
        ErrorCode error = Answer(connection, operation, ref reader, body);
        using var reply = new JuteBuffer();
        reply.WriteInt32(xid);
        reply.WriteInt64(zxid);
        reply.WriteInt32((int)error);
        if (error == ErrorCode.Ok)
            reply.WriteRaw(body.WrittenSpan);
        Send(connection, operation, reply.WrittenSpan.ToArray());
        if (operation == OpCode.CloseSession)
            connection.IsClosed = true;
    }

    /// <summary>Overwrites a 32-bit integer of a reply; a negative place counts from the end.</summary>
    public static byte[] With(byte[] payload, int at, int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(payload.AsSpan(at < 0 ? payload.Length + at : at), value);
        return payload;
    }

    private void Send(FakeConnection connection, OpCode operation, byte[] payload)
    {
        int before = Counts.GetValueOrDefault(operation);
        Counts[operation] = before + 1;
        if (Tamper(operation, before, payload) is { } sent)
            connection.Enqueue(sent);
        else
            connection.IsClosed = true;
    }

    private ErrorCode Answer(FakeConnection connection, OpCode operation, ref JuteReader reader, JuteBuffer body)
    {
        switch (operation)
        {
            case OpCode.Ping:
            case OpCode.CloseSession:
                return ErrorCode.Ok;
            case OpCode.Sync:
                body.WriteString(reader.ReadString());
                return ErrorCode.Ok;
            case OpCode.Create:
                return Create(reader.ReadString()!, reader.ReadBuffer().ToArray(), body);
            case OpCode.Delete:
                return Delete(reader.ReadString()!);
            case OpCode.SetData:
                return Set(reader.ReadString()!, reader.ReadBuffer().ToArray(), body);
            case OpCode.Multi:
                return Multi(ref reader, body);
            case OpCode.AddWatch:
                watches.Add((connection, reader.ReadString()!, Lasts: true));
                body.WriteInt32(0);
                return ErrorCode.Ok;
            default:
                return Read(connection, operation, ref reader, body);
        }
    }

    private ErrorCode Read(FakeConnection connection, OpCode operation, ref JuteReader reader, JuteBuffer body)
    {
        string path = reader.ReadString()!;
        if (!tree.TryGetValue(path, out Znode? znode))
            return ErrorCode.NoNode;
        if (reader.ReadBoolean())
            watches.Add((connection, path, Lasts: false));
        if (operation == OpCode.GetData)
            body.WriteBuffer(znode.Data);
        if (operation == OpCode.GetChildren)
            WriteChildren(znode, body);
        else
            znode.Stat.Write(body);
        return ErrorCode.Ok;
    }

    private static void WriteChildren(Znode znode, JuteBuffer body)
    {
        body.WriteInt32(znode.Children.Count);
        foreach (string name in znode.Children)
            body.WriteString(name);
    }

    private static (string Parent, string Name) Split(string path)
    {
        int slash = path.LastIndexOf('/');
        return (slash == 0 ? "/" : path[..slash], path[(slash + 1)..]);
    }

    private ErrorCode Create(string path, byte[] data, JuteBuffer body)
    {
        zxid++;
        (string parent, string name) = Split(path);
        if (!tree.TryGetValue(parent, out Znode? its))
            return ErrorCode.NoNode;
        if (!tree.TryAdd(path, new Znode(data, zxid)))
            return ErrorCode.NodeExists;
        its.Children.Add(name);
        body.WriteString(path);
        return ErrorCode.Ok;
    }

    private ErrorCode Delete(string path)
    {
        zxid++;
        if (!tree.TryGetValue(path, out Znode? znode))
            return ErrorCode.NoNode;
        if (znode.Children.Count > 0)
            return ErrorCode.NotEmpty;
        tree.Remove(path);
        (string parent, string name) = Split(path);
        tree[parent].Children.Remove(name);
        Fire(path, WatchEventType.NodeDeleted);
        return ErrorCode.Ok;
    }

    private ErrorCode Set(string path, byte[] data, JuteBuffer body)
    {
        zxid++;
        if (!tree.TryGetValue(path, out Znode? znode))
            return ErrorCode.NoNode;
        znode.Write(data, zxid);
        Fire(path, WatchEventType.NodeDataChanged);
        znode.Stat.Write(body);
        return ErrorCode.Ok;
    }

    private ErrorCode Multi(ref JuteReader reader, JuteBuffer body)
    {
        while (true)
        {
            int type = reader.ReadInt32();
            bool isEnd = reader.ReadBoolean();
            reader.ReadInt32();
            body.WriteInt32(isEnd ? -1 : type);
            body.WriteBoolean(isEnd);
            body.WriteInt32(isEnd ? -1 : 0);
            if (isEnd)
                return ErrorCode.Ok;
            string path = reader.ReadString()!;
            byte[] data = reader.ReadBuffer().ToArray();
            reader.ReadInt32();
            Set(path, data, body);
        }
    }

    private void Fire(string path, WatchEventType type)
    {
        foreach ((FakeConnection connection, string watched, bool lasts) watch in watches.ToArray())
        {
            if (watch.watched != path)
                continue;
            if (!watch.lasts)
                watches.Remove(watch);
            using var payload = new JuteBuffer();
            payload.WriteInt32(Xids.WatchEvent);
            payload.WriteInt64(-1);
            payload.WriteInt32(0);
            payload.WriteInt32((int)type);
            payload.WriteInt32(3);
            payload.WriteString(path);
            for (int i = 0; i < EventCopies; i++)
                Send(watch.connection, OpCode.Notification, payload.WrittenSpan.ToArray());
        }
    }

    private sealed class Znode(byte[] data, long czxid)
    {
        public byte[] Data { get; private set; } = data;

        public SortedSet<string> Children { get; } = new(StringComparer.Ordinal);

        public Stat Stat { get; private set; } = new(czxid, czxid, 0, 0, 0, 0, 0, 0, data.Length, 0, czxid);

        public void Write(byte[] newData, long zxid)
        {
            Data = newData;
            Stat = Stat with { Mzxid = zxid, Version = Stat.Version + 1, DataLength = newData.Length };
        }
    }
}

/// <summary>A client's connection as the fake server sees it: frames in, bytes out.</summary>
internal sealed class FakeConnection(FakeServer server)
{
    private readonly List<byte> input = [];
    private readonly Queue<byte> output = new();

    /// <summary>Has the handshake ended?</summary>
    public bool IsOpen { get; set; }

    /// <summary>Has the server closed it? What was sent before can still be read.</summary>
    public bool IsClosed { get; set; }

    /// <summary>Bytes that can be read.</summary>
    public int Available => output.Count;

    /// <summary>Is there something to read, or its end?</summary>
    public bool IsReadable => output.Count > 0 || IsClosed;

    /// <summary>Takes bytes as they come from the client.</summary>
    public void Feed(ReadOnlySpan<byte> bytes)
    {
        input.AddRange(bytes);
        while (!IsClosed && input.Count >= 4)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(input.GetRange(0, 4).ToArray());
            if (input.Count < 4 + length)
                return;
            byte[] payload = [.. input.GetRange(4, length)];
            input.RemoveRange(0, 4 + length);
            server.Take(this, payload);
        }
    }

    /// <summary>Adds a frame for the client.</summary>
    public void Enqueue(byte[] payload)
    {
        byte[] length = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, payload.Length);
        foreach (byte value in length)
            output.Enqueue(value);
        foreach (byte value in payload)
            output.Enqueue(value);
    }

    /// <summary>Hands bytes to the client and returns how many.</summary>
    public int Read(Span<byte> bytes)
    {
        int count = Math.Min(bytes.Length, output.Count);
        for (int i = 0; i < count; i++)
            bytes[i] = output.Dequeue();
        return count;
    }
}
