using CsCheck;
using SharpKeeper.Core.Watches;
using SharpKeeper.Protocol;

namespace SharpKeeper.ReplicaTests;

/// <summary>Random watches of several connections and random changes against the model, event by event.</summary>
public class WatchModelTests
{
    [Fact]
    public void Random_watches_and_changes_give_the_events_of_the_model() =>
        Gen.Int[0, 1 << 24].Array[1, 150].Sample(
            steps =>
            {
                using var run = new WatchRun();
                foreach (int step in steps)
                    run.Take(new Dice(step));
                run.End();
            },
            iter: TestScale.Of(300), threads: 1, print: Print);

    private static string Print(int[] steps)
    {
        using var run = new WatchRun { Trace = [] };
        try
        {
            foreach (int step in steps)
                run.Take(new Dice(step));
            run.End();
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            run.Trace.Add(exception.Message);
        }
        return string.Join(',', steps) + "\n" + string.Join('\n', run.Trace);
    }
}

/// <summary>One run of random registrations and changes.</summary>
internal sealed class WatchRun : IDisposable
{
    private sealed record Watcher(HarnessClient Client, ModelWatches Watches);

    private static readonly string[] Paths =
        ["/", "/a", "/a/b", "/a/b/c", "/a/d", "/ab", "/e", "/e/f", "/zookeeper/config", "/none/at/all"];

    private static readonly AuthId Somebody = new("digest", "u:h");

    private static readonly IReadOnlyList<Acl>[] Acls =
    [
        RequestBody.Open,
        [new(Permissions.All, Somebody), new(Permissions.All & ~Permissions.Read, AuthId.Anyone)],
    ];

    private readonly ReplicaHarness harness = new();
    private readonly ModelServer model = new();
    private readonly List<Watcher> watchers = [];

    public WatchRun()
    {
        for (int i = 0; i < 5; i++)
            watchers.Add(Connect(isSomebody: i % 2 == 0));
    }

    public List<string>? Trace { get; init; }

    public void Take(Dice dice)
    {
        int index = dice.Roll(watchers.Count);
        Watcher watcher = watchers[index];
        switch (dice.Roll(20))
        {
            case <= 7:
                Write(watcher, RandomWrite(dice));
                break;
            case 8:
                Write(watcher, new ModelRequest(OpCode.Multi)
                {
                    Parts = [.. Enumerable.Range(0, dice.Roll(4)).Select(_ => RandomWrite(dice, isPart: true))],
                });
                break;
            case <= 12:
                WatchByReading(watcher, dice);
                break;
            case <= 14:
                AddWatch(watcher, dice.Pick(Paths), dice.Roll(2));
                break;
            case <= 16:
                CheckOrRemove(watcher, dice.Roll(7), dice.Pick(Paths), dice.Hits(70));
                break;
            case 17:
                Rearm(watcher, dice);
                break;
            case 18:
                watchers[index] = dice.Hits(50) ? Reconnect(watcher) : watcher;
                break;
            default:
                if (dice.Hits(30))
                    watchers[index] = CloseSession(watcher);
                break;
        }
        int pairs = harness.WatchTables.Sum(table => table.Count);
        Assert.Equal(watchers.Sum(each => each.Watches.PathCount), pairs);
    }

    public void End()
    {
        foreach (Watcher watcher in watchers)
            watcher.Client.Drop();
        foreach (WatchTable table in harness.WatchTables)
            Assert.Equal((0, 0, 0L), (table.Count, table.PathCount, table.TableEntryCount));
        Assert.All(
            watchers.Select(watcher => watcher.Client.Link),
            link => Assert.Equal((-1, 0), (link.FirstWatch, link.WatchCount)));
    }

    public void Dispose() => harness.Dispose();

    private Watcher Connect(bool isSomebody)
    {
        HarnessClient client = harness.Connect();
        model.OpenSession();
        Assert.Single(client.Take());
        if (isSomebody)
            client.Link.AddIdentity(Somebody);
        return new Watcher(client, new ModelWatches(client.Link.Identities.ToArray()));
    }

    private Watcher Reconnect(Watcher former)
    {
        Trace?.Add($"{former.Client.Name} reconnects");
        former.Client.Drop();
        HarnessClient client = harness.Open();
        client.Connect(session: former.Client.SessionId);
        Assert.Contains("password=good", Assert.Single(client.Take()).Body, StringComparison.Ordinal);
        foreach (AuthId identity in former.Client.Link.Identities)
            client.Link.AddIdentity(identity);
        return new Watcher(client, new ModelWatches(client.Link.Identities.ToArray()));
    }

    private Watcher CloseSession(Watcher watcher)
    {
        Trace?.Add($"{watcher.Client.Name} closes its session");
        model.CloseSession(watcher.Client.SessionId);
        watcher.Client.Send(OpCode.CloseSession, []);
        AssertFrames(watcher, $"#{watcher.Client.LastXid} z{model.Zxid} ok");
        watcher.Client.Drop();
        return Connect(watcher.Client.Link.Identities.Length > 0);
    }

    private ModelRequest RandomWrite(Dice dice, bool isPart = false) => new(dice.Pick<OpCode>(
    [
        OpCode.Create, OpCode.Create, OpCode.Create2, OpCode.Delete, OpCode.SetData,
        isPart ? OpCode.Check : OpCode.SetAcl,
    ]))
    {
        Path = dice.Pick(Paths),
        Mode = dice.Hits(30) ? CreateMode.Ephemeral : CreateMode.Persistent,
        Acl = dice.Hits(75) ? Acls[0] : Acls[1],
        Data = [],
    };

    private void Write(Watcher watcher, ModelRequest request)
    {
        HarnessClient client = watcher.Client;
        (ErrorCode error, string body) = model.Write(
            request, client.SessionId, client.Link.Identities.ToArray(), harness.WallMs);
        client.Send(request.Op, request.Encode());
        Trace?.Add($"{client.Name} {request}");
        AssertFrames(watcher, new Frame(request.Op, client.LastXid, model.Zxid, error, body).ToString());
    }

    // The events of the last transaction go to everybody; the one who asked gets them before the reply.
    private void AssertFrames(Watcher asking, string reply)
    {
        foreach (Watcher watcher in watchers)
        {
            string[] events =
                [.. model.Changes.SelectMany(watcher.Watches.EventsOf).Select(e => $"event z{model.Zxid} {e}")];
            string[] expected = watcher == asking ? [.. events, reply] : events;
            Assert.Equal(expected, watcher.Client.Take().Select(frame => frame.ToString()));
        }
    }

    private void WatchByReading(Watcher watcher, Dice dice)
    {
        var request = new ModelRequest(dice.Pick<OpCode>(
            [OpCode.GetData, OpCode.Exists, OpCode.GetChildren, OpCode.GetChildren2]))
        {
            Path = dice.Pick(Paths),
        };
        HarnessClient client = watcher.Client;
        (ErrorCode error, string body) = model.Read(request, client.Link.Identities.ToArray(), model.Zxid);
        bool isExists = request.Op == OpCode.Exists;
        if (error == ErrorCode.Ok || (isExists && error == ErrorCode.NoNode))
            (isExists || request.Op == OpCode.GetData ? watcher.Watches.Data : watcher.Watches.Child).Add(request.Path);
        client.Send(request.Op, RequestBody.Watched(request.Path, isWatched: true));
        Trace?.Add($"{client.Name} {request} with a watch");
        Assert.Equal(
            new Frame(request.Op, client.LastXid, model.Zxid, error, body), Assert.Single(client.Take()));
    }

    private void AddWatch(Watcher watcher, string path, int mode)
    {
        (mode == 0 ? watcher.Watches.Persistent : watcher.Watches.Recursive).Add(path);
        Trace?.Add($"{watcher.Client.Name} adds watch {mode} of {path}");
        Frame reply = watcher.Client.Call(OpCode.AddWatch, RequestBody.Versioned(path, mode));
        Assert.Equal((ErrorCode.Ok, "0"), (reply.Error, reply.Body));
    }

    private void CheckOrRemove(Watcher watcher, int type, string path, bool isRemoving)
    {
        ErrorCode expected = watcher.Watches.Check(type, path, isRemoving);
        Trace?.Add($"{watcher.Client.Name} {(isRemoving ? "removes" : "checks")} {type} of {path}: {expected}");
        Frame reply = watcher.Client.Call(
            isRemoving ? OpCode.RemoveWatches : OpCode.CheckWatches, RequestBody.Versioned(path, type));
        Assert.Equal((expected, ""), (reply.Error, reply.Body));
    }

    private void Rearm(Watcher watcher, Dice dice)
    {
        long seen = dice.Roll((int)model.Zxid + 1);
        string[][] lists = [.. Enumerable.Range(0, 5).Select(_ =>
            Enumerable.Range(0, dice.Roll(4)).Select(_ => dice.Pick(Paths)).ToArray())];
        OpCode op = dice.Hits(50) ? OpCode.SetWatches : OpCode.SetWatches2;
        if (op == OpCode.SetWatches)
            lists = [lists[0], lists[1], lists[2], [], []];
        string paths = string.Join(';', lists.Select(list => string.Join(',', list)));
        Trace?.Add($"{watcher.Client.Name} {op} {seen} {paths}");
        string[] expected =
        [
            .. watcher.Watches.Rearm(model, seen, lists).Select(e => "event z-1 " + e),
            $"#-8 z{model.Zxid} ok",
        ];
        watcher.Client.Send(
            op, RequestBody.SetWatches(seen, op == OpCode.SetWatches ? lists[..3] : lists), Xids.SetWatches);
        Assert.Equal(expected, watcher.Client.Take().Select(frame => frame.ToString()));
    }
}
