using System.Net;

namespace SharpKeeper.Server.Peers;

/// <summary>What a server's own address in the configuration means for listening.</summary>
internal static class ListenAddresses
{
    /// <summary>The end points to listen on.</summary>
    /// <param name="own">The server's own addresses.</param>
    /// <param name="onAll">Listen on all addresses of the machine, at the same ports.</param>
    /// <param name="cancellationToken">Ends a name look-up.</param>
    /// <exception cref="System.Net.Sockets.SocketException">A name is not known.</exception>
    public static async ValueTask<IReadOnlyList<IPEndPoint>> FindAsync(
        IReadOnlyList<PeerAddress> own, bool onAll, CancellationToken cancellationToken)
    {
        if (onAll)
        {
            IEnumerable<int> ports = own.Select(static it => it.Port).Distinct();
            return [.. ports.Select(static port => new IPEndPoint(IPAddress.IPv6Any, port))];
        }
        var ends = new List<IPEndPoint>();
        foreach (PeerAddress address in own)
        {
            // A name may stand for several addresses; the first one is the machine's own by common configuration.
            IPEndPoint[] found = await PeerDialer.ResolveAsync(address, cancellationToken).ConfigureAwait(false);
            if (!ends.Contains(found[0]))
                ends.Add(found[0]);
        }
        return ends;
    }
}
