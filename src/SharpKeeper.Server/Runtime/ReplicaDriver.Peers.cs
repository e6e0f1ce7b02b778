using Microsoft.Extensions.Logging;
using SharpKeeper.Core;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;
using SharpKeeper.Server.Peers;

namespace SharpKeeper.Server.Runtime;

internal sealed partial class ReplicaDriver : IElectionEvents, IQuorumEvents
{
    // Votes that wait for the replica; more come only from somebody who floods it, and are lost like any other message.
    private const int WaitingVotesMax = 1000;

    private sealed record Vote(ServerId From, byte[] Payload);

    private sealed record NewTree(PeerLink? Link, DataTree? Tree, SessionTimeouts? Sessions);

    private sealed record FoundPosition(PeerLink Link, LogPosition Position);

    private int waitingVotes;

    /// <summary>Does what the replica of an ensemble wants done; on the working thread, in order.</summary>
    public Action<Effect>? Perform { get; set; }

    /// <summary>Is called once, in the replica's turn, when it first has a part in an ensemble that has a leader.
    /// </summary>
    public Action<Replica>? FirstSettled { get; set; }

    /// <summary>Says whether a server's election port is connected.</summary>
    public Func<ServerId, bool>? IsVoteLinkUp { get; set; }

    /// <summary>Trees that somebody walks, and those that nobody needs any more.</summary>
    public TreeHolds Trees { get; } = new();

    /// <inheritdoc/>
    public void VoteReceived(ServerId from, byte[] payload)
    {
        if (Interlocked.Increment(ref waitingVotes) > WaitingVotesMax)
            Interlocked.Decrement(ref waitingVotes);
        else
            Post(new Work(WorkKind.Vote, new Vote(from, payload), default));
    }

    /// <inheritdoc/>
    public void VoteLinkChanged(ServerId server) => Post(new Work(WorkKind.VoteLink, server, default));

    /// <inheritdoc/>
    public void LearnerConnected(PeerLink link) => Post(new Work(WorkKind.LearnerConnected, link, default));

    /// <inheritdoc/>
    public void PeerConnected(PeerLink link) => Post(new Work(WorkKind.PeerConnected, link, default));

    /// <inheritdoc/>
    public void PacketsReceived(PacketBatch batch) => Post(new Work(WorkKind.Packets, batch, default));

    /// <inheritdoc/>
    public void SnapshotReceived(PeerLink link, DataTree tree, SessionTimeouts sessions) =>
        Post(new Work(WorkKind.SnapshotReceived, new NewTree(link, tree, sessions), default));

    /// <inheritdoc/>
    public void LinkClosed(PeerLink link, string reason)
    {
        LogLinkClosed(link.Description, reason);
        Post(new Work(WorkKind.PeerClosed, link, default));
    }

    /// <summary>A snapshot of the tree has been made durable in place of everything before.</summary>
    public void PostSnapshotInstalled() => Post(new Work(WorkKind.SnapshotInstalled, null, default));

    /// <summary>The log has been cut; tree and sessions are as on disk, or null if they stay.</summary>
    public void PostLogTruncated(Zxid last, DataTree? tree, SessionTimeouts? sessions) =>
        Post(new Work(WorkKind.LogTruncated, new NewTree(null, tree, sessions), last));

    /// <summary>The log cannot be cut; nothing has changed.</summary>
    public void PostLogNotTruncated(string problem)
    {
        LogNotTruncated(problem);
        Post(new Work(WorkKind.LogNotTruncated, null, default));
    }

    /// <summary>An epoch is durable as acceptedEpoch.</summary>
    public void PostAcceptedEpoch(long epoch) => Post(new Work(WorkKind.AcceptedEpoch, null, new Zxid(epoch)));

    /// <summary>An epoch is durable as currentEpoch.</summary>
    public void PostCurrentEpoch(long epoch) => Post(new Work(WorkKind.CurrentEpoch, null, new Zxid(epoch)));

    /// <summary>A snapshot or a part of the log has been sent.</summary>
    public void PostTransferDone(PeerLink link) => Post(new Work(WorkKind.TransferDone, link, default));

    /// <summary>The log on disk has been looked at for a learner.</summary>
    public void PostLogQueried(PeerLink link, LogPosition position) =>
        Post(new Work(WorkKind.LogQueried, new FoundPosition(link, position), default));

    /// <summary>Gives the replica what came from other servers, or is done for them.</summary>
    private void ExecutePeers(in Work work)
    {
        switch (work.Kind)
        {
            case WorkKind.Packets:
                TakePackets((PacketBatch)work.Payload!);
                break;
            case WorkKind.Vote:
                TakeVote((Vote)work.Payload!);
                break;
            case WorkKind.VoteLink:
                var server = (ServerId)work.Payload!;
                replica.Step(Input.VoteLinkChanged(server, IsVoteLinkUp!(server), nowMs, wallMs));
                break;
            case WorkKind.LearnerConnected:
                replica.Step(Input.LearnerConnected((PeerLink)work.Payload!, nowMs, wallMs));
                break;
            case WorkKind.PeerConnected:
                TakeConnected((PeerLink)work.Payload!);
                break;
            case WorkKind.PeerClosed:
                TakeClosed((PeerLink)work.Payload!);
                break;
            case WorkKind.SnapshotReceived:
                TakeSnapshot((NewTree)work.Payload!);
                break;
            case WorkKind.TransferDone:
                TakeTransferDone((PeerLink)work.Payload!);
                break;
            case WorkKind.LogQueried:
                var found = (FoundPosition)work.Payload!;
                if (!found.Link.IsClosed)
                    replica.Step(Input.LogQueried(found.Link, found.Position, nowMs, wallMs));
                break;
            default:
                ExecuteStorage(work);
                break;
        }
    }

    private void ExecuteStorage(in Work work)
    {
        switch (work.Kind)
        {
            case WorkKind.SnapshotInstalled:
                replica.Step(Input.SnapshotInstalled(nowMs, wallMs));
                break;
            case WorkKind.LogTruncated:
                var loaded = (NewTree)work.Payload!;
                replica.Step(Input.LogTruncated(work.Zxid, loaded.Tree, loaded.Sessions, nowMs, wallMs));
                break;
            case WorkKind.LogNotTruncated:
                replica.Step(Input.LogNotTruncated(nowMs, wallMs));
                break;
            case WorkKind.AcceptedEpoch:
                replica.Step(Input.AcceptedEpochDurable(work.Zxid.Value, nowMs, wallMs));
                break;
            case WorkKind.CurrentEpoch:
                replica.Step(Input.CurrentEpochDurable(work.Zxid.Value, nowMs, wallMs));
                break;
            default:
                throw new InvariantException($"unknown work {work.Kind}");
        }
    }

    private void TakePackets(PacketBatch batch)
    {
        if (!batch.Link.IsClosed)
            replica.Step(Input.PeerPackets(batch.Link, batch.Packets, nowMs, wallMs));
        batch.Return();
    }

    private void TakeVote(Vote vote)
    {
        Interlocked.Decrement(ref waitingVotes);
        replica.Step(Input.VoteReceived(vote.From, vote.Payload, nowMs, wallMs));
    }

    private void TakeConnected(PeerLink link)
    {
        if (!link.IsClosed)
            replica.Step(Input.PeerConnected(link, nowMs, wallMs));
    }

    private void TakeClosed(PeerLink link)
    {
        // Whoever has hung up knows already.
        if (!link.IsClosed)
            replica.Step(Input.PeerClosed(link, nowMs, wallMs));
        link.IsClosed = true;
    }

    private void TakeSnapshot(NewTree received)
    {
        if (received.Link!.IsClosed)
        {
            received.Tree!.Dispose();
            return;
        }
        replica.Step(Input.SnapshotReceived(received.Link, received.Tree!, received.Sessions!, nowMs, wallMs));
    }

    private void TakeTransferDone(PeerLink link)
    {
        link.IsTransferring = false;
        if (link.IsClosed)
            return;
        replica.Step(Input.TransferDone(link, nowMs, wallMs));
        ((QuorumConnection)link.Owner!).Flush();
    }

    /// <summary>
    /// Does what the last step wants done before anything more is written to the links: a transfer begins where their
    /// output ends now.
    /// </summary>
    private void PerformEffects()
    {
        Outbox outbox = replica.Outbox;
        if (outbox.Effects.Count == 0)
            return;
        AppendLog();
        while (outbox.Effects.TryDequeue(out Effect effect))
            Perform!(effect);
    }

    private void FlushPeers()
    {
        Outbox outbox = replica.Outbox;
        foreach (PeerLink link in outbox.DirtyPeers)
        {
            link.IsDirty = false;
            ((QuorumConnection)link.Owner!).Flush();
        }
        outbox.DirtyPeers.Clear();
        foreach (PeerLink link in outbox.PeerHangups)
        {
            LogHungUp(link.Description, link.CloseReason);
            ((QuorumConnection)link.Owner!).HangUp(link.CloseReason);
        }
        outbox.PeerHangups.Clear();
        foreach (DataTree tree in outbox.RetiredTrees)
            Trees.Retire(tree);
        outbox.RetiredTrees.Clear();
    }

    private void NoteServing()
    {
        wasServing = replica.IsServing;
        EnsembleStatus? status = replica.EnsembleStatus;
        if (!wasServing)
        {
            LogNotServing(status?.Reason ?? "");
            return;
        }
        LogServing(status?.State ?? default, status?.Leader, status?.Epoch ?? 0);
    }

    [LoggerMessage(EventId = 107, Level = LogLevel.Warning, Message =
        "The leader wants the end of the log cut off, which cannot be done: {Problem} The leader is asked for a snapshot.")]
    private partial void LogNotTruncated(string problem);

    [LoggerMessage(EventId = 105, Level = LogLevel.Information, Message =
        "Clients are served: this server is {State}, the leader is server {Leader}, the epoch is {Epoch}.")]
    private partial void LogServing(ServerState state, ServerId? leader, long epoch);

    [LoggerMessage(EventId = 106, Level = LogLevel.Warning, Message =
        "Clients are not served, and this server looks for a leader: {Reason}.")]
    private partial void LogNotServing(string reason);
}
