using System.Runtime.InteropServices;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Core.Zab;

/// <summary>
/// Which sets of voters of one configuration are quorums: any two of them have a voter in common. Those who do not vote
/// in it are never counted.
/// </summary>
internal sealed class QuorumSystem
{
    private const int StackVotersMax = 64;

    private readonly Block[] blocks;

    private QuorumSystem(Block[] blocks) => this.blocks = blocks;

    /// <summary>The majority of the voters, or of the weight in the majority of the groups.</summary>
    public static QuorumSystem Of(EnsembleConfig config)
    {
        if (!config.IsHierarchical)
        {
            long[] ones = new long[config.Voters.Count];
            Array.Fill(ones, 1);
            return new QuorumSystem([new Block([.. config.Voters], ones, ones.Length)]);
        }
        var blocks = new List<Block>();
        foreach (ServerGroup group in config.Groups)
        {
            // Apache counts the weight of a group's members that do not vote in the whole that half is taken of.
            long total = group.Members.Sum(config.WeightOf);
            if (total == 0)
                continue;
            ServerId[] voters = [.. group.Members.Where(config.IsVoter)];
            blocks.Add(new Block(voters, [.. voters.Select(config.WeightOf)], total));
        }
        return new QuorumSystem([.. blocks]);
    }

    /// <summary>Are these servers, or some of them, a quorum?</summary>
    public bool IsQuorum(IReadOnlySet<ServerId> acks)
    {
        int won = 0;
        foreach (Block block in blocks)
        {
            long weight = 0;
            for (int i = 0; i < block.Voters.Length; i++)
            {
                if (acks.Contains(block.Voters[i]))
                    weight += block.Weights[i];
            }
            if (weight > block.Total / 2)
                won++;
        }
        return won > blocks.Length / 2;
    }

    /// <summary>
    /// The highest transaction that a quorum has reached, given the last one that each server has; those missing have
    /// none. <see cref="Zxid.Zero"/> if there is no quorum. Does not allocate for up to 64 voters.
    /// </summary>
    public Zxid AckedByQuorum(IReadOnlyDictionary<ServerId, Zxid> acked)
    {
        if (blocks.Length == 1)
            return AckedByHalf(blocks[0], acked);
        Span<Zxid> reached = blocks.Length <= StackVotersMax ? stackalloc Zxid[blocks.Length] : new Zxid[blocks.Length];
        for (int i = 0; i < blocks.Length; i++)
            reached[i] = AckedByHalf(blocks[i], acked);
        // Ascending: so many blocks from the end are the smallest number that is more than half of them.
        MemoryMarshal.Cast<Zxid, long>(reached).Sort();
        return blocks.Length == 0 ? Zxid.Zero : reached[blocks.Length - (blocks.Length / 2) - 1];
    }

    private static Zxid AckedByHalf(in Block block, IReadOnlyDictionary<ServerId, Zxid> acked)
    {
        int count = block.Voters.Length;
        Span<long> last = count <= StackVotersMax ? stackalloc long[count] : new long[count];
        Span<long> weights = count <= StackVotersMax ? stackalloc long[count] : new long[count];
        for (int i = 0; i < count; i++)
        {
            last[i] = acked.TryGetValue(block.Voters[i], out Zxid zxid) ? zxid.Value : 0;
            weights[i] = block.Weights[i];
        }
        last.Sort(weights);
        long weight = 0;
        for (int i = count - 1; i >= 0; i--)
        {
            weight += weights[i];
            if (weight > block.Total / 2)
                return new Zxid(last[i]);
        }
        return Zxid.Zero;
    }

    /// <summary>Voters of whose whole weight more than half is needed.</summary>
    private readonly record struct Block(ServerId[] Voters, long[] Weights, long Total);
}
