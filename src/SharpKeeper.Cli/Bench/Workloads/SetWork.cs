using SharpKeeper.Cli.Bench.Driver;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Bench.Workloads;

/// <summary>
/// setData of the session's own znode, so that each reply must carry the next version; mixed with getData, which must
/// show the version that the session wrote last.
/// </summary>
internal sealed class SetWork : Workload
{
    private readonly State[] states;
    private readonly byte[] payload;
    private readonly int size;
    private readonly uint readsOf2To32;
    private readonly int mask;

    /// <param name="paths">One znode per session, just created with a payload of version 0.</param>
    /// <param name="size">Bytes of data.</param>
    /// <param name="readRatio">Share of reads, 0 to 1.</param>
    /// <param name="depth">Most requests in flight per session.</param>
    public SetWork(IReadOnlyList<string> paths, int size, double readRatio, int depth)
    {
        this.size = size;
        payload = Payload.Build(size, 0);
        readsOf2To32 = (uint)Math.Min(readRatio * uint.MaxValue, uint.MaxValue);
        int ring = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)depth);
        mask = ring - 1;
        states = [.. paths.Select((path, i) => new State(path, payload, ring, (uint)i))];
    }

    public override bool TryWrite(Session session, int xid, JuteBuffer output)
    {
        State state = states[session.Number];
        bool isRead = readsOf2To32 > 0 && state.NextRandom() <= readsOf2To32;
        state.IsRead[xid & mask] = isRead;
        if (isRead)
        {
            Frames.Append(output, state.GetFrame, xid);
            return true;
        }
        Span<byte> frame = Frames.Append(output, state.SetFrame, xid);
        state.WrittenVersion++;
        Payload.Stamp(frame.Slice(state.DataAt, size), state.WrittenVersion);
        return true;
    }

    public override void Check(Session session, in Reply reply)
    {
        State state = states[session.Number];
        if (state.IsRead[reply.Xid & mask])
        {
            RequireOk(session, reply, "getData");
            Replies.CheckData(session, reply, payload, state.Version);
            return;
        }
        RequireOk(session, reply, "setData");
        long mzxid = Replies.CheckStat(session, reply, reply.Body, state.Version + 1, size);
        if (mzxid <= state.Mzxid || mzxid > reply.Zxid)
            Wrong(session, reply, $"mzxid 0x{mzxid:x} came after 0x{state.Mzxid:x}, with zxid 0x{reply.Zxid:x}");
        state.Version++;
        state.Mzxid = mzxid;
    }

    private sealed class State(string path, byte[] payload, int ring, uint seed)
    {
        private uint random = (seed + 1) * 2654435761;

        public readonly byte[] SetFrame = Frames.Set(path, payload);
        public readonly byte[] GetFrame = Frames.Read(OpCode.GetData, path);
        public readonly bool[] IsRead = new bool[ring];

        /// <summary>Where the data begins in <see cref="SetFrame"/>.</summary>
        public readonly int DataAt = Frames.HeadBytes + 4 + path.Length + 4;

        /// <summary>Version that the newest setData under way will give.</summary>
        public int WrittenVersion;

        /// <summary>Version in the last reply.</summary>
        public int Version;

        public long Mzxid;

        public uint NextRandom()
        {
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            return random;
        }
    }
}
