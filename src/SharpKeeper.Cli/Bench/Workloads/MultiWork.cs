using System.Buffers.Binary;
using SharpKeeper.Cli.Bench.Driver;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Bench.Workloads;

/// <summary>
/// multi of several setData, each of a znode of its own, so that every result must carry the next version.
/// </summary>
internal sealed class MultiWork : Workload
{
    // type, done, error
    private const int HeadBytes = 9;

    private readonly State[] states;
    private readonly int parts;
    private readonly int size;

    /// <param name="paths">For each session as many znodes as a multi has parts, of version 0.</param>
    /// <param name="parts">Writes in one multi.</param>
    /// <param name="size">Bytes of data of each.</param>
    public MultiWork(IReadOnlyList<string[]> paths, int parts, int size)
    {
        this.parts = parts;
        this.size = size;
        byte[] payload = Payload.Build(size, 0);
        states = [.. paths.Select(its => new State(its, payload))];
    }

    public override bool TryWrite(Session session, int xid, JuteBuffer output)
    {
        State state = states[session.Number];
        Span<byte> frame = Frames.Append(output, state.Frame, xid);
        state.WrittenVersion++;
        foreach (int at in state.DataAt)
            Payload.Stamp(frame.Slice(at, size), state.WrittenVersion);
        return true;
    }

    public override void Check(Session session, in Reply reply)
    {
        RequireOk(session, reply, "multi");
        State state = states[session.Number];
        ReadOnlySpan<byte> body = reply.Body;
        for (int part = 0; part < parts; part++)
        {
            CheckPart(session, reply, body, part, state.Version + 1);
            body = body[(HeadBytes + Stat.Bytes)..];
        }
        if (body.Length != HeadBytes || BinaryPrimitives.ReadInt32BigEndian(body) != -1 || body[4] != 1)
            Wrong(session, reply, $"multi does not end after {parts} results");
        state.Version++;
    }

    private void CheckPart(
        Session session, in Reply reply, ReadOnlySpan<byte> body, int part, int version)
    {
        if (body.Length < HeadBytes)
            Wrong(session, reply, $"multi ends after {part} results instead of {parts}");
        int type = BinaryPrimitives.ReadInt32BigEndian(body);
        int error = BinaryPrimitives.ReadInt32BigEndian(body[5..]);
        if (type == (int)OpCode.Error || error != 0)
            Wrong(session, reply, $"part {part} of multi failed with {NameOf(error)}");
        if (type != (int)OpCode.SetData || body[4] != 0 || body.Length < HeadBytes + Stat.Bytes)
            Wrong(session, reply, $"part {part} of multi has a result of type {type} instead of setData");
        Replies.CheckStat(session, reply, body.Slice(HeadBytes, Stat.Bytes), version, size);
    }

    private sealed class State
    {
        public readonly byte[] Frame;
        public readonly int[] DataAt;
        public int WrittenVersion;
        public int Version;

        public State(string[] paths, byte[] payload)
        {
            DataAt = new int[paths.Length];
            Frame = Frames.Request(OpCode.Multi, body =>
            {
                for (int i = 0; i < paths.Length; i++)
                {
                    WriteHead(body, (int)OpCode.SetData, isEnd: false);
                    body.WriteString(paths[i]);
                    DataAt[i] = body.Length + 4;
                    body.WriteBuffer(payload);
                    body.WriteInt32(-1);
                }
                WriteHead(body, -1, isEnd: true);
            });
        }

        private static void WriteHead(JuteBuffer body, int type, bool isEnd)
        {
            body.WriteInt32(type);
            body.WriteBoolean(isEnd);
            body.WriteInt32(-1);
        }
    }
}
