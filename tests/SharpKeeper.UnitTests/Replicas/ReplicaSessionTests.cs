using SharpKeeper.Core;
using SharpKeeper.Core.Sessions;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Protocol;

namespace SharpKeeper.ReplicaTests;

/// <summary>Rules of sessions that no script can show.</summary>
public class ReplicaSessionTests
{
    [Fact]
    public void OpenSession_id_of_a_recovered_session_is_not_given_again()
    {
        var recovered = new SessionTimeouts();
        long first = SessionIds.First(1, 0);
        recovered.Set(new SessionId(first), 5000);
        recovered.Set(new SessionId(first + 1), 5000);
        using var harness = new ReplicaHarness(recovered: recovered);

        HarnessClient client = harness.Connect();

        Assert.Equal(first + 2, client.SessionId);
        Assert.Equal(3, harness.Replica.Sessions.Count);
    }

    [Fact]
    public void Recovered_sessions_start_with_a_full_timeout()
    {
        var recovered = new SessionTimeouts();
        recovered.Set(new SessionId(77), 5000);
        using var harness = new ReplicaHarness(recovered: recovered);

        harness.Tick(5999);
        Assert.NotNull(harness.Replica.Sessions.Find(77));
        harness.Tick(1);

        Assert.Null(harness.Replica.Sessions.Find(77));
        Assert.Equal(1, harness.Replica.Statistics.SessionsExpired);
    }

    [Fact]
    public void ClientRequest_of_a_connection_that_is_to_go_does_not_happen()
    {
        using var harness = new ReplicaHarness();
        HarnessClient former = harness.Connect();
        harness.IsAutomatic = false;
        // The resumption and a request of the old connection come before the driver has closed that connection.
        HarnessClient next = harness.Open();
        var resumption = new ConnectRequest(
            0, 0, 10_000, former.SessionId, SessionPassword.Derive(former.SessionId), false);
        harness.Replica.Step(Input.ClientConnect(next.Link, resumption, harness.NowMs, harness.WallMs));
        harness.Replica.Step(Input.ClientRequest(
            former.Link, OpCode.Create, 1, RequestBody.Create("/late"), harness.NowMs, harness.WallMs));
        harness.Tick();
        harness.Settle();

        Assert.True(former.IsHungUp);
        Assert.True(next.Link.IsEstablished);
        Assert.True(harness.Tree.Find("/late"u8).IsNone);
    }

    [Fact]
    public void ResumeSession_wrong_password_keeps_what_the_old_connection_heard()
    {
        using var harness = new ReplicaHarness();
        HarnessClient client = harness.Connect(timeoutMs: 4000);
        harness.NowMs += 3500;
        client.Call(OpCode.Ping, []);
        harness.Open().Connect(session: client.SessionId, password: new byte[16]);

        harness.Tick(3900);

        Assert.NotNull(harness.Replica.Sessions.Find(client.SessionId));
    }

    [Fact]
    public void LogDurable_beyond_what_was_proposed_is_a_broken_invariant()
    {
        using var harness = new ReplicaHarness();
        Assert.Throws<InvariantException>(() => harness.Replica.Step(
            Input.LogDurable(new Zxid(5), harness.NowMs, harness.WallMs)));
    }
}
