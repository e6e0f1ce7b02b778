using SharpKeeper.Core;
using SharpKeeper.Core.Clients;
using SharpKeeper.Core.Watches;
using SharpKeeper.Protocol;

namespace SharpKeeper.Simulation;

internal sealed partial class SimServer
{
    private const int RequestHeaderBytes = 8;

    private readonly List<ServerConnection> connections = [];
    private WatchTable watches = null!;

    /// <summary>The connections of clients.</summary>
    public IReadOnlyList<ServerConnection> Connections => connections;

    /// <summary>A client has connected.</summary>
    public void Accept(Wire wire)
    {
        int end = wire.EndOf(Id);
        var connection = new ServerConnection(wire, end, watches);
        connections.Add(connection);
        wire.Received[end] = bytes => Post(() => TakeFrame(connection, bytes));
        wire.Closed[end] = () => Post(() => Leave(connection));
    }

    private void TakeFrame(ServerConnection connection, byte[] frame)
    {
        if (connection.IsGone)
            return;
        if (connection.Link.IsEstablished)
        {
            TakeRequest(connection, frame);
            return;
        }
        // What follows a handshake waits until that is answered.
        if (connection.IsHandshaking)
        {
            connection.Waiting.Enqueue(frame);
            return;
        }
        connection.IsHandshaking = true;
        if (!ConnectRequest.TryRead(frame, out ConnectRequest request))
            throw new SimulationFailure("Simulator", "a client sent a handshake that is none");
        connection.Link.Posted++;
        Replica.Step(Input.ClientConnect(connection.Link, request, NowMs, WallMs));
    }

    private void TakeRequest(ServerConnection connection, byte[] frame)
    {
        ClientLink link = connection.Link;
        if (link.IsClosing)
            return;
        // What follows a sync must not overtake it.
        if (connection.IsSyncing)
        {
            connection.Waiting.Enqueue(frame);
            return;
        }
        var reader = new JuteReader(frame);
        int xid = reader.ReadInt32();
        var op = (OpCode)reader.ReadInt32();
        link.LastHeardMs = NowMs;
        bool isRead = OpTable.Find(op).Class == OpClass.Read;
        if (isRead && op != OpCode.Sync && !link.HasUnanswered)
        {
            Replica.Reads.Answer(link, xid, op, frame.AsSpan(RequestHeaderBytes));
            Flush(connection);
            return;
        }
        connection.IsSyncing = op == OpCode.Sync;
        link.Posted++;
        Replica.Step(Input.ClientRequest(link, op, xid, frame.AsSpan(RequestHeaderBytes), NowMs, WallMs));
    }

    private void FlushClients(Outbox outbox)
    {
        foreach (ClientLink link in outbox.Dirty.ToArray())
        {
            link.IsDirty = false;
            Flush((ServerConnection)link.Owner!);
        }
        outbox.Dirty.Clear();
        foreach (ClientLink link in outbox.Hangups.ToArray())
            Hangup((ServerConnection)link.Owner!);
        outbox.Hangups.Clear();
    }

    private void Flush(ServerConnection connection)
    {
        ClientLink link = connection.Link;
        if (connection.IsGone)
            return;
        if (link.Output.Length > 0)
        {
            connection.Wire.Send(connection.End, link.Output.WrittenSpan.ToArray());
            link.Output.Clear();
        }
        if (link.IsClosing)
        {
            Hangup(connection);
            return;
        }
        connection.IsSyncing &= link.HasUnanswered;
        while (link.IsEstablished && !connection.IsSyncing && connection.Waiting.TryDequeue(out byte[]? frame))
            TakeRequest(connection, frame);
    }

    private void Hangup(ServerConnection connection)
    {
        connection.Wire.Close(connection.End);
        Leave(connection);
    }

    private void HangUpClients()
    {
        foreach (ServerConnection connection in connections.ToArray())
        {
            ClientLink link = connection.Link;
            if (link.Output.Length > 0 && !link.IsHangingUp)
                connection.Wire.Send(connection.End, link.Output.WrittenSpan.ToArray());
            Hangup(connection);
        }
    }

    private void Leave(ServerConnection connection)
    {
        if (connection.IsGone)
            return;
        connection.IsGone = true;
        connections.Remove(connection);
        watches.RemoveAll(connection.Link);
        connection.Link.Output.Reset();
        if (connection.IsHandshaking)
            Replica.Step(Input.ClientClosed(connection.Link, NowMs, WallMs));
    }

    private void EndClients() => connections.Clear();
}

/// <summary>A client's connection at its server.</summary>
internal sealed class ServerConnection
{
    public ServerConnection(Wire wire, int end, WatchTable watches)
    {
        Wire = wire;
        End = end;
        Link = new ClientLink(watches, this);
    }

    /// <summary>The connection.</summary>
    public Wire Wire { get; }

    /// <summary>The server's end of it.</summary>
    public int End { get; }

    /// <summary>The connection as the replica sees it.</summary>
    public ClientLink Link { get; }

    /// <summary>Has the client asked for a session?</summary>
    public bool IsHandshaking { get; set; }

    /// <summary>Is a sync unanswered?</summary>
    public bool IsSyncing { get; set; }

    /// <summary>Has it gone?</summary>
    public bool IsGone { get; set; }

    /// <summary>Requests that wait for the handshake's answer.</summary>
    public Queue<byte[]> Waiting { get; } = new();
}
