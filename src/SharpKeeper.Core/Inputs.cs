using SharpKeeper.Core.Clients;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core;

/// <summary>What can happen to a replica.</summary>
public enum InputKind
{
    /// <summary>Time has passed.</summary>
    Tick,

    /// <summary>A connection asks for a session.</summary>
    ClientConnect,

    /// <summary>A session asks for something that needs the replica: a write, or a read behind one.</summary>
    ClientRequest,

    /// <summary>A request was refused before it came here; the answer waits for its turn in the session.</summary>
    ClientRefusal,

    /// <summary>A connection has gone.</summary>
    ClientClosed,

    /// <summary>Everything up to a transaction is on disk.</summary>
    LogDurable,

    /// <summary>The log cannot be written for now.</summary>
    StorageStalled,

    /// <summary>The log can be written again.</summary>
    StorageResumed,
}

/// <summary>One input of <see cref="Replica.Step"/>, with the time at which it arrives.</summary>
public readonly ref struct Input
{
    private Input(InputKind kind, long nowMs, long wallMs)
    {
        Kind = kind;
        NowMs = nowMs;
        WallMs = wallMs;
    }

    /// <summary>What happened.</summary>
    public InputKind Kind { get; }

    /// <summary>Monotonic time, milliseconds.</summary>
    public long NowMs { get; }

    /// <summary>Wall time, milliseconds since 1970; only ever stamped into transactions.</summary>
    public long WallMs { get; }

    /// <summary>The connection concerned.</summary>
    public ClientLink? Link { get; private init; }

    /// <summary>The handshake of a <see cref="InputKind.ClientConnect"/>.</summary>
    public ConnectRequest Connect { get; private init; }

    /// <summary>The operation of a <see cref="InputKind.ClientRequest"/>.</summary>
    public OpCode Op { get; private init; }

    /// <summary>The client's id of the request.</summary>
    public int Xid { get; private init; }

    /// <summary>The request's body; valid during the step only.</summary>
    public ReadOnlySpan<byte> Body { get; private init; }

    /// <summary>The answer of a <see cref="InputKind.ClientRefusal"/>.</summary>
    public ErrorCode Refusal { get; private init; }

    /// <summary>The last transaction that a <see cref="InputKind.LogDurable"/> covers.</summary>
    public Zxid Zxid { get; private init; }

    /// <summary>Time has passed.</summary>
    public static Input Tick(long nowMs, long wallMs) => new(InputKind.Tick, nowMs, wallMs);

    /// <summary>A connection asks for a session.</summary>
    public static Input ClientConnect(ClientLink link, in ConnectRequest request, long nowMs, long wallMs) =>
        new(InputKind.ClientConnect, nowMs, wallMs) { Link = link, Connect = request };

    /// <summary>A session asks for something.</summary>
    public static Input ClientRequest(
        ClientLink link, OpCode op, int xid, ReadOnlySpan<byte> body, long nowMs, long wallMs) =>
        new(InputKind.ClientRequest, nowMs, wallMs) { Link = link, Op = op, Xid = xid, Body = body };

    /// <summary>A request was refused before it came here.</summary>
    public static Input ClientRefusal(
        ClientLink link, OpCode op, int xid, ErrorCode refusal, long nowMs, long wallMs) =>
        new(InputKind.ClientRefusal, nowMs, wallMs) { Link = link, Op = op, Xid = xid, Refusal = refusal };

    /// <summary>A connection has gone.</summary>
    public static Input ClientClosed(ClientLink link, long nowMs, long wallMs) =>
        new(InputKind.ClientClosed, nowMs, wallMs) { Link = link };

    /// <summary>Everything up to <paramref name="zxid"/> is on disk.</summary>
    public static Input LogDurable(Zxid zxid, long nowMs, long wallMs) =>
        new(InputKind.LogDurable, nowMs, wallMs) { Zxid = zxid };

    /// <summary>The log cannot be written for now.</summary>
    public static Input StorageStalled(long nowMs, long wallMs) => new(InputKind.StorageStalled, nowMs, wallMs);

    /// <summary>The log can be written again.</summary>
    public static Input StorageResumed(long nowMs, long wallMs) => new(InputKind.StorageResumed, nowMs, wallMs);
}
