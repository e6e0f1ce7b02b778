using SharpKeeper.Core;
using SharpKeeper.Core.Log;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Simulation;

internal sealed partial class Checkers
{
    /// <summary>What a server would have after a loss of power.</summary>
    private readonly record struct Survivor(
        int Server, long Epoch, Zxid Last, EnsembleConfig Config, EnsembleConfig? Next)
    {
        /// <summary>May it follow a server with that history?</summary>
        public bool IsUpTo(in Survivor other) =>
            Epoch < other.Epoch || (Epoch == other.Epoch && Last <= other.Last);
    }

    /// <summary>
    /// If everything lost power now, would whoever can come to lead, with any quorum that comes back, have all that is
    /// committed?
    /// </summary>
    public void CheckMoment()
    {
        if (world.Options.IsStandalone)
        {
            CheckSurvivor(world.Servers[0]);
            return;
        }
        var survivors = new List<Survivor>();
        foreach (SimServer server in world.Servers)
        {
            CheckEpochs(server);
            if (!world.IsDamaged(server.Id))
                survivors.Add(CheckSurvivor(server));
        }
        foreach (Survivor leader in survivors)
            CheckLeader(leader, survivors);
    }

    /// <summary>What a server's disk holds must replay to the tree that it has.</summary>
    public void CheckReplay(SimServer server)
    {
        bool holdsAll = world.Setup.ObserverLogs || server.Zab is not { IsObserver: true };
        SimDisk copy = server.Disk.Copy();
        RecoveryResult recovered = Recovery.Run(copy, world.RecoveryOptions(server.Id));
        using (recovered.Tree)
        {
            if (holdsAll && Proposals.Resolve(recovered.Last) != Proposals.Resolve(server.Replica.Tree.LastProcessed))
            {
                throw new SimulationFailure("DiskReplay",
                    $"server {server.Id} has {server.Replica.Tree.LastProcessed}, its disk replays to "
                    + $"{recovered.Last}");
            }
            CheckDigest(server.Id, recovered.Last, recovered.Tree.Digest);
            if (holdsAll)
                TreeComparison.Check(server.Replica.Tree, recovered.Tree, $"server {server.Id} and its disk");
        }
    }

    // A server applies what others have on disk before it has it itself; a snapshot of that may not take effect earlier.
    // An observer that keeps no log is sent again what such a snapshot holds a part of.
    private void CheckSnapshot(SimServer server, RecoveryResult recovered)
    {
        RecoveryNotice? ahead = recovered.Notices.FirstOrDefault(
            static notice => notice.Kind == RecoveryNoticeKind.SnapshotAheadOfLogs);
        if (ahead is null)
            CheckDigest(server.Id, recovered.Last, recovered.Tree.Digest);
        else if (world.Setup.ObserverLogs)
            throw new SimulationFailure("Durability", $"server {server.Id}: {ahead}");
    }

    private Survivor CheckSurvivor(SimServer server)
    {
        SimDisk disk = server.Disk.AfterWorstLoss();
        if (server.Starts == 0 || StorageListing.Snapshots(disk).Count == 0)
            return new Survivor(server.Id, 0, Zxid.Zero, world.Setup.Config, null);
        try
        {
            RecoveryResult recovered = Recovery.Run(disk, world.RecoveryOptions(server.Id));
            using (recovered.Tree)
            {
                CheckSnapshot(server, recovered);
                if (world.Options.IsStandalone)
                    CheckQuorumHolds("now");
                long epoch = world.Options.IsStandalone ? 0 : EpochFiles.Load(disk, recovered.Last).Current;
                (EnsembleConfig config, EnsembleConfig? next) = ConfigFiles.Load(disk, world, recovered.Tree);
                return new Survivor(server.Id, epoch, recovered.Last, config, next);
            }
        }
        catch (CorruptDataException e)
        {
            throw new SimulationFailure("Durability",
                $"server {server.Id} could not start after a loss of power now: {e.Message}");
        }
    }

    private void CheckEpochs(SimServer server)
    {
        ServerView view = views[server.Id];
        if (!server.IsUp)
            return;
        if (server.AcceptedEpoch < view.AcceptedEpoch || server.CurrentEpoch < view.CurrentEpoch)
        {
            throw new SimulationFailure("Epochs",
                $"the epochs of server {server.Id} went back from {view.AcceptedEpoch}/{view.CurrentEpoch} to "
                + $"{server.AcceptedEpoch}/{server.CurrentEpoch}");
        }
        view.AcceptedEpoch = server.AcceptedEpoch;
        view.CurrentEpoch = server.CurrentEpoch;
    }

    // A leader takes over any configuration that it hears to be committed, and refuses learners that know a newer one.
    private void CheckLeader(in Survivor leader, List<Survivor> survivors)
    {
        if (Proposals.Holds(leader.Last, Committed.Last))
            return;
        Survivor own = leader;
        foreach (EnsembleConfig config in survivors.Select(static it => it.Config).Append(leader.Config)
            .DistinctBy(static it => it.Version))
        {
            if (config.Version < leader.Config.Version)
                continue;
            HashSet<int> followers = [.. survivors
                .Where(it => it.IsUpTo(own) && it.Config.Version <= config.Version).Select(static it => it.Server)];
            EnsembleConfig? next = leader.Next?.Version > config.Version ? leader.Next : null;
            bool hasVote = QuorumModel.IsVoter(config, leader.Server);
            if (!hasVote || !QuorumModel.IsQuorum(config, followers.Contains)
                || (next is not null && !QuorumModel.IsQuorum(next, followers.Contains)))
                continue;
            throw new SimulationFailure("Durability",
                $"if servers {string.Join(", ", followers)} came back from a loss of power now, server "
                + $"{leader.Server} (epoch {leader.Epoch}, {leader.Last}) could lead configuration {config.Version:x} "
                + $"without {Committed.Last}, which is committed");
        }
    }
}
