using System.Globalization;
using System.Text;
using SharpKeeper.Core;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Protocol;

namespace SharpKeeper.ReplicaTests;

/// <summary>
/// Runs a golden trace: lines that start in the first column are commands, the indented lines beneath are what clients
/// got. <c>testdata/wire/README.md</c> lists the commands.
/// </summary>
internal sealed class WireScript : IDisposable
{
    private readonly Dictionary<string, HarnessClient> clients = [];
    private readonly StringBuilder output = new();
    private ReplicaHarness? harness;
    private ReplicaOptions options = ReplicaHarness.Options();

    private ReplicaHarness Harness => harness ??= new ReplicaHarness(options);

    /// <summary>The script with what the replica answers in place of the indented lines.</summary>
    public static string Run(string script)
    {
        using var run = new WireScript();
        foreach (string line in script.Split('\n'))
        {
            if (line.StartsWith("    ", StringComparison.Ordinal))
                continue;
            run.output.Append(line).Append('\n');
            if (line.Length > 0 && line[0] != '#')
                run.Execute(line);
        }
        return run.output.ToString().TrimEnd('\n') + "\n";
    }

    public void Dispose() => harness?.Dispose();

    private void Execute(string line)
    {
        var words = new Queue<string>(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        string first = words.Dequeue();
        if (first == "option")
        {
            SetOption(words.Dequeue(), words.Dequeue());
            return;
        }
        try
        {
            if (!TryControl(first, words))
                ClientCommand(first, words);
        }
        catch (InvalidOperationException exception)
        {
            throw new InvalidOperationException($"\"{line}\" cannot be understood: {exception.Message}", exception);
        }
        foreach (HarnessClient client in Harness.Clients)
        {
            if (clients.GetValueOrDefault(client.Name) == client)
                Report(client);
        }
    }

    private bool TryControl(string verb, Queue<string> words)
    {
        switch (verb)
        {
            case "hold":
                Harness.IsAutomatic = false;
                return true;
            case "auto":
                Harness.IsAutomatic = true;
                Harness.Settle();
                return true;
            case "durable":
                Harness.MakeDurable(Number(words, int.MaxValue));
                return true;
            case "apply":
                Harness.Apply(Number(words, int.MaxValue));
                return true;
            case "advance":
                Harness.NowMs += Number(words, 0);
                return true;
            case "tick":
                Harness.Tick(Number(words, 0));
                return true;
            case "stall":
                Harness.Stall();
                return true;
            case "resume":
                Harness.Resume();
                return true;
            case "tree":
                foreach (string line in TreeLines(words.Count > 0 ? words.Dequeue() : "/"))
                    output.Append("    ").Append(line).Append('\n');
                return true;
            default:
                return false;
        }
    }

    private IEnumerable<string> TreeLines(string top) => LogTests.TreeAssert.Dump(Harness.Tree).Split('\n')
        .Select(line => line.Split(' ')[0])
        .Where(path => path.StartsWith(top, StringComparison.Ordinal)
            && !path.StartsWith("/zookeeper", StringComparison.Ordinal));

    private void SetOption(string name, string value)
    {
        if (harness is not null)
            throw new InvalidOperationException("options come first");
        int number = int.Parse(value, CultureInfo.InvariantCulture);
        options = name switch
        {
            "extendedTypes" => options with { ExtendedTypesEnabled = number != 0 },
            "enforceQuota" => options with { EnforceQuota = number != 0 },
            "replyBytesMax" => options with { ReplyBytesMax = number },
            "containerCheckMs" => options with { ContainerCheckIntervalMs = number },
            "containersPerMinute" => options with { ContainerRemovalsPerMinuteMax = number },
            "containerNeverUsedMs" => options with { ContainerMaxNeverUsedMs = number },
            "reconfig" => options with { ReconfigEnabled = number != 0 },
            "skipAcl" => options with { Access = new AccessControl([], number != 0) },
            "closeSessionTxn" => options with { CloseSessionTxnEnabled = number != 0 },
            _ => throw new InvalidOperationException("no option " + name),
        };
    }

    private void Report(HarnessClient client)
    {
        foreach (Frame frame in client.Take())
            output.Append("    ").Append(client.Name).Append(' ').Append(frame).Append('\n');
        if (client.IsHungUp)
            output.Append("    ").Append(client.Name).Append(" is hung up\n");
        else if (client.Link.IsClosing)
            output.Append("    ").Append(client.Name).Append(" is closed\n");
        else
            return;
        client.Drop();
        clients.Remove(client.Name);
    }

    private void ClientCommand(string name, Queue<string> words)
    {
        string verb = words.Dequeue();
        if (verb == "connect")
        {
            Connect(name, words);
            return;
        }
        HarnessClient client = clients[name];
        switch (verb)
        {
            case "drop":
                client.Drop();
                clients.Remove(name);
                return;
            case "auth":
                client.Link.AddIdentity(new AuthId(words.Dequeue(), words.Count > 0 ? words.Dequeue() : ""));
                return;
            case "refuse":
                client.Refuse(Enum.Parse<OpCode>(words.Dequeue()), Enum.Parse<ErrorCode>(words.Dequeue()));
                return;
            case "raw":
                var raw = Enum.Parse<OpCode>(words.Dequeue());
                client.Send(raw, words.Count > 0 ? Convert.FromHexString(words.Dequeue()) : []);
                return;
            default:
                (OpCode op, byte[] body) = WireRequest.Parse(verb, words);
                client.Send(op, body, op is OpCode.SetWatches or OpCode.SetWatches2 ? Xids.SetWatches : null);
                return;
        }
    }

    private void Connect(string name, Queue<string> words)
    {
        int timeoutMs = 10_000;
        long session = 0;
        long lastZxid = 0;
        byte[]? password = null;
        bool? readOnly = false;
        while (words.TryDequeue(out string? word))
        {
            string[] pair = word.Split('=');
            switch (pair[0])
            {
                case "timeout":
                    timeoutMs = int.Parse(pair[1], CultureInfo.InvariantCulture);
                    break;
                case "session":
                    session = long.Parse(pair[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                    break;
                case "lastZxid":
                    lastZxid = long.Parse(pair[1], CultureInfo.InvariantCulture);
                    break;
                case "password":
                    password = Convert.FromHexString(pair[1]);
                    break;
                case "old":
                    readOnly = null;
                    break;
                default:
                    throw new InvalidOperationException("no parameter " + word);
            }
        }
        HarnessClient client = Harness.Open(name);
        clients[name] = client;
        client.Connect(timeoutMs, session, password, lastZxid, readOnly);
    }

    private static int Number(Queue<string> words, int otherwise) =>
        words.Count == 0 ? otherwise : int.Parse(words.Dequeue(), CultureInfo.InvariantCulture);
}

/// <summary>Requests as a script spells them.</summary>
internal static class WireRequest
{
    private static readonly string[] NoPaths = [];

    public static (OpCode Op, byte[] Body) Parse(string verb, Queue<string> words)
    {
        switch (verb)
        {
            case "create" or "create2" or "container" or "ttl":
                return Create(verb, words);
            case "get" or "exists" or "ls" or "ls2":
                bool isWatched = words.Peek() == "-w";
                if (isWatched)
                    words.Dequeue();
                return (ReadOp(verb), RequestBody.Watched(Path(words), isWatched));
            case "set":
                string? path = Path(words);
                return (OpCode.SetData, RequestBody.SetData(path, Data(words), Version(words)));
            case "delete":
                return (OpCode.Delete, RequestBody.Versioned(Path(words), Version(words)));
            case "check":
                return (OpCode.Check, RequestBody.Versioned(Path(words), Version(words)));
            case "getacl":
                return (OpCode.GetAcl, RequestBody.Path(Path(words)));
            case "setacl":
                string? target = Path(words);
                return (OpCode.SetAcl, RequestBody.SetAcl(target, Acls(words), Version(words)));
            case "sync":
                return (OpCode.Sync, RequestBody.Path(Path(words)));
            case "ephemerals":
                return (OpCode.GetEphemerals, RequestBody.Path(Path(words)));
            case "count":
                return (OpCode.GetAllChildrenNumber, RequestBody.Path(Path(words)));
            case "addwatch":
                return (OpCode.AddWatch, RequestBody.Versioned(Path(words), Version(words)));
            case "checkwatches":
                return (OpCode.CheckWatches, RequestBody.Versioned(Path(words), Version(words)));
            case "removewatches":
                return (OpCode.RemoveWatches, RequestBody.Versioned(Path(words), Version(words)));
            case "setwatches" or "setwatches2":
                return SetWatches(verb, words);
            case "multi" or "multiread":
                return Multi(verb, words);
            case "ping":
                return (OpCode.Ping, []);
            case "whoami":
                return (OpCode.WhoAmI, []);
            case "close":
                return (OpCode.CloseSession, []);
            default:
                throw new InvalidOperationException("no command " + verb);
        }
    }

    private static OpCode ReadOp(string verb) => verb switch
    {
        "get" => OpCode.GetData,
        "exists" => OpCode.Exists,
        "ls" => OpCode.GetChildren,
        _ => OpCode.GetChildren2,
    };

    // create PATH [DATA] [flag=N] [ttl=N] [acl=...]
    private static (OpCode Op, byte[] Body) Create(string verb, Queue<string> words)
    {
        string? path = Path(words);
        byte[]? data = words.Count > 0 && words.Peek() != ";" && !IsParameter(words.Peek()) ? Data(words) : [];
        int flag = verb == "container" ? 4 : verb == "ttl" ? 5 : 0;
        long ttl = 1000;
        IReadOnlyList<Acl>? acl = RequestBody.Open;
        while (words.Count > 0 && words.Peek() != ";")
        {
            string[] pair = words.Dequeue().Split('=');
            if (pair[0] == "flag")
                flag = int.Parse(pair[1], CultureInfo.InvariantCulture);
            else if (pair[0] == "ttl")
                ttl = long.Parse(pair[1], CultureInfo.InvariantCulture);
            else
                acl = Acls(new Queue<string>([pair[1]]));
        }
        var mode = (CreateMode)flag;
        return verb switch
        {
            "create" => (OpCode.Create, RequestBody.Create(path, data, mode, acl ?? [])),
            "create2" => (OpCode.Create2, RequestBody.Create(path, data, mode, acl ?? [])),
            "container" => (OpCode.CreateContainer, RequestBody.Create(path, data, mode, acl ?? [])),
            _ => (OpCode.CreateTtl, RequestBody.CreateTtl(path, data, mode, ttl, acl ?? [])),
        };
    }

    private static bool IsParameter(string word) =>
        word.StartsWith("flag=", StringComparison.Ordinal) || word.StartsWith("ttl=", StringComparison.Ordinal)
        || word.StartsWith("acl=", StringComparison.Ordinal);

    private static (OpCode Op, byte[] Body) Multi(string verb, Queue<string> words)
    {
        var parts = new List<(OpCode, byte[])>();
        while (words.TryDequeue(out string? word))
        {
            if (word != ";")
                parts.Add(Parse(word, words));
        }
        return (verb == "multi" ? OpCode.Multi : OpCode.MultiRead, RequestBody.Multi([.. parts]));
    }

    private static (OpCode Op, byte[] Body) SetWatches(string verb, Queue<string> words)
    {
        long seen = long.Parse(words.Dequeue(), CultureInfo.InvariantCulture);
        string[] names = ["data", "exist", "child", "persistent", "recursive"];
        var lists = new string[verb == "setwatches" ? 3 : 5][];
        Array.Fill(lists, NoPaths);
        while (words.TryDequeue(out string? word))
        {
            string[] pair = word.Split('=');
            lists[Array.IndexOf(names, pair[0])] = pair[1].Split(',');
        }
        return (verb == "setwatches" ? OpCode.SetWatches : OpCode.SetWatches2, RequestBody.SetWatches(seen, lists));
    }

    private static string? Path(Queue<string> words) => words.Dequeue() switch
    {
        "null" => null,
        "empty" => "",
        string path => path.Replace("%00", "\0", StringComparison.Ordinal),
    };

    private static byte[]? Data(Queue<string> words)
    {
        string word = words.Dequeue();
        if (word == "null")
            return null;
        if (word == "empty")
            return [];
        return word[0] == '*'
            ? new byte[int.Parse(word[1..], CultureInfo.InvariantCulture)]
            : Encoding.UTF8.GetBytes(word);
    }

    private static int Version(Queue<string> words) =>
        words.Count > 0 && words.Peek() != ";" ? int.Parse(words.Dequeue(), CultureInfo.InvariantCulture) : -1;

    // scheme:id:perms,... ; "none" is an empty list.
    private static IReadOnlyList<Acl> Acls(Queue<string> words)
    {
        string word = words.Dequeue();
        if (word == "none")
            return [];
        return [.. word.Split(',').Select(entry =>
        {
            int first = entry.IndexOf(':', StringComparison.Ordinal);
            int last = entry.LastIndexOf(':');
            string id = last > first ? entry[(first + 1)..last] : "";
            var permissions = (Permissions)int.Parse(entry[(last + 1)..], CultureInfo.InvariantCulture);
            return new Acl(permissions, new AuthId(entry[..first], id));
        })];
    }
}
