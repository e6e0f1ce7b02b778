using System.Globalization;
using System.Text;
using SharpKeeper.Core;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Election;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.ElectionTests;

/// <summary>
/// Recorded elections of Apache's servers, with this election in the place of one of them: it gets what that server got
/// when that server got it, and must come to the same end.
/// </summary>
public class ApacheElectionTests
{
    private static readonly string[] Lines = File.ReadAllLines(
        Path.Combine(AppContext.BaseDirectory, "testdata", "zab", "apache-3.8.0-elections.txt"));

    public static TheoryData<string, long> Recorded()
    {
        TheoryData<string, long> data = [];
        foreach (Recording recording in Recordings())
        {
            foreach (long server in recording.Starts.Keys)
                data.Add(recording.Name, server);
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Recorded))]
    public void Election_decides_as_the_recorded_server_did(string name, long self)
    {
        Recording recording = Recordings().Single(one => one.Name == name);
        EnsembleConfig config = ConfigOf(recording.Messages.First(message => message.From == self).Payload);
        bool isVoter = config.IsVoter(new ServerId(self));
        (Zxid zxid, long epoch) = recording.Starts[self];
        Outbox outbox = new();
        Election election = new(Ensembles.Options(config, self), outbox);
        election.Start(isVoter, zxid, epoch, new Membership(config, null), 0);
        foreach (Message message in recording.Messages.Where(message => message.To == self))
        {
            election.Tick((long)message.AtMs);
            election.Receive(new ServerId(message.From), message.Payload, (long)message.AtMs);
            if (election.TakeNewerConfig() is { } newer)
                election.Start(isVoter, zxid, epoch, new Membership(newer, null), (long)message.AtMs);
        }
        election.Tick(10_000);

        Assert.True(election.TryTakeDecision(out ServerState state, out Vote vote));
        Assert.Equal(recording.Leader, vote.Leader.Value);
        ServerState expected = !isVoter ? ServerState.Observing
            : self == recording.Leader ? ServerState.Leading : ServerState.Following;
        Assert.Equal(expected, state);
        AssertSameBytes(recording, self, outbox);
    }

    /// <summary>Each message that the recorded server sent of its own accord is one that was sent here, byte for byte.
    /// </summary>
    private static void AssertSameBytes(Recording recording, long self, Outbox outbox)
    {
        HashSet<string> sent = [];
        foreach (Effect effect in outbox.Effects)
            sent.Add(Convert.ToHexString(effect.Bytes!));
        foreach (Message message in recording.Messages.Where(message => message.From == self))
            Assert.Contains(Convert.ToHexString(message.Payload), sent);
    }

    private static EnsembleConfig ConfigOf(byte[] payload)
    {
        Assert.True(VoteNotification.TryRead(payload, out VoteNotification notification));
        return Ensembles.Parse(Encoding.UTF8.GetString(notification.Config!));
    }

    private static List<Recording> Recordings()
    {
        List<Recording> recordings = [];
        foreach (string line in Lines.Where(static line => line.Length > 0 && line[0] != '#'))
        {
            if (line.Contains(':'))
                recordings.Add(Recording.Parse(line));
            else
                recordings[^1].Messages.Add(Message.Parse(line));
        }
        return recordings;
    }

    private sealed record Message(double AtMs, long From, long To, byte[] Payload)
    {
        public static Message Parse(string line)
        {
            string[] parts = line.Split(' ');
            return new Message(
                double.Parse(parts[0], CultureInfo.InvariantCulture),
                long.Parse(parts[1], CultureInfo.InvariantCulture),
                long.Parse(parts[2], CultureInfo.InvariantCulture), Convert.FromHexString(parts[3]));
        }
    }

    private sealed record Recording(string Name, long Leader, Dictionary<long, (Zxid Zxid, long Epoch)> Starts)
    {
        public List<Message> Messages { get; } = [];

        /// <summary>Reads "NAME: leader N, servers ID ZXID/EPOCH, ...".</summary>
        public static Recording Parse(string line)
        {
            string[] parts = line.Split([": leader ", ", servers ", ", "], StringSplitOptions.None);
            Dictionary<long, (Zxid, long)> starts = [];
            foreach (string[] start in parts.Skip(2).Select(static part => part.Split(' ', '/')))
            {
                Zxid zxid = new(Convert.ToInt64(start[1], 16));
                starts.Add(long.Parse(start[0], CultureInfo.InvariantCulture),
                    (zxid, long.Parse(start[2], CultureInfo.InvariantCulture)));
            }
            return new Recording(parts[0], long.Parse(parts[1], CultureInfo.InvariantCulture), starts);
        }
    }
}
