using SharpKeeper.Core.Log;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;

namespace SharpKeeper.LogTests;

/// <summary>A tree under random transactions, with its log.</summary>
internal sealed class LiveState : IDisposable
{
    private readonly TxnFactory factory;
    private readonly TxnApplier applier;

    public LiveState(Random random)
    {
        Tree = new DataTree { ExtendedTypesEnabled = true };
        factory = new TxnFactory(Tree, Sessions, random);
        applier = new TxnApplier(Tree, Sessions);
    }

    public DataTree Tree { get; }

    public SessionTimeouts Sessions { get; } = new();

    public List<byte[]> Payloads { get; } = [];

    public void Step()
    {
        byte[] payload = factory.Next();
        applier.Apply(payload);
        Assert.True(TxnRecords.TryRead(payload, out TxnView txn));
        if (txn.Header.Type != OpCode.Error)
        {
            using var buffer = new JuteBuffer();
            buffer.WriteRaw(payload);
            TxnRecords.WriteDigest(buffer, Tree.Digest);
            payload = buffer.WrittenSpan.ToArray();
        }
        Payloads.Add(payload);
    }

    /// <summary>Number of transactions after <paramref name="zxid"/> that carry no digest.</summary>
    public long TxnsWithoutDigest(Zxid zxid) => Payloads.Skip((int)zxid.Value).Count(static payload =>
        TxnRecords.TryRead(payload, out TxnView txn) && !txn.HasDigest);

    public byte[] LogFile(int from, int to)
    {
        var batch = new TxnBatch();
        for (int i = from; i < to; i++)
        {
            batch.BeginEntry().WriteRaw(Payloads[i]);
            batch.EndEntry(new Zxid(i + 1));
        }
        batch.Seal();
        return [.. new LogImage().ToFile(), .. batch.Bytes.Span];
    }

    /// <summary>Number of entries in the first bytes of a file of all payloads.</summary>
    public int WholeEntries(int length)
    {
        int count = 0;
        for (int at = TxnLogReader.HeaderBytes; count < Payloads.Count; count++)
        {
            at += TxnBatch.EntryHeadBytes + Payloads[count].Length + 1;
            if (at > length)
                break;
        }
        return count;
    }

    /// <summary>Stores the log in files of random lengths.</summary>
    public void PutLogs(Random random, Action<string, byte[]> put)
    {
        int from = 0;
        while (from < Payloads.Count)
        {
            int to = Math.Min(from + random.Next(1, 60), Payloads.Count);
            put(StorageNames.Log(new Zxid(from + 1)), LogFile(from, to));
            from = to;
        }
    }

    public void Dispose() => Tree.Dispose();
}
