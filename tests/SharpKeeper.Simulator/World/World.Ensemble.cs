using SharpKeeper.Core;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Simulation;

internal sealed partial class World
{
    private readonly HashSet<int> damaged = [];

    /// <summary>Have all faults been ended?</summary>
    public bool AreFaultsOver { get; private set; }

    /// <summary>Servers whose disk was damaged where no single server can survive it.</summary>
    public int DamagedCount => damaged.Count;

    /// <summary>Was that server's disk damaged?</summary>
    public bool IsDamaged(int server) => damaged.Contains(server);

    /// <summary>May one more server's disk be damaged, so that the others can do without it?</summary>
    public bool MayDamage(SimServer server) => !Options.IsStandalone && !Setup.Reconfigs && !Setup.HasGroups
        && Setup.Voters.Contains(server.Id)
        && (damaged.Count == 0 || damaged.Contains(server.Id)) && Setup.Voters.Count >= 3;

    /// <summary>A server's disk is damaged.</summary>
    public void Damaged(SimServer server) => damaged.Add(server.Id);

    /// <summary>The server that leads the newest epoch; null while there is none.</summary>
    public SimServer? FindLeader()
    {
        SimServer? found = null;
        long epoch = -1;
        foreach (SimServer server in servers)
        {
            if (server.Zab is not { Leader: { IsEstablished: true } role } || role.Epoch < epoch)
                continue;
            found = server;
            epoch = role.Epoch;
        }
        return found;
    }

    /// <summary>A session was refused as expired: its end must at least be under way.</summary>
    public void CheckSessionEnds(long session)
    {
        foreach (SimServer server in servers)
        {
            if (server.IsUp && !server.Replica.CommittedSessions.TryGet(new SessionId(session), out _))
                return;
        }
        // Nor can anybody be asked whose power is cut.
        if (!servers.Any(static server => server.IsUp)
            || servers.Any(server => server.IsUp && server.Replica.Sessions.Find(session) is not { IsClosing: false }))
            return;
        throw new SimulationFailure("Sessions",
            $"session 0x{session:x} was refused as expired, but it lives everywhere");
    }

    /// <summary>A server has done everything that was to be done now.</summary>
    public void TurnEnded(SimServer server)
    {
        if (server.Zab is not { } zab)
            return;
        if (zab.Leader is { IsEstablished: true } role)
            checkers.Leads(server, role.Epoch);
        if (zab.IsSettled)
            checkers.Serves(server);
        if (Setup.Reconfigs)
            checkers.CheckConfig(server);
        if (!Options.IsTraced)
            return;
        string state = $"{zab.State} {zab.LeaderId?.Value} {(zab.IsSettled ? "settled" : "")}";
        if (state == server.TracedState)
            return;
        server.TracedState = state;
        Trace(server.Id, $"{state}: {zab.Reason}; logged {zab.LastLogged}, epochs "
        + $"{zab.AcceptedEpoch}/{zab.CurrentEpoch}");
    }

    /// <summary>A server uses a configuration.</summary>
    public void ConfigInUse(SimServer server, EnsembleConfig committed, EnsembleConfig? next)
    {
        Trace(server.Id, $"uses configuration {committed.Version:x}, voters {string.Join(' ', committed.Voters)}"
            + $"{(next is null ? "" : $", proposed {next.Version:x}, voters {string.Join(' ', next.Voters)}")}");
        Reached(next is null ? ReconfigStage.Used : ReconfigStage.Seen, server);
    }

    /// <summary>A packet has come in from another server.</summary>
    public void PacketReceived(SimServer server, int from, in QuorumPacket packet)
    {
        if (Options.IsTraced && packet.Type != QuorumPacketType.Ping)
            Trace(server.Id, $"from s{from}: {packet.Type} {packet.Zxid}");
    }

    /// <summary>What a server's replica is told of its ensemble.</summary>
    public EnsembleOptions EnsembleOptions(SimServer server) => new()
    {
        Self = new ServerId(server.Id),
        IsObserver = Setup.Observers.Contains(server.Id),
        Config = server.Config,
        NextConfig = server.NextConfig,
        AcceptedEpoch = server.AcceptedEpoch,
        CurrentEpoch = server.CurrentEpoch,
        HistoryTxnsMin = Setup.HistoryTxns,
        HistoryBytesMax = EnsembleSetup.HistoryBytes,
        UsesLogOnDisk = Setup.UsesLogOnDisk,
        ForceSnapshotSync = Setup.ForcesSnapshots || server.ForcesSnapshots,
        LeaderServes = Setup.LeaderServes,
        ObserverLogs = Setup.ObserverLogs,
        LocalSessions = Setup.LocalSessions,
        LocalSessionsUpgrade = Setup.UpgradesSessions,
        Bugs = Options.Bugs,
    };

    /// <summary>Ends all faults: the network heals, disks have room, stopped processes go on, servers start.</summary>
    public void EndFaults()
    {
        AreFaultsOver = true;
        IsBursting = false;
        Elections.LossPerMille = Elections.DuplicatesPerMille = 0;
        Elections.LatenessUs = 0;
        foreach (SimServer server in servers)
        {
            server.CrashAfterAppends = -1;
            server.Disk.CrashAfterOps = -1;
            server.Disk.IsFull = false;
            server.DiskSlowness = server.LogSlowness = 1;
            server.PieceBytes = int.MaxValue;
            server.SetClockSpeed(1000);
            server.Resume();
            Scheduler.After(random.Between(0, 100_000), server.Start);
        }
        Network.HealAll();
        foreach (Wire wire in Network.Wires.Where(static wire => wire.IsSilent).ToArray())
            wire.Break(random.Between(0, 100_000), random.Between(0, 100_000));
    }
}
