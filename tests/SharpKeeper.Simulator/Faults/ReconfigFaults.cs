using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Simulation;

/// <summary>Changes of the ensemble, and what may happen in the middle of them.</summary>
internal static class ReconfigFaults
{
    /// <summary>Their area in the table.</summary>
    public const string Area = "reconfig";

    public static IReadOnlyList<FaultKind> All { get; } =
    [
        Kind("remove-follower", "a server that does not lead is removed", c => Remove(c, c.Follower())),
        Kind("remove-leader", "the leader is removed and hands over", c => Remove(c, c.Leader())),
        Kind("add-server", "a server that is in no configuration joins: a removed one, or one with an empty disk",
            c => Want(c, Adding(c))) with { Weight = 5 },
        Kind("to-observer", "a voter becomes an observer",
            c => Want(c, config => ReconfigRequests.ChangeRole(config, c.Random, ServerRole.Observer))),
        Kind("to-voter", "an observer becomes a voter",
            c => Want(c, config => ReconfigRequests.ChangeRole(config, c.Random, ServerRole.Participant)))
            with { Weight = 4 },
        Kind("change-port", "a server gets another quorum port",
            c => Want(c, config => ReconfigRequests.ChangePort(config, c.AnyServer().Id, c.Random))),
        Kind("change-leader-port", "the leader gets another quorum port and hands over",
            c => Want(c, config => ReconfigRequests.ChangePort(config, c.Leader().Id, c.Random))),
        Kind("swap-servers", "a voter leaves and another server joins in one step", Swap) with { Weight = 3 },
        Kind("replace-members", "all members are given anew", ReplaceAll) with { Weight = 3 },
        Kind("reconfig-refused", "a reconfiguration is asked for that must be refused",
            c => Want(c, config => ReconfigRequests.Refused(config, c.Random), tries: 1)),
        Kind("reconfigs-in-a-row", "several reconfigurations, each as soon as the last is answered", InARow),
        Kind("reconfigs-at-once", "clients ask for reconfigurations while another one is under way", AtOnce),
        Kind("reconfig-while-joining", "a reconfiguration while a server that was away is being brought up to date",
            WhileJoining),
        Kind("reconfig-in-partition", "a reconfiguration while a minority is cut off", InPartition),
        Kind("reconfig-cut-off", "the leader is cut off when it has just proposed a reconfiguration",
            c => During(c, ReconfigStage.Proposed, 3_000, server => c.Split([server.Id]))),
        Kind("crash-leader-in-reconfig", "the leader crashes between the proposal of a reconfiguration and its commit",
            c => During(c, ReconfigStage.Proposed, 2_500, server => Crash(c, server))),
        Kind("crash-follower-in-reconfig", "a follower crashes after it has logged a reconfiguration",
            c => During(c, ReconfigStage.Logged, 2_500, server => Crash(c, server))),
        Kind("crash-at-activation", "a server loses power between a reconfiguration's commit and its file",
            c => During(c, ReconfigStage.Used, 1_500, server => Crash(c, server))),
        Kind("crash-after-activation", "a server crashes when a new configuration has just been written",
            c => During(c, ReconfigStage.Saved, 3_000, server => Crash(c, server))),
        Kind("crash-in-config-file", "power is lost while the file of a configuration is being written", CrashInFile),
        Kind("power-loss-in-reconfig", "all machines lose power in the middle of a reconfiguration", PowerLoss),
        Kind("quorum-lost-in-reconfig", "a quorum crashes in the middle of a reconfiguration", QuorumLost),
        Kind("old-config-returns", "a server is removed while it is down, and comes back with the old configuration",
            OldReturns),
    ];

    private static FaultKind Kind(string name, string how, Action<FaultContext> inject) =>
        new(name, Area, how, inject);

    private static void Want(FaultContext c, Func<EnsembleConfig, string?> change, int tries = 6)
    {
        bool names = c.Random.PerMille(300);
        c.World.Operator?.Want(
            config => names ? ReconfigRequests.Expecting(change(config), config.Version) : change(config), tries);
    }

    private static void Remove(FaultContext c, SimServer server) =>
        Want(c, config => ReconfigRequests.Leave(config, server.Id));

    // Members of no configuration, from those that have never run to those that were removed.
    private static int Outsider(FaultContext c, EnsembleConfig config)
    {
        int[] outside = [.. c.Everybody.Where(id => config.Find(new ServerId(id)) is null)];
        int chosen = outside.Length == 0 ? c.Everybody[0] : c.Random.Pick(outside);
        if (outside.Length > 0)
            c.World.FindServer(chosen)!.Start();
        return chosen;
    }

    private static Func<EnsembleConfig, string?> Adding(FaultContext c)
    {
        ServerRole role = c.Random.PerMille(700) ? ServerRole.Participant : ServerRole.Observer;
        return config => ReconfigRequests.Add(config, Outsider(c, config), role);
    }

    private static void Swap(FaultContext c)
    {
        int leaving = c.Random.PerMille(400) ? c.Leader().Id : c.Follower().Id;
        Want(c, config => ReconfigRequests.Swap(config, leaving, Outsider(c, config)));
    }

    private static void ReplaceAll(FaultContext c)
    {
        if (c.Random.PerMille(500))
            Outsider(c, c.World.Checkers.Config);
        Want(c, _ => ReconfigRequests.Replace(
            [.. c.World.Servers.Where(static server => server.IsUp).Select(static server => server.Id)], c.Random,
            c.World.Setup.HasGroups ? 700 : 0));
    }

    /// <summary>Any change that is possible.</summary>
    private static void WantAny(FaultContext c)
    {
        switch (c.Random.Below(6))
        {
            case 0:
                Remove(c, c.Random.PerMille(500) ? c.Leader() : c.Follower());
                break;
            case 1:
                Want(c, Adding(c));
                break;
            case 2:
                Want(c, config => ReconfigRequests.ChangeRole(
                    config, c.Random, c.Random.PerMille(500) ? ServerRole.Observer : ServerRole.Participant));
                break;
            case 3:
                Swap(c);
                break;
            case 4:
                ReplaceAll(c);
                break;
            default:
                Want(c, config => ReconfigRequests.ChangePort(config, c.Leader().Id, c.Random));
                break;
        }
    }

    private static void InARow(FaultContext c)
    {
        for (int count = c.Random.Between(2, 6); count > 0; count--)
            WantAny(c);
    }

    private static void AtOnce(FaultContext c)
    {
        foreach (SimClient client in c.World.Clients)
        {
            if (client.Workload is OperatorWorkload || !c.Random.PerMille(600))
                continue;
            string? request = ReconfigRequests.ChangePort(c.World.Checkers.Config, c.AnyServer().Id, c.Random);
            if (request is not null)
                OperatorWorkload.Ask(client, request);
        }
        WantAny(c);
    }

    private static void WhileJoining(FaultContext c)
    {
        SimServer server = c.Follower();
        server.Crash(losesPower: c.Random.PerMille(500));
        c.AfterUs(c.LastsUs, () =>
        {
            server.Start();
            c.AfterUs(c.Random.Skewed(1_000, 800_000), () => WantAny(c));
        });
        c.World.Scheduler.After(c.LastsUs + 1_000_000, server.Start);
    }

    private static void InPartition(FaultContext c)
    {
        c.Split(c.SomeVoters(c.MinorityCount));
        WantAny(c);
    }

    // Something happens shortly after the next reconfiguration has come so far.
    private static void During(FaultContext c, ReconfigStage stage, long withinUs, Action<SimServer> action)
    {
        long delay = c.Random.Skewed(1, withinUs);
        c.World.AtReconfig(stage, server => c.AfterUs(delay, () => action(server)));
        WantAny(c);
    }

    private static void Crash(FaultContext c, SimServer server)
    {
        server.Crash(losesPower: c.Random.PerMille(700), isSilent: c.Random.PerMille(300));
        c.World.Scheduler.After(c.LastsUs, server.Start);
    }

    private static void CrashInFile(FaultContext c)
    {
        c.CrashDuring(c.Random.PerMille(300) ? c.Leader() : c.AnyServer(), DiskWork.Config, 10);
        WantAny(c);
    }

    private static void PowerLoss(FaultContext c)
    {
        var stage = (ReconfigStage)c.Random.Below(5);
        During(c, stage, 3_000, _ =>
        {
            foreach (SimServer server in c.World.Servers)
            {
                if (!server.IsUp)
                    continue;
                server.Crash(losesPower: true);
                c.World.Scheduler.After(c.Random.Skewed(1_000, 2_000_000), server.Start);
            }
        });
    }

    private static void QuorumLost(FaultContext c)
    {
        var stage = (ReconfigStage)c.Random.Below(5);
        During(c, stage, 3_000, _ =>
        {
            foreach (int id in c.SomeVoters((c.World.VoterIds.Count / 2) + 1))
                Crash(c, c.World.FindServer(id)!);
        });
    }

    private static void OldReturns(FaultContext c)
    {
        SimServer server = c.Follower();
        server.Crash(losesPower: c.Random.PerMille(500));
        Remove(c, server);
        for (int count = c.Random.Between(0, 3); count > 0; count--)
            c.AfterUs(c.Random.Between(100_000, 1_500_000), () => WantAny(c));
        c.World.Scheduler.After(c.LastsUs + c.Random.Between(500_000, 4_000_000), server.Start);
    }
}
