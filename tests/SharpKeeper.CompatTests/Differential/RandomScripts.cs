using SharpKeeper.Protocol;
using static SharpKeeper.CompatTests.Differential.Requests;

namespace SharpKeeper.CompatTests.Differential;

/// <summary>
/// Long runs of requests drawn from a fixed seed, by several sessions on a small set of paths. Left out is what other
/// scripts show to differ: undecodable writes, persistent and one-shot watches on one path, rights of exists; and
/// checkWatches, to which 3.8 says yes if any session at all has a watch there.
/// </summary>
[Collection(ServerPairCollection.Name)]
public sealed class RandomScripts(ServerPair pair)
{
    private const int StepsPerRun = 1_500;
    private static readonly string[] Names = ["a", "b", "c", "d"];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public Task Random_requests_get_the_same_answers(int seed) =>
        pair.CompareAsync(side => PlayAsync(side, seed, StepsPerRun));

    /// <summary>Lets three sessions send random requests below a znode of their own; they stay open.</summary>
    internal static async Task PlayAsync(Side side, int seed, int steps)
    {
        var random = new Random(seed);
        string home = $"/random{seed}";
        var talkers = new List<Talker>();
        Talker first = await side.ConnectAsync("t0");
        talkers.Add(first);
        await first.DoAsync(Create(home), Create(home + "/n"), Create(home + "/w"));
        for (int i = 1; i < 3; i++)
            talkers.Add(await side.ConnectAsync($"t{i}"));
        for (int i = 0; i < talkers.Count; i++)
            await talkers[i].DoAsync(Auth("digest", $"user{i}:pw"));
        for (int step = 0; step < steps; step++)
        {
            int at = random.Next(talkers.Count);
            if (random.Next(60) == 0)
            {
                talkers[at] = await ReplaceAsync(side, random, talkers[at], at, step);
            }
            else
            {
                var requests = new WireRequest[random.Next(8) == 0 ? random.Next(2, 12) : 1];
                for (int i = 0; i < requests.Length; i++)
                    requests[i] = DrawAllowed(random, home, isAlone: requests.Length == 1);
                await talkers[at].DoAsync(requests);
            }
            foreach (Talker talker in talkers)
                await talker.DrainAsync();
        }
    }

    // Ends a session, or moves it to another connection and registers its watches again.
    private static async Task<Talker> ReplaceAsync(Side side, Random random, Talker old, int at, int step)
    {
        string name = $"t{at}s{step}";
        if (random.Next(2) == 0)
        {
            await old.DoAsync(GetEphemerals("/"));
            await old.CloseAsync();
            return await side.ConnectAsync(name);
        }
        Talker talker = await side.OpenAsync(name);
        await talker.HandshakeAsync(
            new ConnectRequest(0, old.LastZxid, side.TimeoutMs, old.SessionId, old.Password, false));
        await talker.DoAsync(Auth("digest", $"user{at}:pw"));
        return talker;
    }

    // Apache checks a request behind a setACL that it has not applied yet against the ACL from before.
    private static WireRequest DrawAllowed(Random random, string home, bool isAlone)
    {
        while (true)
        {
            WireRequest request = Draw(random, home, inMulti: false);
            if (isAlone || request.Op != OpCode.SetAcl)
                return request;
        }
    }

    private static WireRequest Draw(Random random, string home, bool inMulti)
    {
        string path = PathOf(random, home);
        bool watch = random.Next(4) == 0;
        int version = random.Next(3) == 0 ? random.Next(4) : -1;
        switch (random.Next(inMulti ? 10 : 24))
        {
            case 0 or 1 or 2:
                return DrawCreate(random, path, inMulti);
            case 3 or 4:
                return Delete(path, version);
            case 5 or 6 or 7:
                return SetData(path, DataOf(random), version);
            case 8 or 9:
                return inMulti ? Check(path, version) : Multi(DrawParts(random, home));
            case 10:
                return SetAcl(path, AclOf(random), random.Next(3) == 0 ? random.Next(3) : -1);
            case 11 or 12:
                return GetData(path, watch);
            case 13:
                return Exists(home + "/n/none" + random.Next(3), watch);
            case 14:
                return GetChildren(path, watch);
            case 15:
                return GetChildren2(path, watch);
            case 16:
                return GetAcl(path);
            case 17:
                return MultiRead(GetData(path), GetChildren(PathOf(random, home)), GetData(PathOf(random, home)));
            case 18:
                return AddWatch($"{home}/w{(random.Next(2) == 0 ? "" : "/" + Names[random.Next(4)])}", random.Next(2));
            case 19:
                return RemoveWatches(path, random.Next(1, 4));
            case 20:
                return random.Next(2) == 0 ? GetEphemerals(path) : WhoAmI();
            case 21:
                return GetAllChildrenNumber(path);
            case 22:
                return random.Next(2) == 0 ? Sync(path) : Ping();
            default:
                string[] one = [path], two = [PathOf(random, home)];
                return SetWatches(0, one, random.Next(2) == 0 ? [] : two, random.Next(2) == 0 ? one : []);
        }
    }

    private static WireRequest DrawCreate(Random random, string path, bool inMulti)
    {
        if (random.Next(4) == 0)
            return CreateWithAcl(path, AclOf(random));
        if (random.Next(8) == 0)
            return CreateTtl(path, random.Next(5, 7), random.Next(100_000_000) + 1_000_000);
        OpCode op = inMulti ? OpCode.Create : random.Next(3) switch
        {
            0 => OpCode.Create,
            1 => OpCode.Create2,
            _ => OpCode.CreateContainer,
        };
        // Not an ephemeral container: while it is not applied yet, Apache takes it for an ephemeral one.
        int flags = op == OpCode.CreateContainer ? 2 * random.Next(3) : random.Next(5);
        return Create(path, DataOf(random), flags, op: op);
    }

    private static WireRequest[] DrawParts(Random random, string home)
    {
        var parts = new WireRequest[random.Next(1, 5)];
        for (int i = 0; i < parts.Length; i++)
            parts[i] = Draw(random, home, inMulti: true);
        return parts;
    }

    // Below /w only persistent watches are set, and by addWatch alone; one-shot ones live below /n.
    private static string PathOf(Random random, string home)
    {
        string path = home + "/n";
        int depth = random.Next(1, 4);
        for (int i = 0; i < depth; i++)
            path += "/" + Names[random.Next(Names.Length)];
        return path;
    }

    private static string? DataOf(Random random) => random.Next(6) switch
    {
        0 => null,
        1 => "",
        _ => new string((char)('a' + random.Next(26)), random.Next(1, 40)),
    };

    private static Acl[] AclOf(Random random) => random.Next(6) switch
    {
        0 => [Entry(31, "auth", "")],
        1 => [Entry(random.Next(32), "world", "anyone"), Entry(31, "auth", "")],
        2 => [Entry(31, "digest", "user1:bad"), Entry(1 | random.Next(32), "ip", "127.0.0.0/8")],
        3 => [Entry(1 | random.Next(32), "world", "anyone")],
        _ => [Entry(31, "world", "anyone")],
    };
}
