using SharpKeeper.Core;
using SharpKeeper.Core.Clients;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Core.Watches;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.ZabTests;

/// <summary>One server of an <see cref="EnsembleHarness"/>: it plays the driver and keeps a disk in memory.</summary>
internal sealed class HarnessServer(EnsembleHarness world, ServerId id, EnsembleConfig config) : IDisposable
{
    private readonly List<(Zxid Zxid, byte[] Payload)> log = [];
    private readonly List<ClientLink> clients = [];
    private readonly List<(ServerId To, PeerLink Link)> dials = [];
    private (byte[] Stream, Zxid Last)? snapshot;
    private long acceptedEpoch;
    private long currentEpoch;
    private int durableCount;
    private Replica? replica;
    private WatchTable? watches;
    private bool isStepping;

    public ServerId Id { get; } = id;

    public EnsembleConfig Config { get; private set; } = config;

    public EnsembleConfig? NextConfig { get; private set; }

    public bool IsUp => replica is not null;

    public bool IsListening { get; private set; }

    public Replica Replica => replica!;

    public DataTree Tree => replica!.Tree;

    public ServerState State => replica!.Zab!.State;

    public IReadOnlyList<Zxid> Log => [.. log.Select(static entry => entry.Zxid)];

    public PlantedBug Bugs { get; set; }

    /// <summary>The wall clock that session ids are made from; null for the right one.</summary>
    public long? SessionSeedMs { get; set; }

    /// <summary>Is there a snapshot old enough to cut the log to?</summary>
    public bool CanTruncate { get; set; } = true;

    public void Start()
    {
        (DataTree tree, SessionTimeouts sessions) = Load();
        EnsembleOptions ensemble = world.Settings(new EnsembleOptions
        {
            Self = Id,
            Config = Config,
            NextConfig = NextConfig,
            AcceptedEpoch = acceptedEpoch,
            CurrentEpoch = currentEpoch,
            Bugs = Bugs,
            CounterMax = world.CounterMax,
            ObserverLogs = world.ObserversLog,
        });
        ReplicaOptions options = ReplicaTests.ReplicaHarness.Options() with
        {
            Access = new AccessControl([], skipChecks: true),
            ServerId = (byte)Id.Value,
            SessionSeedMs = SessionSeedMs ?? world.NowMs,
            TickMs = 1000,
            Ensemble = ensemble,
            ReconfigEnabled = world.ReconfigEnabled,
        };
        var history = new TxnHistory(500, 1 << 20);
        foreach ((Zxid zxid, byte[] payload) in log)
            history.Append(zxid, payload);
        IsListening = false;
        durableCount = log.Count;
        replica = new Replica(options, tree, sessions, world.NowMs, history);
        replica.AddWatchTable(watches = new WatchTable());
        Drain();
    }

    /// <summary>The process is gone at once; what was not durable too.</summary>
    public void Crash()
    {
        log.RemoveRange(durableCount, log.Count - durableCount);
        replica = null;
        IsListening = false;
        dials.Clear();
        foreach (ClientLink client in clients)
            client.IsClosed = true;
        clients.Clear();
        foreach (EnsembleHarness.Wire wire in wires.ToArray())
            wire.Break();
        wires.Clear();
    }

    private readonly HashSet<EnsembleHarness.Wire> wires = [];

    public void Tick()
    {
        if (!IsUp)
            return;
        foreach ((ServerId to, PeerLink link) in dials.ToArray())
        {
            dials.Remove((to, link));
            world.Dial(this, to, link);
        }
        Step(Input.Tick(world.NowMs, world.NowMs));
    }

    public void DialLater(ServerId to, PeerLink link) => dials.Add((to, link));

    public void LinkGone(PeerLink link)
    {
        if (IsUp && !link.IsClosed)
            world.Post(() => StepIfUp(link));
    }

    private void StepIfUp(PeerLink link)
    {
        if (IsUp)
            Step(Input.PeerClosed(link, world.NowMs, world.NowMs));
    }

    public void Step(in Input input)
    {
        if (input.Peer?.Owner is EnsembleHarness.Wire wire)
            wires.Add(wire);
        replica!.Step(input);
        Drain();
    }

    /// <summary>Everything written becomes durable.</summary>
    public void Sync()
    {
        if (durableCount == log.Count)
            return;
        durableCount = log.Count;
        Zxid last = log[^1].Zxid;
        world.Post(() =>
        {
            if (IsUp)
                Step(Input.LogDurable(last, world.NowMs, world.NowMs));
        });
    }

    public EnsembleClient Connect(int timeoutMs = 10_000, bool? readOnly = false) =>
        new(world, this, timeoutMs, readOnly: readOnly);

    /// <summary>A client that was connected before and goes on here.</summary>
    public EnsembleClient Resume(
        EnsembleClient former, int timeoutMs = 10_000, long lastZxid = 0, bool? readOnly = false,
        byte[]? password = null) =>
        new(world, this, timeoutMs, former.SessionId, lastZxid, readOnly, password);

    public ClientLink Open(object owner)
    {
        var link = new ClientLink(watches!, owner);
        clients.Add(link);
        return link;
    }

    public void Dispose() => replica?.Tree.Dispose();

    private (DataTree Tree, SessionTimeouts Sessions) Load()
    {
        DataTree tree;
        SessionTimeouts sessions;
        if (snapshot is { } saved)
        {
            (tree, sessions) = Decode(saved.Stream);
            tree.LastProcessed = saved.Last;
        }
        else
        {
            tree = new DataTree(hashSeed: 3) { ExtendedTypesEnabled = true };
            sessions = new SessionTimeouts();
        }
        var applier = new TxnApplier(tree, sessions);
        foreach ((Zxid zxid, byte[] payload) in log)
        {
            if (zxid > tree.LastProcessed)
                applier.Apply(payload);
        }
        return (tree, sessions);
    }

    private static (DataTree Tree, SessionTimeouts Sessions) Decode(byte[] stream)
    {
        var device = new MemoryStorageDevice();
        device.Put(StorageArea.Snapshots, "stream", stream);
        using IStorageReader reader = device.Open(StorageArea.Snapshots, "stream");
        SnapshotLoad load = SnapshotLoad.Load(reader, new RecoveryOptions { ExtendedTypesEnabled = true });
        return (load.Tree, load.Sessions);
    }

    private byte[] Encode()
    {
        using var writer = new SnapshotWriter(Tree, replica!.CommittedSessions.ToArray());
        var buffer = new JuteBuffer();
        while (writer.WriteSlice(buffer, 1 << 20))
        {
        }
        return buffer.WrittenSpan.ToArray();
    }

    private void Drain()
    {
        if (isStepping)
            return;
        isStepping = true;
        while (TakeOutput())
        {
        }
        isStepping = false;
    }

    private bool TakeOutput()
    {
        Outbox outbox = replica!.Outbox;
        bool any = false;
        if (outbox.HasLog)
        {
            TxnBatch batch = outbox.TakeLog();
            for (int i = 0; i < batch.Count; i++)
                log.Add((batch.Entries[i].Zxid, batch.Payload(i).ToArray()));
            if (world.IsDiskFast)
                Sync();
            any = true;
        }
        while (outbox.Effects.TryDequeue(out Effect effect))
        {
            Execute(effect);
            any = true;
        }
        foreach (PeerLink link in outbox.DirtyPeers.ToArray())
            Flush(link);
        outbox.DirtyPeers.Clear();
        foreach (PeerLink link in outbox.PeerHangups)
        {
            world.Note($"{Id} closes {link.Description}: {link.CloseReason}");
            (link.Owner as EnsembleHarness.Wire)?.Break();
        }
        outbox.PeerHangups.Clear();
        if (replica.HasApplicable)
        {
            replica.Apply(100);
            any = true;
        }
        outbox.Dirty.Clear();
        outbox.RetiredTrees.Clear();
        foreach (ClientLink link in outbox.Hangups)
            link.IsClosed = true;
        outbox.Hangups.Clear();
        return any;
    }

    private void Flush(PeerLink link)
    {
        link.IsDirty = false;
        if (link.Output.Length == 0)
            return;
        byte[] bytes = link.Output.WrittenSpan.ToArray();
        link.Output.Clear();
        world.Transmit(this, link, bytes);
    }

    private void Execute(in Effect effect)
    {
        long number = effect.Number;
        PeerLink? link = effect.Link;
        Zxid zxid = effect.Zxid;
        switch (effect.Kind)
        {
            case EffectKind.SendVote:
                world.SendVote(this, effect.Server, effect.Bytes!);
                break;
            case EffectKind.DialLeader:
                world.Dial(this, effect.Server, link!);
                break;
            case EffectKind.ListenForLearners:
                IsListening = true;
                break;
            case EffectKind.StopListening:
                IsListening = false;
                break;
            case EffectKind.PersistAcceptedEpoch:
                acceptedEpoch = number;
                Later(() => Step(Input.AcceptedEpochDurable(number, world.NowMs, world.NowMs)));
                break;
            case EffectKind.PersistCurrentEpoch:
                currentEpoch = number;
                Later(() => Step(Input.CurrentEpochDurable(number, world.NowMs, world.NowMs)));
                break;
            case EffectKind.TruncateLog when !CanTruncate && log.Exists(entry => entry.Zxid > zxid):
                Later(() => Step(Input.LogNotTruncated(world.NowMs, world.NowMs)));
                break;
            case EffectKind.TruncateLog:
                world.Note($"{Id} cuts its log behind {zxid}");
                log.RemoveAll(entry => entry.Zxid > zxid);
                durableCount = log.Count;
                Later(() => Truncated(zxid, number == 1));
                break;
            case EffectKind.InstallSnapshot:
                world.Note($"{Id} installs the snapshot of {zxid}");
                snapshot = (Encode(), Tree.LastProcessed);
                log.Clear();
                durableCount = 0;
                Later(() => Step(Input.SnapshotInstalled(world.NowMs, world.NowMs)));
                break;
            case EffectKind.SendSnapshot:
                SendSnapshot(link!);
                break;
            case EffectKind.QueryLog:
                Later(() => Step(Input.LogQueried(link!, default, world.NowMs, world.NowMs)));
                break;
            case EffectKind.UseConfig:
                (Config, NextConfig) = (effect.Config!, effect.NextConfig);
                break;
            case EffectKind.HangUpClients:
                foreach (ClientLink client in clients)
                    client.IsClosed = true;
                clients.Clear();
                break;
            default:
                Assert.Fail($"no effect {effect.Kind} in this harness");
                break;
        }
    }

    private void Later(Action action) => world.Post(() =>
    {
        if (IsUp)
            action();
    });

    private void Truncated(Zxid zxid, bool reloads)
    {
        (DataTree? tree, SessionTimeouts? sessions) = reloads ? Load() : default((DataTree, SessionTimeouts));
        Step(Input.LogTruncated(zxid, tree, sessions, world.NowMs, world.NowMs));
    }

    private void SendSnapshot(PeerLink link)
    {
        Flush(link);
        byte[] stream = Encode();
        if (link.Owner is not EnsembleHarness.Wire wire)
            return;
        (HarnessServer target, PeerLink other) = wire.Other(link);
        world.Note($"{Id}->{target.Id} snapshot");
        world.Post(() =>
        {
            if (!target.IsUp || other.IsClosed)
                return;
            (DataTree tree, SessionTimeouts sessions) = Decode(stream);
            target.Step(Input.SnapshotReceived(other, tree, sessions, world.NowMs, world.NowMs));
        });
        Later(() => Step(Input.TransferDone(link, world.NowMs, world.NowMs)));
    }
}
