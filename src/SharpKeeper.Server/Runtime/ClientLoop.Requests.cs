using System.Buffers.Binary;
using SharpKeeper.Core.Clients;
using SharpKeeper.Protocol;
using SharpKeeper.Server.Admin;
using SharpKeeper.Server.Connections;

namespace SharpKeeper.Server.Runtime;

/// <summary>What clients send: frames, words and requests.</summary>
internal sealed partial class ClientLoop
{
    private const int RequestHeaderBytes = 8;

    // A frame longer than the limit is taken for a request up to this multiple; longer ones are garbage.
    private const int RequestLimits = 64;

    // Reads that wait behind a write cannot be taken back, so no more of them are handed over than their replies may
    // take together, nor more than this number.
    private const int WaitingReadsMax = 1024;

    private int Consume(ClientConnection client, ReadOnlySpan<byte> bytes)
    {
        int consumed = 0;
        while (!client.IsClosed && !client.IsWaiting && !client.Link.IsHangingUp)
        {
            int taken = ConsumeOne(client, bytes[consumed..]);
            if (taken == 0)
                break;
            consumed += taken;
        }
        if (client.IsWaiting)
            client.PauseReading();
        return consumed;
    }

    /// <summary>Takes one frame; 0 when more bytes are needed.</summary>
    private int ConsumeOne(ClientConnection client, ReadOnlySpan<byte> bytes)
    {
        if (client.Phase == ConnectionPhase.Done)
            return bytes.Length;
        if (bytes.Length < 4)
            return 0;
        int length = BinaryPrimitives.ReadInt32BigEndian(bytes);
        if (client.Phase == ConnectionPhase.Fresh)
        {
            FourLetterWord word = FourLetterWordRecognizer.Recognize(length);
            if (word != FourLetterWord.None)
                return TakeWord(client, word, bytes);
        }
        if (length < 0 || length > runtime.RequestBytesMax)
            return RefuseOversized(client, length);
        if (bytes.Length - 4 < length)
            return 0;
        if (client.Phase == ConnectionPhase.Established && IsHeldBack(client, bytes.Slice(4, length)))
            return 0;
        TakeFrame(client, bytes.Slice(4, length));
        return 4 + length;
    }

    /// <summary>Leaves a request where it is while the throttle holds requests back.</summary>
    private bool IsHeldBack(ClientConnection client, ReadOnlySpan<byte> frame)
    {
        if (!runtime.HoldsRequests || frame.Length < RequestHeaderBytes)
            return false;
        var op = (OpCode)BinaryPrimitives.ReadInt32BigEndian(frame[4..]);
        if (op is OpCode.Ping or OpCode.CloseSession || ThrottleTimeIsOver(client))
            return false;
        if (client.ThrottledSinceMs == 0)
        {
            client.ThrottledSinceMs = nowMs;
            runtime.Metrics.RequestThrottleWaits.Add();
        }
        client.WaitsForThrottle = true;
        held.Add(client);
        return true;
    }

    private bool ThrottleTimeIsOver(ClientConnection client) => runtime.Options.ThrottledOpWait > TimeSpan.Zero
        && client.ThrottledSinceMs != 0
        && nowMs - client.ThrottledSinceMs > runtime.Options.ThrottledOpWait.TotalMilliseconds;

    private void ReleaseHeld()
    {
        if (held.Count == 0)
            return;
        ClientConnection[] released = [.. held];
        held.Clear();
        foreach (ClientConnection client in released)
        {
            client.WaitsForThrottle = false;
            ResumeIfFree(client);
        }
    }

    /// <summary>
    /// Ends the connection over a frame that is too long, once the requests before it are answered. Clients are used to
    /// that from Apache; why it happens stands in the log.
    /// </summary>
    private int RefuseOversized(ClientConnection client, int length)
    {
        if (client.Phase != ConnectionPhase.Established || length < 0
            || length > (long)runtime.RequestBytesMax * RequestLimits)
        {
            runtime.LogBadFrame(client.Remote, length);
            Break(client, CloseReason.Protocol);
            return 0;
        }
        if (client.Link.HasUnanswered)
        {
            client.WaitsForReplica = true;
            return 0;
        }
        runtime.LogOversizedRequest(client.Link.Session, client.Remote, length, runtime.RequestBytesMax);
        runtime.Metrics.LargeRequestsRejected.Add();
        client.Phase = ConnectionPhase.Done;
        client.Close(CloseReason.Protocol, flush: true);
        return 0;
    }

    private int TakeWord(ClientConnection client, FourLetterWord word, ReadOnlySpan<byte> bytes)
    {
        int argumentBytes = FourLetterWordRecognizer.ArgumentBytes(word);
        if (bytes.Length < 4 + argumentBytes)
            return 0;
        client.Phase = ConnectionPhase.Done;
        client.Link.Statistics.Received++;
        counters.Received++;
        client.Word = word;
        client.WordArgument = argumentBytes > 0 ? BinaryPrimitives.ReadInt64BigEndian(bytes[4..]) : 0;
        asking.Add(client);
        return bytes.Length;
    }

    /// <summary>Has the words of this pass answered, now that this thread keeps nobody from exclusive access.</summary>
    private void AnswerWords()
    {
        if (asking.Count == 0)
            return;
        counters.MoveTo(runtime.Metrics);
        foreach (ClientConnection client in asking)
            runtime.AnswerWord(client, client.Word, client.WordArgument);
        asking.Clear();
    }

    private void TakeFrame(ClientConnection client, ReadOnlySpan<byte> frame)
    {
        client.Link.Statistics.Received++;
        counters.Received++;
        counters.BytesReceived += frame.Length;
        if (client.Phase == ConnectionPhase.Fresh)
        {
            TakeHandshake(client, frame);
            return;
        }
        if (frame.Length < RequestHeaderBytes)
        {
            Break(client, CloseReason.Protocol);
            return;
        }
        client.Link.LastHeardMs = nowMs;
        int xid = BinaryPrimitives.ReadInt32BigEndian(frame);
        var op = (OpCode)BinaryPrimitives.ReadInt32BigEndian(frame[4..]);
        TakeRequest(client, xid, op, frame[RequestHeaderBytes..]);
    }

    private void TakeHandshake(ClientConnection client, ReadOnlySpan<byte> frame)
    {
        if (!ConnectRequest.TryRead(frame, out ConnectRequest request))
        {
            runtime.Metrics.HandshakesFailed.Add();
            Break(client, CloseReason.Protocol);
            return;
        }
        runtime.Metrics.ConnectionRequests.Add();
        if (!runtime.Throttle.TryEnter(isRenewal: request.SessionId != 0, nowMs))
        {
            runtime.Metrics.ConnectionsRejected.Add();
            Break(client, CloseReason.Refused);
            return;
        }
        client.Phase = ConnectionPhase.Connecting;
        client.WaitsForReplica = true;
        PostToReplica(client, RequestKind.Connect, OpCode.CreateSession, 0, frame);
    }

    private void TakeRequest(ClientConnection client, int xid, OpCode op, ReadOnlySpan<byte> body)
    {
        ClientLink link = client.Link;
        OpClass opClass = OpTable.Find(op).Class;
        if (client.ThrottledSinceMs != 0 && !IsOnTime(client, xid, op))
            return;
        if (!client.IsAuthorized && opClass != OpClass.Connection)
            Refuse(client, xid, runtime.Replica.Tree.LastProcessed, ErrorCode.SessionClosedRequireAuth);
        else if (opClass == OpClass.Read && !link.HasUnanswered
            && !(op == OpCode.Sync && runtime.Replica.IsEnsemble))
            AnswerRead(client, xid, op, body);
        else if (opClass is OpClass.Read or OpClass.Write)
            PostRequest(client, xid, op, body);
        else if (opClass == OpClass.Connection)
            Authenticate(client, xid, op, body);
        else
            Refuse(client, xid, new Zxid(-1), ErrorCode.Unimplemented);
    }

    /// <summary>Answers a request that the throttle has held back for too long; false if it did.</summary>
    private bool IsOnTime(ClientConnection client, int xid, OpCode op)
    {
        bool isLate = ThrottleTimeIsOver(client) && op is not (OpCode.Ping or OpCode.CloseSession);
        client.ThrottledSinceMs = 0;
        if (!isLate)
            return true;
        runtime.Metrics.ThrottledOps.Add();
        PostToReplica(client, RequestKind.Throttled, op, xid, default);
        return false;
    }

    private void AnswerRead(ClientConnection client, int xid, OpCode op, ReadOnlySpan<byte> body)
    {
        ClientLink link = client.Link;
        runtime.Replica.Reads.Answer(link, xid, op, body);
        link.Statistics.Answered(op, xid, runtime.Replica.Tree.LastProcessed, nowMs, nowMs);
        counters.ReadsAnswered++;
        Touch(client);
        if (link.Output.Length + client.QueuedBytes > UnsentBytesSoftMax)
            client.WaitsForPeer = true;
    }

    private void PostRequest(ClientConnection client, int xid, OpCode op, ReadOnlySpan<byte> body)
    {
        if (!TryTakeLarge(client, body.Length))
            return;
        if (OpTable.Find(op).Class == OpClass.Read)
        {
            client.WaitingReads++;
            client.WaitingReadBytes += body.Length + runtime.Replica.Reads.EstimateReplyBytes(op, body);
        }
        PostToReplica(client, RequestKind.Request, op, xid, body);
        client.WaitsForSync |= op == OpCode.Sync && runtime.Replica.IsEnsemble;
        // The server as a whole has enough in hand, or this client: whoever already has a request under way waits.
        if (runtime.IsOverloaded || HasTooManyReads(client))
            client.WaitsForReplica = true;
    }

    private static bool HasTooManyReads(ClientConnection client) =>
        client.WaitingReads >= WaitingReadsMax || client.WaitingReadBytes > UnsentBytesSoftMax;

    private bool TryTakeLarge(ClientConnection client, int bytes)
    {
        int threshold = runtime.Options.LargeRequestThresholdBytes;
        if (threshold <= 0 || bytes <= threshold)
            return true;
        if (!runtime.TryTakeLarge(bytes))
        {
            runtime.LogLargeRequests(client.Link.Session, client.Remote, bytes, runtime.Options.LargeRequestBytesMax);
            // Before the peer can see the end: what it leaves free is there for others at once.
            ReturnLarge(client);
            Break(client, CloseReason.Overflow);
            return false;
        }
        client.LargeBytes += bytes;
        return true;
    }

    private void ReturnLarge(ClientConnection client)
    {
        if (client.LargeBytes == 0)
            return;
        runtime.ReturnLarge(client.LargeBytes);
        client.LargeBytes = 0;
    }

    private void PostToReplica(
        ClientConnection client, RequestKind kind, OpCode op, int xid, ReadOnlySpan<byte> body)
    {
        client.Link.Posted++;
        (batch ??= runtime.Driver.RentBatch()).Add(kind, client.Link, op, xid, body);
    }

    private void Authenticate(ClientConnection client, int xid, OpCode op, ReadOnlySpan<byte> body)
    {
        ClientLink link = client.Link;
        if (op == OpCode.Sasl)
        {
            // No SASL here: an empty token says so, as Apache's server without a login context does.
            int frame = Replies.Begin(link.Output, xid, Zxid.Zero, ErrorCode.Ok);
            link.Output.WriteInt32(-1);
            link.Output.EndFrame(frame);
            Touch(client);
            return;
        }
        var reader = new JuteReader(body);
        reader.ReadInt32();
        string? scheme = reader.ReadString();
        ReadOnlySpan<byte> credentials = reader.ReadBuffer();
        if (reader.Failed)
        {
            Replies.WriteEmpty(link.Output, xid, Zxid.Zero, ErrorCode.MarshallingError);
            Touch(client);
            return;
        }
        IReadOnlyList<AuthId>? identities =
            runtime.FindProvider(scheme)?.Authenticate(credentials, client.Remote.Address);
        if (identities is null)
        {
            runtime.LogAuthFailed(scheme ?? "", client.Remote);
            runtime.Metrics.AuthFailed.Add();
            Refuse(client, xid, Zxid.Zero, ErrorCode.AuthFailed);
            return;
        }
        foreach (AuthId identity in identities)
            link.AddIdentity(identity);
        client.IsAuthorized |= runtime.SatisfiesEnforcedAuth(scheme!);
        Replies.WriteEmpty(link.Output, xid, Zxid.Zero, ErrorCode.Ok);
        Touch(client);
    }

    /// <summary>Answers with an error and closes once that is sent, behind the answers still owed.</summary>
    private void Refuse(ClientConnection client, int xid, Zxid zxid, ErrorCode error)
    {
        if (client.Link.HasUnanswered)
        {
            client.PendingRefusal = (xid, zxid, error);
            client.Phase = ConnectionPhase.Done;
            return;
        }
        Replies.WriteEmpty(client.Link.Output, xid, zxid, error);
        client.Link.IsClosing = true;
        client.Phase = ConnectionPhase.Done;
        Touch(client);
    }

    private static void Break(ClientConnection client, CloseReason reason)
    {
        client.Phase = ConnectionPhase.Done;
        client.Close(reason, flush: false);
    }
}
