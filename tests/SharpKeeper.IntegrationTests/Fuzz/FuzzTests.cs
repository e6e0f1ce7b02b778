using System.Buffers.Binary;
using System.Net.Sockets;
using SharpKeeper.Core.Log;
using SharpKeeper.Protocol;
using SharpKeeper.ServerTests;

namespace SharpKeeper.FuzzTests;

/// <summary>
/// Random and spoilt traffic from fixed seeds. SHARPKEEPER_TEST_SCALE multiplies the cases; with 50, the nightly run
/// comes to three million.
/// </summary>
public sealed class FuzzTests
{
    private const int ReplicaCases = 60_000;
    private const int LiveCases = 3000;

    // A tree grown by so many cases has seen everything; then a new one begins.
    private const int CasesPerReplica = 20_000;

    // What one request may allocate: growing tables and buffers take their share, lengths that lie do not.
    private const long AllocatedBytesMax = 16 << 20;

    [Fact]
    public void Spoilt_requests_do_not_upset_the_replica()
    {
        int cases = TestScale.Of(ReplicaCases);
        int seed = TestScale.Seed(4711);
        for (int first = 0; first < cases; first += CasesPerReplica)
        {
            var traffic = new Traffic(new Random(seed + first));
            using var replica = new FuzzReplica();
            for (int i = first; i < Math.Min(cases, first + CasesPerReplica); i++)
                RunCase(replica, traffic, seed, i);
            replica.AssertReplays();
            ReadSpoiltRecords(replica.Log, traffic);
        }
    }

    [Fact]
    public async Task Spoilt_streams_do_not_upset_the_server()
    {
        int cases = TestScale.Of(LiveCases);
        int seed = TestScale.Seed(815);
        await using LiveServer server = await LiveServer.StartAsync(options => options with
        {
            SessionTimeoutMin = TimeSpan.FromMilliseconds(200),
            SessionTimeoutMax = TimeSpan.FromMinutes(10),
        });
        using RawClient owner = server.Connect(timeoutMs: 600_000);
        owner.Call(OpCode.Create, 1, Bodies.Create("/untouched-by-all", "as it was"));
        for (int i = 0; i < cases; i++)
        {
            var random = new Random(seed + i);
            RunStream(server, random, new Traffic(random));
            if (i % 50 != 49)
                continue;
            Assert.Equal("imok", Words.Ask(server.Port, "ruok"));
            Assert.Equal("as it was", owner.Call(OpCode.GetData, 2, Bodies.Watched("/untouched-by-all")).Text());
            Assert.False(server.Host.Completion.IsFaulted, $"the server ended at case {i} of seed {seed}");
        }
        LiveServer.Until(
            () => server.Inspect(runtime => runtime.Admission.Total) == 1, "all connections of the others are closed");
        Assert.Equal(0, Words.Figure(server.Port, "zk_digest_mismatches_count"));
    }

    private static void RunCase(FuzzReplica replica, Traffic traffic, int seed, int index)
    {
        OpCode op = traffic.NextOp();
        bool isRequest = OpTable.Find(op).Class is OpClass.Read or OpClass.Write;
        byte[] bytes = isRequest ? traffic.NextBody(op) : traffic.NextHandshake();
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            if (isRequest)
                replica.Request(op, index, bytes);
            else
                replica.Handshake(bytes);
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException(
                $"Case {index} of seed {seed}, {op} {Convert.ToHexString(bytes)}: {exception.Message}", exception);
        }
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(
            allocated < AllocatedBytesMax,
            $"Case {index} of seed {seed}, {op} {Convert.ToHexString(bytes)}, allocated {allocated} bytes.");
    }

    /// <summary>Decodes spoilt records of the log; none may throw or allocate what it claims.</summary>
    private static void ReadSpoiltRecords(IReadOnlyList<byte[]> log, Traffic traffic)
    {
        foreach (byte[] record in log)
        {
            byte[] spoilt = traffic.Mutate(record);
            long before = GC.GetAllocatedBytesForCurrentThread();
            TxnRecords.TryRead(spoilt, out _);
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < AllocatedBytesMax);
        }
    }

    /// <summary>One connection: most shake hands properly, all say something wrong sooner or later.</summary>
    private static void RunStream(LiveServer server, Random random, Traffic traffic)
    {
        using RawClient client = RawClient.Open(server.Port);
        var stream = new List<byte>();
        if (random.Next(4) == 0)
            AddFrame(stream, traffic.NextHandshake());
        else
            client.PutHandshake(1000);
        for (int i = random.Next(1, 12); i > 0; i--)
            AddRequest(stream, random, traffic);
        byte[] bytes = [.. client.Output.WrittenSpan, .. stream];
        if (random.Next(3) == 0)
            bytes = traffic.Mutate(bytes);
        try
        {
            Send(client, bytes, random);
            client.Socket.Shutdown(SocketShutdown.Send);
            client.ReadToEnd();
        }
        catch (SocketException exception) when (exception.SocketErrorCode != SocketError.TimedOut)
        {
            // The server has closed the connection, as it should be.
        }
        if (random.Next(2) == 0)
            client.Socket.LingerState = new LingerOption(true, 0);
    }

    private static void AddRequest(List<byte> stream, Random random, Traffic traffic)
    {
        OpCode op = traffic.NextOp();
        byte[] body = traffic.NextBody(op);
        if (random.Next(20) == 0)
            op = (OpCode)random.Next();
        byte[] request = new byte[8 + body.Length];
        BinaryPrimitives.WriteInt32BigEndian(request, random.Next());
        BinaryPrimitives.WriteInt32BigEndian(request.AsSpan(4), (int)op);
        body.CopyTo(request, 8);
        AddFrame(stream, request);
    }

    private static void AddFrame(List<byte> stream, byte[] payload)
    {
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, payload.Length);
        stream.AddRange(length);
        stream.AddRange(payload);
    }

    private static void Send(RawClient client, byte[] bytes, Random random)
    {
        for (int at = 0; at < bytes.Length;)
        {
            int count = Math.Min(bytes.Length - at, random.Next(3) == 0 ? random.Next(1, 9) : 4096);
            client.SendRaw(bytes.AsSpan(at, count));
            at += count;
        }
    }
}
