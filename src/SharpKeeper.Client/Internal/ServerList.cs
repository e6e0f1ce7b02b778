namespace SharpKeeper.Client.Internal;

/// <summary>
/// The order in which servers are tried: shuffled, then round and round. In the first round each is tried at once, the
/// one that has just been lost last; from then on a random delay that doubles with each round stands before it. Not
/// thread-safe: used under the session's lock.
/// </summary>
internal sealed class ServerList
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(10);

    private readonly Random random;
    private readonly TimeSpan delayMax;
    private ServerEndpoint[] servers;
    private int next;
    private int tried;
    private bool isPreferred;

    /// <param name="servers">At least one.</param>
    /// <param name="random">Shuffles and draws.</param>
    /// <param name="delayMax">Longest delay before a round.</param>
    public ServerList(IReadOnlyList<ServerEndpoint> servers, Random random, TimeSpan delayMax)
    {
        this.servers = [.. servers];
        this.random = random;
        this.delayMax = delayMax;
        random.Shuffle(this.servers);
    }

    public int Count => servers.Length;

    public IReadOnlyList<ServerEndpoint> InOrder => servers;

    public int IndexOf(ServerEndpoint server) => Array.IndexOf(servers, server);

    /// <summary>The next server to try and how long to wait before.</summary>
    public ServerEndpoint Next(out TimeSpan delay)
    {
        delay = isPreferred ? TimeSpan.Zero : Delay();
        isPreferred = false;
        tried++;
        ServerEndpoint server = servers[next];
        next = (next + 1) % servers.Length;
        return server;
    }

    /// <summary>A server has accepted the session: the next search starts from fresh.</summary>
    public void Connected() => tried = 0;

    /// <summary>Makes a server the next to be tried, without delay.</summary>
    public void Prefer(ServerEndpoint server)
    {
        if (IndexOf(server) is >= 0 and int index)
        {
            next = index;
            isPreferred = true;
        }
    }

    /// <summary>
    /// Takes another list, and says whether the client should leave the server it is at. It always leaves one that is
    /// not listed any more; otherwise it draws lots, so that of many clients which were spread evenly over the old list
    /// just as many leave, and go to old and new servers in just such shares, as spread them evenly over the new one.
    /// </summary>
    /// <param name="latest">At least one.</param>
    /// <param name="current">Where the client is, or was last; null for nowhere yet.</param>
    public bool Update(IReadOnlyList<ServerEndpoint> latest, ServerEndpoint? current)
    {
        double before = servers.Length;
        ServerEndpoint[] kept = [.. latest.Where(server => servers.Contains(server))];
        ServerEndpoint[] added = [.. latest.Where(server => !servers.Contains(server))];
        double after = latest.Count;
        bool isListed = current is not null && latest.Contains(current);
        // The share of clients that has to leave each server of a list that grows.
        bool leaves = !isListed || (after > before && random.NextDouble() < 1 - before / after);
        random.Shuffle(kept);
        random.Shuffle(added);
        if (leaves && current is not null)
        {
            kept = [.. kept.Where(server => server != current)];
            servers = Interleave(kept, added, KeptShare(before, after, kept.Length));
            if (isListed)
                servers = [.. servers, current];
            next = 0;
        }
        else
        {
            servers = [.. kept, .. added];
            random.Shuffle(servers);
            next = current is null ? 0 : (IndexOf(current) + 1) % servers.Length;
        }
        tried = 0;
        return leaves && current is not null;
    }

    /// <summary>
    /// How likely a client that leaves should go to a server that was listed before. While the list grows the old ones
    /// have more than their share already. Otherwise each of them has 1/before of all clients and is to have 1/after,
    /// and what they lack is drawn from the clients of the servers that went.
    /// </summary>
    private static double KeptShare(double before, double after, double kept) =>
        after > before || kept == 0 || kept >= before ? 0 : kept * (before - after) / (after * (before - kept));

    private ServerEndpoint[] Interleave(ServerEndpoint[] kept, ServerEndpoint[] added, double keptShare)
    {
        var order = new List<ServerEndpoint>(kept.Length + added.Length + 1);
        int fromKept = 0;
        int fromAdded = 0;
        while (fromKept < kept.Length && fromAdded < added.Length)
            order.Add(random.NextDouble() < keptShare ? kept[fromKept++] : added[fromAdded++]);
        return [.. order, .. kept[fromKept..], .. added[fromAdded..]];
    }

    private TimeSpan Delay()
    {
        int round = tried / servers.Length;
        if (round == 0 || tried % servers.Length != 0)
            return TimeSpan.Zero;
        double longest = Math.Min(FirstDelay.Ticks * Math.Pow(2, round), delayMax.Ticks);
        return TimeSpan.FromTicks((long)(longest * (0.5 + random.NextDouble() / 2)));
    }
}
