using SharpKeeper.Core;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Simulation;

internal sealed partial class SimServer
{
    private const int EpochAgainUs = 200_000;

    private EpochFiles? epochs;
    private long filesFreeUs;

    /// <summary>The promised epoch on disk.</summary>
    public long AcceptedEpoch => epochs?.Accepted ?? 0;

    /// <summary>The established epoch on disk.</summary>
    public long CurrentEpoch => epochs?.Current ?? 0;

    /// <summary>The replica's part in the ensemble; null while the server is down or stands alone.</summary>
    public ZabPeer? Zab => IsUp ? Replica.Zab : null;

    /// <summary>The configuration it has started with.</summary>
    public EnsembleConfig Config { get; private set; } = null!;

    /// <summary>The proposed one it has started with, if there was any.</summary>
    public EnsembleConfig? NextConfig { get; private set; }

    /// <summary>Is a deliberate mistake to be made?</summary>
    public bool HasBug(PlantedBug bug) => (world.Options.Bugs & bug) != 0;

    /// <summary>Ends for good, after the run.</summary>
    public void Release()
    {
        if (!IsUp)
            return;
        EndSaving();
        EndPeers();
        DisposeTrees();
        Life = ServerLife.Down;
    }

    /// <summary>A transfer over a link is over.</summary>
    public void TransferDone(PeerLink link) => Replica.Step(Input.TransferDone(link, NowMs, WallMs));

    /// <summary>Packets have come in.</summary>
    public void PeerPackets(PeerLink link, byte[] packets) =>
        Replica.Step(Input.PeerPackets(link, packets, NowMs, WallMs));

    private ReplicaOptions OptionsAtStart(RecoveryResult recovered)
    {
        var options = new ReplicaOptions
        {
            ServerId = (byte)Id,
            SessionSeedMs = WallMs,
            RandomSeed = random.Next(),
            Access = new AccessControl([], skipChecks: true),
            TickMs = world.Options.TickMs,
            MinSessionTimeoutMs = world.Options.TickMs * 2,
            MaxSessionTimeoutMs = world.Options.TickMs * 20,
            ExtendedTypesEnabled = true,
            ContainerCheckIntervalMs = 5_000,
            SnapshotTxnCount = world.Setup.SnapshotTxns,
            ReconfigEnabled = world.Setup.Reconfigs,
        };
        if (world.Options.IsStandalone)
            return options;
        epochs = EpochFiles.Load(Disk, recovered.Last);
        (Config, NextConfig) = ConfigFiles.Load(Disk, world, recovered.Tree);
        return options with { Ensemble = world.EnsembleOptions(this) };
    }

    private void DisposeTrees()
    {
        foreach (DataTree tree in Replica.Outbox.RetiredTrees)
            tree.Dispose();
        Replica.Outbox.RetiredTrees.Clear();
        Replica.Tree.Dispose();
    }

    private void Execute(in Effect effect)
    {
        Effect done = effect;
        switch (effect.Kind)
        {
            case EffectKind.SendVote:
                world.Elections.Send(Id, (int)effect.Server.Value, effect.Bytes!);
                break;
            case EffectKind.DialLeader:
                Later(random.Between(100, 1_000), () => Dial(done.Link!, (int)done.Server.Value, 1));
                break;
            case EffectKind.ListenForLearners:
                IsListening = true;
                break;
            case EffectKind.StopListening:
                IsListening = false;
                break;
            case EffectKind.HangUpClients:
                HangUpClients();
                break;
            case EffectKind.UseConfig:
                UseConfig(effect.Config!, effect.NextConfig);
                break;
            case EffectKind.SendSnapshot:
                SendSnapshot((PeerConnection)effect.Link!.Owner!);
                break;
            case EffectKind.SendLog:
                SendLog((PeerConnection)effect.Link!.Owner!, effect.Zxid, effect.UpTo);
                break;
            case EffectKind.QueryLog:
                Later(random.Between(50, 2_000), () => QueryLog(done.Link!, done.Zxid));
                break;
            default:
                ExecuteOnDisk(effect);
                break;
        }
    }

    private void ExecuteOnDisk(in Effect effect)
    {
        Effect done = effect;
        switch (effect.Kind)
        {
            case EffectKind.PersistAcceptedEpoch:
                OnFiles(() => SaveEpoch(done.Number, isAccepted: true));
                break;
            case EffectKind.PersistCurrentEpoch:
                OnFiles(() => SaveEpoch(done.Number, isAccepted: false));
                break;
            case EffectKind.TruncateLog:
                Log.Run(() => Later(SyncUs(), () => TruncateLog(done.Zxid, reloads: done.Number == 1)));
                break;
            case EffectKind.InstallSnapshot:
                Log.Run(() => Later(SyncUs(), InstallSnapshot));
                break;
            default:
                throw new InvariantException($"unknown effect {effect.Kind}");
        }
    }

    private void UseConfig(EnsembleConfig committed, EnsembleConfig? next)
    {
        world.ConfigInUse(this, committed, next);
        if (world.Setup.Reconfigs)
            OnFiles(() => SaveConfig(committed, next));
    }

    private void SaveConfig(EnsembleConfig committed, EnsembleConfig? next)
    {
        Disk.Work = DiskWork.Config;
        try
        {
            ConfigFiles.Save(Disk, committed, next);
        }
        catch (IOException)
        {
            // As the real server does: the next change writes it, and so does the next start that learns of it.
            world.Trace(Id, $"cannot write configuration {committed.Version:x}");
            return;
        }
        finally
        {
            Disk.Work = DiskWork.Other;
        }
        world.Reached(ReconfigStage.Saved, this);
    }

    // Small files are written one after the other.
    private void OnFiles(Action write)
    {
        filesFreeUs = Math.Max(filesFreeUs, world.Scheduler.NowUs) + SyncUs();
        Later(filesFreeUs - world.Scheduler.NowUs, write);
    }

    private void SaveEpoch(long epoch, bool isAccepted)
    {
        bool isForgotten = world.Options.Bugs.HasFlag(
            isAccepted ? PlantedBug.ForgetAcceptedEpoch : PlantedBug.ForgetCurrentEpoch);
        Disk.Work = isAccepted ? DiskWork.AcceptedEpoch : DiskWork.CurrentEpoch;
        try
        {
            if (!isForgotten && isAccepted)
                epochs!.SaveAccepted(epoch);
            else if (!isForgotten)
                epochs!.SaveCurrent(epoch);
        }
        catch (IOException)
        {
            filesFreeUs = world.Scheduler.NowUs + EpochAgainUs;
            Later(EpochAgainUs, () => SaveEpoch(epoch, isAccepted));
            return;
        }
        finally
        {
            Disk.Work = DiskWork.Other;
        }
        if (!isAccepted)
            world.Checkers.CheckMoment();
        Replica.Step(isAccepted
            ? Input.AcceptedEpochDurable(epoch, NowMs, WallMs)
            : Input.CurrentEpochDurable(epoch, NowMs, WallMs));
    }
}
