using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Election;

namespace SharpKeeper.Server.Peers;

internal sealed partial class ElectionNetwork
{
    // Attempts after a connection was lost, or the other side has asked for one, while there is nothing to send.
    private const int AttemptsWithoutMessage = 4;

    // Addresses that a server may name as its own; each takes a thread while it is tried.
    private const int ToldAddressesMax = 16;

    // A larger server that has been told of this one needs some time to connect before it is told again.
    private static readonly TimeSpan AnswerDelay = TimeSpan.FromMilliseconds(500);

    /// <summary>Begins to connect unless that is under way. Under the lock.</summary>
    private void Connect(ElectionPeer peer)
    {
        if (peer.IsConnecting || stopping.IsCancellationRequested)
            return;
        if (peer.Configured.Count == 0 && peer.Told.Count == 0)
            return;
        peer.IsConnecting = true;
        Run(() => ConnectAsync(peer));
    }

    /// <summary>Tries until there is a connection or nothing to send.</summary>
    private async Task ConnectAsync(ElectionPeer peer)
    {
        TimeSpan delay = options.RetryDelayMin;
        while (true)
        {
            bool isReached = await TryAddressesAsync(peer).ConfigureAwait(false);
            if (!isReached && !stopping.IsCancellationRequested)
                events.VoteLinkChanged(peer.Id);
            TaskCompletionSource waiting;
            lock (stateLock)
            {
                peer.AttemptsOwed = Math.Max(0, peer.AttemptsOwed - 1);
                if (IsDone(peer))
                    return;
                peer.Waiting = waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
            TimeSpan pause = isReached && delay < AnswerDelay ? AnswerDelay : delay;
            await Task.WhenAny(Task.Delay(pause, stopping.Token), waiting.Task).ConfigureAwait(false);
            lock (stateLock)
            {
                peer.Waiting = null;
                if (IsDone(peer))
                    return;
            }
            delay = delay * 2 < options.RetryDelayMax ? delay * 2 : options.RetryDelayMax;
        }
    }

    // Under the lock. If there is nothing more to be tried, whoever wants a connection next begins anew.
    private bool IsDone(ElectionPeer peer)
    {
        bool isWanted = peer.AttemptsOwed > 0 || (peer.Pending is not null && peer.IsKnown);
        if (peer.Connection is null && isWanted && !stopping.IsCancellationRequested)
            return false;
        if (peer.Connection is not null)
            peer.AttemptsOwed = 0;
        peer.IsConnecting = false;
        return true;
    }

    /// <summary>Tries where it says it is, then where the configurations say it is.</summary>
    private async Task<bool> TryAddressesAsync(ElectionPeer peer)
    {
        List<IReadOnlyList<PeerAddress>> places = [];
        lock (stateLock)
        {
            if (peer.Told.Count > 0)
                places.Add(peer.Told);
            places.AddRange(peer.Configured.Where(it => !it.SequenceEqual(peer.Told)));
        }
        await connects.WaitAsync(stopping.Token).ConfigureAwait(false);
        try
        {
            foreach (IReadOnlyList<PeerAddress> place in places)
            {
                if (await TryConnectAsync(peer, place).ConfigureAwait(false))
                    return true;
            }
        }
        finally
        {
            connects.Release();
        }
        lock (stateLock)
        {
            // What it said does not lead to it, or not any more.
            if (peer.IsKnown)
                peer.Told = [];
        }
        return false;
    }

    private async Task<bool> TryConnectAsync(ElectionPeer peer, IReadOnlyList<PeerAddress> place)
    {
        Socket? socket = null;
        try
        {
            socket = await PeerDialer.ConnectAsync(place, options.ConnectTimeout, options.KeepAlive, stopping.Token)
                .ConfigureAwait(false);
            byte[] greeting = Introduction.Write(options.Self, OwnAddresses(), options.MultiAddress);
            await PeerSockets.SendAllAsync(socket, greeting, stopping.Token).ConfigureAwait(false);
            if (peer.Id.Value > options.Self.Value)
            {
                // It knows now that this server is here, and connects itself.
                socket.Dispose();
                return true;
            }
            Establish(peer, socket);
            return true;
        }
        catch (Exception exception) when (PeerSockets.IsEnd(exception))
        {
            socket?.Dispose();
            LogNotReached(peer.Id, string.Join(" or ", place), exception.Message);
            return false;
        }
    }

    private IReadOnlyList<PeerAddress> OwnAddresses()
    {
        lock (stateLock)
            return own;
    }

    private void Accept(Socket socket)
    {
        lock (stateLock)
        {
            if (stopping.IsCancellationRequested || handshakes >= HandshakesMax)
            {
                socket.Dispose();
                return;
            }
            handshakes++;
            Run(() => GreetAsync(socket));
        }
    }

    private async Task GreetAsync(Socket socket)
    {
        ElectionHandshake? introduction = null;
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
            limit.CancelAfter(options.HandshakeTimeout);
            introduction = await Introduction.ReadAsync(socket, limit.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (PeerSockets.IsEnd(exception))
        {
            // It said nothing that could be understood; it is closed below.
        }
        lock (stateLock)
            handshakes--;
        if (introduction is { } said && !stopping.IsCancellationRequested)
            Admit(socket, said);
        else
            socket.Dispose();
    }

    private void Admit(Socket socket, in ElectionHandshake said)
    {
        ServerId id = said.Server;
        if (id == options.Self)
        {
            LogOwnNumber(id);
            socket.Dispose();
            return;
        }
        ElectionPeer? peer;
        lock (stateLock)
        {
            // An observer without a number of its own gets one that is smaller than all others.
            if (id == ElectionHandshake.AnonymousObserver)
                id = new ServerId(--lastStranger);
            peer = Find(id);
        }
        if (peer is null)
            socket.Dispose();
        else if (id.Value > options.Self.Value)
            Establish(peer, socket);
        else
        {
            IEnumerable<ElectionAddress> told = said.Addresses.Take(ToldAddressesMax);
            CallBack(peer, socket, [.. told.Select(static it => new PeerAddress(it.Host, it.Port))]);
        }
    }

    /// <summary>The smaller one has called: it is this server that makes the connection.</summary>
    private void CallBack(ElectionPeer peer, Socket socket, IReadOnlyList<PeerAddress> told)
    {
        socket.Dispose();
        lock (stateLock)
        {
            // It would not call if it still had a connection.
            peer.Connection?.Dispose();
            peer.Connection = null;
            if (told.Count > 0)
                peer.Told = told;
            peer.AttemptsOwed = AttemptsWithoutMessage;
            peer.Waiting?.TrySetResult();
            Connect(peer);
        }
    }

    /// <summary>Makes a socket the connection to a server, in the place of an older one.</summary>
    private void Establish(ElectionPeer peer, Socket socket)
    {
        var connection = new ElectionConnection(socket, peer.Id);
        lock (stateLock)
        {
            if (stopping.IsCancellationRequested)
            {
                connection.Dispose();
                return;
            }
            peer.Connection?.Dispose();
            peer.Connection = connection;
            peer.Waiting?.TrySetResult();
            peer.Pending ??= peer.LastSent;
            Run(() => SendAllAsync(peer, connection));
            Run(() => ReceiveAllAsync(peer, connection));
        }
    }

    private async Task SendAllAsync(ElectionPeer peer, ElectionConnection connection)
    {
        while (true)
        {
            byte[]? next;
            lock (stateLock)
            {
                if (peer.Connection != connection)
                    return;
                next = peer.Pending;
                peer.Pending = null;
                peer.LastSent = next ?? peer.LastSent;
            }
            if (next is null)
                await connection.WorkAsync(stopping.Token).ConfigureAwait(false);
            else
                await connection.SendAsync(next, stopping.Token).ConfigureAwait(false);
        }
    }

    private async Task ReceiveAllAsync(ElectionPeer peer, ElectionConnection connection)
    {
        events.VoteLinkChanged(peer.Id);
        try
        {
            while (await connection.ReceiveAsync(stopping.Token).ConfigureAwait(false) is { } payload)
                events.VoteReceived(peer.Id, payload);
        }
        catch (Exception exception) when (PeerSockets.IsEnd(exception))
        {
            // As good an end as any other.
        }
        connection.Dispose();
        lock (stateLock)
        {
            connection.Signal();
            if (peer.Connection != connection)
                return;
            peer.Connection = null;
            if (peer.Id.Value < options.Self.Value && peer.IsKnown)
                peer.AttemptsOwed = AttemptsWithoutMessage;
            if (peer.AttemptsOwed > 0 || (peer.Pending is not null && peer.IsKnown))
                Connect(peer);
        }
        if (!stopping.IsCancellationRequested)
            events.VoteLinkChanged(peer.Id);
    }

    [LoggerMessage(EventId = 211, Level = LogLevel.Debug, Message =
        "The election port of server {Server} at {Address} was not reached: {Reason}.")]
    private partial void LogNotReached(ServerId server, string address, string reason);

    [LoggerMessage(EventId = 212, Level = LogLevel.Warning, Message =
        "Another server says that it is number {Server}, which is this one. Give each server its own number in its "
        + "file myid.")]
    private partial void LogOwnNumber(ServerId server);
}
