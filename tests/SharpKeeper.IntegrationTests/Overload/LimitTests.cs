using SharpKeeper.Protocol;
using SharpKeeper.Server;
using SharpKeeper.ServerTests;

namespace SharpKeeper.OverloadTests;

/// <summary>The settings that hold clients back, each at its limit.</summary>
public sealed class LimitTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Connection_over_the_limit_is_refused_until_another_goes(bool perAddress)
    {
        const int limit = 5;
        await using LiveServer server = await LiveServer.StartAsync(options => options with
        {
            ConnectionsPerAddressMax = perAddress ? limit : 0,
            ConnectionsMax = perAddress ? 0 : limit,
        });
        RawClient[] admitted = [.. Enumerable.Range(0, limit).Select(_ => server.Connect())];
        using RawClient refused = RawClient.Open(server.Port);
        Assert.Equal(0, refused.ReadToEnd());
        Assert.Equal(ErrorCode.Ok, admitted[^1].Call(OpCode.Ping, Xids.Ping).Error);
        admitted[0].Dispose();
        LiveServer.Until(() => server.Inspect(runtime => runtime.Admission.Total) == limit - 1, "it has gone");
        admitted[0] = server.Connect();
        Assert.Equal(1, server.Host.Runtime.Metrics.ConnectionsRejected.Value);
        foreach (RawClient client in admitted)
            client.Dispose();
    }

    [Fact]
    public async Task Connection_that_never_asks_for_a_session_is_closed()
    {
        await using LiveServer server = await LiveServer.StartAsync(
            options => options with { SessionlessConnectionTimeout = TimeSpan.FromMilliseconds(200) });
        using RawClient session = server.Connect();
        using RawClient silent = RawClient.Open(server.Port);
        using RawClient half = RawClient.Open(server.Port);
        half.SendRaw([0, 0, 0]);
        Assert.Equal(0, silent.ReadToEnd());
        Assert.Equal(0, half.ReadToEnd());
        server.AssertServes(session);
    }

    [Fact]
    public async Task Clients_wait_while_more_is_outstanding_than_the_server_may_have()
    {
        const int clients = 4;
        const int writes = 300;
        var files = new TroubledLogFiles();
        await using LiveServer server = await LiveServer.StartOnDiskAsync(
            options => options with { OutstandingRequestsMax = 10 }, files);
        using RawClient bystander = server.Connect();
        RawClient[] busy = [.. Enumerable.Range(0, clients).Select(_ => server.Connect())];
        for (int i = 0; i < clients; i++)
            busy[i].Call(OpCode.Create, 1, Bodies.Create($"/c{i}", ""));
        files.Hang();
        try
        {
            Task[] sending = [.. busy.Select((client, i) => Task.Factory.StartNew(
                () => SendWrites(client, $"/c{i}", writes), TaskCreationOptions.LongRunning))];
            foreach (RawClient client in busy)
            {
                LiveServer.Until(
                    () => server.Inspect(client.SessionId, connection => connection.WaitsForReplica), "reading stops");
                Assert.InRange(server.Inspect(client.SessionId, Unanswered), 1, writes / 2);
            }
            // Reads of who has nothing outstanding go on.
            Assert.Equal(ErrorCode.Ok, bystander.Call(OpCode.Exists, 1, Bodies.Watched("/c0")).Error);
            files.GoOn();
            await Task.WhenAll(sending);
        }
        finally
        {
            files.GoOn();
        }
        foreach (RawClient client in busy)
        {
            for (int j = 0; j < writes; j++)
                Assert.Equal(j + 1, client.ReadReply(100 + j).Stat().Version);
            client.Dispose();
        }
    }

    [Fact]
    public async Task Request_throttle_holds_requests_until_those_in_process_are_done()
    {
        var files = new TroubledLogFiles();
        await using LiveServer server = await LiveServer.StartOnDiskAsync(
            options => options with { RequestThrottle = new RequestThrottleOptions { RequestsMax = 1 } }, files);
        using RawClient writer = server.Connect();
        using RawClient held = server.Connect();
        files.Hang();
        try
        {
            PutOutstanding(server, writer);
            held.Put(OpCode.Exists, 1, Bodies.Watched("/a"));
            held.Flush();
            LiveServer.Until(() => server.Host.Runtime.Metrics.RequestThrottleWaits.Value == 1, "the read is held");
        }
        finally
        {
            files.GoOn();
        }
        Assert.Equal(ErrorCode.Ok, held.ReadReply(1).Error);
        Assert.Equal(ErrorCode.Ok, writer.ReadReply(1).Error);
    }

    [Fact]
    public async Task Request_held_for_too_long_is_answered_with_throttled()
    {
        var files = new TroubledLogFiles();
        await using LiveServer server = await LiveServer.StartOnDiskAsync(
            options => options with
            {
                RequestThrottle = new RequestThrottleOptions { RequestsMax = 1 },
                ThrottledOpWait = TimeSpan.FromMilliseconds(1),
            },
            files);
        using RawClient writer = server.Connect();
        using RawClient held = server.Connect();
        files.Hang();
        try
        {
            PutOutstanding(server, writer);
            Assert.Equal(ErrorCode.Ok, held.Call(OpCode.Ping, Xids.Ping).Error);
            Assert.Equal(ErrorCode.ThrottledOp, held.Call(OpCode.Exists, 1, Bodies.Watched("/a")).Error);
        }
        finally
        {
            files.GoOn();
        }
        Assert.Equal(ErrorCode.Ok, writer.ReadReply(1).Error);
        Assert.Equal(ErrorCode.Ok, held.Call(OpCode.Exists, 2, Bodies.Watched("/a")).Error);
    }

    [Fact]
    public async Task Connection_throttle_turns_sessions_away_when_its_tokens_are_used_up()
    {
        await using LiveServer server = await LiveServer.StartAsync(options => options with
        {
            ConnectionThrottle = new ConnectionThrottleOptions { Tokens = 2, FillTime = TimeSpan.FromHours(1) },
        });
        using RawClient first = server.Connect();
        using RawClient second = server.Connect();
        using RawClient third = RawClient.Open(server.Port);
        Assert.False(third.Handshake());
        server.AssertServes(first);
        server.AssertServes(second);
    }

    [Fact]
    public async Task Enforced_authentication_refuses_everything_before_it_and_nothing_after()
    {
        await using LiveServer server = await LiveServer.StartAsync(
            options => options with { EnforceAuthEnabled = true, EnforceAuthSchemes = ["digest"] });
        using RawClient stranger = server.Connect();
        Assert.Equal(
            ErrorCode.SessionClosedRequireAuth, stranger.Call(OpCode.Exists, 1, Bodies.Watched("/")).Error);
        Assert.Equal(0, stranger.ReadToEnd());
        using RawClient friend = server.Connect();
        Assert.Equal(ErrorCode.Ok, friend.Call(OpCode.Auth, Xids.Auth, Bodies.Auth("digest", "user:secret")).Error);
        Assert.Equal(ErrorCode.Ok, friend.Call(OpCode.Create, 1, Bodies.Create("/a", "")).Error);
        server.AssertServes(friend);
    }

    [Fact]
    public async Task Large_requests_beyond_what_they_may_take_together_end_the_connection()
    {
        var files = new TroubledLogFiles();
        await using LiveServer server = await LiveServer.StartOnDiskAsync(
            options => options with { LargeRequestThresholdBytes = 10_000, LargeRequestBytesMax = 50_000 }, files);
        using RawClient bystander = server.Connect();
        using RawClient client = server.Connect();
        client.Call(OpCode.Create, 1, Bodies.Create("/a", ""));
        files.Hang();
        try
        {
            for (int i = 0; i < 3; i++)
                client.Put(OpCode.SetData, 2, Bodies.Set("/a", new byte[20_000]));
            client.Flush();
            Assert.Equal(0, client.ReadToEnd());
        }
        finally
        {
            files.GoOn();
        }
        server.AssertServes(bystander);
        Assert.Equal(ErrorCode.Ok, bystander.Call(OpCode.SetData, 3, Bodies.Set("/a", new byte[20_000])).Error);
    }

    /// <summary>Sends a write that stays in process while the disk hangs, and waits until the server knows.</summary>
    private static void PutOutstanding(LiveServer server, RawClient writer)
    {
        writer.Put(OpCode.Create, 1, Bodies.Create("/a", ""));
        writer.Flush();
        LiveServer.Until(
            () => server.Inspect(runtime => runtime.Replica.OutstandingTxns) == 1 && server.Host.Runtime.HoldsRequests,
            "requests are held");
    }

    private static void SendWrites(RawClient client, string path, int count)
    {
        for (int j = 0; j < count; j++)
            client.Put(OpCode.SetData, 100 + j, Bodies.Set(path, new byte[10_000], j));
        client.Flush();
    }

    private static long Unanswered(Server.Runtime.ClientConnection connection) =>
        connection.Link.Posted - connection.Link.Answered;
}
