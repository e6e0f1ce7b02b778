using SharpKeeper.Core;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Tree;
using SharpKeeper.Core.Watches;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;

namespace SharpKeeper.Simulation;

/// <summary>What a simulated server is doing.</summary>
internal enum ServerLife
{
    /// <summary>It has ended, or was not started.</summary>
    Down,

    /// <summary>It runs.</summary>
    Running,

    /// <summary>It is stopped in the middle and will go on.</summary>
    Paused,
}

/// <summary>
/// One server: a replica with its disk, driven exactly as the real server drives it, and ended and started again as
/// faults want it.
/// </summary>
internal sealed partial class SimServer
{
    private const int DriverTickMs = 40;
    private const int AppliesMax = 100_000;

    private readonly World world;
    private readonly Queue<Action> waiting = new();
    private SimRandom random;
    private int life;
    private bool isInTurn;
    private long monotonicAnchorMs;
    private long monotonicAnchorUs;
    private int monotonicPerMille = 1000;
    private bool isTickPosted;

    public SimServer(World world, int id)
    {
        this.world = world;
        Id = id;
        random = SimRandom.For(world.Options.Seed, "server", id);
        Disk = new SimDisk(SimRandom.For(world.Options.Seed, "disk", id));
        monotonicAnchorMs = 1_000_000L * id;
        Log = new SimLog(this, Disk);
    }

    /// <summary>Its number, as in the configuration.</summary>
    public int Id { get; }

    /// <summary>Its disk, which outlives it.</summary>
    public SimDisk Disk { get; }

    /// <summary>Is it running?</summary>
    public ServerLife Life { get; private set; }

    /// <summary>Does it run, perhaps paused?</summary>
    public bool IsUp => Life != ServerLife.Down;

    /// <summary>Why it cannot be started any more; null if it can.</summary>
    public string? Refusal { get; private set; }

    /// <summary>The replica of the present life.</summary>
    public Replica Replica { get; private set; } = null!;

    /// <summary>The log writer of the present life.</summary>
    public SimLog Log { get; private set; }

    /// <summary>How often it was started.</summary>
    public int Starts { get; private set; }

    /// <summary>Wall time ahead of the others', milliseconds.</summary>
    public long WallSkewMs { get; set; }

    /// <summary>A sync of the disk takes so many times as long as usual.</summary>
    public int DiskSlowness { get; set; } = 1;

    /// <summary>A sync of the log takes so many times as long as one of another file.</summary>
    public int LogSlowness { get; set; } = 1;

    /// <summary>Does it send snapshots only, from its next start on?</summary>
    public bool ForcesSnapshots { get; set; }

    /// <summary>Monotonic time, milliseconds.</summary>
    public long NowMs =>
        monotonicAnchorMs + ((world.Scheduler.NowUs - monotonicAnchorUs) * monotonicPerMille / 1_000_000);

    /// <summary>Wall time, milliseconds since 1970.</summary>
    public long WallMs => World.StartWallMs + (world.Scheduler.NowUs / 1000) + WallSkewMs;

    /// <summary>What the trace told last of its part in the ensemble.</summary>
    public string TracedState { get; set; } = "";

    /// <summary>It crashes after so many more batches were given to its log; -1 for never.</summary>
    public int CrashAfterAppends { get; set; } = -1;

    /// <summary>How long after that, microseconds.</summary>
    public long CrashDelayUs { get; set; }

    /// <summary>Makes the monotonic clock run at another speed.</summary>
    public void SetClockSpeed(int perMille)
    {
        long now = NowMs;
        monotonicAnchorMs = now;
        monotonicAnchorUs = world.Scheduler.NowUs;
        monotonicPerMille = perMille;
    }

    /// <summary>How long the next sync takes.</summary>
    public long SyncUs() => (300 + random.Below(700)) * (long)DiskSlowness;

    /// <summary>Recovers what the disk holds and starts, unless the disk is damaged.</summary>
    public void Start()
    {
        if (IsUp || Refusal is not null)
            return;
        life++;
        Starts++;
        isInstalling = false;
        random = SimRandom.For(world.Options.Seed, "server" + Id, life);
        try
        {
            Recover();
        }
        catch (SimulatedCrash)
        {
            world.Trace(Id, "crashes while it recovers");
            Disk.LosePower();
            world.Scheduler.After(world.RestartUs(), Start);
            return;
        }
        catch (IOException)
        {
            world.Trace(Id, "cannot use its disk");
            Disk.Work = DiskWork.Other;
            world.Scheduler.After(world.RestartUs(), Start);
            return;
        }
        catch (CorruptDataException e)
        {
            Refusal = e.Message;
            world.ServerRefused(this, e.Message);
            return;
        }
        Life = ServerLife.Running;
        world.Network.NodeStarted(Id);
        world.ServerStarted(this);
        PostTick();
        Post(FirstStep);
    }

    /// <summary>Ends it at once.</summary>
    /// <param name="losesPower">Is everything lost that was not synced, or only what the process held?</param>
    /// <param name="isSilent">Do the others learn nothing of it by themselves?</param>
    public void Crash(bool losesPower, bool isSilent = false)
    {
        if (!IsUp)
            return;
        world.Trace(Id, losesPower ? "loses power" : "is killed");
        Life = ServerLife.Down;
        life++;
        isTickPosted = false;
        waiting.Clear();
        EndClients();
        EndPeers();
        world.Network.NodeEnded(Id, isSilent);
        world.ServerEnded(this);
        EndSaving();
        DisposeTrees();
        if (losesPower)
            Disk.LosePower();
        else
            Disk.LoseProcess();
    }

    /// <summary>Stops it in the middle.</summary>
    public void Pause()
    {
        if (Life == ServerLife.Running)
            Life = ServerLife.Paused;
    }

    /// <summary>Lets it go on, with everything at once that has come in meanwhile.</summary>
    public void Resume()
    {
        if (Life != ServerLife.Paused)
            return;
        Life = ServerLife.Running;
        Post(static () => { });
    }

    /// <summary>Has something happen in the server's turn; not if it has ended by then.</summary>
    public void Later(long delayUs, Action action)
    {
        int born = life;
        world.Scheduler.After(delayUs, () =>
        {
            if (born == life)
                Post(action);
        });
    }

    /// <summary>Has something happen in the server's turn, now or when it goes on.</summary>
    public void Post(Action action)
    {
        if (!IsUp)
            return;
        waiting.Enqueue(action);
        if (Life == ServerLife.Running && !isInTurn)
            Turn();
    }

    /// <summary>The disk holds everything up to <paramref name="zxid"/>.</summary>
    public void LogDurable(Zxid zxid)
    {
        world.LogDurable(this, zxid);
        Replica.Step(Input.LogDurable(zxid, NowMs, WallMs));
    }

    /// <summary>The log cannot be written.</summary>
    public void StorageStalled() => Post(() => Replica.Step(Input.StorageStalled(NowMs, WallMs)));

    /// <summary>The log can be written again.</summary>
    public void StorageResumed() => Post(() => Replica.Step(Input.StorageResumed(NowMs, WallMs)));

    private void Turn()
    {
        int born = life;
        isInTurn = true;
        try
        {
            RunWaiting();
            Settle();
            world.TurnEnded(this);
        }
        catch (SimulatedCrash)
        {
            isInTurn = false;
            if (born == life)
            {
                Crash(losesPower: true);
                world.RestartLater(this);
            }
        }
        catch (InvariantException e)
        {
            throw new SimulationFailure("Invariant", $"server {Id}: {e.Message}");
        }
        finally
        {
            isInTurn = false;
        }
    }

    /// <summary>Does what the replica wants, in the driver's order, until it wants nothing more.</summary>
    private void Settle()
    {
        Outbox outbox = Replica.Outbox;
        int rounds = 0;
        do
        {
            AppendLog(outbox);
            FlushPeers(outbox);
            for (int applies = 0; Replica.HasApplicable; applies++)
            {
                if (applies > AppliesMax)
                    throw new SimulationFailure("Livelock", $"server {Id} has something to apply for ever");
                ApplyOne();
                PerformEffects();
            }
            FlushClients(outbox);
            if (++rounds > AppliesMax)
                throw new SimulationFailure("Livelock", $"server {Id} wants something done for ever");
        }
        while (RunWaiting() || outbox.HasLog || outbox.Effects.Count > 0 || outbox.DirtyPeers.Count > 0
            || outbox.PeerHangups.Count > 0);
    }

    private bool RunWaiting()
    {
        bool any = false;
        while (waiting.TryDequeue(out Action? action))
        {
            action();
            PerformEffects();
            any = true;
        }
        return any;
    }

    // After each step, before more is written to the links: a transfer begins where their output ends now.
    private void PerformEffects()
    {
        Outbox outbox = Replica.Outbox;
        if (outbox.Effects.Count == 0)
            return;
        AppendLog(outbox);
        while (outbox.Effects.TryDequeue(out Effect effect))
            Execute(effect);
    }

    private void AppendLog(Outbox outbox)
    {
        if (outbox.HasLog)
        {
            TxnBatch batch = outbox.TakeLog();
            for (int i = 0; i < batch.Count; i++)
                world.Appended(this, batch.Entries[i].Zxid, batch.Payload(i));
            Log.Append(batch);
            if (CrashAfterAppends >= 0 && CrashAfterAppends-- == 0)
                CrashSoon();
        }
        if (!outbox.SaveSnapshot)
            return;
        outbox.SaveSnapshot = false;
        SaveSnapshot();
    }

    private void CrashSoon()
    {
        int born = life;
        world.Scheduler.After(CrashDelayUs, () =>
        {
            if (born != life)
                return;
            Crash(losesPower: true);
            world.RestartLater(this);
        });
    }

    private void ApplyOne()
    {
        DataTree tree = Replica.Tree;
        Zxid before = tree.LastProcessed;
        bool isFinishing = Replica.IsFinishing;
        Replica.Apply(1);
        Zxid after = Replica.Tree.LastProcessed;
        if (after != before)
            world.Applied(this, Replica.Tree == tree ? before : null, after, isFinishing);
    }

    private void PostTick()
    {
        if (isTickPosted)
            return;
        isTickPosted = true;
        Later(DriverTickMs * 1000, () =>
        {
            isTickPosted = false;
            Replica.Step(Input.Tick(NowMs, WallMs));
            PostTick();
        });
    }

    private void FirstStep() => Replica.Step(Input.Tick(NowMs, WallMs));

    private void Recover()
    {
        Disk.Work = DiskWork.Recovery;
        ForgetLogsWithoutSnapshot();
        var history = new TxnHistory(world.Setup.HistoryTxns, EnsembleSetup.HistoryBytes);
        RecoveryResult recovered = Recovery.Run(Disk, world.RecoveryOptions(Id) with { History = history });
        ReplicaOptions options = OptionsAtStart(recovered);
        Disk.Work = DiskWork.Other;
        Replica = new Replica(
            options, recovered.Tree, recovered.Sessions, NowMs, world.Options.IsStandalone ? null : history);
        Replica.AddWatchTable(watches = new WatchTable());
        Log = new SimLog(this, Disk) { Durable = recovered.Last };
        world.Recovered(this, recovered);
        if (recovered.SnapshotName is not null)
            return;
        Disk.Work = DiskWork.Recovery;
        WriteSnapshotNow();
        Disk.Work = DiskWork.Other;
    }
}
