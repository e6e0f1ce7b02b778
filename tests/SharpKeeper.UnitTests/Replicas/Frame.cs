using System.Globalization;
using SharpKeeper.Protocol;

namespace SharpKeeper.ReplicaTests;

/// <summary>A decoded frame from the server: a reply, an event or the answer to a handshake.</summary>
/// <param name="Op">What it answers; Notification for an event.</param>
/// <param name="Xid">The xid of its header.</param>
/// <param name="Zxid">The zxid of its header.</param>
/// <param name="Error">The error of its header.</param>
/// <param name="Body">The rest as text.</param>
internal sealed record Frame(OpCode Op, int Xid, long Zxid, ErrorCode Error, string Body)
{
    public bool IsEvent => Op == OpCode.Notification;

    public override string ToString()
    {
        string body = Body.Length == 0 ? "" : " " + Body;
        if (Op == OpCode.CreateSession)
            return "handshake" + body;
        string head = IsEvent ? "event" : string.Create(CultureInfo.InvariantCulture, $"#{Xid}");
        string error = IsEvent ? "" : Error == ErrorCode.Ok
            ? " ok"
            : string.Create(CultureInfo.InvariantCulture, $" {Error}({(int)Error})");
        return string.Create(CultureInfo.InvariantCulture, $"{head} z{Zxid}{error}{body}");
    }
}
