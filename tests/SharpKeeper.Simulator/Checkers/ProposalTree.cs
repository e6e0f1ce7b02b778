using SharpKeeper.Core.Log;
using SharpKeeper.Protocol;

namespace SharpKeeper.Simulation;

/// <summary>A transaction that some leader has proposed.</summary>
/// <param name="Zxid">Its id.</param>
/// <param name="Before">The transaction before it in its leader's history.</param>
/// <param name="Leader">Who proposed it.</param>
/// <param name="Payload">Its bytes.</param>
/// <param name="Header">Its head.</param>
internal sealed record Proposed(Zxid Zxid, Zxid Before, int Leader, byte[] Payload, TxnHeader Header);

/// <summary>
/// All transactions ever proposed, each with the one before it: histories are paths in this tree, and what is committed
/// must be a single one.
/// </summary>
internal sealed class ProposalTree
{
    private readonly Dictionary<Zxid, Proposed> all = [];
    private readonly Dictionary<long, Zxid> epochStarts = [];
    private readonly Dictionary<long, int> leaders = [];

    /// <summary>The transaction of that id, or null.</summary>
    public Proposed? Find(Zxid zxid) => all.GetValueOrDefault(zxid);

    /// <summary>
    /// The transaction that a history ends with: the zxid with counter 0 stands for the last one before its epoch.
    /// </summary>
    public Zxid Resolve(Zxid zxid)
    {
        while (zxid.Counter == 0 && zxid != Zxid.Zero && epochStarts.TryGetValue(EpochOf(zxid), out Zxid before))
            zxid = before;
        return zxid;
    }

    /// <summary>Epoch of a transaction as a number.</summary>
    public static long EpochOf(Zxid zxid) => zxid.Value >> 32;

    /// <summary>A leader begins an epoch behind a transaction.</summary>
    public void EpochBegins(long epoch, int leader, Zxid before)
    {
        before = Resolve(before);
        if (leaders.TryGetValue(epoch, out int other) && other != leader)
            throw new SimulationFailure("Leadership", $"servers {other} and {leader} both lead epoch {epoch}");
        leaders[epoch] = leader;
        if (!epochStarts.TryAdd(epoch, before) && epochStarts[epoch] != before)
        {
            throw new SimulationFailure("Leadership",
                $"epoch {epoch} of server {leader} begins after {epochStarts[epoch]} and after {before}");
        }
    }

    /// <summary>A server's history goes on from <paramref name="before"/> with this transaction.</summary>
    /// <returns>True if nobody has proposed it before.</returns>
    public bool Add(int server, Zxid before, Zxid zxid, ReadOnlySpan<byte> payload)
    {
        before = Resolve(before);
        if (all.TryGetValue(zxid, out Proposed? known))
        {
            if (!known.Payload.AsSpan().SequenceEqual(payload))
                throw new SimulationFailure("Integrity",
                    $"server {server} logs another {zxid} than server {known.Leader} proposed");
            if (known.Before != before)
            {
                throw new SimulationFailure("TotalOrder",
                    $"server {server} logs {zxid} behind {before}, but server {known.Leader} proposed it behind "
                    + $"{known.Before}");
            }
            return false;
        }
        long epoch = EpochOf(zxid);
        if (zxid.Counter > 1 && before != new Zxid(zxid.Value - 1))
            throw new SimulationFailure("LocalPrimaryOrder", $"server {server} proposes {zxid} behind {before}");
        EpochBegins(epoch, server, zxid.Counter == 1 ? before : epochStarts.GetValueOrDefault(epoch, before));
        if (!TxnRecords.TryRead(payload, out TxnView txn) || txn.Header.Zxid != zxid.Value)
            throw new SimulationFailure("Integrity",
                $"server {server} proposes {zxid}, which is no transaction of that number");
        all.Add(zxid, new Proposed(zxid, before, server, payload.ToArray(), txn.Header));
        return true;
    }

    /// <summary>Forgets what was proposed after a transaction: a lone server numbers anew what it has lost.</summary>
    public void ForgetAfter(Zxid last)
    {
        foreach (Zxid zxid in all.Keys.Where(zxid => zxid > last).ToArray())
            all.Remove(zxid);
    }

    /// <summary>Does the history that ends with <paramref name="last"/> hold <paramref name="zxid"/>?</summary>
    public bool Holds(Zxid last, Zxid zxid)
    {
        last = Resolve(last);
        zxid = Resolve(zxid);
        while (last > zxid && all.TryGetValue(last, out Proposed? proposed))
            last = proposed.Before;
        return last == zxid;
    }
}
