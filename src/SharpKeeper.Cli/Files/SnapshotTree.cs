using System.Globalization;
using SharpKeeper.Core.Tree;

namespace SharpKeeper.Cli.Files;

/// <summary>A tree with what is below each znode, as <c>du</c> shows directories.</summary>
internal static class SnapshotTree
{
    internal static void Write(DataTree tree, ZnodeId top, int levels, TextWriter output)
    {
        List<Line> lines = Collect(tree, top);
        // Parents stand before their children, so going backwards adds up each subtree before it is needed.
        for (int i = lines.Count - 1; i > 0; i--)
        {
            Line parent = lines[lines[i].Parent];
            parent.Below += lines[i].Below + 1;
            parent.Bytes += lines[i].Bytes;
        }
        foreach (Line line in lines.Where(line => line.Level <= levels))
        {
            string name = line.Level == 0 ? tree.GetPath(top) : "/" + TxnNames.Text(tree.GetName(line.Id));
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{new string(' ', line.Level * 2)}{name}  children: {tree.GetChildCount(line.Id)}  "
                + $"below: {line.Below}  data: {line.Bytes}"));
        }
    }

    // In pre-order and without recursion, since a tree may be very deep.
    private static List<Line> Collect(DataTree tree, ZnodeId top)
    {
        var lines = new List<Line>();
        var open = new Stack<(ZnodeId Id, int Parent)>();
        var children = new List<ZnodeId>();
        open.Push((top, -1));
        while (open.TryPop(out (ZnodeId Id, int Parent) at))
        {
            int level = at.Parent < 0 ? 0 : lines[at.Parent].Level + 1;
            int index = lines.Count;
            lines.Add(new Line(at.Id, at.Parent, level) { Bytes = tree.GetData(at.Id, out _).Length });
            children.Clear();
            for (ZnodeId child = tree.FirstChild(at.Id); !child.IsNone; child = tree.NextSibling(child))
                children.Add(child);
            for (int i = children.Count - 1; i >= 0; i--)
                open.Push((children[i], index));
        }
        return lines;
    }

    private sealed class Line(ZnodeId id, int parent, int level)
    {
        public ZnodeId Id { get; } = id;

        public int Parent { get; } = parent;

        public int Level { get; } = level;

        public long Below { get; set; }

        public long Bytes { get; set; }
    }
}
