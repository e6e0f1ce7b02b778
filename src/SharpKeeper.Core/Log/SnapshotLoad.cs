using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Log;

/// <summary>A snapshot loaded into a tree.</summary>
public sealed class SnapshotLoad
{
    // One entry that allows nobody anything.
    private static readonly byte[] DenyingAcl = Encode([new Acl(Permissions.None, AuthId.Anyone)]);

    private SnapshotLoad(DataTree tree, SessionTimeouts sessions, SnapshotTail tail, int missingAcls)
    {
        Tree = tree;
        Sessions = sessions;
        Tail = tail;
        MissingAcls = missingAcls;
    }

    /// <summary>The tree; its last processed transaction is left to the caller.</summary>
    public DataTree Tree { get; }

    /// <summary>The sessions.</summary>
    public SessionTimeouts Sessions { get; }

    /// <summary>What stands behind the znodes.</summary>
    public SnapshotTail Tail { get; }

    /// <summary>
    /// Number of ACLs that znodes refer to and the snapshot lacks. Such znodes are closed to everybody until a replayed
    /// transaction gives them their ACL again.
    /// </summary>
    public int MissingAcls { get; }

    /// <summary>Loads a snapshot.</summary>
    /// <param name="source">Read to its end and disposed.</param>
    /// <param name="options">How the tree is made.</param>
    /// <exception cref="CorruptDataException">It is not a whole snapshot; the message says where and why.</exception>
    public static SnapshotLoad Load(IStorageReader source, RecoveryOptions options)
    {
        using var reader = new SnapshotReader(source);
        return Load(reader, options);
    }

    internal static SnapshotLoad Load(SnapshotReader reader, RecoveryOptions options)
    {
        DataTree tree = DataTree.CreateEmptyForLoad(options.HashSeed);
        tree.ExtendedTypesEnabled = options.ExtendedTypesEnabled;
        tree.Emulate353 = options.Emulate353;
        try
        {
            var sessions = new SessionTimeouts();
            while (reader.NextSession(out SessionId id, out int timeoutMs))
                sessions.Set(id, timeoutMs);
            int missing = LoadNodes(reader, tree);
            SnapshotTail tail = reader.ReadTail();
            tree.FinishLoad();
            tree.EnsureSystemZnodes();
            return new SnapshotLoad(tree, sessions, tail, missing);
        }
        catch
        {
            tree.Dispose();
            throw;
        }
    }

    private static int LoadNodes(SnapshotReader reader, DataTree tree)
    {
        var known = new HashSet<long> { SnapshotReader.OpenAclId };
        while (reader.NextAcl(out long id, out ReadOnlySpan<byte> vector))
        {
            tree.LoadAcl(id, vector);
            known.Add(id);
        }
        int missing = 0;
        long lastAcl = SnapshotReader.OpenAclId;
        while (reader.NextNode())
        {
            long acl = reader.AclId;
            if (acl != lastAcl && known.Add(acl))
            {
                tree.LoadAcl(acl, DenyingAcl);
                missing++;
            }
            lastAcl = acl;
            tree.LoadNode(reader.Path, reader.Data, reader.DataIsNull, acl, reader.Stat);
        }
        return missing;
    }

    private static byte[] Encode(IReadOnlyList<Acl> acl)
    {
        using var buffer = new JuteBuffer();
        Acl.WriteVector(buffer, acl);
        return buffer.WrittenSpan.ToArray();
    }
}
