using System.Security.Cryptography;
using SharpKeeper.Core;
using SharpKeeper.Core.Clients;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Core.Watches;
using SharpKeeper.Protocol;
using SharpKeeper.Server.Auth;

namespace SharpKeeper.FuzzTests;

/// <summary>A replica without sockets and disk, and what must hold after every request.</summary>
internal sealed class FuzzReplica : IDisposable
{
    private const long WallMs = 1_700_000_000_000;

    private readonly DataTree tree = new(hashSeed: 5) { ExtendedTypesEnabled = true };
    private readonly List<byte[]> log = [];
    private readonly WatchTable watches = new();
    private readonly Replica replica;
    private ClientLink link;
    private long nowMs = 1_000_000;

    public FuzzReplica()
    {
        var options = new ReplicaOptions
        {
            Access = new AccessControl([new DigestProvider(null, HashAlgorithmName.SHA1), new IpProvider()], false),
            ExtendedTypesEnabled = true,
            EnforceQuota = true,
        };
        replica = new Replica(options, tree, new SessionTimeouts(), nowMs);
        replica.AddWatchTable(watches);
        link = Connect();
    }

    /// <summary>The records of all transactions so far.</summary>
    public IReadOnlyList<byte[]> Log => log;

    /// <summary>Does a request as a connection would and checks its answer.</summary>
    public void Request(OpCode op, int xid, ReadOnlySpan<byte> body)
    {
        if (OpTable.Find(op).Class == OpClass.Read)
        {
            replica.Reads.Answer(link, xid, op, body);
        }
        else
        {
            link.Posted++;
            replica.Step(Input.ClientRequest(link, op, xid, body, ++nowMs, WallMs + nowMs));
            Drive();
        }
        Assert.False(link.HasUnanswered);
        AssertOneReply(op == OpCode.Ping ? Xids.Ping : xid);
        if (link.IsClosing)
        {
            replica.Step(Input.ClientClosed(link, nowMs, WallMs));
            watches.RemoveAll(link);
            link = Connect();
        }
    }

    /// <summary>Presents a handshake on a connection of its own.</summary>
    public void Handshake(ReadOnlySpan<byte> payload)
    {
        if (!ConnectRequest.TryRead(payload, out ConnectRequest request))
            return;
        var other = new ClientLink(watches, null) { Posted = 1 };
        replica.Step(Input.ClientConnect(other, request, ++nowMs, WallMs + nowMs));
        Drive();
        Assert.True(other.IsHangingUp || other.IsEstablished || other.IsClosing);
        replica.Step(Input.ClientClosed(other, nowMs, WallMs));
        other.Output.Dispose();
        // It may have been this very session that was taken over.
        if (link.IsHangingUp)
            link = Connect();
    }

    /// <summary>Applies everything that was logged to an empty tree, which must come to the same.</summary>
    public void AssertReplays()
    {
        Assert.Equal(0, replica.Statistics.DigestMismatches);
        using var copy = new DataTree(hashSeed: 6) { ExtendedTypesEnabled = true };
        var applier = new TxnApplier(copy, new SessionTimeouts());
        var outcome = new TxnOutcome();
        foreach (byte[] payload in log)
        {
            Assert.True(TxnRecords.TryRead(payload, out TxnView txn));
            applier.Apply(txn, payload, outcome);
        }
        Assert.Equal((tree.Count, tree.Digest), (copy.Count, copy.Digest));
    }

    public void Dispose()
    {
        link.Output.Dispose();
        tree.Dispose();
    }

    private ClientLink Connect()
    {
        var fresh = new ClientLink(watches, null) { Posted = 1 };
        fresh.AddIdentity(new AuthId("ip", "127.0.0.1"));
        fresh.AddIdentity(new AuthId("digest", "user:hash"));
        var request = new ConnectRequest(0, 0, 30_000, 0, new byte[16], false);
        replica.Step(Input.ClientConnect(fresh, request, ++nowMs, WallMs + nowMs));
        Drive();
        Assert.True(fresh.IsEstablished);
        fresh.Output.Clear();
        return fresh;
    }

    private void Drive()
    {
        while (replica.Outbox.HasLog || replica.HasApplicable)
        {
            if (replica.Outbox.HasLog)
            {
                TxnBatch batch = replica.Outbox.TakeLog();
                for (int i = 0; i < batch.Count; i++)
                    log.Add(batch.Payload(i).ToArray());
                replica.Step(Input.LogDurable(batch.Last, nowMs, WallMs + nowMs));
            }
            replica.Apply(int.MaxValue);
        }
        foreach (ClientLink dirty in replica.Outbox.Dirty)
            dirty.IsDirty = false;
        replica.Outbox.Dirty.Clear();
        replica.Outbox.Hangups.Clear();
    }

    private void AssertOneReply(int xid)
    {
        var reader = new JuteReader(link.Output.WrittenSpan);
        int replies = 0;
        while (reader.Remaining > 0)
        {
            ReadOnlySpan<byte> frame = reader.ReadBuffer();
            Assert.False(reader.Failed, "a frame is not whole");
            var header = new JuteReader(frame);
            int answered = header.ReadInt32();
            header.ReadInt64();
            header.ReadInt32();
            Assert.False(header.Failed, "a reply has no header");
            if (answered == Xids.WatchEvent && xid != Xids.WatchEvent)
                continue;
            Assert.Equal(xid, answered);
            replies++;
        }
        Assert.Equal(1, replies);
        link.Output.Clear();
    }
}
