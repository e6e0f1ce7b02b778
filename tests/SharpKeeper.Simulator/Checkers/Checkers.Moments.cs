using SharpKeeper.Core;
using SharpKeeper.Core.Log;
using SharpKeeper.Protocol;

namespace SharpKeeper.Simulation;

internal sealed partial class Checkers
{
    private readonly record struct Survivor(int Server, long Epoch, Zxid Last);

    /// <summary>
    /// If everything lost power now, would each quorum that comes back elect a leader that has all that is committed?
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
            if (world.Setup.Voters.Contains(server.Id) && !world.IsDamaged(server.Id))
                survivors.Add(CheckSurvivor(server));
        }
        int quorum = (world.Setup.Voters.Count / 2) + 1;
        foreach (List<Survivor> group in Groups(survivors, quorum))
            CheckGroup(group);
    }

    /// <summary>What a server's disk holds must replay to the tree that it has.</summary>
    public void CheckReplay(SimServer server)
    {
        bool holdsAll = world.Setup.Voters.Contains(server.Id) || world.Setup.ObserverLogs;
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

    // A server applies what others have on disk before it has it itself, and a snapshot that is saved then holds it:
    // after
    // a loss of power its tree is ahead of its log here and there until it has caught up.
    private static Zxid MixedUpTo(SimDisk disk, RecoveryResult recovered)
    {
        if (recovered.SnapshotName is null)
            return Zxid.Zero;
        using var reader = new SnapshotReader(disk.Open(StorageArea.Snapshots, recovered.SnapshotName));
        return reader.SkipToTail().DigestZxid;
    }

    private Survivor CheckSurvivor(SimServer server)
    {
        SimDisk disk = server.Disk.AfterWorstLoss();
        if (server.Starts == 0 || disk.List(StorageArea.Snapshots).Count == 0)
            return new Survivor(server.Id, 0, Zxid.Zero);
        try
        {
            RecoveryResult recovered = Recovery.Run(disk, world.RecoveryOptions(server.Id));
            using (recovered.Tree)
            {
                if (recovered.Last >= MixedUpTo(disk, recovered))
                    CheckDigest(server.Id, recovered.Last, recovered.Tree.Digest);
                if (world.Options.IsStandalone)
                    CheckQuorumHolds("now");
                long epoch = world.Options.IsStandalone ? 0 : EpochFiles.Load(disk, recovered.Last).Current;
                return new Survivor(server.Id, epoch, recovered.Last);
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

    private void CheckGroup(List<Survivor> group)
    {
        Survivor winner = group[0];
        foreach (Survivor other in group)
        {
            if (other.Epoch > winner.Epoch || (other.Epoch == winner.Epoch && other.Last > winner.Last))
                winner = other;
        }
        if (Proposals.Holds(winner.Last, Committed.Last))
            return;
        throw new SimulationFailure("Durability",
            $"if servers {string.Join(", ", group.Select(static s => s.Server))} came back from a loss of power "
            + $"now, server "
            + $"{winner.Server} (epoch {winner.Epoch}, {winner.Last}) would lead without {Committed.Last}, which "
            + $"is committed");
    }

    private static IEnumerable<List<Survivor>> Groups(List<Survivor> survivors, int size)
    {
        for (int mask = 0; mask < 1 << survivors.Count; mask++)
        {
            if (System.Numerics.BitOperations.PopCount((uint)mask) != size)
                continue;
            var group = new List<Survivor>(size);
            for (int i = 0; i < survivors.Count; i++)
            {
                if ((mask & (1 << i)) != 0)
                    group.Add(survivors[i]);
            }
            yield return group;
        }
    }
}
