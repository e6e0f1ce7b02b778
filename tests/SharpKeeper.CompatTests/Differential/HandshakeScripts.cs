using System.Buffers.Binary;
using SharpKeeper.Protocol;

namespace SharpKeeper.CompatTests.Differential;

/// <summary>Sections 1, 2 and 12 of the protocol reference: framing, handshake, resume, end of sessions.</summary>
[Collection(ServerPairCollection.Name)]
public sealed class HandshakeScripts(ServerPair pair)
{
    private static readonly byte[] NoPassword = new byte[16];

    [Theory]
    [InlineData(44)]
    [InlineData(45)]
    [InlineData(48)]
    public Task Handshake_of_old_and_new_clients_is_answered_alike(int payloadBytes) => pair.CompareAsync(async side =>
    {
        Talker a = await side.OpenAsync("a");
        var payload = new byte[payloadBytes];
        BinaryPrimitives.WriteInt32BigEndian(payload.AsSpan(12), 10_000);
        BinaryPrimitives.WriteInt32BigEndian(payload.AsSpan(24), 16);
        await a.HandshakeAsync(payload);
        await a.DoAsync(Requests.Exists("/"), Requests.WhoAmI());
        await a.CloseAsync();
    });

    [Theory]
    [InlineData(null)]
    [InlineData(0)]
    [InlineData(8)]
    [InlineData(16)]
    [InlineData(40)]
    public Task Handshake_of_a_new_session_takes_any_password(int? passwordBytes) => pair.CompareAsync(async side =>
    {
        using var payload = new JuteBuffer();
        payload.WriteInt32(7);
        payload.WriteInt64(0);
        payload.WriteInt32(10_000);
        payload.WriteInt64(0);
        payload.WriteBuffer(new byte[passwordBytes ?? 0], passwordBytes is null);
        payload.WriteBoolean(true);
        Talker a = await side.OpenAsync("a");
        await a.HandshakeAsync(payload.WrittenSpan.ToArray());
        await a.CloseAsync();
    });

    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(4_000)]
    [InlineData(12_345)]
    [InlineData(1_000_000)]
    public Task Handshake_clamps_the_timeout(int timeoutMs) => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a", timeoutMs);
        await a.CloseAsync();
    });

    [Fact]
    public Task Handshake_with_a_zxid_from_the_future_is_closed() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        Talker b = await side.OpenAsync("b");
        await b.HandshakeAsync(new ConnectRequest(0, a.LastZxid + 1_000, 10_000, 0, NoPassword, false));
        Talker c = await side.OpenAsync("c");
        await c.HandshakeAsync(new ConnectRequest(0, a.LastZxid, 10_000, 0, NoPassword, false));
        Talker d = await side.OpenAsync("d");
        await d.HandshakeAsync(new ConnectRequest(0, long.MaxValue, 10_000, a.SessionId, a.Password, false));
        await a.DoAsync(Requests.Exists("/"));
    });

    [Fact]
    public Task Resume_while_the_old_connection_is_open_closes_that_one() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a", 10_000);
        await a.DoAsync(Requests.Create("/resume", "x", 1), Requests.GetData("/resume", true));
        Talker b = await side.OpenAsync("b");
        await b.HandshakeAsync(new ConnectRequest(0, a.LastZxid, 6_000, a.SessionId, a.Password, false));
        await a.ExpectCloseAsync();
        await b.DoAsync(Requests.GetEphemerals(null), Requests.CheckWatches("/resume", 3), Requests.WhoAmI());
        await b.DoAsync(Requests.SetData("/resume", "y"), Requests.Delete("/resume"));
        await b.CloseAsync();
    });

    [Fact]
    public Task Resume_after_the_connection_broke_keeps_the_session() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        await a.DoAsync(Requests.Create("/broken", "x", 1));
        // Not together: an auth reply may overtake those of requests in flight.
        await a.DoAsync(Requests.Auth("digest", "u:p"));
        a.Drop();
        Talker b = await side.OpenAsync("b");
        await b.HandshakeAsync(new ConnectRequest(0, a.LastZxid, 10_000, a.SessionId, a.Password, null));
        await b.DoAsync(Requests.Exists("/broken"), Requests.WhoAmI());
        await b.CloseAsync();
        Talker c = await side.ConnectAsync("c");
        await c.DoAsync(Requests.Exists("/broken"));
    });

    [Fact]
    public Task Resume_with_a_wrong_password_costs_the_old_connection() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        await a.DoAsync(Requests.Create("/wrong", "x", 1));
        Talker b = await side.OpenAsync("b");
        await b.HandshakeAsync(new ConnectRequest(0, 0, 10_000, a.SessionId, NoPassword, true));
        await b.ExpectCloseAsync();
        await a.ExpectCloseAsync();
        Talker c = await side.OpenAsync("c");
        await c.HandshakeAsync(new ConnectRequest(0, 0, 10_000, a.SessionId, a.Password, true));
        await c.DoAsync(Requests.Exists("/wrong"));
        await c.CloseAsync();
    });

    [Fact]
    public Task Resume_of_a_session_that_is_over_is_refused() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        await a.CloseAsync();
        Talker b = await side.OpenAsync("b");
        await b.HandshakeAsync(new ConnectRequest(0, 0, 10_000, a.SessionId, a.Password, false));
        await b.ExpectCloseAsync();
        Talker c = await side.OpenAsync("c");
        await c.HandshakeAsync(new ConnectRequest(0, 0, 10_000, 0x1234, NoPassword, null));
        await c.ExpectCloseAsync();
    });

    [Fact]
    public Task Requests_sent_along_with_the_handshake_are_answered_behind_it() => pair.CompareAsync(async side =>
    {
        Talker a = await side.OpenAsync("a");
        using var bytes = new JuteBuffer();
        int frame = bytes.BeginFrame();
        new ConnectRequest(0, 0, 10_000, 0, NoPassword, false).Write(bytes);
        bytes.EndFrame(frame);
        int request = bytes.BeginFrame();
        bytes.WriteInt32(9);
        bytes.WriteInt32((int)OpCode.Exists);
        bytes.WriteString("/");
        bytes.WriteBoolean(false);
        bytes.EndFrame(request);
        // The answer to the second frame is taken apart as that of a handshake's ping would be: by the talker's queue.
        await a.SendRawAsync(bytes.WrittenMemory);
        await a.ExpectConnectResponseAsync();
        await a.ExpectReplyAsync(9, OpCode.Exists);
        await a.CloseAsync();
    });

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(1_048_576)]
    [InlineData(int.MaxValue)]
    public Task Frames_of_impossible_length_before_a_session_close_the_connection(int length) =>
        pair.CompareAsync(async side =>
        {
            Talker a = await side.OpenAsync("a");
            var bytes = new byte[12];
            BinaryPrimitives.WriteInt32BigEndian(bytes, length);
            await a.SendRawAsync(bytes);
            await a.ExpectCloseAsync();
        });

    [Theory]
    [InlineData(-1)]
    [InlineData(-2)]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(int.MaxValue)]
    public Task Frames_of_impossible_length_in_a_session_close_the_connection(int length) =>
        pair.CompareAsync(async side =>
        {
            Talker a = await side.ConnectAsync("a");
            var bytes = new byte[12];
            BinaryPrimitives.WriteInt32BigEndian(bytes, length);
            await a.SendRawAsync(bytes);
            await a.ExpectCloseAsync();
            await EndAsync(side, a);
        });

    [Fact]
    public Task Four_letter_words_in_a_session_are_lengths() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        await a.SendRawAsync("ruok"u8.ToArray());
        await a.ExpectCloseAsync();
        await EndAsync(side, a);
    });

    [Fact]
    public Task Frames_just_within_the_limit_are_taken() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        WireRequest empty = Requests.Create("/limit", "");
        var data = new string('x', 0xfffff - 8 - empty.Body.Length);
        await a.DoAsync(Requests.Create("/limit", data), Requests.Exists("/limit"), Requests.Delete("/limit"));
    });

    [Fact]
    public Task Frames_over_the_limit_end_the_connection() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        WireRequest empty = Requests.Create("/limit", "");
        var data = new string('x', 0x100000 - 8 - empty.Body.Length);
        await a.DoAsync(Requests.Create("/limit", data));
        await EndAsync(side, a, isRecorded: false);
    });

    // A session whose connection broke would expire while another script runs.
    private static async Task EndAsync(Side side, Talker broken, bool isRecorded = true)
    {
        Talker again = await side.OpenAsync("again");
        var request = new ConnectRequest(0, 0, 10_000, broken.SessionId, broken.Password, false);
        await again.HandshakeAsync(request, isRecorded);
        await again.CloseAsync(isRecorded);
    }
}
