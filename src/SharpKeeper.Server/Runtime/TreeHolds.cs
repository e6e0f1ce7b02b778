using System.Runtime.InteropServices;
using SharpKeeper.Core.Tree;

namespace SharpKeeper.Server.Runtime;

/// <summary>
/// Knows who walks which tree beside the replica, so that a tree that was replaced is disposed when the last one has
/// left it, and not before. Any thread.
/// </summary>
internal sealed class TreeHolds
{
    private readonly Lock holdsLock = new();
    private readonly Dictionary<DataTree, int> holds = [];
    private readonly HashSet<DataTree> retired = [];

    /// <summary>Keeps a tree from being disposed until <see cref="Release"/>; in the replica's turn.</summary>
    public void Hold(DataTree tree)
    {
        lock (holdsLock)
            CollectionsMarshal.GetValueRefOrAddDefault(holds, tree, out _)++;
    }

    /// <summary>One of those that hold a tree does not walk it any more.</summary>
    public void Release(DataTree tree)
    {
        lock (holdsLock)
        {
            if (--CollectionsMarshal.GetValueRefOrAddDefault(holds, tree, out _) > 0)
                return;
            holds.Remove(tree);
            if (!retired.Remove(tree))
                return;
        }
        tree.Dispose();
    }

    /// <summary>A tree has been replaced: it goes as soon as nobody holds it.</summary>
    public void Retire(DataTree tree)
    {
        lock (holdsLock)
        {
            if (holds.ContainsKey(tree))
            {
                retired.Add(tree);
                return;
            }
        }
        tree.Dispose();
    }
}
