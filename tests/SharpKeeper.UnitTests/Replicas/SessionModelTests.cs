using CsCheck;
using SharpKeeper.Protocol;

namespace SharpKeeper.ReplicaTests;

/// <summary>Random lives of sessions against the rules: who lives, who is dead, who holds which ephemerals.</summary>
public class SessionModelTests
{
    [Fact]
    public void Random_lives_end_when_the_model_says() =>
        Gen.Int[0, 1 << 24].Array[1, 200].Sample(
            steps =>
            {
                using var run = new SessionRun();
                foreach (int step in steps)
                    run.Take(new Dice(step));
                run.AssertNobodyIsForgotten();
            },
            iter: TestScale.Of(200), threads: 1, print: Print);

    private static string Print(int[] steps)
    {
        using var run = new SessionRun { Trace = [] };
        try
        {
            foreach (int step in steps)
                run.Take(new Dice(step));
            run.AssertNobodyIsForgotten();
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            run.Trace.Add(exception.Message);
        }
        return string.Join(',', steps) + "\n" + string.Join('\n', run.Trace);
    }
}

/// <summary>One run of random connects, signs of life, breaks, resumptions, closes and ticks.</summary>
internal sealed class SessionRun : IDisposable
{
    private const int TickMs = 1000;
    private const int SessionsMax = 8;

    private sealed class Life(long id)
    {
        public long Id { get; } = id;

        public int TimeoutMs { get; set; }

        public long HeardMs { get; set; }

        public HarnessClient? Client { get; set; }

        public SortedSet<string> Ephemerals { get; } = new(StringComparer.Ordinal);

        /// <summary>The first moment at which a tick ends it: whole ticks, later than the timeout.</summary>
        public long DueMs => (HeardMs + TimeoutMs) / TickMs * TickMs + TickMs;
    }

    private readonly ReplicaHarness harness = new();
    private readonly Dictionary<long, Life> alive = [];
    private readonly List<long> dead = [1234];
    private int names;
    private bool isStalled;

    public List<string>? Trace { get; init; }

    public void Dispose() => harness.Dispose();

    public void Take(Dice dice)
    {
        Life? life = alive.Count == 0 ? null : dice.Pick([.. alive.Values]);
        switch (dice.Roll(16))
        {
            case <= 2:
                if (alive.Count < SessionsMax)
                    Connect(1 + dice.Roll(25_000));
                break;
            case <= 5:
                harness.NowMs += dice.Roll(3) == 0 ? dice.Roll(6000) : dice.Roll(1200);
                break;
            case <= 8:
                Tick(dice.Roll(1500));
                break;
            case 9 or 10:
                Ping(life);
                break;
            case 11:
                CreateEphemeral(life);
                break;
            case 12:
                Drop(life);
                break;
            case 13:
                Resume(
                    dice.Hits(75) && life is not null ? life.Id : dice.Pick(dead), dice.Roll(25_000), dice.Hits(65));
                break;
            case 14:
                if (dice.Hits(40))
                    Close(life);
                break;
            default:
                if (dice.Hits(25))
                    ToggleStall();
                break;
        }
        AssertState();
    }

    /// <summary>Without a further sign everybody is gone after the longest timeout and a tick.</summary>
    public void AssertNobodyIsForgotten()
    {
        if (isStalled)
            ToggleStall();
        foreach (Life life in alive.Values)
            life.Client?.Drop();
        harness.Tick(20_000 + TickMs);
        Assert.Equal(0, harness.Replica.Sessions.Count);
        Assert.Empty(harness.Replica.Sessions.Buckets);
        Assert.Equal(0, harness.Replica.CommittedSessions.Count);
        Assert.Equal(0, harness.Tree.EphemeralCount);
        Assert.Equal(4, harness.Tree.Count);
    }

    private void Connect(int timeoutMs)
    {
        HarnessClient client = harness.Open();
        client.Connect(timeoutMs);
        Trace?.Add($"{harness.NowMs} {client.Name} connects with {timeoutMs}");
        if (isStalled)
        {
            Assert.True(client.IsHungUp);
            return;
        }
        var life = new Life(client.SessionId)
        {
            TimeoutMs = Math.Clamp(timeoutMs, 2000, 20_000),
            HeardMs = harness.NowMs,
            Client = client,
        };
        alive.Add(life.Id, life);
        Assert.Contains($"timeout={life.TimeoutMs} ", Assert.Single(client.Take()).Body, StringComparison.Ordinal);
    }

    private void Tick(int ms)
    {
        harness.Tick(ms);
        Trace?.Add($"{harness.NowMs} tick");
        if (isStalled)
            return;
        foreach (Life life in alive.Values.Where(life => life.DueMs <= harness.NowMs).ToArray())
        {
            Trace?.Add($"{life.Id:x} expires");
            End(life);
            Assert.True(life.Client is null || life.Client.IsHungUp);
        }
    }

    private void Ping(Life? life)
    {
        if (life?.Client is not { } client)
            return;
        Trace?.Add($"{harness.NowMs} {client.Name} pings");
        life.HeardMs = harness.NowMs;
        Assert.Equal(ErrorCode.Ok, client.Call(OpCode.Ping, []).Error);
    }

    private void CreateEphemeral(Life? life)
    {
        if (life?.Client is not { } client)
            return;
        string path = "/e" + ++names;
        Trace?.Add($"{harness.NowMs} {client.Name} creates {path}");
        life.HeardMs = harness.NowMs;
        Frame reply = client.Call(OpCode.Create, RequestBody.Create(path, mode: CreateMode.Ephemeral));
        Assert.Equal(isStalled ? ErrorCode.NotReadOnly : ErrorCode.Ok, reply.Error);
        if (!isStalled)
            life.Ephemerals.Add(path);
    }

    private void Drop(Life? life)
    {
        Trace?.Add($"{harness.NowMs} {life?.Client?.Name} drops");
        life?.Client?.Drop();
        if (life is not null)
            life.Client = null;
    }

    private void Resume(long id, int timeoutMs, bool isRight)
    {
        HarnessClient client = harness.Open();
        Trace?.Add($"{harness.NowMs} {client.Name} resumes {id:x} with {timeoutMs} {isRight}");
        Life? life = alive.GetValueOrDefault(id);
        HarnessClient? former = life?.Client;
        client.Connect(timeoutMs, id, isRight ? null : new byte[16]);
        Frame reply = Assert.Single(client.Take());
        Assert.True(former is null || former.IsHungUp);
        if (life is not null)
            life.Client = null;
        if (life is null || !isRight)
        {
            Assert.StartsWith("session=0 timeout=0 password=zeros", reply.Body, StringComparison.Ordinal);
            Assert.True(client.Link.IsClosing);
            client.Drop();
            return;
        }
        life.Client = client;
        life.HeardMs = harness.NowMs;
        life.TimeoutMs = Math.Clamp(timeoutMs, 2000, 20_000);
        string expected = $"session={id:x} timeout={life.TimeoutMs} password=good";
        Assert.StartsWith(expected, reply.Body, StringComparison.Ordinal);
    }

    private void Close(Life? life)
    {
        if (life?.Client is not { } client)
            return;
        Trace?.Add($"{harness.NowMs} {client.Name} closes");
        life.HeardMs = harness.NowMs;
        Frame reply = client.Call(OpCode.CloseSession, []);
        Assert.Equal(isStalled ? ErrorCode.NotReadOnly : ErrorCode.Ok, reply.Error);
        Assert.Equal(!isStalled, client.Link.IsClosing);
        if (isStalled)
            return;
        client.Drop();
        End(life);
    }

    private void End(Life life)
    {
        alive.Remove(life.Id);
        dead.Add(life.Id);
    }

    private void ToggleStall()
    {
        isStalled = !isStalled;
        Trace?.Add($"{harness.NowMs} stalled: {isStalled}");
        if (isStalled)
            harness.Stall();
        else
            harness.Resume();
    }

    private void AssertState()
    {
        Assert.Equal(alive.Keys.Order(), harness.Replica.Sessions.All.Select(session => session.Id).Order());
        Assert.Equal(
            alive.Keys.Order(), harness.Replica.CommittedSessions.ToArray().Select(session => session.Id.Value));
        Assert.Equal(alive.Values.Sum(life => life.Ephemerals.Count), harness.Tree.EphemeralCount);
        foreach (Life life in alive.Values)
        {
            var paths = new List<string>();
            harness.Tree.CollectEphemerals(life.Id, paths);
            Assert.Equal(life.Ephemerals, paths);
            Assert.True(life.Client is null || !life.Client.IsGone);
        }
    }
}
