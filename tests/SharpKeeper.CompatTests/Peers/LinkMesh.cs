using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace SharpKeeper.CompatTests.Peers;

/// <summary>
/// Proxies between the servers of an ensemble: every server sees each of the others at addresses of its own, so that the
/// link between any two can be cut or stalled without touching the rest.
/// </summary>
public sealed class LinkMesh : IAsyncDisposable
{
    private const int HandshakeHeadBytes = 20;
    private const int AddressBytesMax = 2048;

    private readonly Dictionary<(int From, int To), (CutProxy Quorum, CutProxy Election)> links = [];

    internal LinkMesh(IReadOnlyCollection<EnsembleServer> servers)
    {
        foreach (EnsembleServer from in servers)
        {
            foreach (EnsembleServer to in servers.Where(to => to != from))
            {
                links[(from.Id, to.Id)] = (
                    CutProxy.Start(to.QuorumPort),
                    CutProxy.Start(to.ElectionPort, (socket, stop) => ReadHandshakeAsync(socket, to.Id, stop)));
            }
        }
    }

    /// <summary>Cuts every link between the two groups, and closes new ones at once.</summary>
    public void Cut(IEnumerable<int> some, IEnumerable<int> others)
    {
        foreach ((CutProxy quorum, CutProxy election) in Between(some, others))
        {
            foreach (CutProxy proxy in new[] { quorum, election })
            {
                proxy.Refuse(true);
                proxy.Cut();
            }
        }
    }

    /// <summary>Holds back everything between the two groups, closing nothing.</summary>
    public void Stall(IEnumerable<int> some, IEnumerable<int> others)
    {
        foreach ((CutProxy quorum, CutProxy election) in Between(some, others))
        {
            quorum.Stall();
            election.Stall();
        }
    }

    /// <summary>Lets everything through again.</summary>
    public void Heal()
    {
        foreach ((CutProxy quorum, CutProxy election) in links.Values)
        {
            foreach (CutProxy proxy in new[] { quorum, election })
            {
                proxy.Refuse(false);
                proxy.Resume();
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach ((CutProxy quorum, CutProxy election) in links.Values)
        {
            await quorum.DisposeAsync();
            await election.DisposeAsync();
        }
    }

    /// <summary>The quorum and election ports at which a server sees another one.</summary>
    internal (int Quorum, int Election) Ports(int from, int to) =>
        (links[(from, to)].Quorum.Port, links[(from, to)].Election.Port);

    private IEnumerable<(CutProxy Quorum, CutProxy Election)> Between(IEnumerable<int> some, IEnumerable<int> others)
    {
        int[] right = [.. others];
        return some.SelectMany(a => right.SelectMany(b => new[] { links[(a, b)], links[(b, a)] }));
    }

    // Whoever connects names its own address, and a server with a larger id calls back there: it must find the proxy.
    private async Task<byte[]> ReadHandshakeAsync(Socket socket, int receiver, CancellationToken stop)
    {
        byte[] head = await ReadAsync(socket, HandshakeHeadBytes, stop);
        int length = BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(16));
        if (length is <= 0 or > AddressBytesMax)
            return head;
        await ReadAsync(socket, length, stop);
        long sender = BinaryPrimitives.ReadInt64BigEndian(head.AsSpan(8));
        int port = links[(receiver, (int)sender)].Election.Port;
        byte[] address = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"));
        BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(16), address.Length);
        return [.. head, .. address];
    }

    private static async Task<byte[]> ReadAsync(Socket socket, int count, CancellationToken stop)
    {
        byte[] bytes = new byte[count];
        for (int read = 0; read < count;)
        {
            int more = await socket.ReceiveAsync(bytes.AsMemory(read), stop);
            if (more == 0)
                throw new SocketException((int)SocketError.ConnectionReset);
            read += more;
        }
        return bytes;
    }
}
