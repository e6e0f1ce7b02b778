namespace SharpKeeper.Client.Internal;

/// <summary>
/// The order in which servers are tried: shuffled once, then round and round. A server that has just been lost is the
/// last of the next round. Delays are random, and grow once a whole round has failed.
/// </summary>
internal sealed class ServerList
{
    private readonly ServerEndpoint[] servers;
    private readonly Random random;
    private readonly TimeSpan delayMax;
    private readonly TimeSpan delayCeiling;
    private int next;
    private int tried;
    private int preferred = -1;
    private bool hadConnection;

    public ServerList(IReadOnlyList<ServerEndpoint> servers, Random random, TimeSpan delayMax, TimeSpan delayCeiling)
    {
        this.servers = [.. servers];
        this.random = random;
        this.delayMax = delayMax;
        this.delayCeiling = delayCeiling;
        random.Shuffle(this.servers);
    }

    public int Count => servers.Length;

    public IReadOnlyList<ServerEndpoint> InOrder => servers;

    public int IndexOf(ServerEndpoint server) => Array.IndexOf(servers, server);

    /// <summary>The next server to try and how long to wait before.</summary>
    public ServerEndpoint Next(out TimeSpan delay)
    {
        if (preferred >= 0)
        {
            next = preferred;
            preferred = -1;
            delay = TimeSpan.Zero;
        }
        else
        {
            delay = Delay();
        }
        tried++;
        ServerEndpoint server = servers[next];
        next = (next + 1) % servers.Length;
        return server;
    }

    /// <summary>A server has accepted the session: the next search starts from fresh.</summary>
    public void Connected()
    {
        tried = 0;
        hadConnection = true;
    }

    /// <summary>Makes a server the next to be tried, without delay.</summary>
    public void Prefer(ServerEndpoint server) => preferred = IndexOf(server);

    private TimeSpan Delay()
    {
        // A client that has just started need not wait: nothing makes it start together with others.
        int round = tried / servers.Length;
        if (round == 0 && !hadConnection)
            return TimeSpan.Zero;
        TimeSpan delay = delayMax * random.NextDouble();
        if (round > 0 && tried % servers.Length == 0)
            delay += TimeSpan.FromTicks((long)Math.Min(delayMax.Ticks * Math.Pow(2, round - 1), delayCeiling.Ticks));
        return delay;
    }
}
