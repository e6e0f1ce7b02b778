using System.Runtime.CompilerServices;
using SharpKeeper.Client.Internal;
using SharpKeeper.Protocol;

namespace SharpKeeper.Client;

/// <content>Lasting watches, and removing watches.</content>
public sealed partial class KeeperClient
{
    /// <inheritdoc/>
    public async ValueTask AddWatchAsync(
        string path, AddWatchMode mode, Watch? watch = null, CancellationToken cancellation = default)
    {
        ZnodePath.Validate(path);
        WatchKind kind = KindOf(mode);
        session.Watches.BeginAdd(path, kind);
        try
        {
            PendingRequest<bool> request = Rent(Replies.None, path, watch ?? Watch.Default, kind);
            await session.SendAsync(OpCode.AddWatch, new PathInt32Body(path, (int)mode), request, cancellation)
                .ConfigureAwait(false);
        }
        finally
        {
            session.Watches.EndAdd(path, kind);
        }
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<WatchedEvent> WatchAsync(
        string path, AddWatchMode mode = AddWatchMode.Persistent, CancellationToken cancellation = default)
    {
        ZnodePath.Validate(path);
        KindOf(mode);
        return StreamAsync(path, mode, cancellation);
    }

    /// <inheritdoc/>
    public async ValueTask<bool> CheckWatchesAsync(
        string path, WatcherType type, CancellationToken cancellation = default)
    {
        ZnodePath.Validate(path);
        // A tolerated error gives the default result, false.
        return await session.SendAsync(OpCode.CheckWatches, new PathInt32Body(path, (int)type),
            Rent(Replies.None, path, ErrorCode.NoWatcher), cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask RemoveWatchesAsync(
        string path, WatcherType type, bool local = false, CancellationToken cancellation = default)
    {
        ZnodePath.Validate(path);
        if (!session.Watches.Contains(path, type))
            throw KeeperException.For(ErrorCode.NoWatcher, path);
        long before = session.LastZxid.Value;
        bool tookAll = false;
        if (!local || State.IsConnected())
        {
            try
            {
                tookAll = await RemoveAtServerAsync(path, type, cancellation).ConfigureAwait(false);
            }
            catch (KeeperException e) when (local)
            {
                ClientLog.WatchNotRemoved(session.Logger, path, e.Code);
            }
        }
        foreach (WatchEventType removed in session.Watches.RemoveAll(path, type, State, session.Dispatcher))
            session.RaiseWatchFired(new WatchedEvent(removed, State, path, WatchedEvent.NoZxid));
        // Servers before 3.9 remove lasting watches together with the one-shot ones of the path.
        if (tookAll || session.Watches.Contains(path, WatcherType.Persistent)
            || session.Watches.Contains(path, WatcherType.PersistentRecursive))
        {
            session.SetWatchesAgain(path, before);
        }
    }

    private static WatchKind KindOf(AddWatchMode mode) => mode switch
    {
        AddWatchMode.Persistent => WatchKind.Persistent,
        AddWatchMode.PersistentRecursive => WatchKind.PersistentRecursive,
        _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "There is no such watch mode."),
    };

    private async IAsyncEnumerable<WatchedEvent> StreamAsync(
        string path, AddWatchMode mode, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var stream = new WatchStream(session.WatchStreamEventsMax, () => session.State);
        Task adding = AddStreamAsync(path, mode, stream);
        try
        {
            await adding.WaitAsync(cancellation).ConfigureAwait(false);
            await foreach (WatchedEvent watched in stream.Events.ReadAllAsync(cancellation).ConfigureAwait(false))
                yield return watched;
        }
        finally
        {
            stream.Abandon();
            _ = RemoveStreamAsync(path, mode, stream, adding);
        }
    }

    /// <summary>A connection lost meanwhile is no reason to give up: the watch is asked for again.</summary>
    private async Task AddStreamAsync(string path, AddWatchMode mode, WatchStream stream)
    {
        while (true)
        {
            try
            {
                await AddWatchAsync(path, mode, stream, CancellationToken.None).ConfigureAwait(false);
                return;
            }
            catch (ConnectionLossException) when (!stream.IsAbandoned)
            {
                // The next attempt waits for the next connection.
            }
        }
    }

    /// <summary>An enumeration can end before its watch is set, which cannot be called back.</summary>
    private async Task RemoveStreamAsync(string path, AddWatchMode mode, WatchStream stream, Task adding)
    {
        try
        {
            await adding.ConfigureAwait(false);
        }
        catch (KeeperException)
        {
            // The enumeration has reported it, unless it had ended before.
            return;
        }
        session.Watches.Remove(path, KindOf(mode), stream, () => _ = RemoveStreamAsync(path, mode));
    }

    private async Task RemoveStreamAsync(string path, AddWatchMode mode)
    {
        if (!State.IsConnected())
            return;
        try
        {
            WatcherType type = mode == AddWatchMode.Persistent
                ? WatcherType.Persistent : WatcherType.PersistentRecursive;
            long before = session.LastZxid.Value;
            if (await RemoveAtServerAsync(path, type, CancellationToken.None).ConfigureAwait(false))
                session.SetWatchesAgain(path, before);
        }
        catch (KeeperException e)
        {
            // The connection is gone and its watches with it, or the server held none.
            ClientLog.WatchNotRemoved(session.Logger, path, e.Code);
        }
    }

    /// <summary>
    /// Servers before 3.9 do not know the types of lasting watches: there everything on the path goes, and true says
    /// that what should have stayed has to be set again.
    /// </summary>
    private async Task<bool> RemoveAtServerAsync(string path, WatcherType type, CancellationToken cancellation)
    {
        try
        {
            await session.SendAsync(OpCode.RemoveWatches, new PathInt32Body(path, (int)type),
                Rent(Replies.None, path), cancellation).ConfigureAwait(false);
            return false;
        }
        catch (KeeperException e) when (
            e.Code == ErrorCode.MarshallingError && type is (WatcherType.Persistent or WatcherType.PersistentRecursive))
        {
            await session.SendAsync(OpCode.RemoveWatches, new PathInt32Body(path, (int)WatcherType.Any),
                Rent(Replies.None, path, ErrorCode.NoWatcher), cancellation).ConfigureAwait(false);
            return true;
        }
    }
}
