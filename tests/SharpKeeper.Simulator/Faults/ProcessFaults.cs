namespace SharpKeeper.Simulation;

/// <summary>Faults of processes, machines and clocks.</summary>
internal static class ProcessFaults
{
    public static IReadOnlyList<FaultKind> All { get; } =
    [
        Kind("kill", "a server's process ends; the system keeps what was written", c => c.Crash(c.AnyServer(), false)),
        Kind("kill-leader", "the leader's process ends", c => c.Crash(c.Leader(), false), isForOne: false),
        Kind("power-loss", "a machine loses power: what was not synced is lost or torn, nobody is told",
            c => c.Crash(c.AnyServer(), true, isSilent: true)) with { Weight = 4 },
        Kind("power-loss-leader", "the leader's machine loses power", c => c.Crash(c.Leader(), true,
            c.Random.PerMille(500)), false),
        Kind("power-loss-everywhere", "all machines lose power at once", PowerLossEverywhere) with { Weight = 3 },
        Kind("power-loss-quorum", "a quorum of machines loses power at once", PowerLossQuorum, isForOne: false),
        Kind("crash-mid-proposal", "the leader crashes right after it has appended something", CrashMidProposal),
        Kind("crash-mid-burst", "the leader loses power in a burst of writes", CrashMidBurst),
        Kind("stranded-leader", "the leader is cut off, logs what nobody else gets, is killed, and comes back "
        + "when others lead",
            StrandLeader, isForOne: false) with { Weight = 4 },
        Kind("slow-clock-cut-off", "the leader's clock runs slow while it is cut off: it thinks that it leads for "
        + "too long",
            StaleLeader, isForOne: false),
        Kind("quick-restart", "a server ends and is back at once", QuickRestart),
        Kind("crash-loop", "a server ends again shortly after each start", CrashLoop),
        Kind("rolling-restart", "one server after the other ends and starts again", RollingRestart),
        Kind("two-at-once", "two servers crash shortly after each other", TwoAtOnce, isForOne: false),
        Kind("pause", "a process is stopped and wakes up with everything queued", c => Pause(c, c.AnyServer(),
            c.LastsUs)),
        Kind("pause-leader", "the leader is stopped for longer than syncLimit and wakes up thinking it leads",
            c => Pause(c, c.Leader(), c.LastsUs + 1_500_000), isForOne: false),
        Kind("pause-briefly", "a process stutters", Stutter),
        Kind("pause-majority", "most processes are stopped at once", PauseMajority, isForOne: false),
        Kind("wall-forward", "a wall clock jumps ahead", c => JumpWall(c, 1)),
        Kind("wall-back", "a wall clock jumps back", c => JumpWall(c, -1)),
        Kind("clock-fast", "a monotonic clock runs faster than the others", c => Drift(c, c.Random.Between(1_010,
            1_300))),
        Kind("clock-slow", "a monotonic clock runs slower than the others", c => Drift(c, c.Random.Between(700, 990))),
    ];

    private static FaultKind Kind(string name, string how, Action<FaultContext> inject, bool isForOne = true) =>
        new(name, "process", how, inject) { IsForOne = isForOne };

    private static void PowerLossEverywhere(FaultContext c)
    {
        foreach (SimServer server in c.World.Servers)
        {
            server.Crash(losesPower: true);
            c.World.Scheduler.After(c.Random.Skewed(1_000, 2_000_000), server.Start);
        }
    }

    private static void PowerLossQuorum(FaultContext c)
    {
        foreach (int id in c.SomeVoters((c.World.VoterIds.Count / 2) + 1))
        {
            SimServer server = c.World.Servers[id - 1];
            server.Crash(losesPower: true, isSilent: c.Random.PerMille(500));
            c.World.Scheduler.After(c.Random.Skewed(1_000, 2_000_000), server.Start);
        }
    }

    private static void CrashMidProposal(FaultContext c)
    {
        SimServer leader = c.Leader();
        leader.CrashAfterAppends = c.Random.Between(0, 12);
        leader.CrashDelayUs = c.Random.Skewed(1, 5_000);
        c.AtEnd(() => leader.CrashAfterAppends = -1);
    }

    private static void CrashMidBurst(FaultContext c)
    {
        c.World.IsBursting = true;
        c.AfterUs(c.Random.Between(50_000, 400_000), () =>
        {
            c.World.IsBursting = false;
            c.Crash(c.Leader(), losesPower: true);
        });
    }

    private static void StrandLeader(FaultContext c)
    {
        SimServer leader = c.Leader();
        foreach (int other in c.Everybody.Where(id => id != leader.Id))
        {
            c.Network.Cut(leader.Id, other);
            c.AfterUs(400_000, () => c.Network.Heal(leader.Id, other));
        }
        c.AfterUs(c.Random.Between(20_000, 350_000), () =>
        {
            leader.Crash(losesPower: c.Random.PerMille(300));
            c.World.Scheduler.After(1_500_000 + c.LastsUs, leader.Start);
        });
    }

    private static void StaleLeader(FaultContext c)
    {
        SimServer leader = c.Leader();
        leader.SetClockSpeed(c.Random.Between(300, 800));
        foreach (int other in c.Everybody.Where(id => id != leader.Id))
        {
            c.Network.Cut(leader.Id, other);
            c.Network.Cut(other, leader.Id);
        }
        c.AfterUs(2_500_000, () =>
        {
            leader.SetClockSpeed(1000);
            foreach (int other in c.Everybody)
            {
                c.Network.Heal(leader.Id, other);
                c.Network.Heal(other, leader.Id);
            }
        });
    }

    private static void QuickRestart(FaultContext c)
    {
        SimServer server = c.AnyServer();
        server.Crash(losesPower: c.Random.PerMille(500));
        c.World.Scheduler.After(c.Random.Between(100, 20_000), server.Start);
    }

    private static void CrashLoop(FaultContext c) => CrashAgain(c, c.AnyServer(), c.Random.Between(2, 6));

    private static void CrashAgain(FaultContext c, SimServer server, int times)
    {
        server.Crash(losesPower: c.Random.PerMille(600));
        c.World.Scheduler.After(c.Random.Between(1_000, 100_000), server.Start);
        if (times > 1)
            c.AfterUs(c.Random.Skewed(100_000, 1_500_000), () => CrashAgain(c, server, times - 1));
    }

    private static void RollingRestart(FaultContext c)
    {
        long at = 0;
        foreach (SimServer server in c.World.Servers)
        {
            c.AfterUs(at, () =>
            {
                server.Crash(losesPower: false);
                c.World.Scheduler.After(c.Random.Between(10_000, 300_000), server.Start);
            });
            at += c.Random.Skewed(200_000, 2_500_000);
        }
    }

    private static void TwoAtOnce(FaultContext c)
    {
        foreach (int id in c.SomeVoters(2))
        {
            SimServer server = c.World.Servers[id - 1];
            c.AfterUs(c.Random.Between(0, 100_000), () => c.Crash(server, losesPower: c.Random.PerMille(700)));
        }
    }

    private static void Pause(FaultContext c, SimServer server, long us)
    {
        server.Pause();
        c.World.Scheduler.After(us, server.Resume);
    }

    private static void Stutter(FaultContext c)
    {
        SimServer server = c.AnyServer();
        long at = 0;
        for (int i = c.Random.Between(2, 12); i > 0; i--)
        {
            at += c.Random.Between(1_000, 300_000);
            c.AfterUs(at, () => Pause(c, server, c.Random.Skewed(500, 200_000)));
        }
    }

    private static void PauseMajority(FaultContext c)
    {
        foreach (int id in c.SomeVoters((c.World.VoterIds.Count / 2) + 1))
            Pause(c, c.World.Servers[id - 1], (c.LastsUs / 2) + c.Random.Between(0, c.LastsUs));
    }

    private static void JumpWall(FaultContext c, int sign)
    {
        SimServer server = c.Random.PerMille(500) ? c.Leader() : c.AnyServer();
        server.WallSkewMs += sign * c.Random.Skewed(10, 400_000_000);
    }

    private static void Drift(FaultContext c, int perMille)
    {
        SimServer server = c.AnyServer();
        server.SetClockSpeed(perMille);
        c.AtEnd(() => server.SetClockSpeed(1000));
    }
}
