using SharpKeeper.Core.Log;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;

namespace SharpKeeper.Simulation;

/// <summary>
/// The checkers that watch every step. Each failure carries the name of the property: those of Apache's specification
/// of
/// Zab, and those of clients.
/// </summary>
internal sealed partial class Checkers
{
    /// <summary>What a checker knows of one server.</summary>
    private sealed class ServerView
    {
        /// <summary>The end of its log, written or not.</summary>
        public Zxid Logged { get; set; }

        /// <summary>The end of what would be there after a loss of power.</summary>
        public Zxid Durable { get; set; }

        /// <summary>The last transaction it applied; null after a start, until it applies one.</summary>
        public Zxid? Applied { get; set; }

        /// <summary>
        /// Up to here its tree is a mixture: a snapshot that was sent while the leader's tree changed.
        /// </summary>
        public Zxid MixedUpTo { get; set; }

        /// <summary>The greatest acceptedEpoch that was durable.</summary>
        public long AcceptedEpoch { get; set; }

        /// <summary>The greatest currentEpoch that was durable.</summary>
        public long CurrentEpoch { get; set; }
    }

    private readonly World world;
    private readonly Dictionary<int, ServerView> views = [];
    private readonly Dictionary<Zxid, long> digests = [];
    private readonly Dictionary<int, long> leading = [];

    public Checkers(World world)
    {
        this.world = world;
        for (int id = 1; id <= world.Setup.ServerCount; id++)
            views.Add(id, new ServerView());
    }

    /// <summary>Everything ever proposed.</summary>
    public ProposalTree Proposals { get; } = new();

    /// <summary>Everything committed.</summary>
    public CommittedHistory Committed { get; } = new();

    /// <summary>The end of a server's log as far as it was given to it.</summary>
    public Zxid LoggedOf(int server) => views[server].Logged;

    /// <summary>A transaction goes to a server's log. True if nobody had it before.</summary>
    public bool Appended(SimServer server, Zxid zxid, ReadOnlySpan<byte> payload)
    {
        ServerView view = views[server.Id];
        bool isNew = Proposals.Add(server.Id, view.Logged, zxid, payload);
        if (isNew)
            CheckNewProposal(server, zxid);
        view.Logged = zxid;
        return isNew;
    }

    /// <summary>A server leads an epoch, established: it must have been known as its only leader.</summary>
    public void Leads(SimServer server, long epoch)
    {
        if (leading.GetValueOrDefault(server.Id) == epoch)
            return;
        leading[server.Id] = epoch;
        Zxid before = views[server.Id].Logged;
        Proposals.EpochBegins(epoch, server.Id, before);
        if (!Proposals.Holds(before, Committed.Last))
        {
            throw new SimulationFailure("PrimaryIntegrity",
                $"server {server.Id} leads epoch {epoch} from {before} on, without {Committed.Last}, which is "
                + $"committed");
        }
        // With the leader all that it starts from is decided.
        Commit(server, Proposals.Resolve(before), "leads from");
    }

    /// <summary>A server serves: whatever it has applied is decided.</summary>
    public void Serves(SimServer server)
    {
        Zxid last = Proposals.Resolve(server.Replica.Tree.LastProcessed);
        if (last > Committed.Last)
            Commit(server, last, "serves");
    }

    /// <summary>More of a server's log is on disk.</summary>
    public void LogDurable(SimServer server, Zxid zxid) => views[server.Id].Durable = zxid;

    /// <summary>A server has applied a transaction, perhaps as one of the last before it serves nobody.</summary>
    public void Applied(SimServer server, Zxid? before, Zxid after, bool isFinishing)
    {
        ServerView view = views[server.Id];
        if (after.Counter == 0)
            return;
        Proposed proposed = Proposals.Find(after)
            ?? throw new SimulationFailure("Integrity", $"server {server.Id} applies {after}, which nobody proposed");
        if (before is { } last && proposed.Before != Proposals.Resolve(last))
        {
            throw new SimulationFailure("TotalOrder",
                $"server {server.Id} applies {after} after {before}, but it was proposed behind {proposed.Before}");
        }
        view.Applied = after;
        if (after >= view.MixedUpTo)
        {
            CheckDigest(server, after);
            CheckEphemerals(server, after);
        }
        // Before it serves, a server applies what is decided only once its leader is established.
        if (!Committed.Contains(after) && (world.Options.IsStandalone || isFinishing || server.Zab is { IsSettled: true }))
            Commit(server, after, "applies");
    }

    /// <summary>A server has recovered.</summary>
    public void Recovered(SimServer server, RecoveryResult recovered)
    {
        ServerView view = views[server.Id];
        Zxid last = recovered.Last;
        if (recovered.DigestMismatches > 0)
            throw new SimulationFailure("Digest", $"server {server.Id} recovers to {last}, and digests do not agree");
        CheckKnown(server, last, "recovers");
        if (!Proposals.Holds(last, view.Durable))
        {
            throw new SimulationFailure("Durability",
                $"server {server.Id} recovers only to {last}, but {view.Durable} was on its disk");
        }
        view.Logged = view.Durable = last;
        view.Applied = null;
        view.MixedUpTo = Zxid.Zero;
        if (world.Options.IsStandalone)
        {
            ForgetAfter(last);
            Commit(server, last, "recovers");
        }
        CheckSnapshot(server, recovered);
        CheckQuorumHolds("after a restart of server " + server.Id);
    }

    /// <summary>A server's log was cut.</summary>
    public void Truncated(SimServer server, Zxid last)
    {
        ServerView view = views[server.Id];
        view.Logged = last;
        view.Durable = last < view.Durable ? last : view.Durable;
        view.Applied = null;
        CheckQuorumHolds($"after server {server.Id} cut its log at {last}");
    }

    /// <summary>
    /// A server takes over a tree from its leader, of which <paramref name="mixedUpTo"/> may be a part.
    /// </summary>
    public void Received(SimServer server, Zxid mixedUpTo)
    {
        ServerView view = views[server.Id];
        view.Applied = null;
        view.MixedUpTo = mixedUpTo;
    }

    /// <summary>A server has made the tree from its leader durable.</summary>
    public void Installed(SimServer server, Zxid last)
    {
        ServerView view = views[server.Id];
        CheckKnown(server, last, "installs");
        view.Logged = view.Durable = last;
        view.Applied = null;
        if (last >= view.MixedUpTo)
            CheckDigest(server, last);
        CheckQuorumHolds($"after server {server.Id} installed a snapshot of {last}");
    }

    /// <summary>A server has ended.</summary>
    public void Ended(SimServer server)
    {
        ServerView view = views[server.Id];
        view.Logged = view.Durable;
        view.Applied = null;
    }

    /// <summary>A server does not start.</summary>
    public void Refused(SimServer server, string why)
    {
        if (!world.IsDamaged(server.Id))
            throw new SimulationFailure("Restart", $"server {server.Id} does not start: {why}");
        views[server.Id].Durable = Zxid.Zero;
    }

    /// <summary>The tree of a server that has everything must be that of the committed transactions.</summary>
    public void CheckDigest(SimServer server, Zxid zxid)
    {
        CheckDigest(server.Id, zxid, server.Replica.Tree.Digest);
    }

    /// <summary>A tree of a server at a transaction must have the digest that all others had there.</summary>
    public void CheckDigest(int server, Zxid zxid, long digest)
    {
        zxid = Proposals.Resolve(zxid);
        if (digests.TryAdd(zxid, digest) || digests[zxid] == digest)
            return;
        throw new SimulationFailure("Digest",
            $"after {zxid} the tree of server {server} has the digest {digest}, others had {digests[zxid]}");
    }

    private void ForgetAfter(Zxid last)
    {
        Proposals.ForgetAfter(last);
        foreach (Zxid zxid in digests.Keys.Where(zxid => zxid > last).ToArray())
            digests.Remove(zxid);
    }

    // Only the leader of an epoch makes transactions of it. It may have gone on without a quorum meanwhile.
    private void CheckNewProposal(SimServer server, Zxid zxid)
    {
        if (!world.Options.IsStandalone && leading.GetValueOrDefault(server.Id, -1) != ProposalTree.EpochOf(zxid))
            throw new SimulationFailure("Integrity",
                $"server {server.Id} proposes {zxid} and does not lead that epoch");
    }

    private void CheckKnown(SimServer server, Zxid last, string does)
    {
        Zxid resolved = Proposals.Resolve(last);
        if (resolved != Zxid.Zero && resolved.Counter != 0 && Proposals.Find(resolved) is null)
            throw new SimulationFailure("Integrity", $"server {server.Id} {does} {last}, which nobody proposed");
    }

    private void Commit(SimServer server, Zxid zxid, string does)
    {
        var chain = new Stack<Proposed>();
        Zxid at = zxid;
        while (at > Committed.Last)
        {
            Proposed proposed = Proposals.Find(at)
                ?? throw new SimulationFailure("Integrity", $"{at} is committed and nobody proposed it");
            chain.Push(proposed);
            at = proposed.Before;
        }
        if (at != Committed.Last)
        {
            throw new SimulationFailure("PrefixConsistency",
                $"server {server.Id} {does} {zxid}, whose history has {at} where others had {Committed.Last} "
                + $"committed");
        }
        while (chain.TryPop(out Proposed? next))
        {
            // Until it is in force both configurations must agree.
            if (next.Header.Type == OpCode.Reconfig)
                CheckQuorumHolds(next.Zxid, $"when server {server.Id} {does} {zxid}");
            Committed.Add(next);
        }
        CheckQuorumHolds($"when server {server.Id} {does} {zxid}");
    }

    private void CheckEphemerals(SimServer server, Zxid zxid)
    {
        DataTree tree = server.Replica.Tree;
        foreach (long owner in tree.EphemeralOwners)
        {
            if (!server.Replica.CommittedSessions.TryGet(new SessionId(owner), out _)
                && tree.EphemeralCountOf(owner) > 0)
            {
                throw new SimulationFailure("Ephemerals",
                    $"after {zxid} server {server.Id} has ephemerals of session 0x{owner:x}, which does not exist");
            }
        }
    }

    /// <summary>Would what is committed survive a loss of power everywhere? A quorum must have it on disk.</summary>
    private void CheckQuorumHolds(string when) => CheckQuorumHolds(Committed.Last, when);

    private void CheckQuorumHolds(Zxid last, string when)
    {
        if (world.DamagedCount > 0 || QuorumModel.IsQuorum(Config, id => Proposals.Holds(views[id].Durable, last)))
            return;
        IEnumerable<int> holding = QuorumModel.VotersOf(Config).Where(id => Proposals.Holds(views[id].Durable, last));
        throw new SimulationFailure("Durability",
            $"{last} is committed; {when} only servers {string.Join(", ", holding)} of the voters "
            + $"{string.Join(", ", QuorumModel.VotersOf(Config))} have it on disk");
    }
}
