using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Transactions;

/// <summary>What one operation of a transaction came to.</summary>
/// <param name="Type">Its type; <see cref="OpCode.Error"/> for one that failed and for all parts of a failed multi.</param>
/// <param name="Error">Its result.</param>
/// <param name="Node">The znode created or changed. A later part of the same multi may have deleted it.</param>
/// <param name="PathOffset">Where its path starts in the payload.</param>
/// <param name="PathLength">Length of the path; 0 for operations without one.</param>
/// <param name="Stat">The znode's stat right after the operation; all zero where there is no znode.</param>
public readonly record struct OpResult(
    OpCode Type, ErrorCode Error, ZnodeId Node, int PathOffset, int PathLength, Stat Stat);

/// <summary>What happened to a znode.</summary>
public enum TreeChangeKind
{
    /// <summary>It was created.</summary>
    Created,

    /// <summary>It was deleted.</summary>
    Deleted,

    /// <summary>Its data was replaced.</summary>
    DataChanged,

    /// <summary>Its ACL was replaced.</summary>
    AclChanged,
}

/// <summary>One change to the tree, in order.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="PathOffset">Where the path starts; see <see cref="TxnOutcome.PathOf"/>.</param>
/// <param name="PathLength">Length of the path.</param>
/// <param name="AclId">The znode's ACL then; of a deleted znode, the one it had.</param>
/// <param name="ParentAclId">The ACL of its parent then, for created and deleted znodes.</param>
public readonly record struct TreeChange(
    TreeChangeKind Kind, int PathOffset, int PathLength, int AclId, int ParentAclId);

/// <summary>
/// What applying a transaction did, for replies and watch events. Filled by <see cref="TxnApplier"/>, which
/// empties it first; ACL ids in it stay readable until then.
/// </summary>
public sealed class TxnOutcome
{
    private readonly JuteBuffer otherPaths = new();
    private readonly List<int> heldAcls = [];
    private AclTable? acls;

    /// <summary>The transaction's header.</summary>
    public TxnHeader Header { get; internal set; }

    /// <summary>One result for each operation: several for a multi, otherwise one.</summary>
    public List<OpResult> Results { get; } = [];

    /// <summary>The changes in the order in which they were made.</summary>
    public List<TreeChange> Changes { get; } = [];

    /// <summary>The path of a change.</summary>
    /// <param name="change">One of <see cref="Changes"/>.</param>
    /// <param name="payload">The payload that was applied.</param>
    public ReadOnlySpan<byte> PathOf(in TreeChange change, ReadOnlySpan<byte> payload) =>
        change.PathOffset < payload.Length
            ? payload.Slice(change.PathOffset, change.PathLength)
            : otherPaths.WrittenSpan.Slice(change.PathOffset - payload.Length, change.PathLength);

    /// <summary>Empties it and lets go of the ACLs.</summary>
    public void Clear()
    {
        foreach (int id in heldAcls)
            acls!.Release(id);
        heldAcls.Clear();
        Results.Clear();
        Changes.Clear();
        otherPaths.Clear();
        Header = default;
    }

    /// <summary>Adds a change and keeps its ACLs readable.</summary>
    internal void Add(AclTable table, in TreeChange change)
    {
        acls = table;
        Hold(change.AclId);
        Hold(change.ParentAclId);
        Changes.Add(change);
    }

    /// <summary>Keeps a path that is not in the payload; returns its offset for a change.</summary>
    internal int AddPath(ReadOnlySpan<byte> path, int payloadLength)
    {
        int offset = otherPaths.Length;
        otherPaths.WriteRaw(path);
        return payloadLength + offset;
    }

    private void Hold(int id)
    {
        if (id == AclTable.OpenId)
            return;
        acls!.AddReference(id);
        heldAcls.Add(id);
    }
}
