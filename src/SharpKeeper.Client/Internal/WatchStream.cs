using System.Threading.Channels;
using SharpKeeper.Protocol;

namespace SharpKeeper.Client.Internal;

/// <summary>
/// The queue behind an enumeration of watch events. It never blocks the receive loop: when a slow reader lets it fill,
/// it forgets what it holds and reports a session event, after which the reader has to look at everything again.
/// </summary>
internal sealed class WatchStream(int eventsMax, Func<KeeperState> currentState) : Watch
{
    private readonly Channel<WatchedEvent> queue = Channel.CreateBounded<WatchedEvent>(
        new BoundedChannelOptions(eventsMax) { FullMode = BoundedChannelFullMode.Wait });

    private bool ended;

    public ChannelReader<WatchedEvent> Events => queue.Reader;

    /// <summary>Has the enumeration ended?</summary>
    public bool IsAbandoned { get; private set; }

    /// <summary>The enumeration has ended, and the watch is to go.</summary>
    public void Abandon() => IsAbandoned = true;

    /// <summary>From here on nothing is missed: says so to the reader, who can read what there is.</summary>
    public void OnRegistered() => Add(WatchedEvent.ForState(currentState()));

    internal override void Fire(in WatchedEvent watched, EventDispatcher dispatcher)
    {
        Add(watched);
        if (watched.Type == WatchEventType.PersistentWatchRemoved)
            End(null);
    }

    internal override void OnState(in WatchedEvent watched, EventDispatcher dispatcher)
    {
        Add(watched);
        if (watched.State == KeeperState.Closed)
            End(null);
        else if (watched.State == KeeperState.Expired)
            End(KeeperException.For(ErrorCode.SessionExpired));
        else if (watched.State == KeeperState.AuthFailed)
            End(KeeperException.For(ErrorCode.AuthFailed));
    }

    private void End(Exception? error)
    {
        ended = true;
        queue.Writer.TryComplete(error);
    }

    private void Add(in WatchedEvent watched)
    {
        if (ended || queue.Writer.TryWrite(watched))
            return;
        while (queue.Reader.TryRead(out _))
        {
            // What is thrown away here is covered by the session event below.
        }
        queue.Writer.TryWrite(WatchedEvent.ForState(currentState()));
    }
}
