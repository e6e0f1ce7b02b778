using System.Text;
using CsCheck;
using SharpKeeper.Core;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.ReplicaTests;

namespace SharpKeeper.TransactionTests;

/// <summary>What is proposed and not applied: undone as a whole, forgotten once applied.</summary>
public class PendingChangesTests
{
    [Fact]
    public void EndScope_undone_leaves_everything_as_it_was() =>
        Gen.Select(Gen.Int[0, 1 << 24].Array[0, 40], Gen.Int[0, 1 << 24].Array[0, 40]).Sample(
            (before, undone) =>
            {
                using var tree = new DataTree(hashSeed: 1);
                var pending = new PendingChanges(tree);
                long zxid = 0;
                foreach (int step in before)
                    Put(pending, step, ++zxid);
                (string Seen, long Digest, int Count) former = (Describe(pending), pending.Digest, pending.Count);

                pending.BeginScope();
                foreach (int step in undone)
                    Put(pending, step, zxid + 1);
                pending.EndScope(keep: false);

                Assert.Equal(former, (Describe(pending), pending.Digest, pending.Count));
                // In whatever portions it is applied, nothing stays behind.
                for (long applied = 0; applied <= zxid; applied += 3)
                    pending.Applied(applied);
                pending.Applied(zxid);
                Assert.Equal(0, pending.Count);
            },
            iter: TestScale.Of(200), threads: 1);

    [Fact]
    public void Applied_keeps_what_a_later_transaction_changed()
    {
        using var tree = new DataTree(hashSeed: 1);
        var pending = new PendingChanges(tree);
        var state = new ZnodeState { Exists = true, ChildCount = 1 };
        for (int i = 0; i < 1000; i++)
            pending.Put(Encoding.UTF8.GetBytes("/n" + i), state, 0, i + 1);
        pending.Put("/n0"u8, state with { ChildCount = 2 }, 0, 1001);

        pending.Applied(1000);

        Assert.Equal(1, pending.Count);
        Assert.True(pending.TryGet("/n0"u8, out ZnodeState found));
        Assert.Equal(2, found.ChildCount);
        Assert.False(pending.TryGet("/n1"u8, out _));
        pending.Applied(1001);
        Assert.False(pending.TryGet("/n0"u8, out _));
    }

    [Fact]
    public void BeginScope_within_a_scope_is_a_broken_invariant()
    {
        using var tree = new DataTree(hashSeed: 1);
        var pending = new PendingChanges(tree);
        Assert.Throws<InvariantException>(() => pending.EndScope(keep: true));
        pending.BeginScope();
        Assert.Throws<InvariantException>(pending.BeginScope);
    }

    private static void Put(PendingChanges pending, int step, long zxid)
    {
        var dice = new Dice(step);
        string path = dice.Roll(12) switch
        {
            0 => "/",
            1 => "/zookeeper",
            2 => "/" + new string('x', 300),
            int other => "/n" + other,
        };
        byte[] bytes = Encoding.UTF8.GetBytes(path);
        uint former = pending.TryGet(bytes, out ZnodeState state) ? state.Digest : 0;
        state.Exists = dice.Hits(70);
        state.ChildCount = dice.Roll(5);
        state.Digest = state.Exists ? (uint)dice.Roll(1000) : 0;
        pending.Put(bytes, state, former, zxid);
    }

    private static string Describe(PendingChanges pending)
    {
        IEnumerable<string> paths =
            ["/", "/zookeeper", "/" + new string('x', 300), .. Enumerable.Range(0, 12).Select(i => "/n" + i)];
        return string.Join('\n', paths.Select(path =>
        {
            bool exists = pending.TryGet(Encoding.UTF8.GetBytes(path), out ZnodeState state);
            return $"{path} {exists} {state.Zxid} {state.ChildCount} {state.Digest} {state.Stat}";
        }));
    }
}
