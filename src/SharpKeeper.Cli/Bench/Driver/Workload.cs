using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Bench.Driver;

/// <summary>A reply without its frame length.</summary>
internal readonly ref struct Reply(int xid, long zxid, int error, ReadOnlySpan<byte> body)
{
    public readonly int Xid = xid;
    public readonly long Zxid = zxid;
    public readonly int Error = error;
    public readonly ReadOnlySpan<byte> Body = body;
}

/// <summary>
/// What sessions ask for and what must come back. The driver numbers requests, checks the order of replies and their
/// zxids, and measures; a work knows the bytes.
/// </summary>
internal abstract class Workload
{
    /// <summary>Set by the driver when no new piece of work shall begin.</summary>
    public bool IsStopping { get; set; }

    /// <summary>Does the work itself decide when it has ended, also while it is stopping?</summary>
    public virtual bool RunsItself => false;

    /// <summary>Does the work itself record what it measures, instead of every reply being recorded?</summary>
    public virtual bool RecordsItself => false;

    /// <summary>Is it waiting for events although no request is in flight?</summary>
    public virtual bool IsWaiting => false;

    /// <summary>Set by a work when sessions that had nothing to do have something now.</summary>
    public bool HasNews { get; set; }

    /// <summary>Appends one whole request frame; false when the session has nothing to ask now.</summary>
    public abstract bool TryWrite(Session session, int xid, JuteBuffer output);

    /// <summary>Checks a reply against the oldest request in flight.</summary>
    /// <exception cref="WrongReplyException">It is not what a correct server answers.</exception>
    public abstract void Check(Session session, in Reply reply);

    /// <summary>Takes a watch event; a work that watches nothing lets it end the run.</summary>
    /// <exception cref="WrongReplyException">The event was not due.</exception>
    public virtual void OnEvent(Session session, in Reply reply, Meter meter, long now) =>
        throw new WrongReplyException($"{session}: a watch event came, and nothing is watched");

    /// <summary>Ends the run unless the reply's error code is <see cref="ErrorCode.Ok"/>.</summary>
    protected static void RequireOk(Session session, in Reply reply, string operation)
    {
        if (reply.Error != 0)
            Wrong(session, reply, $"{operation} failed with {NameOf(reply.Error)}");
    }

    /// <summary>Ends the run.</summary>
    protected static void Wrong(Session session, in Reply reply, string what) =>
        throw new WrongReplyException($"{session}, xid {reply.Xid}: {what}");

    /// <summary>An error code in words and figures.</summary>
    protected static string NameOf(int error) => $"error {error} ({(ErrorCode)error})";
}
