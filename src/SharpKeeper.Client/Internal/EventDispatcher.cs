using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace SharpKeeper.Client.Internal;

/// <summary>
/// Runs the user's callbacks one after the other, off the receive loop, so that a callback may await the client that
/// called it. Its queue is as long as the user lets it grow by blocking in a callback: dropping an event would be
/// worse.
/// </summary>
internal sealed class EventDispatcher
{
    private readonly Channel<Work> queue =
        Channel.CreateUnbounded<Work>(new UnboundedChannelOptions { SingleReader = true });

    private readonly ILogger logger;

    public EventDispatcher(ILogger logger)
    {
        this.logger = logger;
        Completion = Task.Run(RunAsync);
    }

    /// <summary>Ends when the queue was completed and is empty.</summary>
    public Task Completion { get; }

    public void Enqueue(Action<WatchedEvent> call, in WatchedEvent watched) =>
        queue.Writer.TryWrite(new Work(call, null, null, watched));

    public void Enqueue(Func<WatchedEvent, Task> call, in WatchedEvent watched) =>
        queue.Writer.TryWrite(new Work(null, call, null, watched));

    public void Enqueue(Action<KeeperState> call, KeeperState state) =>
        queue.Writer.TryWrite(new Work(null, null, call, WatchedEvent.ForState(state)));

    /// <summary>No more callbacks will come; those queued still run.</summary>
    public void Complete() => queue.Writer.TryComplete();

    private async Task RunAsync()
    {
        while (await queue.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            while (queue.Reader.TryRead(out Work work))
                await InvokeAsync(work).ConfigureAwait(false);
        }
    }

    private async Task InvokeAsync(Work work)
    {
        try
        {
            work.Call?.Invoke(work.Watched);
            work.CallState?.Invoke(work.Watched.State);
            if (work.CallAsync is { } callAsync)
                await callAsync(work.Watched).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            ClientLog.CallbackFailed(logger, work.Watched, e);
        }
    }

    private readonly record struct Work(
        Action<WatchedEvent>? Call, Func<WatchedEvent, Task>? CallAsync, Action<KeeperState>? CallState,
        WatchedEvent Watched);
}
