using System.Text;
using SharpKeeper.Cli.Bench.Driver;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Bench.Workloads;

/// <summary>
/// All sessions but the last watch one znode; the last one writes it. A change is followed by the next one when every
/// watcher has its event and, with one-shot watches, has read the new data and so set its watch again. Each session
/// must get exactly one event for each change, before it can read the change.
/// </summary>
internal sealed class WatchWork : Workload
{
    private const int StateSyncConnected = 3;

    private readonly int watchers;
    private readonly int size;
    private readonly bool persistent;
    private readonly byte[] path;
    private readonly byte[] armFrame;
    private readonly byte[] setFrame;
    private readonly byte[] payload;
    private readonly Watcher[] states;
    private int armed;
    private int eventsDue;
    private bool isWriting;
    private int version;
    private Session? writer;
    private int changeXid;

    /// <param name="path">A znode of version 0 that nobody else writes.</param>
    /// <param name="watchers">Sessions that watch; one more writes.</param>
    /// <param name="size">Bytes of data.</param>
    /// <param name="persistent">Persistent recursive watches instead of one-shot watches.</param>
    public WatchWork(string path, int watchers, int size, bool persistent)
    {
        this.watchers = watchers;
        this.size = size;
        this.persistent = persistent;
        this.path = Encoding.UTF8.GetBytes(path);
        payload = Payload.Build(size, 0);
        setFrame = Frames.Set(path, payload);
        armFrame = persistent
            ? Frames.Request(OpCode.AddWatch, body =>
            {
                body.WriteString(path);
                body.WriteInt32((int)AddWatchMode.PersistentRecursive);
            })
            : Frames.Read(OpCode.GetData, path, watch: true);
        states = new Watcher[watchers];
    }

    private enum Watcher
    {
        /// <summary>Has no watch.</summary>
        Idle,

        /// <summary>The watch is on its way.</summary>
        Arming,

        /// <summary>Has a watch and waits for the next event.</summary>
        Armed,
    }

    public override bool RunsItself => true;

    public override bool RecordsItself => true;

    public override bool IsWaiting => eventsDue > 0;

    /// <summary>Changes made so far.</summary>
    public long Changes { get; private set; }

    /// <summary>No change beyond this number is begun.</summary>
    public long ChangesMax { get; set; } = long.MaxValue;

    public override bool TryWrite(Session session, int xid, JuteBuffer output)
    {
        if (session.Number == watchers)
            return TryWriteChange(session, xid, output);
        if (states[session.Number] != Watcher.Idle)
            return false;
        states[session.Number] = Watcher.Arming;
        Frames.Append(output, armFrame, xid);
        return true;
    }

    public override void Check(Session session, in Reply reply)
    {
        if (session.Number == watchers)
        {
            RequireOk(session, reply, "setData");
            Replies.CheckStat(session, reply, reply.Body, version, size);
            isWriting = false;
            HasNews = true;
            return;
        }
        RequireOk(session, reply, persistent ? "addWatch" : "getData");
        if (!persistent)
            Replies.CheckData(session, reply, payload, version);
        states[session.Number] = Watcher.Armed;
        armed++;
        HasNews |= armed == watchers;
    }

    public override void OnEvent(Session session, in Reply reply, Meter meter, long now)
    {
        CheckEvent(session, reply);
        meter.Record(now - writer!.SentAt(changeXid), 1);
        eventsDue--;
        armed--;
        states[session.Number] = Watcher.Idle;
        if (!persistent)
            return;
        // The watch lasts, so that the session is ready for the next change as soon as all have this one's event.
        states[session.Number] = Watcher.Arming;
        if (eventsDue > 0)
            return;
        Array.Fill(states, Watcher.Armed);
        armed = watchers;
        HasNews = true;
    }

    private bool TryWriteChange(Session session, int xid, JuteBuffer output)
    {
        if (isWriting || eventsDue > 0 || armed < watchers || IsStopping || Changes >= ChangesMax)
            return false;
        isWriting = true;
        eventsDue = watchers;
        version++;
        Changes++;
        Span<byte> frame = Frames.Append(output, setFrame, xid);
        Payload.Stamp(frame.Slice(Frames.HeadBytes + 4 + path.Length + 4, size), version);
        writer = session;
        changeXid = xid;
        return true;
    }

    private void CheckEvent(Session session, in Reply reply)
    {
        if (eventsDue == 0 || session.Number >= watchers || states[session.Number] != Watcher.Armed)
            Wrong(session, reply, "a watch event came that was not due");
        var reader = new JuteReader(reply.Body);
        int type = reader.ReadInt32();
        int state = reader.ReadInt32();
        ReadOnlySpan<byte> its = reader.ReadBuffer();
        if (reader.Failed || reader.Remaining > 0 || type != (int)WatchEventType.NodeDataChanged
            || state != StateSyncConnected || !its.SequenceEqual(path))
            Wrong(session, reply, $"a watch event of type {type}, state {state} and path "
                + $"{Encoding.UTF8.GetString(its)} came instead of NodeDataChanged, {StateSyncConnected} and "
                + Encoding.UTF8.GetString(path));
    }
}
