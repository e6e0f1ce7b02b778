using System.Text;
using SharpKeeper.Protocol;
using SharpKeeper.ServerTests;

namespace SharpKeeper.PeersTests;

/// <summary>Sessions that go from one server of an ensemble to another, over sockets.</summary>
public sealed class LiveSessionTests
{
    private const int TimeoutMs = 30_000;

    [Fact]
    public async Task Client_that_moves_keeps_session_ephemerals_and_watches()
    {
        await using LiveEnsemble ensemble = await LiveEnsemble.StartAsync();
        (long from, long to, long leader) = Roles(ensemble);
        using RawClient writer = ensemble.Connect(leader);
        Assert.Equal(ErrorCode.Ok, writer.Call(OpCode.Create, 1, Bodies.Create("/missed", "0")).Error);
        Assert.Equal(ErrorCode.Ok, writer.Call(OpCode.Create, 2, Bodies.Create("/later", "0")).Error);
        ensemble.AwaitEqual();
        RawClient before = ensemble.Connect(from);
        using (before)
        {
            RawReply created = before.Call(OpCode.Create, 1, Bodies.Create("/mine", "", CreateMode.Ephemeral));
            Assert.Equal(ErrorCode.Ok, created.Error);
            Assert.Equal(ErrorCode.Ok, before.Call(OpCode.GetData, 2, Bodies.Watched("/missed", true)).Error);
            Assert.Equal(ErrorCode.Ok, before.Call(OpCode.GetData, 3, Bodies.Watched("/later", true)).Error);
        }
        Assert.Equal(ErrorCode.Ok, writer.Call(OpCode.SetData, 3, Bodies.Set("/missed", "1")).Error);
        ensemble.AwaitEqual();

        using RawClient after = Resume(ensemble, to, before);
        Assert.Equal(before.SessionId, after.SessionId);
        RawReply set = after.Call(OpCode.SetWatches, Xids.SetWatches, SetWatches(before.LastZxid, "/missed", "/later"));
        Assert.Equal(ErrorCode.Ok, set.Error);
        Assert.Equal((WatchEventType.NodeDataChanged, "/missed"), Assert.Single(after.Events).Event());
        Assert.Equal(ErrorCode.Ok, writer.Call(OpCode.SetData, 4, Bodies.Set("/later", "1")).Error);
        Assert.Equal((WatchEventType.NodeDataChanged, "/later"), after.Read().Event());
        RawReply mine = after.Call(OpCode.Exists, 1, Bodies.Watched("/mine"));
        Assert.Equal(after.SessionId, mine.Stat().EphemeralOwner);

        Assert.Equal(ErrorCode.Ok, after.Call(OpCode.CloseSession, 2).Error);
        ensemble.AwaitEqual();
        foreach (long id in ensemble.Running)
            Assert.False(Has(ensemble, id, "/mine"));
    }

    [Fact]
    public async Task Write_over_the_connection_that_a_session_left_closes_it_and_changes_nothing()
    {
        await using LiveEnsemble ensemble = await LiveEnsemble.StartAsync();
        (long one, long other, long leader) = Roles(ensemble);
        foreach ((long from, long to) in new[] { (one, other), (one, leader), (leader, one) })
        {
            using RawClient before = ensemble.Connect(from);
            ensemble.AwaitEqual();
            using RawClient after = Resume(ensemble, to, before);

            before.Put(OpCode.Create, 1, Bodies.Create($"/late-{from}-{to}", ""));
            before.Flush();
            Assert.Equal(0, before.ReadToEnd());

            string path = $"/moved-{from}-{to}";
            // As clients do, it goes on counting: an answer is known by session and xid, which must not be twice there.
            Assert.Equal(ErrorCode.Ok, after.Call(OpCode.Create, 2, Bodies.Create(path, "")).Error);
            ensemble.AwaitEqual();
            foreach (long id in ensemble.Running)
            {
                Assert.True(Has(ensemble, id, path));
                Assert.False(Has(ensemble, id, $"/late-{from}-{to}"));
            }
        }
    }

    [Fact]
    public async Task Wrong_password_is_refused_by_each_server_and_the_session_lives_on()
    {
        await using LiveEnsemble ensemble = await LiveEnsemble.StartAsync();
        using RawClient owner = ensemble.Connect(ensemble.Running.First());
        RawReply created = owner.Call(OpCode.Create, 1, Bodies.Create("/mine", "", CreateMode.Ephemeral));
        Assert.Equal(ErrorCode.Ok, created.Error);
        ensemble.AwaitEqual();
        byte[] wrong = [.. owner.Password];
        wrong[0] ^= 1;

        foreach (long id in ensemble.Running)
        {
            using RawClient stranger = RawClient.Open(ensemble.ClientPort(id));
            stranger.PutHandshake(TimeoutMs, owner.SessionId, wrong);
            stranger.Flush();
            Assert.True(stranger.TryReadFrame(out ReadOnlySpan<byte> payload));
            Assert.True(ConnectResponse.TryRead(payload, out ConnectResponse refused));
            Assert.Equal((0, 0), (refused.SessionId, refused.TimeoutMs));
            Assert.Equal(0, stranger.ReadToEnd());
        }

        // The connection to the server that both came to is gone whatever the password was, as with Apache.
        Assert.Equal(0, owner.ReadToEnd());
        using RawClient again = Resume(ensemble, ensemble.Running.Last(), owner);
        RawReply mine = again.Call(OpCode.Exists, 2, Bodies.Watched("/mine"));
        Assert.Equal(owner.SessionId, mine.Stat().EphemeralOwner);
        Assert.Equal(ErrorCode.Ok, again.Call(OpCode.Create, 3, Bodies.Create("/still", "")).Error);
    }

    [Fact]
    public async Task Client_that_has_seen_more_than_a_server_is_served_once_the_server_has_it_too()
    {
        await using LiveEnsemble ensemble = await LiveEnsemble.StartAsync();
        using RawClient owner = ensemble.Connect(ensemble.Running.First());
        ensemble.AwaitEqual();
        long ahead = ensemble.Inspect(ensemble.Running.First(), static it => it.Tree.LastProcessed.Value) + 1;

        foreach (long id in ensemble.Running)
        {
            using RawClient early = RawClient.Open(ensemble.ClientPort(id));
            early.PutHandshake(TimeoutMs, owner.SessionId, owner.Password, ahead);
            early.Flush();
            Assert.Equal(0, early.ReadToEnd());
        }

        Assert.Equal(ErrorCode.Ok, owner.Call(OpCode.Create, 1, Bodies.Create("/next", "")).Error);
        ensemble.AwaitEqual();
        Assert.Equal(ahead, ensemble.Inspect(ensemble.Leader!.Value, static it => it.Tree.LastProcessed.Value));
        foreach (long id in ensemble.Running)
        {
            using RawClient late = RawClient.Open(ensemble.ClientPort(id));
            Assert.True(late.Handshake(TimeoutMs, owner.SessionId, owner.Password, ahead));
            Assert.Equal(owner.SessionId, late.SessionId);
        }
    }

    private static (long One, long Other, long Leader) Roles(LiveEnsemble ensemble)
    {
        long leader = ensemble.Leader!.Value;
        long[] followers = [.. ensemble.Running.Where(id => id != leader)];
        return (followers[0], followers[1], leader);
    }

    private static RawClient Resume(LiveEnsemble ensemble, long id, RawClient before)
    {
        RawClient after = RawClient.Open(ensemble.ClientPort(id));
        if (after.Handshake(TimeoutMs, before.SessionId, before.Password, before.LastZxid))
            return after;
        after.Dispose();
        throw new IOException($"server {id} did not take the session\n{ensemble.Log}");
    }

    private static Action<JuteBuffer> SetWatches(long lastZxid, params string[] data) => output =>
    {
        output.WriteInt64(lastZxid);
        output.WriteInt32(data.Length);
        foreach (string path in data)
            output.WriteString(path);
        output.WriteInt32(0);
        output.WriteInt32(0);
    };

    private static bool Has(LiveEnsemble ensemble, long id, string path) =>
        ensemble.Inspect(id, it => !it.Tree.Find(Encoding.UTF8.GetBytes(path)).IsNone);
}
