using SharpKeeper.Client.Internal;
using SharpKeeper.Protocol;

namespace SharpKeeper.Client;

/// <summary>
/// What to do when a watch set by a read operation fires. A watch that is set by several operations on one path fires
/// once. It survives lost connections: the client sets it again, and a change that happened in between fires it. If the
/// session ends first it fires with an event of type <see cref="WatchEventType.None"/> whose state tells why.
/// </summary>
public abstract class Watch
{
    /// <summary>
    /// Nothing but <see cref="IKeeperClient.WatchFired"/>, which reports every event of the client.
    /// </summary>
    public static Watch Default { get; } = new DefaultWatch();

    /// <summary>
    /// Calls back. Callbacks of a client run one after the other, in the order of the events, on the thread pool; they
    /// may await calls of the same client. An exception is logged and goes no further.
    /// </summary>
    public static Watch Call(Action<WatchedEvent> callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return new CallbackWatch(callback, null);
    }

    /// <inheritdoc cref="Call(Action{WatchedEvent})"/>
    /// <remarks>The next callback starts when the returned task has ended.</remarks>
    public static Watch Call(Func<WatchedEvent, Task> callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return new CallbackWatch(null, callback);
    }

    /// <summary>A watch with a task that completes with the event.</summary>
    public static WatchOnce Once() => new();

    private protected Watch()
    {
    }

    /// <summary>Must return at once and run no code of the user: the receive loop calls it.</summary>
    internal abstract void Fire(in WatchedEvent watched, EventDispatcher dispatcher);

    /// <summary>Reports the loss or the return of the connection; one-shot watches hear of final states only.</summary>
    internal virtual void OnState(in WatchedEvent watched, EventDispatcher dispatcher)
    {
        if (watched.State.IsFinal())
            Fire(watched, dispatcher);
    }

    private sealed class DefaultWatch : Watch
    {
        internal override void Fire(in WatchedEvent watched, EventDispatcher dispatcher)
        {
            // The session raises WatchFired for every event, watched by whom it may be.
        }
    }

    private sealed class CallbackWatch(Action<WatchedEvent>? call, Func<WatchedEvent, Task>? callAsync) : Watch
    {
        internal override void Fire(in WatchedEvent watched, EventDispatcher dispatcher)
        {
            if (call is not null)
                dispatcher.Enqueue(call, watched);
            else
                dispatcher.Enqueue(callAsync!, watched);
        }
    }
}

/// <summary>A watch with a task that completes with the first event.</summary>
public sealed class WatchOnce : Watch
{
    private readonly TaskCompletionSource<WatchedEvent> fired = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>
    /// Completes when the watch fires, which is before any reply that shows the change, or when the session ends.
    /// </summary>
    public Task<WatchedEvent> Fired => fired.Task;

    internal override void Fire(in WatchedEvent watched, EventDispatcher dispatcher) => fired.TrySetResult(watched);
}

/// <summary>What was read, and the task that says when it is no longer true.</summary>
/// <typeparam name="T">The result of the read.</typeparam>
/// <param name="Value">What was read.</param>
/// <param name="Changed">Completes with the first change after the read, or when the session ends.</param>
public readonly record struct Watched<T>(T Value, Task<WatchedEvent> Changed);
