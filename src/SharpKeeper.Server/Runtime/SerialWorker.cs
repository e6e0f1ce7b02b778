using System.Collections.Concurrent;

namespace SharpKeeper.Server.Runtime;

/// <summary>A thread that does one thing after the other, in the order given.</summary>
internal sealed class SerialWorker : IDisposable
{
    private readonly BlockingCollection<Action> queue = [];
    private readonly Action<Exception> failed;
    private readonly Thread thread;

    /// <summary>Starts the thread; an action that throws ends it, and <paramref name="failed"/> is told.</summary>
    public SerialWorker(string name, Action<Exception> failed)
    {
        this.failed = failed;
        thread = new Thread(Run) { IsBackground = true, Name = name };
        thread.Start();
    }

    /// <summary>Adds an action; any thread, never waits. Ignored once the worker stops.</summary>
    public void Post(Action action)
    {
        try
        {
            queue.Add(action);
        }
        catch (InvalidOperationException)
        {
            // The server stops.
        }
    }

    /// <summary>Does what was added before, and ends the thread.</summary>
    public void Dispose()
    {
        queue.CompleteAdding();
        thread.Join();
    }

    private void Run()
    {
        try
        {
            foreach (Action action in queue.GetConsumingEnumerable())
                action();
        }
        catch (Exception exception)
        {
            failed(exception);
        }
    }
}
