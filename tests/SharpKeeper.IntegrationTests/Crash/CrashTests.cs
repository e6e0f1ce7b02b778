using System.Globalization;
using SharpKeeper.CliTests;
using SharpKeeper.Protocol;
using SharpKeeper.ServerTests;

namespace SharpKeeper.CrashTests;

/// <summary>
/// The real program under load, killed with SIGKILL at random moments and started again on the same directory.
/// SHARPKEEPER_TEST_SCALE multiplies the number of kills, up to ten times.
/// </summary>
public sealed class CrashTests : IDisposable
{
    private const int KillsMin = 50;
    private const int Sessions = 4;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly SharpKeeperProcess program = new();
    private readonly LoadSession[] sessions;
    private readonly Random random;
    private long baseNodes;

    public CrashTests()
    {
        Seed = TestScale.Seed(20261);
        random = new Random(Seed);
        sessions = [.. Enumerable.Range(0, Sessions).Select(i => new LoadSession(i, new Random(Seed + i + 1)))];
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private int Seed { get; }

    public void Dispose() => program.Dispose();

    [Fact]
    public async Task Server_killed_under_load_keeps_what_it_acknowledged_and_nothing_by_halves()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGKILL");
        int kills = TestScale.Of(KillsMin, factorMax: 10);
        for (int kill = 0; kill < kills; kill++)
        {
            using ServerProcess server = ServerProcess.Start(program);
            try
            {
                await RoundAsync(server, isFirst: kill == 0);
            }
            catch (Exception exception)
            {
                string message = $"Kill {kill} of seed {Seed}: {exception.Message}\nThe server said:\n{server.Output}";
                throw new InvalidOperationException(message, exception);
            }
        }
        using ServerProcess last = ServerProcess.Start(program);
        Verify(await last.Port.WaitAsync(Patience, Stop));
        Assert.True(sessions.Sum(session => session.Acknowledged) > kills * 100L, "there was hardly any load");
    }

    private async Task RoundAsync(ServerProcess server, bool isFirst)
    {
        // Some are killed while they recover, some as soon as they serve.
        int kind = isFirst ? 0 : random.Next(10);
        if (kind == 9)
        {
            await server.FirstLine.WaitAsync(Patience, Stop);
            server.Kill();
            return;
        }
        int port = await server.Port.WaitAsync(Patience, Stop);
        if (kind == 8)
        {
            server.Kill();
            return;
        }
        if (isFirst)
            Begin(port);
        else
            Verify(port);
        Load(server, acknowledgements: random.Next(1, 4000));
    }

    private void Begin(int port)
    {
        baseNodes = long.Parse(Words.Line(port, "srvr", "Node count"), CultureInfo.InvariantCulture);
        foreach (LoadSession session in sessions)
            session.Begin(port);
    }

    /// <summary>Has all sessions write and kills the server when so many writes were acknowledged.</summary>
    private void Load(ServerProcess server, int acknowledgements)
    {
        int left = acknowledgements;
        using var due = new ManualResetEventSlim();
        Exception? failure = null;
        Thread[] threads = [.. sessions.Select(session => new Thread(() =>
        {
            try
            {
                session.Run(() =>
                {
                    if (Interlocked.Decrement(ref left) == 0)
                        due.Set();
                });
            }
            catch (Exception exception)
            {
                failure = exception;
                due.Set();
            }
        }))];
        foreach (Thread thread in threads)
            thread.Start();
        // All sessions may have closed before; then the time is up as well.
        var watcher = new Thread(() =>
        {
            foreach (Thread thread in threads)
                thread.Join();
            due.Set();
        });
        watcher.Start();
        bool isDue = due.Wait(Patience, Stop);
        server.Kill();
        watcher.Join();
        if (failure is not null)
            throw new InvalidOperationException(failure.Message, failure);
        Assert.True(isDue, "the server stopped answering");
    }

    private void Verify(int port)
    {
        using RawClient reader = RawClient.Connect(port);
        long seen = sessions.Max(session => session.LastZxid);
        Assert.True(
            reader.Call(OpCode.Ping, Xids.Ping).Zxid >= seen, $"the server forgot transactions before {seen:x}");
        foreach (LoadSession session in sessions)
            session.Recover(port, ReadBack(reader, session.Root));
        AssertCounts(port);
        reader.Call(OpCode.CloseSession, 0);
    }

    private static SubtreeState ReadBack(RawClient reader, string root)
    {
        var state = new SubtreeState();
        RawReply list = reader.Call(OpCode.GetChildren2, 1, Bodies.Watched(root));
        Assert.Equal(ErrorCode.Ok, list.Error);
        string[] names = list.Names();
        Assert.Equal(list.Stat().NumChildren, names.Length);
        state.SetCreates(list.Stat());
        foreach (string name in names)
            reader.Put(OpCode.GetData, 2, Bodies.Watched($"{root}/{name}"));
        reader.Flush();
        foreach (string name in names)
        {
            RawReply reply = reader.ReadReply(2);
            Assert.Equal(ErrorCode.Ok, reply.Error);
            Stat stat = reply.Stat();
            string data = reply.Text();
            Assert.Equal(data.Length, stat.DataLength);
            Assert.Equal(0, stat.NumChildren);
            Assert.True(stat.Czxid <= stat.Mzxid);
            state.Add(name, new NodeState(data, stat.Version, stat.Mzxid, stat.EphemeralOwner != 0));
        }
        return state;
    }

    private void AssertCounts(int port)
    {
        string figures = Words.Ask(port, "mntr");
        Assert.Equal(
            baseNodes + sessions.Sum(session => 1 + session.State.Nodes.Count),
            Words.FigureOf(figures, "zk_znode_count"));
        Assert.Equal(
            sessions.Sum(session => session.State.Nodes.Values.Count(node => node.IsEphemeral)),
            Words.FigureOf(figures, "zk_ephemerals_count"));
        Assert.Equal(0, Words.FigureOf(figures, "zk_digest_mismatches_count"));
    }
}
