using System.Net.Sockets;
using System.Runtime.InteropServices;
using SharpKeeper.CliTests;
using SharpKeeper.CrashTests;
using SharpKeeper.Protocol;
using SharpKeeper.ServerTests;

namespace SharpKeeper.OverloadTests;

/// <summary>Thousands of clients at once, against the real program: each side has its own descriptors.</summary>
public sealed partial class ConnectionStormTests : IDisposable
{
    private const int ConnectionsWanted = 10_000;
    private const int DescriptorsKept = 1000;
    private const int LimitDescriptors = 7;

    private readonly SharpKeeperProcess program = new();
    private readonly List<RawClient> crowd = [];

    public void Dispose()
    {
        // Reset, not closed: ports that wait for their time would be missing elsewhere.
        foreach (RawClient client in crowd)
        {
            client.Socket.LingerState = new LingerOption(true, 0);
            client.Dispose();
        }
        program.Dispose();
    }

    [Fact]
    public async Task Storm_of_connections_gets_sessions_while_others_are_served()
    {
        using ServerProcess server = ServerProcess.Start(program);
        int port = await server.Port.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        int connections = Math.Min(ConnectionsWanted, DescriptorLimit() - DescriptorsKept);
        using var over = new CancellationTokenSource();
        Task<int> worker = Task.Factory.StartNew(
            () => WorkUntil(port, over.Token), TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning,
            TaskScheduler.Default);

        for (int i = 0; i < connections; i++)
            crowd.Add(RawClient.Open(port));
        foreach (RawClient client in crowd)
        {
            client.PutHandshake(60_000);
            client.Put(OpCode.Exists, 1, Bodies.Watched("/", isWatched: true));
            client.Flush();
        }
        foreach (RawClient client in crowd)
        {
            Assert.True(client.ReadHandshake());
            Assert.Equal(ErrorCode.Ok, client.ReadReply(1).Error);
        }
        Assert.Equal(connections, crowd.Select(client => client.SessionId).Distinct().Count());
        Assert.InRange(Words.Figure(port, "zk_num_alive_connections"), connections, connections + 2);

        await over.CancelAsync();
        Assert.InRange(await worker, 1, int.MaxValue);
        Assert.Equal(ErrorCode.Ok, crowd[^1].Call(OpCode.Ping, Xids.Ping).Error);
        foreach (RawClient client in crowd)
            client.Socket.Shutdown(SocketShutdown.Send);
        LiveServer.Until(
            () => Words.Figure(port, "zk_num_alive_connections") < 10, "the server closes what its clients closed");
    }

    /// <summary>Writes and reads one znode again and again; every answer must be right.</summary>
    private static int WorkUntil(int port, CancellationToken over)
    {
        using RawClient client = RawClient.Connect(port);
        client.Call(OpCode.Create, 1, Bodies.Create("/work", ""));
        int version = 0;
        while (!over.IsCancellationRequested || version == 0)
        {
            Assert.Equal(++version, client.Call(OpCode.SetData, 2, Bodies.Set("/work", $"{version}")).Stat().Version);
            Assert.Equal($"{version}", client.Call(OpCode.GetData, 3, Bodies.Watched("/work")).Text());
        }
        return version;
    }

    private static unsafe int DescriptorLimit()
    {
        if (!OperatingSystem.IsLinux())
            return DescriptorsKept + 1000;
        nuint* limits = stackalloc nuint[2];
        return GetLimit(LimitDescriptors, limits) == 0 ? (int)Math.Min(limits[0], 1 << 20) : DescriptorsKept + 1000;
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static unsafe partial int GetLimit(int resource, nuint* limits);
}
