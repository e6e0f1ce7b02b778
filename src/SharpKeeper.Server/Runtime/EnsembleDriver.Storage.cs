using Microsoft.Extensions.Logging;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Server.Runtime;

internal sealed partial class EnsembleDriver
{
    private static readonly TimeSpan PersistRetryDelay = TimeSpan.FromMilliseconds(200);

    /// <summary>Removes old files at an interval; null if nobody does.</summary>
    public Purger? Purger { get; set; }

    /// <summary>Keeps the dynamic configuration files; null if there are none.</summary>
    public Action<EnsembleConfig, EnsembleConfig?>? SaveConfig { get; set; }

    private void Persist(Action save, Action done) => files.Post(() =>
    {
        // While the disk is full nothing is promised; the others go on without this server.
        bool isReported = false;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                save();
                done();
                return;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                if (!isReported)
                    LogEpochFailed(exception.Message, exception);
                isReported = true;
                stopping.Token.WaitHandle.WaitOne(PersistRetryDelay);
            }
        }
    });

    private void KeepConfig(EnsembleConfig committed, EnsembleConfig? next)
    {
        if (SaveConfig is not { } save)
            return;
        files.Post(() =>
        {
            try
            {
                save(committed, next);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                LogConfigFailed(exception.Message, exception);
            }
        });
    }

    private void TruncateLog(Zxid target, bool reloads)
    {
        LogTruncationResult result = default;
        DataTree? tree = null;
        SessionTimeouts? sessions = null;
        log.RunBetween(
            () => RunAlone(() =>
            {
                result = LogTruncation.CutAfter(device, target);
                if (!result.IsDone || !reloads)
                    return;
                RecoveryResult loaded = BulkWork.Run(() => Recovery.Run(device, recovery));
                tree = loaded.Tree;
                sessions = loaded.Sessions;
            }),
            failure =>
            {
                if (stopping.IsCancellationRequested)
                    tree?.Dispose();
                else if (failure is not null)
                    fatal(CannotTruncate(target, failure, result.Problem));
                else if (!result.IsDone)
                    driver.PostLogNotTruncated(result.Problem);
                else
                    driver.PostLogTruncated(result.Last, tree, sessions);
            });
    }

    private void InstallSnapshot()
    {
        DataTree tree = runtime.Replica.Tree;
        SessionTimeouts sessions = runtime.Replica.CommittedSessions;
        driver.Trees.Hold(tree);
        log.RunBetween(
            () => RunAlone(() => BulkWork.Run(() => SnapshotInstallation.Run(device, tree, sessions))),
            failure =>
            {
                driver.Trees.Release(tree);
                if (stopping.IsCancellationRequested)
                    return;
                if (failure is not null)
                    fatal(new IOException($"The leader's snapshot cannot be saved: {failure.Message}", failure));
                else
                    driver.PostSnapshotInstalled();
            });
    }

    /// <summary>Runs something that needs the directories for itself.</summary>
    private void RunAlone(Action action)
    {
        Action alone = action;
        if (Purger is { } purger)
            alone = () => purger.RunAlone(action);
        if (runtime.Snapshots is { } snapshots)
            snapshots.RunAlone(alone);
        else
            alone();
    }

    private static IOException CannotTruncate(Zxid target, Exception? failure, string problem) => new(
        $"The leader asks this server to forget what it has after {target}, which cannot be done: "
        + $"{failure?.Message ?? problem} Move the version-2 directories away: the server then joins with an empty "
        + "state and is sent everything.", failure);

    [LoggerMessage(EventId = 220, Level = LogLevel.Error, Message =
        "The epoch cannot be saved: {Reason}. It is tried again; until it can, this server takes no part in the "
        + "ensemble.")]
    private partial void LogEpochFailed(string reason, Exception exception);

    [LoggerMessage(EventId = 221, Level = LogLevel.Error, Message =
        "The configuration of the ensemble cannot be saved beside zoo.cfg: {Reason}. After a restart this server asks "
        + "the others for it.")]
    private partial void LogConfigFailed(string reason, Exception exception);
}
