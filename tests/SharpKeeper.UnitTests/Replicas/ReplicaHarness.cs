using System.Globalization;
using System.Security.Cryptography;
using SharpKeeper.Core;
using SharpKeeper.Core.Clients;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Core.Watches;
using SharpKeeper.Protocol;
using SharpKeeper.Server.Auth;

namespace SharpKeeper.ReplicaTests;

/// <summary>
/// A replica on a tree in memory, with a clock that moves by hand. It plays the driver: takes the log, says when it is
/// durable, and applies; by default right after each step.
/// </summary>
internal sealed class ReplicaHarness : IDisposable
{
    /// <summary>Monotonic time at the start; a whole number of ticks.</summary>
    public const long StartMs = 10_000_000;

    /// <summary>Wall time at the start.</summary>
    public const long StartWallMs = 1_700_000_000_000;

    private const int Threads = 2;

    private readonly WatchTable[] tables = new WatchTable[Threads];
    private readonly List<HarnessClient> clients = [];
    private Zxid appended;

    public ReplicaHarness(ReplicaOptions? options = null, SessionTimeouts? recovered = null)
    {
        ReplicaOptions used = options ?? Options();
        Tree = new DataTree(hashSeed: 3) { ExtendedTypesEnabled = used.ExtendedTypesEnabled };
        Replica = new Replica(used, Tree, recovered ?? new SessionTimeouts(), NowMs);
        for (int i = 0; i < Threads; i++)
            Replica.AddWatchTable(tables[i] = new WatchTable());
    }

    public Replica Replica { get; }

    public DataTree Tree { get; }

    public long NowMs { get; set; } = StartMs;

    public long WallMs => StartWallMs + NowMs - StartMs;

    /// <summary>Is every step followed by making all of it durable and applied?</summary>
    public bool IsAutomatic { get; set; } = true;

    /// <summary>Is called after each single transaction was applied.</summary>
    public Action? Applied { get; set; }

    /// <summary>The payloads of all transactions that went to the log, in order.</summary>
    public List<byte[]> Log { get; } = [];

    public IReadOnlyList<HarnessClient> Clients => clients;

    public IReadOnlyList<WatchTable> WatchTables => tables;

    /// <summary>Ticks of a second, the real schemes of identities, everything allowed, no upkeep by itself.</summary>
    public static ReplicaOptions Options() => new()
    {
        Access = new AccessControl([new DigestProvider(null, HashAlgorithmName.SHA1), new IpProvider()], false),
        TickMs = 1000,
        MinSessionTimeoutMs = 2000,
        MaxSessionTimeoutMs = 20_000,
        ExtendedTypesEnabled = true,
        ContainerCheckIntervalMs = 0,
    };

    /// <summary>A connection without a session, served by one of the two threads in turn.</summary>
    public HarnessClient Open(string? name = null)
    {
        var client = new HarnessClient(
            this, tables[clients.Count % Threads],
            name ?? "c" + (clients.Count + 1).ToString(CultureInfo.InvariantCulture));
        clients.Add(client);
        return client;
    }

    /// <summary>A connection with a fresh session.</summary>
    public HarnessClient Connect(int timeoutMs = 10_000)
    {
        HarnessClient client = Open();
        client.Connect(timeoutMs);
        return client;
    }

    public void Step(in Input input)
    {
        Replica.Step(input);
        TakeLog();
        if (IsAutomatic)
            Settle();
        TakeHangups();
    }

    /// <summary>Moves the clock on and tells the replica.</summary>
    public void Tick(long ms = 0)
    {
        NowMs += ms;
        Step(Input.Tick(NowMs, WallMs));
    }

    public void Stall() => Step(Input.StorageStalled(NowMs, WallMs));

    public void Resume() => Step(Input.StorageResumed(NowMs, WallMs));

    /// <summary>Number of transactions that are in the log and not known to be durable.</summary>
    public int Undurable => (int)(appended.Value - Durable.Value);

    /// <summary>The last transaction that the replica knows to be durable.</summary>
    public Zxid Durable { get; private set; }

    /// <summary>Makes some more of the log durable.</summary>
    public void MakeDurable(int txns)
    {
        Durable = new Zxid(Math.Min(appended.Value, Durable.Value + txns));
        Replica.Step(Input.LogDurable(Durable, NowMs, WallMs));
    }

    /// <summary>Applies some of what is durable.</summary>
    public void Apply(int txns)
    {
        if (txns == 0)
            Replica.Apply(0);
        for (int i = 0; i < txns && Replica.HasApplicable; i++)
        {
            Zxid before = Tree.LastProcessed;
            Replica.Apply(1);
            if (Tree.LastProcessed != before)
                Applied?.Invoke();
        }
        TakeHangups();
    }

    /// <summary>Makes everything durable and applies it.</summary>
    public void Settle()
    {
        MakeDurable(int.MaxValue);
        while (Replica.HasApplicable)
            Apply(1);
    }

    public void Dispose() => Tree.Dispose();

    private void TakeLog()
    {
        if (!Replica.Outbox.HasLog)
            return;
        TxnBatch batch = Replica.Outbox.TakeLog();
        for (int i = 0; i < batch.Count; i++)
            Log.Add(batch.Payload(i).ToArray());
        Assert.Equal(appended.Next, batch.First);
        appended = batch.Last;
    }

    private void TakeHangups()
    {
        foreach (ClientLink link in Replica.Outbox.Dirty)
            link.IsDirty = false;
        Replica.Outbox.Dirty.Clear();
        if (Replica.Outbox.Hangups.Count == 0)
            return;
        ClientLink[] links = [.. Replica.Outbox.Hangups];
        Replica.Outbox.Hangups.Clear();
        foreach (ClientLink link in links)
            ((HarnessClient)link.Owner!).HungUp();
    }
}
