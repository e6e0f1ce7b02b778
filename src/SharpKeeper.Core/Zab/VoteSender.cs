using System.Text;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Election;

namespace SharpKeeper.Core.Zab;

/// <summary>Writes vote notifications into the outbox, with the committed configuration in each.</summary>
internal sealed class VoteSender(ServerId self, Outbox outbox, Membership initialMembers)
{
    private Membership members = initialMembers;
    private byte[] config = TextOf(initialMembers);

    /// <summary>The text of the committed configuration as it is sent.</summary>
    public ReadOnlySpan<byte> Config => config;

    /// <summary>Sends to the voters of these members from now on.</summary>
    public void UseMembers(Membership newMembers)
    {
        members = newMembers;
        config = TextOf(newMembers);
    }

    /// <summary>Tells one server.</summary>
    public void Send(ServerId to, ServerState state, in Vote vote) => Enqueue(to, Write(state, vote));

    /// <summary>Tells every other voter of the committed and the proposed configuration, ascending by id.</summary>
    public void SendToVoters(ServerState state, in Vote vote)
    {
        byte[] payload = Write(state, vote);
        foreach (ServerId to in members.Voters)
        {
            if (to != self)
                Enqueue(to, payload);
        }
    }

    private static byte[] TextOf(Membership members) => Encoding.UTF8.GetBytes(members.Committed.Format());

    private void Enqueue(ServerId to, byte[] payload) =>
        outbox.Effects.Enqueue(new Effect(EffectKind.SendVote) { Server = to, Bytes = payload });

    private byte[] Write(ServerState state, in Vote vote) =>
        new VoteNotification(
            state, vote.Leader, vote.Zxid, vote.Round, vote.PeerEpoch, VoteNotification.CurrentVersion,
            config).ToArray();
}
