using System.Text;
using SharpKeeper.Core.Log;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Simulation;

/// <summary>A znode from some transaction on.</summary>
/// <param name="Zxid">The transaction.</param>
/// <param name="Exists">Is it there?</param>
/// <param name="Version">Version of its data.</param>
/// <param name="Data">Its data.</param>
/// <param name="Czxid">The transaction that created it.</param>
/// <param name="Mzxid">The transaction that set its data last.</param>
/// <param name="Owner">The session it belongs to, 0 for none.</param>
internal readonly record struct ZnodeState(
    Zxid Zxid, bool Exists, int Version, byte[] Data, Zxid Czxid, Zxid Mzxid, long Owner);

/// <summary>
/// The transactions that are committed, in order, applied to a model that knows nothing of trees: what each znode was
/// at any time, which sessions there were, and which names were given.
/// </summary>
internal sealed class CommittedHistory
{
    private static readonly ZnodeState absent = new(Zxid.Zero, false, 0, [], Zxid.Zero, Zxid.Zero, 0);

    private readonly List<Proposed> list = [];
    private readonly Dictionary<Zxid, int> indexes = [];
    private readonly Dictionary<string, List<ZnodeState>> znodes = [];
    private readonly Dictionary<string, List<Zxid>> childChanges = [];
    private readonly Dictionary<string, SortedSet<string>> children = [];
    private readonly Dictionary<long, Zxid> closed = [];
    private readonly HashSet<long> opened = [];
    private readonly Dictionary<(long Session, int Xid), Proposed> byRequest = [];
    private readonly List<EnsembleConfig> configs = [];

    /// <summary>The configuration of the last committed reconfiguration; null if there was none.</summary>
    public EnsembleConfig? Config => configs.Count == 0 ? null : configs[^1];

    /// <summary>The last committed transaction.</summary>
    public Zxid Last => list.Count == 0 ? Zxid.Zero : list[^1].Zxid;

    /// <summary>Number of committed transactions.</summary>
    public int Count => list.Count;

    /// <summary>The committed transactions in order.</summary>
    public IReadOnlyList<Proposed> All => list;

    /// <summary>The configuration that a transaction made; null if it is no committed reconfiguration.</summary>
    public EnsembleConfig? FindConfig(Zxid zxid) => configs.Find(config => config.Version == zxid.Value);

    /// <summary>The configuration in force as of a transaction; null before the first reconfiguration.</summary>
    public EnsembleConfig? ConfigAt(Zxid zxid) => configs.FindLast(config => config.Version <= zxid.Value);

    /// <summary>Is that transaction committed?</summary>
    public bool Contains(Zxid zxid) => indexes.ContainsKey(zxid);

    /// <summary>Its place among the committed ones, -1 for none.</summary>
    public int IndexOf(Zxid zxid) => indexes.GetValueOrDefault(zxid, -1);

    /// <summary>The committed transaction of a client's request, or null.</summary>
    public Proposed? FindRequest(long session, int xid) => byRequest.GetValueOrDefault((session, xid));

    /// <summary>The transaction that ended a session; null if none did.</summary>
    public Zxid? EndOf(long session) => closed.TryGetValue(session, out Zxid zxid) ? zxid : null;

    /// <summary>Did a transaction begin that session?</summary>
    public bool IsKnown(long session) => opened.Contains(session);

    /// <summary>Paths that ever existed.</summary>
    public IEnumerable<string> Paths => znodes.Keys;

    /// <summary>Did the transaction of a request change anything?</summary>
    public bool IsEffective(long session, int xid)
    {
        if (FindRequest(session, xid) is not { } proposed)
            return false;
        TxnRecords.TryRead(proposed.Payload, out TxnView txn);
        return !ChangesNothing(txn);
    }

    /// <summary>Adds the next transaction.</summary>
    public void Add(Proposed proposed)
    {
        if (proposed.Before != Last)
        {
            throw new SimulationFailure("PrefixConsistency",
                $"{proposed.Zxid} is committed behind {proposed.Before}, but {Last} is committed already");
        }
        indexes.Add(proposed.Zxid, list.Count);
        list.Add(proposed);
        TxnRecords.TryRead(proposed.Payload, out TxnView txn);
        NoteRequest(proposed, changesNothing: ChangesNothing(txn));
        Apply(proposed.Zxid, proposed.Header.ClientId, txn.Header.Type, txn.Record);
    }

    /// <summary>A znode as of a transaction.</summary>
    public ZnodeState At(string path, Zxid zxid)
    {
        if (!znodes.TryGetValue(path, out List<ZnodeState>? states))
            return absent;
        int after = FirstAfter(states, zxid);
        return after == 0 ? absent : states[after - 1];
    }

    /// <summary>The first change of a znode itself after one transaction and up to another; zero for none.</summary>
    public Zxid ChangeBetween(string path, Zxid after, Zxid upTo)
    {
        if (!znodes.TryGetValue(path, out List<ZnodeState>? states))
            return Zxid.Zero;
        int index = FirstAfter(states, after);
        return index < states.Count && states[index].Zxid <= upTo ? states[index].Zxid : Zxid.Zero;
    }

    /// <summary>
    /// The first change of a list of children after one transaction and up to another; zero for none.
    /// </summary>
    public Zxid ChildChangeBetween(string path, Zxid after, Zxid upTo)
    {
        if (!childChanges.TryGetValue(path, out List<Zxid>? changes))
            return Zxid.Zero;
        int index = changes.BinarySearch(after);
        index = index < 0 ? ~index : index + 1;
        while (index < changes.Count && changes[index] == after)
            index++;
        return index < changes.Count && changes[index] <= upTo ? changes[index] : Zxid.Zero;
    }

    /// <summary>The children a znode has now.</summary>
    public IReadOnlyCollection<string> ChildrenOf(string path) =>
        children.TryGetValue(path, out SortedSet<string>? names) ? names : [];

    private static int FirstAfter(List<ZnodeState> states, Zxid zxid)
    {
        int low = 0;
        int high = states.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (states[middle].Zxid <= zxid)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    // A multi that failed is logged as a multi of errors.
    private static bool ChangesNothing(in TxnView txn)
    {
        if (txn.Header.Type != OpCode.Multi)
            return txn.Header.Type == OpCode.Error;
        MultiTxnReader parts = TxnRecords.ReadMulti(txn.Record);
        while (parts.Next(out OpCode type, out _))
        {
            if (type != OpCode.Error)
                return false;
        }
        return true;
    }

    private void NoteRequest(Proposed proposed, bool changesNothing)
    {
        TxnHeader header = proposed.Header;
        if (header.ClientId == 0)
            return;
        if (closed.TryGetValue(header.ClientId, out Zxid end) && !changesNothing && header.Type != OpCode.CloseSession)
        {
            throw new SimulationFailure("Sessions",
                $"{proposed.Zxid} ({header.Type}) is of session 0x{header.ClientId:x}, which ended with {end}");
        }
        if (header.Cxid > 0 && !byRequest.TryAdd((header.ClientId, header.Cxid), proposed))
        {
            throw new SimulationFailure("Sessions",
                $"{proposed.Zxid} and {byRequest[(header.ClientId, header.Cxid)].Zxid} are of the same request: "
                + $"session 0x{header.ClientId:x}, xid {header.Cxid}");
        }
    }

    private void Apply(Zxid zxid, long session, OpCode type, ReadOnlySpan<byte> record)
    {
        switch (type)
        {
            case OpCode.Create or OpCode.Create2 or OpCode.CreateContainer or OpCode.CreateTtl:
                TxnRecords.TryReadCreate(type, record, out CreateTxn create);
                Set(Text(create.Path), new ZnodeState(
                    zxid, true, 0, create.Data.ToArray(), zxid, zxid, create.IsEphemeral ? session : 0));
                break;
            case OpCode.Delete or OpCode.DeleteContainer:
                TxnRecords.TryReadDelete(record, out ReadOnlySpan<byte> deleted);
                Remove(Text(deleted), zxid);
                break;
            case OpCode.SetData or OpCode.Reconfig:
                TxnRecords.TryReadSetData(record, out SetDataTxn set);
                string path = Text(set.Path);
                if (type == OpCode.Reconfig)
                    NoteConfig(zxid, set.Data);
                ZnodeState before = At(path, zxid);
                Set(path, before with
                {
                    Zxid = zxid,
                    Exists = true,
                    Version = set.Version,
                    Data = set.Data.ToArray(),
                    Mzxid = zxid
                });
                break;
            case OpCode.Multi:
                MultiTxnReader parts = TxnRecords.ReadMulti(record);
                while (parts.Next(out OpCode partType, out ReadOnlySpan<byte> part))
                    Apply(zxid, session, partType, part);
                break;
            case OpCode.CreateSession:
                opened.Add(session);
                break;
            case OpCode.CloseSession:
                End(session, zxid);
                break;
        }
    }

    private void NoteConfig(Zxid zxid, ReadOnlySpan<byte> text)
    {
        if (!EnsembleConfig.TryParse(text, out EnsembleConfig? config, out string problem)
            || config.Version != zxid.Value)
            throw new SimulationFailure("Configs", $"{zxid} is committed and makes no configuration: {problem}");
        configs.Add(config);
    }

    private void End(long session, Zxid zxid)
    {
        closed.TryAdd(session, zxid);
        foreach ((string path, List<ZnodeState> states) in znodes.ToArray())
        {
            if (states[^1].Exists && states[^1].Owner == session)
                Remove(path, zxid);
        }
    }

    private static string Text(ReadOnlySpan<byte> path) => Encoding.UTF8.GetString(path);

    private void Set(string path, in ZnodeState state)
    {
        if (!znodes.TryGetValue(path, out List<ZnodeState>? states))
            znodes.Add(path, states = []);
        bool existed = states.Count > 0 && states[^1].Exists;
        states.Add(state);
        if (!existed)
            ChangeChildren(path, state.Zxid, isThere: true);
    }

    private void Remove(string path, Zxid zxid)
    {
        if (!znodes.TryGetValue(path, out List<ZnodeState>? states) || !states[^1].Exists)
            return;
        states.Add(absent with { Zxid = zxid });
        ChangeChildren(path, zxid, isThere: false);
    }

    private void ChangeChildren(string path, Zxid zxid, bool isThere)
    {
        int slash = path.LastIndexOf('/');
        string parent = slash == 0 ? "/" : path[..slash];
        if (!childChanges.TryGetValue(parent, out List<Zxid>? changes))
            childChanges.Add(parent, changes = []);
        changes.Add(zxid);
        if (!children.TryGetValue(parent, out SortedSet<string>? names))
            children.Add(parent, names = new SortedSet<string>(StringComparer.Ordinal));
        if (isThere)
            names.Add(path[(slash + 1)..]);
        else
            names.Remove(path[(slash + 1)..]);
    }
}
