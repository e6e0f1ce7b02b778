using SharpKeeper.Client;
using SharpKeeper.Protocol;

namespace SharpKeeper.UnitTests.Client;

public class ClientSessionTests : SessionHarness
{
    [Fact]
    public async Task Connect_for_the_first_time_asks_for_a_new_session()
    {
        KeeperClient client = Start(options => options with { SessionTimeout = TimeSpan.FromSeconds(12) });
        Assert.Equal(KeeperState.Connecting, client.State);
        FakeServer server = await Transport.AcceptAsync(Cancellation);

        ConnectRequest request = await server.AcceptSessionAsync(Cancellation, timeoutMs: 9000);
        await client.WaitForStateAsync(KeeperState.Connected, Cancellation);

        Assert.Equal((0, 0L, 12_000, 0L, false), (request.ProtocolVersion, request.LastZxidSeen, request.TimeoutMs,
            request.SessionId, request.ReadOnly!.Value));
        Assert.Equal(16, request.Password.Length);
        Assert.Equal(TimeSpan.FromSeconds(9), client.SessionTimeout);
        Assert.Equal(new SessionId(FakeServer.SessionId), client.Session.Id);
        Assert.Equal(server.Endpoint.ToString(), client.ConnectedServer);
    }

    [Fact]
    public async Task Connect_with_a_session_of_another_client_resumes_it()
    {
        Start(options => options with { Session = new KeeperSession(new SessionId(77), FakeServer.Password) });
        FakeServer server = await Transport.AcceptAsync(Cancellation);

        ConnectRequest request = await server.AcceptSessionAsync(Cancellation);

        Assert.Equal(77, request.SessionId);
        Assert.Equal(FakeServer.Password, request.Password);
    }

    [Fact]
    public async Task Connect_when_a_server_refuses_tries_the_next()
    {
        KeeperClient client = Start();
        FakeTransport.Attempt first = await Transport.NextAsync(Cancellation);
        first.Refuse();

        FakeTransport.Attempt second = await Transport.NextAsync(Cancellation);
        await second.Accept().AcceptSessionAsync(Cancellation);
        await client.WaitForStateAsync(KeeperState.Connected, Cancellation);

        Assert.NotEqual(first.Server, second.Server);
        Assert.Equal(second.Server.ToString(), client.ConnectedServer);
    }

    [Fact]
    public async Task Connect_when_a_server_does_not_answer_in_its_share_of_the_timeout_tries_the_next()
    {
        KeeperClient client = Start();
        FakeServer silent = await Transport.AcceptAsync(Cancellation);
        await silent.ReadAsync(Cancellation);

        Time.Advance(TimeSpan.FromSeconds(15));

        FakeServer other = await Transport.AcceptAsync(Cancellation);
        await other.AcceptSessionAsync(Cancellation);
        await client.WaitForStateAsync(KeeperState.Connected, Cancellation);
        Assert.NotEqual(silent.Endpoint, other.Endpoint);
    }

    [Fact]
    public async Task Connect_when_a_server_answers_with_an_error_tries_the_next()
    {
        KeeperClient client = Start();
        FakeServer wrong = await Transport.AcceptAsync(Cancellation);
        await wrong.ReadAsync(Cancellation);
        wrong.Reply(0, 5, ErrorCode.NotReadOnly);

        FakeServer right = await Transport.AcceptAsync(Cancellation);
        await right.AcceptSessionAsync(Cancellation);

        await client.WaitForStateAsync(KeeperState.Connected, Cancellation);
    }

    [Fact]
    public async Task ConnectAsync_without_any_server_gives_up_and_says_why()
    {
        Task<KeeperClient> connecting = KeeperClient.ConnectAsync(new KeeperClientOptions
        {
            ConnectString = "nowhere:1",
            ConnectTimeout = TimeSpan.FromSeconds(3),
            TimeProvider = Time,
            Transport = Transport,
        }, Cancellation);
        (await Transport.NextAsync(Cancellation)).Refuse();
        // Somewhere in there the wait is over; until then servers are tried, and the next one does not answer.
        while (!connecting.IsCompleted)
            await Task.WhenAny(connecting, Time.AdvanceToTimerAsync(TimeSpan.FromSeconds(3), Cancellation));

        ConnectionLossException error = await Assert.ThrowsAsync<ConnectionLossException>(() => connecting);
        Assert.Contains("nowhere:1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connection_lost_is_resumed_with_session_password_and_last_zxid()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        ValueTask<ZnodeData> read = client.GetAsync("/a", cancellation: Cancellation);
        server.Reply((await server.ReadAsync(OpCode.GetData, Cancellation)).Xid, 42, body: WriteData);
        await read;
        server.SendEvent(WatchEventType.NodeCreated, "/b", 99);

        (ConnectRequest request, _) = await ReconnectAsync(server);
        await client.WaitForStateAsync(KeeperState.Connected, Cancellation);

        Assert.Equal((42L, FakeServer.SessionId), (request.LastZxidSeen, request.SessionId));
        Assert.Equal(FakeServer.Password, request.Password);
    }

    [Fact]
    public async Task Connection_lost_fails_the_requests_under_way()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        Task[] requests =
        [
            .. Enumerable.Range(0, 5).Select(i => client.ExistsAsync($"/{i}", cancellation: Cancellation).AsTask())
        ];
        for (int i = 0; i < requests.Length; i++)
            await server.ReadAsync(OpCode.Exists, Cancellation);

        server.Close();

        for (int i = 0; i < requests.Length; i++)
        {
            ConnectionLossException error = await Assert.ThrowsAsync<ConnectionLossException>(() => requests[i]);
            Assert.Equal($"/{i}", error.Path);
        }
    }

    [Fact]
    public async Task Request_made_while_disconnected_waits_for_the_next_connection()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        server.Close();
        await client.WaitForStateAsync(KeeperState.Disconnected, Cancellation);

        ValueTask<ZnodeData> read = client.GetAsync("/a", cancellation: Cancellation);
        FakeServer next = await Transport.AcceptAsync(Cancellation);
        await next.AcceptSessionAsync(Cancellation);
        next.Reply((await next.ReadAsync(OpCode.GetData, Cancellation)).Xid, 1, body: WriteData);

        Assert.Equal("abc", (await read).Text);
    }

    [Fact]
    public async Task Request_cancelled_while_disconnected_is_never_sent()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        server.Close();
        await client.WaitForStateAsync(KeeperState.Disconnected, Cancellation);
        using var cancelled = new CancellationTokenSource();
        ValueTask<Stat?> dropped = client.ExistsAsync("/dropped", cancellation: cancelled.Token);
        ValueTask<Stat?> kept = client.ExistsAsync("/kept", cancellation: Cancellation);

        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await dropped);
        FakeServer next = await Transport.AcceptAsync(Cancellation);
        await next.AcceptSessionAsync(Cancellation);

        SentFrame frame = await next.ReadAsync(OpCode.Exists, Cancellation);
        Assert.Equal("/kept", frame.Path());
        next.Reply(frame.Xid, 1, ErrorCode.NoNode);
        Assert.Null(await kept);
    }

    [Fact]
    public async Task Request_cancelled_under_way_leaves_the_others_their_answers()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        using var cancelled = new CancellationTokenSource();
        ValueTask<ZnodeData> dropped = client.GetAsync("/dropped", cancellation: cancelled.Token);
        ValueTask<Stat?> kept = client.ExistsAsync("/kept", cancellation: Cancellation);
        SentFrame first = await server.ReadAsync(OpCode.GetData, Cancellation);
        SentFrame second = await server.ReadAsync(OpCode.Exists, Cancellation);

        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await dropped);
        server.Reply(first.Xid, 1, body: WriteData);
        server.Reply(second.Xid, 1, body: SomeStat.Write);

        Assert.Equal(SomeStat, await kept);
    }

    [Fact]
    public async Task Request_with_a_cancelled_token_is_not_sent()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await client.GetAsync("/a", cancellation: new CancellationToken(true)));

        Assert.True(server.IsQuiet);
    }

    [Fact]
    public async Task Session_refused_by_the_server_expires_for_good()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        server.Close();
        await client.WaitForStateAsync(KeeperState.Disconnected, Cancellation);
        ValueTask<Stat?> waiting = client.ExistsAsync("/a", cancellation: Cancellation);

        FakeServer next = await Transport.AcceptAsync(Cancellation);
        await next.AcceptSessionAsync(Cancellation, timeoutMs: 0, sessionId: 0);

        await Assert.ThrowsAsync<SessionExpiredException>(async () => await waiting);
        Assert.Equal(KeeperState.Expired, client.State);
        await Assert.ThrowsAsync<SessionExpiredException>(
            async () => await client.ExistsAsync("/a", cancellation: Cancellation));
        await Assert.ThrowsAsync<SessionExpiredException>(
            () => client.WaitForStateAsync(KeeperState.Connected, Cancellation));
    }

    [Fact]
    public async Task Reply_with_an_unexpected_xid_ends_the_connection()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        ValueTask<Stat?> first = client.ExistsAsync("/1", cancellation: Cancellation);
        ValueTask<Stat?> second = client.ExistsAsync("/2", cancellation: Cancellation);
        await server.ReadAsync(OpCode.Exists, Cancellation);
        SentFrame frame = await server.ReadAsync(OpCode.Exists, Cancellation);

        server.Reply(frame.Xid, 1, body: SomeStat.Write);

        await Assert.ThrowsAsync<ConnectionLossException>(async () => await first);
        await Assert.ThrowsAsync<ConnectionLossException>(async () => await second);
        await Transport.AcceptAsync(Cancellation);
    }

    [Theory]
    [InlineData(new byte[] { 255, 255, 255, 255 })]
    [InlineData(new byte[] { 127, 255, 255, 255 })]
    [InlineData(new byte[] { 0, 0, 0, 3, 1, 2, 3 })]
    [InlineData(new byte[] { 0, 0, 0, 16, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 16, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 16, 255, 255, 255, 252, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0 })]
    public async Task Bytes_that_break_the_protocol_end_the_connection(byte[] bytes)
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();

        server.SendRaw(bytes);

        await client.WaitForStateAsync(KeeperState.Disconnected, Cancellation);
    }

    [Fact]
    public async Task Reply_that_is_cut_off_fails_its_request_only()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        ValueTask<ZnodeData> read = client.GetAsync("/a", cancellation: Cancellation);
        server.Reply((await server.ReadAsync(OpCode.GetData, Cancellation)).Xid, 1, body: output =>
            output.WriteInt32(9));

        KeeperException error = await Assert.ThrowsAsync<KeeperException>(async () => await read);

        Assert.Equal(ErrorCode.MarshallingError, error.Code);
        Assert.Equal(KeeperState.Connected, client.State);
    }

    [Fact]
    public async Task Reply_over_the_limit_fails_its_request_only()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync(options => options with { ReplyBytesMax = 2000 });
        ValueTask<ZnodeData> large = client.GetAsync("/large", cancellation: Cancellation);
        ValueTask<ZnodeData> small = client.GetAsync("/small", cancellation: Cancellation);
        int largeXid = (await server.ReadAsync(OpCode.GetData, Cancellation)).Xid;
        int smallXid = (await server.ReadAsync(OpCode.GetData, Cancellation)).Xid;

        server.Reply(largeXid, 1, body: output =>
        {
            output.WriteBuffer(new byte[100_000]);
            SomeStat.Write(output);
        });
        server.Reply(smallXid, 1, body: WriteData);

        KeeperException error = await Assert.ThrowsAsync<KeeperException>(async () => await large);
        Assert.Equal(ErrorCode.MarshallingError, error.Code);
        Assert.Contains("ReplyBytesMax", error.Message, StringComparison.Ordinal);
        Assert.Equal("abc", (await small).Text);
    }

    [Fact]
    public async Task Request_over_the_limit_is_refused_and_not_sent()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();

        KeeperException error = await Assert.ThrowsAsync<KeeperException>(
            async () => await client.SetAsync("/a", new byte[0xfffff], cancellation: Cancellation));
        ValueTask<Stat?> next = client.ExistsAsync("/b", cancellation: Cancellation);

        Assert.Contains("RequestBytesMax", error.Message, StringComparison.Ordinal);
        SentFrame frame = await server.ReadAsync(OpCode.Exists, Cancellation);
        server.Reply(frame.Xid, 1, ErrorCode.NoNode);
        Assert.Null(await next);
    }

    [Fact]
    public async Task Request_whose_list_throws_leaves_nothing_half_written()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();

        await Assert.ThrowsAsync<NotSupportedException>(
            async () => await client.SetAclAsync("/a", new ThrowingList(), cancellation: Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(
            async () => await client.SetAclAsync("/a", [null!], cancellation: Cancellation));
        ValueTask<Stat?> next = client.ExistsAsync("/b", cancellation: Cancellation);

        SentFrame frame = await server.ReadAsync(OpCode.Exists, Cancellation);
        server.Reply(frame.Xid, 1, ErrorCode.NoNode);
        Assert.Null(await next);
    }

    [Fact]
    public async Task Requests_over_the_queue_limit_are_refused_until_there_is_room()
    {
        KeeperClient client = Start(options => options with { QueuedBytesMax = 4096 });
        using var cancelled = new CancellationTokenSource();
        Task<Stat?>[] waiting =
        [
            .. Enumerable.Range(0, 400).Select(i => client.ExistsAsync($"/{i}", cancellation: cancelled.Token).AsTask())
        ];

        KeeperException error = await Assert.ThrowsAsync<KeeperException>(() => waiting[^1]);
        await cancelled.CancelAsync();
        ValueTask<Stat?> afterwards = client.ExistsAsync("/afterwards", cancellation: Cancellation);

        Assert.Equal(ErrorCode.ThrottledOp, error.Code);
        FakeServer server = await Transport.AcceptAsync(Cancellation);
        await server.AcceptSessionAsync(Cancellation);
        SentFrame frame = await server.ReadAsync(OpCode.Exists, Cancellation);
        Assert.Equal("/afterwards", frame.Path());
        server.Reply(frame.Xid, 1, ErrorCode.NoNode);
        Assert.Null(await afterwards);
    }

    [Fact]
    public async Task Heartbeat_is_sent_after_a_third_of_the_timeout_without_requests()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync(timeoutMs: 9000);

        Time.Advance(TimeSpan.FromSeconds(2));
        ValueTask<Stat?> request = client.ExistsAsync("/a", cancellation: Cancellation);
        server.Reply((await server.ReadAsync(OpCode.Exists, Cancellation)).Xid, 1, ErrorCode.NoNode);
        await request;
        Time.Advance(TimeSpan.FromSeconds(2.9));
        Assert.True(server.IsQuiet);
        Time.Advance(TimeSpan.FromSeconds(0.1));

        Assert.Equal(Xids.Ping, (await server.ReadAsync(OpCode.Ping, Cancellation)).Xid);
    }

    [Fact]
    public async Task Silence_for_two_thirds_of_the_timeout_ends_the_connection()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync(timeoutMs: 9000);

        Time.Advance(TimeSpan.FromSeconds(5.9));
        Assert.Equal(KeeperState.Connected, client.State);
        await server.ReadAsync(OpCode.Ping, Cancellation);
        Time.Advance(TimeSpan.FromSeconds(0.1));

        await client.WaitForStateAsync(KeeperState.Disconnected, Cancellation);
        FakeServer other = await Transport.AcceptAsync(Cancellation);
        Assert.NotEqual(server.Endpoint, other.Endpoint);
    }

    [Fact]
    public async Task Heartbeat_answered_keeps_the_connection()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync(timeoutMs: 9000);

        for (int i = 0; i < 10; i++)
        {
            Time.Advance(TimeSpan.FromSeconds(3));
            await server.ReadAsync(OpCode.Ping, Cancellation);
            server.Reply(Xids.Ping, 1);
            // The answer to a later request shows that the client has seen the ping's.
            ValueTask<Stat?> request = client.ExistsAsync("/a", cancellation: Cancellation);
            server.Reply((await server.ReadAsync(OpCode.Exists, Cancellation)).Xid, 1, ErrorCode.NoNode);
            await request;
        }

        Assert.Equal(KeeperState.Connected, client.State);
    }

    [Fact]
    public async Task CloseAsync_says_farewell_behind_what_is_under_way()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        ValueTask<ZnodeData> read = client.GetAsync("/a", cancellation: Cancellation);

        Task closing = client.CloseAsync();
        SentFrame get = await server.ReadAsync(OpCode.GetData, Cancellation);
        SentFrame close = await server.ReadAsync(OpCode.CloseSession, Cancellation);
        server.Reply(get.Xid, 1, body: WriteData);
        server.Reply(close.Xid, 2);
        await closing;

        Assert.Equal("abc", (await read).Text);
        Assert.Equal(KeeperState.Closed, client.State);
    }

    [Fact]
    public async Task CloseAsync_when_the_server_hangs_up_instead_ends_too()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();

        Task closing = client.CloseAsync();
        await server.ReadAsync(OpCode.CloseSession, Cancellation);
        server.Close();
        await closing;

        Assert.Equal(KeeperState.Closed, client.State);
        Assert.Same(closing, client.CloseAsync());
    }

    [Fact]
    public async Task CloseAsync_while_disconnected_fails_what_waits()
    {
        KeeperClient client = Start();
        ValueTask<Stat?> waiting = client.ExistsAsync("/a", cancellation: Cancellation);

        await client.CloseAsync();

        KeeperException error = await Assert.ThrowsAsync<KeeperException>(async () => await waiting);
        Assert.Equal(ErrorCode.Closing, error.Code);
    }

    [Fact]
    public async Task State_events_are_reported_in_order()
    {
        KeeperClient client = Start();
        var states = new List<KeeperState>();
        var closed = new TaskCompletionSource();
        client.StateChanged += state =>
        {
            states.Add(state);
            if (state == KeeperState.Closed)
                closed.SetResult();
        };
        FakeServer server = await Transport.AcceptAsync(Cancellation);
        await server.AcceptSessionAsync(Cancellation);
        await client.WaitForStateAsync(KeeperState.Connected, Cancellation);
        server.Close();
        await client.WaitForStateAsync(KeeperState.Disconnected, Cancellation);

        await client.CloseAsync();
        await closed.Task;

        Assert.Equal([KeeperState.Connected, KeeperState.Disconnected, KeeperState.Closed], states);
    }

    /// <summary>Can be counted and indexed, but not enumerated.</summary>
    private sealed class ThrowingList : IReadOnlyList<Acl>
    {
        public int Count => 1;

        public Acl this[int index] => Acl.OpenUnsafe[0];

        public IEnumerator<Acl> GetEnumerator() => throw new NotSupportedException();

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
