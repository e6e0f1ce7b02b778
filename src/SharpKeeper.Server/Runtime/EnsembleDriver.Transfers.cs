using SharpKeeper.Core;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Tree;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;
using SharpKeeper.Server.Peers;

namespace SharpKeeper.Server.Runtime;

internal sealed partial class EnsembleDriver
{
    // Small enough that a write waits well under a millisecond for a slice.
    private const int SliceBytes = 64 * 1024;

    private readonly Lock transfersLock = new();
    private readonly Lock slotLock = new();
    private readonly HashSet<Task> transfers = [];

    /// <summary>Sends the tree as it is from now on, in slices between which it may change.</summary>
    private void SendSnapshot(PeerLink link)
    {
        QuorumConnection connection = BeginTransfer(link);
        DataTree tree = runtime.Replica.Tree;
        driver.Trees.Hold(tree);
        var writer = new SnapshotStreamWriter(tree, runtime.Replica.CommittedSessions.ToArray());
        RunTransfer(connection, () =>
        {
            try
            {
                return SendSlices(connection, writer);
            }
            finally
            {
                WithTree(writer.Dispose);
                driver.Trees.Release(tree);
            }
        });
    }

    private bool SendSlices(QuorumConnection connection, SnapshotStreamWriter writer)
    {
        using var slice = new JuteBuffer();
        bool more = true;
        while (more)
        {
            WithTree(() => more = writer.WriteSlice(slice, SliceBytes));
            if (!connection.Transfer(slice.WrittenSpan))
                return false;
            slice.Clear();
        }
        return true;
    }

    private void QueryLog(PeerLink link, Zxid after) =>
        RunTransfer((QuorumConnection)link.Owner!, () =>
        {
            LogPosition position = BulkWork.RunSoon(() => LogQuery.Find(device, after, settings.SnapshotSizeFactor));
            driver.PostLogQueried(link, position);
            return false;
        });

    private void SendLog(PeerLink link, Zxid after, Zxid upTo)
    {
        QuorumConnection connection = BeginTransfer(link);
        RunTransfer(connection, () => BulkWork.RunSoon(() =>
        {
            using var range = new LogRange(device, after, upTo);
            return SendRange(connection, range);
        }));
    }

    private static bool SendRange(QuorumConnection connection, LogRange range)
    {
        using var slice = new JuteBuffer();
        bool more = true;
        while (more)
        {
            more = range.WriteSlice(slice, SliceBytes);
            if (!connection.Transfer(slice.WrittenSpan))
                return false;
            slice.Clear();
        }
        return true;
    }

    /// <summary>Sends the link's output so far; what comes after it waits for the transfer.</summary>
    private static QuorumConnection BeginTransfer(PeerLink link)
    {
        var connection = (QuorumConnection)link.Owner!;
        link.IsTransferring = false;
        connection.Flush();
        link.IsTransferring = true;
        return connection;
    }

    /// <summary>Runs something on a thread of its own; if it gives true, the transfer is done.</summary>
    private void RunTransfer(QuorumConnection connection, Func<bool> transfer)
    {
        Task task = new(() => Transfer(connection, transfer), TaskCreationOptions.LongRunning);
        lock (transfersLock)
        {
            transfers.RemoveWhere(static it => it.IsCompleted);
            transfers.Add(task);
        }
        task.Start(TaskScheduler.Default);
    }

    private void Transfer(QuorumConnection connection, Func<bool> transfer)
    {
        try
        {
            if (transfer())
                driver.PostTransferDone(connection.Link);
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or CorruptDataException)
        {
            connection.Close($"what it lacks cannot be read: {exception.Message}");
        }
        catch (Exception exception)
        {
            fatal(exception);
        }
    }

    /// <summary>Does something with the tree while nobody changes it.</summary>
    private void WithTree(Action action)
    {
        // All transfers share one reader slot of the gate.
        lock (slotLock)
        {
            runtime.Gate.EnterShared(runtime.TransferSlot);
            try
            {
                action();
            }
            finally
            {
                runtime.Gate.ExitShared(runtime.TransferSlot);
            }
        }
    }

    private Task[] TakeTransfers()
    {
        lock (transfersLock)
            return [.. transfers];
    }
}
