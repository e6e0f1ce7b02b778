using System.Text;
using SharpKeeper.Protocol;

namespace SharpKeeper.Client.Internal;

/// <content>Finding servers, resuming, expiring, closing.</content>
internal sealed partial class ClientSession
{
    private static readonly TimeSpan CloseMax = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ProbeDelayMin = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ProbeDelayMax = TimeSpan.FromSeconds(60);

    /// <summary>Ends when a state is reached; fails when it cannot be any more.</summary>
    public async Task WaitForStateAsync(Func<KeeperState, bool> isWanted, CancellationToken cancellation)
    {
        StateWaiter waiter;
        lock (gate)
        {
            if (isWanted(state))
                return;
            if (state.IsFinal())
                throw KeeperException.For(refusal);
            waiter = new StateWaiter(
                isWanted, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            stateWaiters.Add(waiter);
        }
        try
        {
            await waiter.Reached.Task.WaitAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            lock (gate)
                stateWaiters.Remove(waiter);
        }
    }

    /// <summary>Waits for the first server, as long as the options say.</summary>
    public async Task WaitForFirstServerAsync(CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(options.ConnectTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, limit.Token);
        try
        {
            await WaitForStateAsync(KeeperStates.IsConnected, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw KeeperException.For(ErrorCode.ConnectionLoss, null,
                $"no server of \"{options.ConnectString}\" accepted the session within {options.ConnectTimeout}; the "
                + $"last failure was: {lastFailure ?? "none, the servers did not answer"}");
        }
    }

    /// <summary>Ends the session at the server, if one can be reached, and stops.</summary>
    public Task CloseAsync()
    {
        lock (gate)
            return closing ??= Task.Run(CloseCoreAsync);
    }

    /// <summary>See <see cref="IKeeperClient.UpdateServers"/>.</summary>
    public bool UpdateServers(string connectString)
    {
        ConnectString latest = Internal.ConnectString.Parse(connectString);
        if (latest.Chroot.Length > 0 && latest.Chroot != Chroot)
            throw new ArgumentException($"The chroot of a client cannot change from \"{Chroot}\" to "
                + $"\"{latest.Chroot}\"; leave it out, or make another client.", nameof(connectString));
        Connection? left;
        lock (gate)
        {
            left = connection;
            if (!servers.Update(latest.Servers, left?.Server))
                return false;
        }
        Leave(left!, "the list of servers has changed");
        return true;
    }

    /// <summary>
    /// Moves on from a connection once all that is under way has been answered; what comes meanwhile waits for the next
    /// one.
    /// </summary>
    private void Leave(Connection left, string reason)
    {
        bool isIdle;
        lock (gate)
        {
            if (left != connection || refusal != ErrorCode.Ok)
                return;
            isMoving = true;
            isIdle = left.Retire(reason);
        }
        if (isIdle)
            left.Abort(reason);
    }

    private async Task CloseCoreAsync()
    {
        Task? goodbye = null;
        lock (gate)
        {
            if (refusal == ErrorCode.Ok)
            {
                isMoving = false;
                connection?.Stay();
                if (connection is not null)
                    goodbye = SayGoodbyeAsync();
                refusal = ErrorCode.Closing;
            }
        }
        if (goodbye is not null)
        {
            try
            {
                TimeSpan limit = Timeout < CloseMax ? Timeout : CloseMax;
                await goodbye.WaitAsync(limit, time).ConfigureAwait(false);
            }
            catch (Exception e) when (e is KeeperException or TimeoutException)
            {
                // The session then ends at the server when its timeout is over.
            }
        }
        await stopping.CancelAsync().ConfigureAwait(false);
        await running.ConfigureAwait(false);
        Stop(KeeperState.Closed);
    }

    private Task SayGoodbyeAsync()
    {
        PendingRequest<bool> request =
            PendingRequest<bool>.Rent(Replies.None, null, ErrorCode.Ok, null, WatchKind.None);
        return SendOnlyAsync(OpCode.CloseSession, new EmptyBody(), request, CancellationToken.None).AsTask();
    }

    private async Task RunAsync()
    {
        try
        {
            while (IsWanted())
            {
                (ServerEndpoint server, TimeSpan delay) = NextServer();
                ClientLog.Connecting(logger, server, delay);
                if (delay > TimeSpan.Zero)
                    await Task.Delay(delay, time, stopping.Token).ConfigureAwait(false);
                using Connection? connected = await TryConnectAsync(server).ConfigureAwait(false);
                if (connected is not null)
                    await ServeAsync(connected).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Closed while waiting or connecting.
        }
        catch (Exception e)
        {
            ClientLog.Defect(logger, e);
            Stop(KeeperState.Closed);
        }
    }

    private (ServerEndpoint Server, TimeSpan Delay) NextServer()
    {
        lock (gate)
            return (servers.Next(out TimeSpan delay), delay);
    }

    private bool IsWanted()
    {
        lock (gate)
            return refusal == ErrorCode.Ok && !stopping.IsCancellationRequested;
    }

    private async Task ServeAsync(Connection connected)
    {
        Task probing = state == KeeperState.ConnectedReadOnly
            ? ProbeForReadWriteAsync(connected, connected.Ending) : Task.CompletedTask;
        string reason = await connected.ReceiveAsync().ConfigureAwait(false);
        OnLost(connected, reason);
        connected.Abort(reason);
        await probing.ConfigureAwait(false);
    }

    private async Task<Connection?> TryConnectAsync(ServerEndpoint server)
    {
        using var limit = new CancellationTokenSource(ConnectShare(), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token, limit.Token);
        Connection? made = null;
        try
        {
            ITransportConnection transport =
                await options.Transport.ConnectAsync(server, either.Token).ConfigureAwait(false);
            made = new Connection(this, gate, server, transport, time, options.ReplyBytesMax, stopping.Token);
            ConnectResponse response =
                await made.HandshakeAsync(MakeConnectRequest(), either.Token).ConfigureAwait(false)
                ?? throw new IOException(
                    "it closed the connection instead of answering (no quorum, too many connections, "
                    + "or it is behind this session)");
            if (Adopt(made, response))
                return made;
        }
        catch (Exception e) when (Connection.IsTransportFailure(e) || e is ProtocolViolationException)
        {
            stopping.Token.ThrowIfCancellationRequested();
            string reason = limit.IsCancellationRequested ? "no answer in time" : e.Message;
            lastFailure = $"{server}: {reason}";
            ClientLog.ConnectFailed(logger, server, reason);
        }
        made?.Dispose();
        return null;
    }

    private TimeSpan ConnectShare()
    {
        lock (gate)
            return timeout / servers.Count;
    }

    /// <summary>
    /// A session that only read-only servers know cannot be resumed at a read-write one: it asks for a new session.
    /// </summary>
    private ConnectRequest MakeConnectRequest()
    {
        lock (gate)
        {
            long id = readWriteSeen ? sessionId : 0;
            byte[] secret = readWriteSeen ? password : new byte[16];
            int timeoutMs = (int)Math.Max(options.SessionTimeout.TotalMilliseconds, 1);
            return new ConnectRequest(0, lastZxid, timeoutMs, id, secret, options.ReadOnlyAllowed);
        }
    }

    /// <summary>
    /// Makes a connection the session's. Credentials go first, watches next, and then what has been waiting.
    /// </summary>
    private bool Adopt(Connection made, ConnectResponse response)
    {
        if (response.TimeoutMs <= 0)
        {
            ClientLog.Expired(logger, new SessionId(sessionId));
            Stop(KeeperState.Expired);
            return false;
        }
        bool flush;
        KeeperState reached = response.ReadOnly == true ? KeeperState.ConnectedReadOnly : KeeperState.Connected;
        lock (gate)
        {
            if (refusal != ErrorCode.Ok)
                return false;
            sessionId = response.SessionId;
            password = response.Password;
            timeout = TimeSpan.FromMilliseconds(response.TimeoutMs);
            readWriteSeen |= reached == KeeperState.Connected;
            isMoving = false;
            servers.Connected();
            foreach (AuthEntry entry in auth)
                made.AppendAuth(entry);
            Watches.WriteSetWatches(made.Outgoing, lastZxid, Chroot);
            backlog.MoveTo(made);
            made.Start(timeout);
            connection = made;
            flush = made.BeginFlush();
            SetState(reached);
        }
        if (flush)
            made.Flush();
        ClientLog.Connected(logger, new SessionId(response.SessionId), made.Server, timeout, reached);
        return true;
    }

    private void OnLost(Connection lost, string reason)
    {
        PendingRequest[] unanswered;
        ErrorCode code;
        lock (gate)
        {
            connection = null;
            isMoving = false;
            unanswered = lost.TakeInFlight();
            code = refusal is ErrorCode.Ok or ErrorCode.Closing ? ErrorCode.ConnectionLoss : refusal;
            if (refusal == ErrorCode.Ok)
                SetState(KeeperState.Disconnected);
        }
        foreach (PendingRequest request in unanswered)
            request.Fail(code, null);
        if (refusal == ErrorCode.Ok)
            ClientLog.ConnectionLost(logger, new SessionId(sessionId), lost.Server, reason);
    }

    /// <summary>Enters a final state: whatever waits is told, and nothing more is accepted.</summary>
    private void Stop(KeeperState final)
    {
        PendingRequest[] waiting;
        lock (gate)
        {
            if (state.IsFinal())
                return;
            refusal = final switch
            {
                KeeperState.Expired => ErrorCode.SessionExpired,
                KeeperState.AuthFailed => ErrorCode.AuthFailed,
                _ => ErrorCode.Closing,
            };
            waiting = backlog.Take();
            SetState(final);
            foreach (AuthEntry entry in auth)
                FailAuth(entry);
        }
        foreach (PendingRequest request in waiting)
            request.Fail(refusal, null);
        Dispatcher.Complete();
        ClientLog.Closed(logger, new SessionId(sessionId));
    }

    private void FailAuth(AuthEntry entry)
    {
        entry.Accepted.TrySetException(KeeperException.For(refusal));
        // Credentials from the options have nobody who waits for them.
        _ = entry.Accepted.Task.Exception;
    }

    /// <summary>Under the lock, so that all hear of the states in one order.</summary>
    private void SetState(KeeperState reached)
    {
        state = reached;
        Watches.OnState(reached, Dispatcher);
        RaiseWatchFired(WatchedEvent.ForState(reached));
        if (StateChanged is { } handler)
            Dispatcher.Enqueue(handler, reached);
        foreach (StateWaiter waiter in stateWaiters)
        {
            if (waiter.IsWanted(reached))
                waiter.Reached.TrySetResult();
            else if (reached.IsFinal())
                waiter.Reached.TrySetException(KeeperException.For(refusal));
        }
    }

    /// <summary>While a read-only server serves, asks the others whether they can do better.</summary>
    private async Task ProbeForReadWriteAsync(Connection current, CancellationToken ending)
    {
        TimeSpan delay = ProbeDelayMin;
        ServerEndpoint candidate = current.Server;
        try
        {
            while (true)
            {
                await Task.Delay(delay, time, ending).ConfigureAwait(false);
                candidate = After(candidate);
                if (candidate != current.Server && await IsReadWriteAsync(candidate, ending).ConfigureAwait(false))
                {
                    ClientLog.FoundReadWrite(logger, candidate);
                    lock (gate)
                        servers.Prefer(candidate);
                    Leave(current, "a read-write server was found");
                    return;
                }
                delay = delay * 2 < ProbeDelayMax ? delay * 2 : ProbeDelayMax;
            }
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The read-only connection has ended.
        }
    }

    private ServerEndpoint After(ServerEndpoint server)
    {
        lock (gate)
            return servers.InOrder[(servers.IndexOf(server) + 1) % servers.Count];
    }

    private async Task<bool> IsReadWriteAsync(ServerEndpoint server, CancellationToken ending)
    {
        using var limit = new CancellationTokenSource(Timeout / 3, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ending, limit.Token);
        try
        {
            using ITransportConnection transport =
                await options.Transport.ConnectAsync(server, either.Token).ConfigureAwait(false);
            await transport.SendAsync("isro"u8.ToArray(), either.Token).ConfigureAwait(false);
            byte[] answer = new byte[16];
            int length = 0;
            while (length < 2)
            {
                int received =
                    await transport.ReceiveAsync(answer.AsMemory(length), either.Token).ConfigureAwait(false);
                if (received == 0)
                    return false;
                length += received;
            }
            return Encoding.ASCII.GetString(answer, 0, 2) == "rw";
        }
        catch (Exception e) when (Connection.IsTransportFailure(e))
        {
            ending.ThrowIfCancellationRequested();
            return false;
        }
    }
}
