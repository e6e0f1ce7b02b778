using System.Buffers.Binary;
using System.Text;
using SharpKeeper.Protocol;
using SharpKeeper.ServerTests;

namespace SharpKeeper.FuzzTests;

/// <summary>Makes requests as clients send them, and then spoils them.</summary>
internal sealed class Traffic(Random random)
{
    private static readonly OpCode[] ops = [.. OpTable.All.Select(op => op.Code)];

    private static readonly string?[] oddPaths =
    [
        null, "", "/", "//", "/.", "/..", "/a/", "/a//b", "a", "/zookeeper", "/zookeeper/quota",
        "/zookeeper/quota/a/zookeeper_limits", "/zookeeper/config", "/\0", "/a\u0001", "/\ud83d\ude00", "/\ufff0",
        "/" + new string('x', 5000), new('/', 300),
    ];

    private static readonly int[] oddNumbers =
    [
        0, 1, -1, -2, int.MaxValue, int.MinValue, 0x00FFFFFF, 0x0FFFFFFF, 0x7FFFFF00, 65536, 255, 4, 5, 6, 7, -16,
    ];

    /// <summary>One of the operations that clients may send.</summary>
    public OpCode NextOp() => ops[random.Next(ops.Length)];

    /// <summary>A body for an operation, in three of four cases spoilt.</summary>
    public byte[] NextBody(OpCode op)
    {
        byte[] body = ValidBody(op);
        if (random.Next(4) == 0)
            return body;
        // Another operation's body is a good mutant too.
        if (random.Next(10) == 0)
            body = ValidBody(NextOp());
        for (int i = random.Next(1, 4); i > 0; i--)
            body = Mutate(body);
        return body;
    }

    /// <summary>The payload of a handshake, in most cases spoilt.</summary>
    public byte[] NextHandshake()
    {
        using var output = new JuteBuffer();
        byte[] password = new byte[random.Next(3) == 0 ? random.Next(40) : 16];
        bool? readOnly = random.Next(3) switch { 0 => null, 1 => false, _ => true };
        long session = random.Next(3) == 0 ? random.NextInt64() : 0;
        new ConnectRequest(0, random.Next(4) == 0 ? random.NextInt64() : 0, 30_000, session, password, readOnly)
            .Write(output);
        byte[] payload = output.WrittenSpan.ToArray();
        return random.Next(3) == 0 ? payload : Mutate(payload);
    }

    /// <summary>Spoils bytes in one way.</summary>
    public byte[] Mutate(byte[] source)
    {
        byte[] bytes = [.. source];
        int at = bytes.Length == 0 ? 0 : random.Next(bytes.Length);
        switch (random.Next(7))
        {
            case 0 when bytes.Length > 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 1 when bytes.Length > 0:
                bytes[at] = (byte)random.Next(256);
                return bytes;
            case 2 when bytes.Length >= 4:
                BinaryPrimitives.WriteInt32BigEndian(
                    bytes.AsSpan(random.Next(bytes.Length - 3)), oddNumbers[random.Next(oddNumbers.Length)]);
                return bytes;
            case 3:
                return bytes[..at];
            case 4:
                byte[] more = new byte[random.Next(1, 40)];
                random.NextBytes(more);
                return [.. bytes, .. more];
            case 5 when bytes.Length > 0:
                return [.. bytes[..at], .. bytes[Math.Min(bytes.Length, at + random.Next(1, 9))..]];
            default:
                return [.. bytes[..at], .. bytes[random.Next(at + 1)..]];
        }
    }

    /// <summary>A body as a correct client sends it.</summary>
    public byte[] ValidBody(OpCode op)
    {
        using var output = new JuteBuffer();
        WriteBody(op, output);
        return output.WrittenSpan.ToArray();
    }

    private void WriteBody(OpCode op, JuteBuffer output)
    {
        switch (op)
        {
            case OpCode.Create or OpCode.Create2 or OpCode.CreateContainer or OpCode.CreateTtl:
                WriteCreate(op, output);
                break;
            case OpCode.Delete or OpCode.Check:
                output.WriteString(Path());
                output.WriteInt32(Version());
                break;
            case OpCode.SetData:
                output.WriteString(Path());
                output.WriteBuffer(Data(), random.Next(10) == 0);
                output.WriteInt32(Version());
                break;
            case OpCode.SetAcl:
                output.WriteString(Path());
                Acl.WriteVector(output, Acls());
                output.WriteInt32(Version());
                break;
            case OpCode.Multi or OpCode.MultiRead:
                WriteMulti(op, output);
                break;
            case OpCode.SetWatches or OpCode.SetWatches2:
                WriteSetWatches(op == OpCode.SetWatches ? 3 : 5, output);
                break;
            case OpCode.Reconfig:
                for (int i = 0; i < 3; i++)
                    output.WriteString(random.Next(2) == 0 ? null : "server.1=localhost:1:2;3");
                output.WriteInt64(-1);
                break;
            case OpCode.CheckWatches or OpCode.RemoveWatches or OpCode.AddWatch:
                output.WriteString(Path());
                output.WriteInt32(random.Next(7));
                break;
            case OpCode.Auth:
                Bodies.Auth(random.Next(2) == 0 ? "digest" : "ip", "user:password")(output);
                break;
            case OpCode.Ping or OpCode.WhoAmI or OpCode.CloseSession:
                break;
            default:
                output.WriteString(Path());
                output.WriteBoolean(random.Next(2) == 0);
                break;
        }
    }

    private void WriteCreate(OpCode op, JuteBuffer output)
    {
        output.WriteString(Path());
        output.WriteBuffer(Data(), random.Next(10) == 0);
        Acl.WriteVector(output, Acls());
        output.WriteInt32(op switch
        {
            OpCode.CreateContainer => (int)CreateMode.Container,
            OpCode.CreateTtl => random.Next(5, 7),
            _ => random.Next(8),
        });
        if (op == OpCode.CreateTtl)
            output.WriteInt64(random.Next(5) == 0 ? random.NextInt64() : random.Next(1, 1000));
    }

    private void WriteMulti(OpCode op, JuteBuffer output)
    {
        OpCode[] parts = op == OpCode.MultiRead
            ? [OpCode.GetData, OpCode.GetChildren]
            : [OpCode.Create, OpCode.Create2, OpCode.Delete, OpCode.SetData, OpCode.Check, OpCode.CreateTtl,
                OpCode.CreateContainer];
        for (int i = random.Next(6); i > 0; i--)
        {
            OpCode part = parts[random.Next(parts.Length)];
            WriteHead(output, part, false);
            WriteBody(part, output);
        }
        WriteHead(output, OpCode.Error, true);
    }

    private static void WriteHead(JuteBuffer output, OpCode op, bool isDone)
    {
        output.WriteInt32((int)op);
        output.WriteBoolean(isDone);
        output.WriteInt32(-1);
    }

    private void WriteSetWatches(int lists, JuteBuffer output)
    {
        output.WriteInt64(random.Next(1000));
        for (int list = 0; list < lists; list++)
        {
            int count = random.Next(4);
            output.WriteInt32(count);
            for (int i = 0; i < count; i++)
                output.WriteString(Path());
        }
    }

    private string? Path()
    {
        if (random.Next(12) == 0)
            return oddPaths[random.Next(oddPaths.Length)];
        var path = new StringBuilder();
        for (int i = random.Next(1, 4); i > 0; i--)
            path.Append('/').Append((char)('a' + random.Next(5)));
        return path.ToString();
    }

    private byte[] Data() => new byte[random.Next(20) == 0 ? random.Next(20_000) : random.Next(40)];

    private int Version() => random.Next(3) == 0 ? random.Next(5) : -1;

    private IReadOnlyList<Acl>? Acls() => random.Next(12) switch
    {
        0 => null,
        1 => [],
        2 => Acl.CreatorAll,
        3 => [new Acl((Permissions)random.Next(64), new AuthId("digest", "user:hash"))],
        4 => [new Acl(Permissions.All, new AuthId("ip", "127.0.0.1/33"))],
        _ => Acl.OpenUnsafe,
    };
}
