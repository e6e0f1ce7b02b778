using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace SharpKeeper.CompatTests.Peers;

/// <summary>
/// Stands between a client and a server and breaks what the test wants broken: it can cut all connections, stop
/// forwarding without closing, and refuse new ones.
/// </summary>
public sealed class CutProxy : IAsyncDisposable
{
    private readonly IPEndPoint target;
    private readonly Func<Socket, CancellationToken, Task<byte[]>>? preamble;
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly ConcurrentDictionary<Link, bool> links = [];
    private readonly CancellationTokenSource stopping = new();
    private readonly Task accepting;
    private volatile TaskCompletionSource open = Completed();
    private volatile bool refusing;

    private CutProxy(IPEndPoint target, Func<Socket, CancellationToken, Task<byte[]>>? preamble = null)
    {
        this.target = target;
        this.preamble = preamble;
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        accepting = AcceptAsync();
    }

    /// <summary>Where clients connect.</summary>
    public string ConnectString => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    /// <summary>The port that clients connect to.</summary>
    public int Port => ((IPEndPoint)listener.LocalEndPoint!).Port;

    /// <summary>Starts a proxy for a server on loopback.</summary>
    public static CutProxy Start(int port) => new(new IPEndPoint(IPAddress.Loopback, port));

    /// <summary>Starts a proxy that says something else than what clients say first.</summary>
    /// <param name="port">The server's port.</param>
    /// <param name="preamble">Reads the beginning of what a client says and gives what the server is to hear.</param>
    public static CutProxy Start(int port, Func<Socket, CancellationToken, Task<byte[]>> preamble) =>
        new(new IPEndPoint(IPAddress.Loopback, port), preamble);

    /// <summary>Starts a proxy for the server of a connect string without chroot.</summary>
    public static CutProxy Start(string connectString) => new(IPEndPoint.Parse(connectString));

    /// <summary>Breaks every connection there is.</summary>
    public void Cut()
    {
        foreach (Link link in links.Keys)
            link.Dispose();
    }

    /// <summary>Closes new connections at once, or accepts them again.</summary>
    public void Refuse(bool refuse) => refusing = refuse;

    /// <summary>Holds all bytes back without closing anything, as a network that has lost its way does.</summary>
    public void Stall() => open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Lets the bytes flow again.</summary>
    public void Resume() => open.TrySetResult();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Dispose();
        Resume();
        Cut();
        await accepting;
        stopping.Dispose();
    }

    private static TaskCompletionSource Completed()
    {
        var completed = new TaskCompletionSource();
        completed.SetResult();
        return completed;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket client = await listener.AcceptAsync(stopping.Token);
                if (refusing)
                    client.Dispose();
                else
                    _ = ServeAsync(client);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // The proxy is being disposed of.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using var link = new Link(client, new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        links[link] = true;
        link.Client.NoDelay = link.Server.NoDelay = true;
        try
        {
            await link.Server.ConnectAsync(target, stopping.Token);
            if (preamble is not null)
                await link.Server.SendAsync(await preamble(link.Client, stopping.Token), stopping.Token);
            await Task.WhenAny(PumpAsync(link.Client, link.Server), PumpAsync(link.Server, link.Client));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Cut, or the server is not there.
        }
        finally
        {
            links.TryRemove(link, out _);
        }
    }

    private async Task PumpAsync(Socket from, Socket to)
    {
        byte[] buffer = new byte[64 * 1024];
        try
        {
            while (true)
            {
                int received = await from.ReceiveAsync(buffer, stopping.Token);
                if (received == 0)
                    return;
                await open.Task;
                for (int sent = 0; sent < received;)
                    sent += await to.SendAsync(buffer.AsMemory(sent, received - sent), stopping.Token);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // One end is gone; the other follows.
        }
    }

    private sealed record Link(Socket Client, Socket Server) : IDisposable
    {
        public void Dispose()
        {
            Client.Dispose();
            Server.Dispose();
        }
    }
}
