namespace SharpKeeper.Simulation;

/// <summary>Faults of disks, and crashes in the middle of work with them.</summary>
internal static class DiskFaults
{
    public static IReadOnlyList<FaultKind> All { get; } =
    [
        Kind("slow-disk", "syncs of a server take long", c => Slow(c, c.AnyServer(), 200)),
        Kind("slow-leader-disk", "syncs of the leader take long", c => Slow(c, c.Leader(), 200), isForOne: false),
        Kind("slow-disks", "syncs take long everywhere", SlowAll),
        Kind("stuck-disk", "a sync hangs for seconds", c => Slow(c, c.AnyServer(), 4_000)),
        Kind("full-disk", "a disk is full for a while", c => Fill(c, c.AnyServer())),
        Kind("full-leader-disk", "the leader's disk is full for a while", c => Fill(c, c.Leader()), isForOne: false),
        Kind("failed-writes", "a few writes fail", c => c.AnyServer().Disk.FailingWrites += c.Random.Between(1, 4)),
        Kind("failed-syncs", "a few syncs fail, and nobody knows what is on disk",
            c => c.AnyServer().Disk.FailingSyncs += c.Random.Between(1, 3)),
        Kind("torn-log", "power is lost while the log is being written: its end is cut anywhere, or zeros",
            c => CrashIn(c, c.AnyServer(), DiskWork.Log, 12)),
        Kind("crash-in-recovery", "power is lost while a server reads its disk, and again", CrashInRecovery),
        Kind("crash-in-snapshot", "power is lost while a snapshot is being saved", CrashInSnapshot),
        Kind("crash-in-truncation", "power is lost while the log is being cut", c => CrashOnSync(c,
            DiskWork.Truncation, 6)),
        Kind("crash-in-installation", "power is lost while a leader's snapshot is being installed",
            c => CrashOnSync(c, DiskWork.Installation, 14)),
        Kind("crash-in-accepted-epoch", "power is lost around the write of acceptedEpoch",
            c => CrashOnSync(c, DiskWork.AcceptedEpoch, 5)),
        Kind("crash-in-current-epoch", "power is lost around the write of currentEpoch",
            c => CrashOnSync(c, DiskWork.CurrentEpoch, 5)),
        Kind("break-on-snapshot", "the link breaks when a server has just received a snapshot", BreakOnSnapshot,
            isForOne: false),
        Kind("snapshots-lost", "all snapshots of a server are gone when it comes back; it may refuse to start",
            LoseSnapshots,
            isForOne: false),
        Kind("bit-rot", "a byte of a server's log changes while it is down; that server may refuse to start", Rot),
    ];

    private static FaultKind Kind(string name, string how, Action<FaultContext> inject, bool isForOne = true) =>
        new(name, "disk", how, inject) { IsForOne = isForOne };

    private static void Slow(FaultContext c, SimServer server, int slownessMax)
    {
        server.DiskSlowness = (int)c.Random.Skewed(5, slownessMax);
        c.AtEnd(() => server.DiskSlowness = 1);
    }

    private static void SlowAll(FaultContext c)
    {
        foreach (SimServer server in c.World.Servers)
            Slow(c, server, 100);
    }

    private static void Fill(FaultContext c, SimServer server)
    {
        server.Disk.IsFull = true;
        c.AtEnd(() => server.Disk.IsFull = false);
    }

    private static void CrashIn(FaultContext c, SimServer server, DiskWork work, int operationsMax) =>
        c.CrashDuring(server, work, operationsMax);

    private static void CrashInRecovery(FaultContext c)
    {
        SimServer server = c.AnyServer();
        server.Crash(losesPower: true);
        c.CrashDuring(server, DiskWork.Recovery, 8);
        c.World.Scheduler.After(c.Random.Between(10_000, 300_000), server.Start);
    }

    private static void CrashInSnapshot(FaultContext c)
    {
        SimServer server = c.AnyServer();
        c.CrashDuring(server, DiskWork.Snapshot, 12);
        server.WantsSnapshot();
    }

    // Whoever comes back behind the others has to cut, install and promise: so it is made to.
    private static void CrashOnSync(FaultContext c, DiskWork work, int operationsMax)
    {
        SimServer server = c.Random.PerMille(700) ? c.Follower() : c.Leader();
        server.Crash(losesPower: c.Random.PerMille(500));
        c.AfterUs(c.Random.Skewed(50_000, 2_000_000), () =>
        {
            c.CrashDuring(server, work, operationsMax);
            server.Start();
        });
        c.World.Scheduler.After(c.LastsUs + 2_000_000, server.Start);
    }

    // A follower that was away for long needs a snapshot.
    private static void BreakOnSnapshot(FaultContext c)
    {
        SimServer server = c.Follower();
        server.BreaksOnSnapshot = true;
        server.Crash(losesPower: false);
        c.World.Scheduler.After(c.LastsUs + 500_000, server.Start);
    }

    private static void LoseSnapshots(FaultContext c)
    {
        SimServer server = c.Follower();
        if (!c.World.MayDamage(server))
            return;
        server.Crash(losesPower: true);
        server.LoseSnapshots();
        c.World.Scheduler.After(c.LastsUs, server.Start);
    }

    private static void Rot(FaultContext c)
    {
        SimServer server = c.Follower();
        if (!c.World.MayDamage(server))
            return;
        server.Crash(losesPower: true);
        server.RotLog(c.Random);
        c.World.Scheduler.After(c.LastsUs, server.Start);
    }
}
