using System.Net.Sockets;
using SharpKeeper.Protocol;
using SharpKeeper.Server.Connections;
using static SharpKeeper.TransportTests.TransportHarness;

namespace SharpKeeper.TransportTests;

/// <summary>Random sizes, pauses, partial consumption and abrupt ends, from a seed.</summary>
public sealed class TransportChaosTests
{
    public static TheoryData<bool> Kinds => new(false, true);

    [Theory, MemberData(nameof(Kinds))]
    public async Task Traffic_with_pauses_and_resets_reaches_every_peer_whole_and_in_order(bool portable)
    {
        const int clients = 12;
        await using var harness = new TransportHarness(portable, loops: 2, configure: handler =>
        {
            var random = new Random(7);
            handler.OnReceived = (connection, bytes) => Handle(random, connection, bytes);
        });
        Task[] talks = [.. Enumerable.Range(0, clients).Select(seed => Task.Run(() => Talk(harness, seed)))];
        await Task.WhenAll(talks).WaitAsync(TimeSpan.FromMilliseconds(3 * WaitMs),
            TestContext.Current.CancellationToken);
        for (int i = 0; i < clients; i++)
            TakeClosedReason(harness.Handlers[i % 2]);
        Assert.Equal(0, harness.Transport.ConnectionCount);
        Assert.False(harness.Failure.IsCompleted);
    }

    // Consumes and echoes some of what is there, pausing now and then until an action posted to the loop ends it.
    private static int Handle(Random random, Connection connection, ReadOnlySpan<byte> bytes)
    {
        int used = random.Next(4) == 0 ? random.Next(bytes.Length + 1) : bytes.Length;
        if (random.Next(2) == 0)
        {
            connection.Send(bytes[..used]);
        }
        else
        {
            var buffer = new JuteBuffer();
            buffer.WriteRaw(bytes[..used]);
            connection.Send(buffer);
        }
        // What is left is presented again only with more input or after a pause.
        if (used < bytes.Length || random.Next(5) == 0)
        {
            connection.PauseReading();
            connection.Loop.Post(connection.ResumeReading);
        }
        return used;
    }

    private static void Talk(TransportHarness harness, int seed)
    {
        var random = new Random(seed);
        using Socket client = harness.Connect();
        byte[] data = new byte[4_000_000];
        random.NextBytes(data);
        var sender = new Thread(() => SendAll(client, data, new Random(seed + 1)));
        sender.Start();
        byte[] chunk = new byte[300_000];
        int got = 0;
        while (got < data.Length)
        {
            int count = client.Receive(chunk, random.Next(1, chunk.Length), SocketFlags.None);
            Assert.True(count > 0, "the server has closed the connection");
            Assert.True(chunk.AsSpan(0, count).SequenceEqual(data.AsSpan(got, count)), $"wrong bytes at {got}");
            got += count;
        }
        sender.Join();
        if (seed % 3 == 0)
            client.LingerState = new LingerOption(true, 0);
    }

    private static void SendAll(Socket client, byte[] data, Random random)
    {
        for (int at = 0; at < data.Length;)
        {
            int size = random.Next(1, random.Next(10) == 0 ? 400_000 : 5000);
            size = Math.Min(size, data.Length - at);
            client.Send(data.AsSpan(at, size));
            at += size;
        }
    }
}
