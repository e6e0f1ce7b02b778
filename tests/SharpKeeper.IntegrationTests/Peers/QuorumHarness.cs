using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Core.Zab;
using SharpKeeper.Server.Peers;

namespace SharpKeeper.PeersTests;

/// <summary>What a quorum network reported.</summary>
internal sealed record QuorumReport(string Kind, PeerLink Link)
{
    public byte[] Packets { get; init; } = [];

    public DataTree? Tree { get; init; }

    public SessionTimeouts? Sessions { get; init; }

    public string Reason { get; init; } = "";
}

/// <summary>A quorum network that keeps what it reports, in order.</summary>
internal sealed class QuorumHarness : IQuorumEvents, IAsyncDisposable
{
    private readonly BlockingCollection<QuorumReport> reports = [];

    public QuorumHarness(Func<QuorumNetworkOptions, QuorumNetworkOptions>? configure = null)
    {
        var options = new QuorumNetworkOptions
        {
            FirstPacketBytesMax = int.MaxValue,
            LoadSnapshot = static source =>
            {
                SnapshotStream stream = SnapshotStream.Load(source, new RecoveryOptions { HashSeed = 1 });
                return new LoadedSnapshot(stream.Tree, stream.Sessions, stream.Rest.ToArray());
            },
        };
        Network = new QuorumNetwork(configure?.Invoke(options) ?? options, this, NullLogger.Instance);
    }

    public QuorumNetwork Network { get; }

    /// <summary>Batches are kept while this is set, as by a replica that does not come to them.</summary>
    public bool KeepsBatches { get; set; }

    /// <summary>Opens the quorum port on a free port.</summary>
    public IPEndPoint Listen()
    {
        Network.Listen([new PeerAddress("127.0.0.1", 0)]);
        return Network.ListeningOn[0];
    }

    public PeerLink Dial(params int[] ports)
    {
        var link = new PeerLink();
        Network.Dial(link, [.. ports.Select(static port => new PeerAddress("127.0.0.1", port))]);
        return link;
    }

    public QuorumReport Take(string kind)
    {
        Assert.True(reports.TryTake(out QuorumReport? report, ScriptedPeer.WaitMs), $"no report {kind} comes");
        Assert.True(report.Kind == kind, $"{report.Kind} ({report.Reason}) came in place of {kind}");
        return report;
    }

    /// <summary>Waits for the end of a link whose packets are of no interest.</summary>
    public void TakeClosedBehindPackets()
    {
        QuorumReport? report;
        do
            Assert.True(reports.TryTake(out report, ScriptedPeer.WaitMs), "no report closed comes");
        while (report.Kind == "packets");
        Assert.Equal("closed", report.Kind);
    }

    /// <summary>Takes packets until there are so many bytes.</summary>
    public byte[] TakePackets(int bytes)
    {
        var all = new MemoryStream();
        while (all.Length < bytes)
            all.Write(Take("packets").Packets);
        return all.ToArray();
    }

    public static void Flush(PeerLink link) => ((QuorumConnection)link.Owner!).Flush();

    public void LearnerConnected(PeerLink link) => reports.Add(new QuorumReport("learner", link));

    public void PeerConnected(PeerLink link) => reports.Add(new QuorumReport("connected", link));

    public void PacketsReceived(PacketBatch batch)
    {
        reports.Add(new QuorumReport("packets", batch.Link) { Packets = batch.Packets.ToArray() });
        if (!KeepsBatches)
            batch.Return();
    }

    public void SnapshotReceived(PeerLink link, DataTree tree, SessionTimeouts sessions) =>
        reports.Add(new QuorumReport("snapshot", link) { Tree = tree, Sessions = sessions });

    public void LinkClosed(PeerLink link, string reason) =>
        reports.Add(new QuorumReport("closed", link) { Reason = reason });

    public ValueTask DisposeAsync() => Network.DisposeAsync();
}
