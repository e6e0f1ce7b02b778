using System.Buffers.Binary;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Log;

/// <summary>
/// What snapshot files and snapshot streams have in common: sessions, ACLs and znodes, in slices between which the tree
/// may change.
/// </summary>
internal sealed class SnapshotBody : IDisposable
{
    private const int NodeOverheadBytes = 16 + StatPersisted.Bytes;

    private readonly DataTree tree;
    private readonly SnapshotCursor cursor;
    private readonly IReadOnlyList<SessionTimeout> sessions;
    private Part part;
    private int sessionsWritten;
    private int aclsWritten;

    public SnapshotBody(DataTree tree, IReadOnlyList<SessionTimeout> sessions)
    {
        this.tree = tree;
        this.sessions = sessions;
        cursor = tree.BeginSnapshot();
    }

    private enum Part
    {
        SessionCount,
        Sessions,
        AclCount,
        Acls,
        Nodes,
        Done,
    }

    /// <summary>The last transaction in the tree when it began.</summary>
    public Zxid Start => cursor.Start;

    /// <summary>Number of znodes written so far.</summary>
    public long Nodes { get; private set; }

    /// <summary>Appends about <paramref name="bytesMax"/> bytes; true if there is more to write.</summary>
    public bool WriteSlice(JuteBuffer output, int bytesMax)
    {
        int start = output.Length;
        // A znode that is only passed over costs about as much as one of this size.
        int budget = Math.Max(bytesMax / NodeOverheadBytes, 1);
        while (part != Part.Done && output.Length - start < bytesMax && budget > 0)
            WritePart(output, start + bytesMax, ref budget);
        return part != Part.Done;
    }

    /// <inheritdoc/>
    public void Dispose() => cursor.Dispose();

    private void WritePart(JuteBuffer output, int end, ref int budget)
    {
        switch (part)
        {
            case Part.SessionCount:
                output.WriteInt32(sessions.Count);
                part = Part.Sessions;
                break;
            case Part.Sessions:
                if (!WriteSessions(output, end))
                    part = Part.AclCount;
                break;
            case Part.AclCount:
                output.WriteInt32(cursor.Acls.Count);
                part = Part.Acls;
                break;
            case Part.Acls:
                if (!WriteAcls(output, end))
                    part = Part.Nodes;
                break;
            default:
                if (!WriteNodes(output, end, ref budget))
                    part = Part.Done;
                break;
        }
    }

    private bool WriteSessions(JuteBuffer output, int end)
    {
        for (; sessionsWritten < sessions.Count && output.Length < end; sessionsWritten++)
        {
            output.WriteInt64(sessions[sessionsWritten].Id.Value);
            output.WriteInt32(sessions[sessionsWritten].TimeoutMs);
        }
        return sessionsWritten < sessions.Count;
    }

    private bool WriteAcls(JuteBuffer output, int end)
    {
        for (; aclsWritten < cursor.Acls.Count && output.Length < end; aclsWritten++)
        {
            output.WriteInt64(cursor.Acls[aclsWritten].Key);
            output.WriteRaw(cursor.Acls[aclsWritten].Value.Span);
        }
        return aclsWritten < cursor.Acls.Count;
    }

    private bool WriteNodes(JuteBuffer output, int end, ref int budget)
    {
        while (output.Length < end && budget > 0)
        {
            if (!cursor.MoveNext(ref budget, out ZnodeId id))
            {
                output.WriteBuffer("/"u8);
                return false;
            }
            if (!id.IsNone)
                WriteNode(output, id);
        }
        return true;
    }

    private void WriteNode(JuteBuffer output, ZnodeId id)
    {
        ReadOnlySpan<byte> path = cursor.Path;
        ReadOnlySpan<byte> data = tree.GetData(id, out bool isNull);
        Span<byte> head = output.Append(path.Length + data.Length + 16);
        BinaryPrimitives.WriteInt32BigEndian(head, path.Length);
        path.CopyTo(head[4..]);
        head = head[(4 + path.Length)..];
        BinaryPrimitives.WriteInt32BigEndian(head, isNull ? -1 : data.Length);
        data.CopyTo(head[4..]);
        BinaryPrimitives.WriteInt64BigEndian(head[(4 + data.Length)..], cursor.AclId);
        tree.GetPersisted(id).Write(output);
        Nodes++;
    }
}
