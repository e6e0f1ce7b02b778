using System.Net.Sockets;
using SharpKeeper.Protocol;
using SharpKeeper.Server;
using SharpKeeper.ServerTests;

namespace SharpKeeper.OverloadTests;

/// <summary>Clients that break the protocol, and the others that are served meanwhile.</summary>
public sealed class BadClientTests
{
    public static TheoryData<string, string> Garbage => new()
    {
        { "HTTP", Convert.ToHexString("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"u8) },
        { "TLS", "16030100A5010000A10303" },
        { "negative length", "FFFFFFFF00000000" },
        { "most negative length", "80000000" },
        { "huge length", "7FFFFFFF0000" },
        { "length over the limit", "00100000" },
        { "empty frame", "00000000" },
        { "short handshake", "0000000400000000" },
        { "password of negative length", HandshakeWithPassword("FFFFFFF0") },
        { "password longer than the frame", HandshakeWithPassword("00000011") },
        { "password of 2 GiB", HandshakeWithPassword("7FFFFFFF") },
    };

    [Theory]
    [MemberData(nameof(Garbage))]
    public async Task Garbage_instead_of_a_handshake_ends_the_connection_and_nothing_else(string kind, string hex)
    {
        Assert.NotEmpty(kind);
        await using LiveServer server = await LiveServer.StartAsync();
        using RawClient bystander = server.Connect();
        using RawClient bad = RawClient.Open(server.Port);
        bad.SendRaw(Convert.FromHexString(hex));
        Assert.Equal(0, bad.ReadToEnd());
        server.AssertServes(bystander);
    }

    [Theory]
    [InlineData("FFFFFFFF")]
    [InlineData("80000000")]
    [InlineData("7FFFFFFF")]
    [InlineData("00000000")]
    [InlineData("0000000700000000000000")]
    public async Task Garbage_in_a_session_ends_the_connection_and_the_session_can_be_resumed(string hex)
    {
        await using LiveServer server = await LiveServer.StartAsync();
        using RawClient bystander = server.Connect();
        using RawClient bad = server.Connect();
        bad.SendRaw(Convert.FromHexString(hex));
        Assert.Equal(0, bad.ReadToEnd());
        server.AssertServes(bystander);
        using RawClient again = RawClient.Open(server.Port);
        Assert.True(again.Handshake(session: bad.SessionId, password: bad.Password));
    }

    [Theory]
    [InlineData(-10)]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(20)]
    [InlineData(999)]
    [InlineData(int.MinValue)]
    [InlineData(int.MaxValue)]
    public async Task Operation_that_clients_may_not_send_is_refused_behind_what_is_owed(int op)
    {
        await using LiveServer server = await LiveServer.StartAsync();
        using RawClient bystander = server.Connect();
        using RawClient bad = server.Connect();
        bad.Put(OpCode.Create, 1, Bodies.Create("/a", ""));
        bad.Put((OpCode)op, 2, Bodies.Versioned("/a"));
        bad.Put(OpCode.Delete, 3, Bodies.Versioned("/a"));
        bad.Flush();
        Assert.Equal(ErrorCode.Ok, bad.ReadReply(1).Error);
        RawReply refusal = bad.ReadReply(2);
        Assert.Equal((ErrorCode.Unimplemented, -1L), (refusal.Error, refusal.Zxid));
        Assert.Equal(0, bad.ReadToEnd());
        Assert.Equal(ErrorCode.Ok, bystander.Call(OpCode.Exists, 1, Bodies.Watched("/a")).Error);
        server.AssertServes(bystander);
    }

    [Fact]
    public async Task Half_frames_of_many_clients_hold_nobody_up()
    {
        await using LiveServer server = await LiveServer.StartAsync();
        using RawClient bystander = server.Connect();
        RawClient[] halves = [.. Enumerable.Range(0, 100).Select(_ => RawClient.Open(server.Port))];
        for (int i = 0; i < halves.Length; i++)
        {
            halves[i].PutHandshake(30_000);
            halves[i].SendRaw(halves[i].Output.WrittenSpan[..(i % halves[i].Output.Length)]);
        }
        server.AssertServes(bystander);
        for (int i = 0; i < halves.Length; i++)
        {
            halves[i].SendRaw(halves[i].Output.WrittenSpan[(i % halves[i].Output.Length)..]);
            Assert.True(halves[i].ReadHandshake());
            halves[i].Dispose();
        }
    }

    [Fact]
    public async Task Requests_cut_into_single_bytes_are_answered()
    {
        await using LiveServer server = await LiveServer.StartAsync();
        using RawClient client = server.Connect();
        client.Put(OpCode.Create, 1, Bodies.Create("/a", "data"));
        client.Put(OpCode.GetData, 2, Bodies.Watched("/a"));
        for (int i = 0; i < client.Output.Length; i++)
            client.SendRaw(client.Output.WrittenSpan.Slice(i, 1));
        Assert.Equal(ErrorCode.Ok, client.ReadReply(1).Error);
        Assert.Equal("data", client.ReadReply(2).Text());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5_000_000)]
    public async Task Request_over_the_limit_ends_the_connection_and_not_the_session(int bytesOver)
    {
        await using LiveServer server = await LiveServer.StartAsync();
        using RawClient client = server.Connect();
        int overhead = 8 + 4 + 2 + 4 + 4;
        client.Put(OpCode.Create, 1, Bodies.Create("/a", "before"));
        client.Put(OpCode.SetData, 2, Bodies.Set(
            "/a", new byte[ServerOptions.DefaultPacketBytesMax - overhead + bytesOver]));
        // The beginning says how long it is to be; what is still on its way when the server closes could undo the reply.
        client.SendRaw(client.Output.WrittenSpan[..200]);
        Assert.Equal(ErrorCode.Ok, client.ReadReply(1).Error);
        Assert.Equal(0, client.ReadToEnd());

        using RawClient again = RawClient.Open(server.Port);
        again.PutHandshake(30_000, client.SessionId, client.Password);
        again.Flush();
        Assert.True(again.ReadHandshake());
        Assert.Equal("before", again.Call(OpCode.GetData, 3, Bodies.Watched("/a")).Text());
        RawReply largest = again.Call(
            OpCode.SetData, 4, Bodies.Set("/a", new byte[ServerOptions.DefaultPacketBytesMax - overhead]));
        Assert.Equal(ErrorCode.Ok, largest.Error);
    }

    [Fact]
    public async Task Clients_that_vanish_with_requests_in_flight_leave_whole_writes_behind()
    {
        const int clients = 60;
        const int writes = 200;
        await using LiveServer server = await LiveServer.StartAsync();
        using RawClient bystander = server.Connect();
        for (int i = 0; i < clients; i++)
        {
            RawClient client = server.Connect(timeoutMs: 200);
            client.Put(OpCode.Create, 1, Bodies.Create($"/c{i}", ""));
            client.Put(OpCode.Create, 2, Bodies.Create($"/e{i}", "", CreateMode.Ephemeral));
            for (int j = 0; j < writes; j++)
                client.Put(OpCode.SetData, 3, Bodies.Set($"/c{i}", $"{j}", j));
            client.Flush();
            if (i % 2 == 0)
                client.Socket.LingerState = new LingerOption(true, 0);
            client.Dispose();
        }
        server.AssertServes(bystander);
        LiveServer.Until(
            () => server.Inspect(runtime => runtime.Replica.Sessions.Count) == 1, "their sessions expire");
        for (int i = 0; i < clients; i++)
        {
            Assert.Equal(ErrorCode.NoNode, bystander.Call(OpCode.Exists, 1, Bodies.Watched($"/e{i}")).Error);
            RawReply reply = bystander.Call(OpCode.GetData, 2, Bodies.Watched($"/c{i}"));
            if (reply.Error == ErrorCode.Ok && reply.Stat().Version > 0)
                Assert.Equal($"{reply.Stat().Version - 1}", reply.Text());
        }
        Assert.Equal(1, server.Inspect(runtime => runtime.Admission.Total));
    }

    [Fact]
    public async Task Requests_behind_the_end_of_the_session_are_not_done()
    {
        await using LiveServer server = await LiveServer.StartAsync();
        using RawClient bystander = server.Connect();
        using RawClient client = server.Connect();
        client.Put(OpCode.Create, 1, Bodies.Create("/before", ""));
        client.Put(OpCode.CloseSession, 2);
        client.Put(OpCode.Create, 3, Bodies.Create("/behind", ""));
        client.Flush();
        Assert.Equal(ErrorCode.Ok, client.ReadReply(1).Error);
        Assert.Equal(ErrorCode.Ok, client.ReadReply(2).Error);
        RawReply? last = client.TryRead();
        Assert.True(last is null or { Error: ErrorCode.SessionExpired });
        Assert.Equal(ErrorCode.Ok, bystander.Call(OpCode.Exists, 1, Bodies.Watched("/before")).Error);
        Assert.Equal(ErrorCode.NoNode, bystander.Call(OpCode.Exists, 2, Bodies.Watched("/behind")).Error);
    }

    [Fact]
    public async Task Server_that_stops_under_load_has_kept_what_it_acknowledged()
    {
        const int clients = 6;
        await using LiveServer server = await LiveServer.StartOnDiskAsync();
        int[] acknowledged = new int[clients];
        using var warm = new CountdownEvent(clients);
        Task[] load = [.. Enumerable.Range(0, clients).Select(i => Task.Factory.StartNew(
            () => acknowledged[i] = WriteUntilCut(server.Port, $"/c{i}", warm), TaskCreationOptions.LongRunning))];
        Assert.True(warm.Wait(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        await server.RestartAsync();
        await Task.WhenAll(load);
        using RawClient reader = server.Connect();
        for (int i = 0; i < clients; i++)
        {
            RawReply reply = reader.Call(OpCode.GetData, 1, Bodies.Watched($"/c{i}"));
            Assert.InRange(reply.Stat().Version, acknowledged[i], int.MaxValue);
            Assert.Equal($"{reply.Stat().Version - 1}", reply.Text());
        }
    }

    /// <summary>A whole frame in which the 16 bytes of password claim to be more or fewer.</summary>
    private static string HandshakeWithPassword(string length) =>
        "0000002C" + "00000000" + "0000000000000000" + "00007530" + "0000000000000000" + length + new string('0', 32);

    private static int WriteUntilCut(int port, string path, CountdownEvent warm)
    {
        const int depth = 32;
        const int warmWrites = 200;
        using RawClient client = RawClient.Connect(port);
        client.Call(OpCode.Create, 1, Bodies.Create(path, ""));
        int sent = 0;
        int acknowledged = 0;
        try
        {
            while (true)
            {
                while (sent < acknowledged + depth)
                    client.Put(OpCode.SetData, 2, Bodies.Set(path, $"{sent}", sent++));
                client.Flush();
                if (client.TryRead() is not { } reply)
                    return acknowledged;
                Assert.Equal(ErrorCode.Ok, reply.Error);
                if (++acknowledged == warmWrites)
                    warm.Signal();
            }
        }
        catch (SocketException)
        {
            return acknowledged;
        }
    }
}
