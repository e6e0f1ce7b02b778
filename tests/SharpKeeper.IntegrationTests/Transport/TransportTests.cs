using System.Net.Sockets;
using static SharpKeeper.TransportTests.TransportHarness;

namespace SharpKeeper.TransportTests;

public sealed class TransportTests
{
    public static TheoryData<bool> Kinds => new(false, true);

    [Theory, MemberData(nameof(Kinds))]
    public async Task Received_with_pipelined_frames_echoes_them_in_order(bool portable)
    {
        await using var harness = new TransportHarness(portable);
        using Socket client = harness.Connect();
        byte[] frames = [.. Enumerable.Range(0, 500).SelectMany(i => Frame(i % 97, i))];
        client.Send(frames);
        Assert.Equal(frames, ReceiveExactly(client, frames.Length));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Received_with_a_frame_byte_by_byte_presents_the_rest_again(bool portable)
    {
        using var seen = new SemaphoreSlim(0);
        await using var harness = new TransportHarness(portable, configure: handler =>
            handler.OnReceived = (connection, bytes) =>
            {
                int used = TestLoopHandler.Echo(connection, bytes);
                seen.Release();
                return used;
            });
        using Socket client = harness.Connect();
        byte[] frame = Frame(20);
        foreach (byte one in frame)
        {
            client.Send([one]);
            Assert.True(await seen.WaitAsync(WaitMs, TestContext.Current.CancellationToken));
        }
        Assert.Equal(frame, ReceiveExactly(client, frame.Length));
        Assert.Equal(frame.Length, harness.Handler.ReceivedCalls);
        harness.OnLoop(() => Assert.Null(harness.Handler.Accepted.Single().Rest));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Received_with_large_frames_collects_them_whole(bool portable)
    {
        await using var harness = new TransportHarness(portable);
        using Socket client = harness.Connect();
        foreach (int size in new[] { 15_000, 100_000, 300_000, 5_000_000 })
        {
            byte[] frames = [.. Frame(size, size), .. Frame(10)];
            Task<int> sending = Task.Run(() => client.Send(frames), TestContext.Current.CancellationToken);
            byte[] echoed = ReceiveExactly(client, frames.Length);
            await sending;
            Assert.True(frames.AsSpan().SequenceEqual(echoed));
        }
        harness.OnLoop(() => Assert.Null(harness.Handler.Accepted.Single().Rest));
    }
}
