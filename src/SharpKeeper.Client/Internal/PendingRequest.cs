using System.Collections.Concurrent;
using System.Threading.Tasks.Sources;
using SharpKeeper.Protocol;

namespace SharpKeeper.Client.Internal;

/// <summary>Decodes a reply's body; what it reads is checked by the caller.</summary>
internal delegate T ReplyDecoder<T>(ref JuteReader body, string chroot);

/// <summary>A request whose answer has not come yet.</summary>
internal abstract class PendingRequest
{
    /// <summary>The xid the reply must carry.</summary>
    public int Xid { get; set; }

    /// <summary>The path to name in an error.</summary>
    public string? Path { get; protected set; }

    /// <summary>The watch to register if the reply says so.</summary>
    public Watch? Watch { get; protected set; }

    /// <summary>Where to register it.</summary>
    public WatchKind WatchKind { get; protected set; }

    /// <summary>Has the caller stopped waiting, or been given an error?</summary>
    public abstract bool IsFinished { get; }

    /// <summary>Hands the reply over and lets go of the request.</summary>
    public abstract void Complete(ErrorCode error, ref JuteReader body, string chroot);

    /// <summary>Hands an error over and lets go of the request.</summary>
    public abstract void Fail(ErrorCode error, string? detail);

    /// <summary>Lets go of a request that nothing needs to be handed to.</summary>
    public abstract void Release();
}

/// <summary>
/// The pooled completion of a request. Two hold it, the session and the caller, and it goes back to the pool when both
/// have let go; a caller that never awaits costs no more than the object.
/// </summary>
internal sealed class PendingRequest<T> : PendingRequest, IValueTaskSource<T>, IValueTaskSource
{
    private const int PooledMax = 1024;
    private static readonly ConcurrentQueue<PendingRequest<T>> Pool = new();
    private static int pooled;

    private ManualResetValueTaskSourceCore<T> core = new() { RunContinuationsAsynchronously = true };
    private ReplyDecoder<T> decode = null!;
    private ErrorCode tolerated;
    private CancellationTokenRegistration registration;
    private int finished;
    private int holders;

    private PendingRequest()
    {
    }

    public short Version => core.Version;

    public override bool IsFinished => Volatile.Read(ref finished) != 0;

    /// <summary>
    /// Takes a request from the pool; <paramref name="tolerated"/> is an error that gives a default result.
    /// </summary>
    public static PendingRequest<T> Rent(
        ReplyDecoder<T> decode, string? path, ErrorCode tolerated, Watch? watch, WatchKind watchKind)
    {
        if (Pool.TryDequeue(out PendingRequest<T>? request))
            Interlocked.Decrement(ref pooled);
        else
            request = new PendingRequest<T>();
        request.decode = decode;
        request.Path = path;
        request.tolerated = tolerated;
        request.Watch = watch;
        request.WatchKind = watchKind;
        request.finished = 0;
        request.holders = 2;
        return request;
    }

    /// <summary>Ends the wait when the token is cancelled. Called once, before the caller can await.</summary>
    public void CancelWith(CancellationToken cancellation)
    {
        if (cancellation.CanBeCanceled)
        {
            registration = cancellation.UnsafeRegister(
                static (state, token) => ((PendingRequest<T>)state!).Cancel(token), this);
        }
    }

    public override void Complete(ErrorCode error, ref JuteReader body, string chroot)
    {
        if (error == ErrorCode.Ok)
            CompleteOk(ref body, chroot);
        else if (error == tolerated)
            SetResult(default!);
        else
            SetError(KeeperException.For(error, Path));
        Release();
    }

    public override void Fail(ErrorCode error, string? detail)
    {
        SetError(KeeperException.For(error, Path, detail));
        Release();
    }

    public override void Release()
    {
        if (Interlocked.Decrement(ref holders) != 0)
            return;
        core.Reset();
        Path = null;
        Watch = null;
        if (Interlocked.Increment(ref pooled) <= PooledMax)
            Pool.Enqueue(this);
        else
            Interlocked.Decrement(ref pooled);
    }

    public T GetResult(short token)
    {
        if (core.GetStatus(token) == ValueTaskSourceStatus.Pending)
            throw new InvalidOperationException("The operation has not completed; await it instead.");
        try
        {
            return core.GetResult(token);
        }
        finally
        {
            // Waits for a cancellation under way, so that it cannot reach the next user of this object.
            registration.Dispose();
            registration = default;
            Release();
        }
    }

    void IValueTaskSource.GetResult(short token) => GetResult(token);

    public ValueTaskSourceStatus GetStatus(short token) => core.GetStatus(token);

    public void OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        core.OnCompleted(continuation, state, token, flags);

    private void CompleteOk(ref JuteReader body, string chroot)
    {
        T result = decode(ref body, chroot);
        if (body.Failed)
            SetError(KeeperException.For(ErrorCode.MarshallingError, Path, "the reply is cut off or malformed"));
        else
            SetResult(result);
    }

    private void Cancel(CancellationToken cancellation) => SetError(new OperationCanceledException(cancellation));

    private void SetResult(T result)
    {
        if (Interlocked.Exchange(ref finished, 1) == 0)
            core.SetResult(result);
    }

    private void SetError(Exception error)
    {
        if (Interlocked.Exchange(ref finished, 1) == 0)
            core.SetException(error);
    }
}
