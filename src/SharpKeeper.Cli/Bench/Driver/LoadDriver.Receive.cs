using System.Buffers.Binary;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Bench.Driver;

/// <content>From bytes to checked replies.</content>
internal sealed partial class LoadDriver
{
    private const int FrameBytesMax = 256 * 1024 * 1024;

    private void Receive(Session session)
    {
        bool fromPartial = session.PartialLength > 0;
        if (fromPartial)
            GrowPartial(session);
        Span<byte> room = fromPartial ? session.Partial.AsSpan(session.PartialLength) : received;
        int count = transport.Receive(session.Handle, room);
        if (count < 0)
            return;
        if (count == 0)
        {
            OnEndOfStream(session);
            return;
        }
        lastReceivedAt = now = time.GetTimestamp();
        Span<byte> bytes = fromPartial
            ? session.Partial.AsSpan(0, session.PartialLength + count)
            : received.AsSpan(0, count);
        int taken = TakeFrames(session, bytes);
        KeepPartial(session, bytes[taken..], fromPartial);
        if (session.Lane is { } lane)
            Pump(session, lane);
    }

    private static void GrowPartial(Session session)
    {
        int wanted = Math.Max(session.PartialFrameBytes, session.PartialLength) + 64 * 1024;
        if (session.Partial.Length >= wanted)
            return;
        byte[] larger = GC.AllocateUninitializedArray<byte>(wanted);
        session.Partial.AsSpan(0, session.PartialLength).CopyTo(larger);
        session.Partial = larger;
    }

    private static void KeepPartial(Session session, ReadOnlySpan<byte> rest, bool fromPartial)
    {
        if (!fromPartial && session.Partial.Length < rest.Length)
            session.Partial = GC.AllocateUninitializedArray<byte>(Math.Max(rest.Length, 4096));
        rest.CopyTo(session.Partial);
        session.PartialLength = rest.Length;
    }

    private int TakeFrames(Session session, ReadOnlySpan<byte> bytes)
    {
        var run = new LatencyRun(session.Lane, now);
        int at = 0;
        while (bytes.Length - at >= 4)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(bytes[at..]);
            if ((uint)length > FrameBytesMax)
                throw new WrongReplyException($"{session}: a frame of {length} bytes is announced");
            if (bytes.Length - at - 4 < length)
                break;
            TakeFrame(session, bytes.Slice(at + 4, length), ref run);
            at += 4 + length;
        }
        run.Flush();
        return at;
    }

    private void TakeFrame(Session session, ReadOnlySpan<byte> frame, ref LatencyRun run)
    {
        if (session.State == SessionState.Opening)
        {
            OnHandshake(session, frame);
            return;
        }
        if (frame.Length < Frames.ReplyHeadBytes)
            throw new WrongReplyException($"{session}: a reply of {frame.Length} bytes, shorter than its header");
        var reply = new Reply(
            BinaryPrimitives.ReadInt32BigEndian(frame), BinaryPrimitives.ReadInt64BigEndian(frame[4..]),
            BinaryPrimitives.ReadInt32BigEndian(frame[12..]), frame[Frames.ReplyHeadBytes..]);
        if (session.State == SessionState.Closing)
            OnCloseReply(session, reply);
        else if (reply.Xid == session.NextReplyXid && session.InFlight > 0)
            TakeReply(session, reply, ref run);
        else if (reply.Xid == Xids.WatchEvent)
            TakeEvent(session, reply, ref run);
        else if (reply.Xid == Xids.Ping && session.PingsInFlight > 0)
            session.PingsInFlight--;
        else
            throw new WrongReplyException(session.InFlight > 0
                ? $"{session}: a reply with xid {reply.Xid} came where {session.NextReplyXid} is the oldest in flight"
                : $"{session}: a reply with xid {reply.Xid} came although nothing is in flight");
    }

    private void TakeEvent(Session session, in Reply reply, ref LatencyRun run)
    {
        // A session that has no part in the present work may still hear that a znode it watched was cleaned up.
        if (session.Lane is not { } lane)
            return;
        lane.Work.OnEvent(session, reply, lane.Meter, now);
        run.NoteReply();
    }

    private static void TakeReply(Session session, in Reply reply, ref LatencyRun run)
    {
        if (reply.Zxid < session.LastZxid)
            throw new WrongReplyException(
                $"{session}, xid {reply.Xid}: zxid 0x{reply.Zxid:x} came after 0x{session.LastZxid:x}");
        session.LastZxid = reply.Zxid;
        Lane lane = session.Lane!;
        lane.Work.Check(session, reply);
        session.NextReplyXid++;
        lane.InFlight--;
        if (!lane.Work.RecordsItself)
            run.Add(session.SentAt(reply.Xid));
        run.NoteReply();
    }

    private void OnEndOfStream(Session session)
    {
        if (session.State == SessionState.Opening)
            throw new BenchException($"the server closed connection {session.Index + 1} during the handshake; a limit "
                + "such as maxClientCnxns, or a server that is not ready, ends connections so");
        if (session.State != SessionState.Closing)
            throw new BenchException(
                $"{session}: the server closed the connection with {session.InFlight} requests in flight");
        Drop(session);
    }

    private void Drop(Session session)
    {
        transport.Close(session.Handle);
        session.Handle = -1;
        session.State = SessionState.Closed;
        session.Lane = null;
        session.PartialLength = 0;
    }

    /// <summary>Records replies that were sent together and came together with one entry.</summary>
    private ref struct LatencyRun(Lane? lane, long now)
    {
        private long sentAt;
        private long count;

        public void Add(long sent)
        {
            if (sent != sentAt)
            {
                Flush();
                sentAt = sent;
            }
            count++;
        }

        public readonly void NoteReply()
        {
            if (lane is null)
                return;
            lane.LongestGap = Math.Max(lane.LongestGap, now - lane.LastReplyAt);
            lane.LastReplyAt = now;
        }

        public void Flush()
        {
            if (count > 0)
                lane!.Meter.Record(now - sentAt, count);
            count = 0;
        }
    }
}
