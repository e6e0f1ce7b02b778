using System.Text;
using SharpKeeper.Protocol;

namespace SharpKeeper.Simulation;

/// <summary>What a client does: registers, sequences, ephemerals, transactions and reads, with several requests under
/// way at a time.</summary>
internal class Workload
{
    /// <summary>The parent of sequential znodes.</summary>
    public const string Sequences = "/q";

    /// <summary>The parent of ephemerals.</summary>
    public const string Ephemerals = "/e";

    private const int Registers = 5;

    private static readonly string[] parents = [Sequences, Ephemerals];

    private readonly World world;
    private readonly SimRandom random;
    private readonly int[] versions = new int[Registers];
    private readonly List<string> own = [];
    private readonly int depth;
    private readonly int eagerness;
    private int created;
    private long values;
    private int isMadeParents;

    /// <summary>The client whose workload it is.</summary>
    protected SimClient Client { get; private set; } = null!;

    public Workload(World world, SimRandom random)
    {
        this.world = world;
        this.random = random;
        depth = random.Between(1, 5);
        eagerness = random.Between(100, 700);
    }

    /// <summary>The client whose workload it is; once, before anything else.</summary>
    public void Use(SimClient client) => Client = client;

    /// <summary>Do sessions end now and then because the client wants it?</summary>
    private bool Closes => random.PerMille(4);

    /// <summary>Asks for more, if it feels like it.</summary>
    public virtual void Think()
    {
        if (isMadeParents < parents.Length)
        {
            Write(new WritePart(OperationKind.Create, parents[isMadeParents++], [], -1, CreateMode.Persistent));
            return;
        }
        if (!random.PerMille(eagerness) && !world.IsBursting)
            return;
        for (int more = random.Between(1, world.IsBursting ? depth * 4 : depth); more > 0; more--)
        {
            if (Client.Outstanding < depth * (world.IsBursting ? 8 : 1) && Client.IsConnected)
                AskOne();
        }
    }

    /// <summary>A reply has come.</summary>
    public virtual void Returned(Operation operation)
    {
        if (operation.Error != ErrorCode.Ok)
        {
            if (operation.Error == ErrorCode.NoNode && operation.Kind == OperationKind.Create)
                isMadeParents = 0;
            return;
        }
        int register = RegisterOf(operation.Kind == OperationKind.Get ? operation.Path
            : operation.Parts.Count == 1 ? operation.Parts[0].Path : "");
        if (register >= 0 && operation.Kind is OperationKind.Get or OperationKind.Set or OperationKind.Create)
            versions[Math.Max(register, 0)] = operation.Stat.Version;
        if (operation.Kind == OperationKind.Create && operation.CreatedPath.Length > 3)
            own.Add(operation.CreatedPath);
    }

    /// <summary>The client's session is over.</summary>
    public virtual void SessionEnded() => own.Clear();

    private static int RegisterOf(string path) => path.Length == 3 && path[1] == 'r' ? path[2] - '0' : -1;

    private static string Register(int number) => "/r" + (char)('0' + number);

    private void AskOne()
    {
        int register = random.Below(Registers);
        string path = Register(register);
        int choice = random.Below(24);
        if (world.Options.HasReaders && Client.Number % 2 == 0)
            choice = 19;
        switch (choice)
        {
            case < 5:
                Write(new WritePart(OperationKind.Set, path, Value(), -1, default));
                break;
            case < 7:
                Write(new WritePart(OperationKind.Set, path, Value(), versions[register], default));
                break;
            case < 10:
                Write(new WritePart(OperationKind.Create, path, Value(), -1, CreateMode.Persistent));
                break;
            case 10:
                Write(new WritePart(
                    OperationKind.Delete, path, null, random.PerMille(500) ? -1 : versions[register], default));
                break;
            case 11 or 12:
                Write(new WritePart(OperationKind.Create, Sequences + "/n", Value(), -1, Sequential()));
                break;
            case 13:
                Write(new WritePart(
                    OperationKind.Create, Ephemerals + "/l" + random.Below(3), Value(), -1, CreateMode.Ephemeral));
                break;
            case 14:
                DeleteOwn();
                break;
            case 15 or 16:
                Multi(path);
                break;
            case 17:
                Client.Ask(OperationKind.Children, random.Pick(parents), isWatched: random.PerMille(500));
                break;
            case 18:
                Client.Ask(OperationKind.Exists, path, isWatched: random.PerMille(500));
                break;
            case 19 or 20:
                Operation? sync = Client.Ask(OperationKind.Sync, path);
                if (sync is not null)
                    Client.Ask(OperationKind.Get, path, behindSync: sync);
                break;
            case 21 when Closes && Client.Outstanding == 0:
                Write(new WritePart(OperationKind.Close, "", null, -1, default));
                break;
            default:
                Client.Ask(OperationKind.Get, path, isWatched: random.PerMille(400));
                break;
        }
    }

    private CreateMode Sequential() =>
        random.PerMille(500) ? CreateMode.PersistentSequential : CreateMode.EphemeralSequential;

    private byte[] Value()
    {
        string text = Client.Number + ":" + ++values;
        byte[] value = Encoding.ASCII.GetBytes(text);
        if (random.PerMille(20))
            Array.Resize(ref value, random.Between(value.Length, 6_000));
        return value;
    }

    private void Write(WritePart part) => Client.Ask(part.Kind, "", [part]);

    private void DeleteOwn()
    {
        if (own.Count == 0)
            return;
        int index = random.Below(own.Count);
        Write(new WritePart(OperationKind.Delete, own[index], null, -1, default));
        own.RemoveAt(index);
    }

    private void Multi(string path)
    {
        string other = Register(random.Below(Registers));
        WritePart[] parts = random.Below(3) switch
        {
            0 => [
                new WritePart(OperationKind.Set, path, Value(), -1, default),
                new WritePart(OperationKind.Set, other, Value(), -1, default)],
            1 => [
                new WritePart(OperationKind.Exists, path, null, versions[RegisterOf(path)], default),
                new WritePart(OperationKind.Set, path, Value(), -1, default)],
            _ => [
                new WritePart(OperationKind.Create, $"/m{Client.Number}-{created}", Value(), -1, CreateMode.Persistent),
                new WritePart(OperationKind.Set, path, Value(), -1, default),
                new WritePart(OperationKind.Delete, $"/m{Client.Number}-{created++}", null, -1, default)],
        };
        Client.Ask(OperationKind.Multi, "", parts);
    }
}
