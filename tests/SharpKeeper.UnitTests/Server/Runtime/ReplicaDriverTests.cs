using Microsoft.Extensions.Logging.Abstractions;
using SharpKeeper.Core;
using SharpKeeper.ReplicaTests;
using SharpKeeper.Server;
using SharpKeeper.Server.Metrics;
using SharpKeeper.Server.Runtime;

namespace SharpKeeper.ServerTests;

public sealed class ReplicaDriverTests
{
    private const int Threads = 8;
    private const int PostsPerThread = 50_000;

    [Fact]
    public void Post_by_many_threads_runs_each_work_once_and_never_two_at_a_time()
    {
        using var harness = new ReplicaHarness();
        Exception? failure = null;
        var driver = new ReplicaDriver(
            harness.Replica, new AccessGate(1), new ServerMetrics(), TimeProvider.System, NullLogger.Instance,
            exception => failure = exception);
        int inside = 0;
        int overlaps = 0;
        int done = 0;
        void Work(Replica _)
        {
            if (Interlocked.Exchange(ref inside, 1) != 0)
                overlaps++;
            done++;
            Volatile.Write(ref inside, 0);
        }
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(_ => new Thread(() =>
        {
            for (int i = 0; i < PostsPerThread; i++)
                driver.Post(Work);
        }))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();

        Assert.Null(failure);
        Assert.Equal((0, Threads * PostsPerThread), (overlaps, done));
    }
}
