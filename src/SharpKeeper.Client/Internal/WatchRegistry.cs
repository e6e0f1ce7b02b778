using SharpKeeper.Protocol;

namespace SharpKeeper.Client.Internal;

/// <summary>What kind of interest a watch is.</summary>
internal enum WatchKind
{
    None,
    Data,
    Exists,
    Children,
    Persistent,
    PersistentRecursive,

    /// <summary>Data of the ensemble's configuration, which lies outside any chroot.</summary>
    Config,
}

/// <summary>
/// The watches that the server holds for this client, by path without chroot, so that events find their watchers and a
/// new connection gets them all again. The lock is the session's, since sending and registering must happen in one
/// order; no code of the user runs under it.
/// </summary>
internal sealed class WatchRegistry
{
    /// <summary>Where the ensemble's configuration is, whatever the chroot.</summary>
    public const string ConfigPath = "/zookeeper/config";

    /// <summary>Sum of path lengths at which a setWatches packet is cut, as the Java client does.</summary>
    public const int SetWatchesPathsMax = 128 * 1024;

    private readonly Lock gate;
    private readonly Dictionary<string, List<Watch>>[] tables;
    private readonly Dictionary<(string Path, WatchKind Kind), int> adding = [];
    private readonly HashSet<Watch> fired = [];

    public WatchRegistry(Lock gate)
    {
        this.gate = gate;
        tables = new Dictionary<string, List<Watch>>[(int)WatchKind.Config + 1];
        for (int i = 0; i < tables.Length; i++)
            tables[i] = new Dictionary<string, List<Watch>>(StringComparer.Ordinal);
    }

    private Dictionary<string, List<Watch>> Table(WatchKind kind) => tables[(int)kind];

    /// <summary>
    /// Registers what a reply says the server has registered. A watch of an exists on a missing znode waits for its
    /// creation; that of an existing one is an ordinary data watch.
    /// </summary>
    public void OnReply(string path, WatchKind kind, Watch watch, ErrorCode error)
    {
        if (kind == WatchKind.Exists && error == ErrorCode.Ok)
            kind = WatchKind.Data;
        else if (error != ErrorCode.Ok && !(kind == WatchKind.Exists && error == ErrorCode.NoNode))
            return;
        lock (gate)
        {
            if (!Table(kind).TryGetValue(path, out List<Watch>? watches))
                Table(kind).Add(path, watches = new List<Watch>(1));
            if (!watches.Contains(watch))
                watches.Add(watch);
        }
        (watch as WatchStream)?.OnRegistered();
    }

    /// <summary>Announces an addWatch that is about to be sent, so that a removal does not undo it.</summary>
    public void BeginAdd(string path, WatchKind kind)
    {
        lock (gate)
            adding[(path, kind)] = adding.GetValueOrDefault((path, kind)) + 1;
    }

    /// <summary>The addWatch announced has been answered or is lost.</summary>
    public void EndAdd(string path, WatchKind kind)
    {
        lock (gate)
        {
            int left = adding[(path, kind)] - 1;
            if (left == 0)
                adding.Remove((path, kind));
            else
                adding[(path, kind)] = left;
        }
    }

    /// <summary>
    /// Takes one watcher off. When no other is interested in the path in this way, runs
    /// <paramref name="removeAtServer"/> under the lock, so that the request goes out before any later addWatch.
    /// </summary>
    public void Remove(string path, WatchKind kind, Watch watch, Action removeAtServer)
    {
        lock (gate)
        {
            if (!Table(kind).TryGetValue(path, out List<Watch>? watches) || !watches.Remove(watch) || watches.Count > 0)
                return;
            Table(kind).Remove(path);
            if (!adding.ContainsKey((path, kind)))
                removeAtServer();
        }
    }

    /// <summary>Takes off and fires all watchers of a path that a removal of this type covers.</summary>
    public List<WatchEventType> RemoveAll(string path, WatcherType type, KeeperState state, EventDispatcher dispatcher)
    {
        var events = new List<WatchEventType>();
        lock (gate)
        {
            if (type is WatcherType.Data or WatcherType.Any)
                RemoveTables(WatchEventType.DataWatchRemoved, WatchKind.Data, WatchKind.Exists);
            if (type is WatcherType.Children or WatcherType.Any)
                RemoveTables(WatchEventType.ChildWatchRemoved, WatchKind.Children);
            if (type is WatcherType.Persistent or WatcherType.Any)
                RemoveTables(WatchEventType.PersistentWatchRemoved, WatchKind.Persistent);
            if (type is WatcherType.PersistentRecursive or WatcherType.Any)
                RemoveTables(WatchEventType.PersistentWatchRemoved, WatchKind.PersistentRecursive);
        }
        return events;

        void RemoveTables(WatchEventType removed, params ReadOnlySpan<WatchKind> kinds)
        {
            fired.Clear();
            bool any = false;
            foreach (WatchKind kind in kinds)
                any |= Take(kind, path);
            if (any)
                events.Add(removed);
            FireAll(new WatchedEvent(removed, state, path, WatchedEvent.NoZxid), dispatcher);
        }
    }

    /// <summary>Is any watcher that a removal of this type covers registered here?</summary>
    public bool Contains(string path, WatcherType type)
    {
        lock (gate)
        {
            return type switch
            {
                WatcherType.Data => Has(WatchKind.Data) || Has(WatchKind.Exists),
                WatcherType.Children => Has(WatchKind.Children),
                WatcherType.Persistent => Has(WatchKind.Persistent),
                WatcherType.PersistentRecursive => Has(WatchKind.PersistentRecursive),
                _ => Has(WatchKind.Data) || Has(WatchKind.Exists) || Has(WatchKind.Children)
                    || Has(WatchKind.Persistent) || Has(WatchKind.PersistentRecursive),
            };
        }

        bool Has(WatchKind kind) => Table(kind).ContainsKey(path);
    }

    /// <summary>Fires the watchers of an event and takes the one-shot ones off.</summary>
    public void OnEvent(in WatchedEvent watched, EventDispatcher dispatcher)
    {
        string path = watched.Path!;
        lock (gate)
        {
            fired.Clear();
            if (watched.Type is WatchEventType.NodeChildrenChanged or WatchEventType.NodeDeleted)
                Take(WatchKind.Children, path);
            if (watched.Type is not WatchEventType.NodeChildrenChanged)
            {
                Take(WatchKind.Data, path);
                Take(WatchKind.Exists, path);
                FindRecursive(path);
            }
            Find(WatchKind.Persistent, path);
            FireAll(watched, dispatcher);
        }
    }

    /// <summary>Fires the watchers of the ensemble's configuration and takes them off.</summary>
    public void OnConfigEvent(in WatchedEvent watched, EventDispatcher dispatcher)
    {
        lock (gate)
        {
            fired.Clear();
            Take(WatchKind.Config, ConfigPath);
            FireAll(watched, dispatcher);
        }
    }

    /// <summary>Tells every watcher of a change of state; after a final one none is left.</summary>
    public void OnState(KeeperState state, EventDispatcher dispatcher)
    {
        WatchedEvent watched = WatchedEvent.ForState(state);
        lock (gate)
        {
            fired.Clear();
            foreach (Dictionary<string, List<Watch>> table in tables)
            {
                foreach (List<Watch> watches in table.Values)
                    fired.UnionWith(watches);
                if (state.IsFinal())
                    table.Clear();
            }
            foreach (Watch watch in fired)
                watch.OnState(watched, dispatcher);
            fired.Clear();
        }
    }

    /// <summary>Appends the packets that set every watch again, cut as <see cref="SetWatchesPathsMax"/> says.</summary>
    public void WriteSetWatches(JuteBuffer output, long relativeZxid, string chroot)
    {
        lock (gate)
        {
            var batch = new SetWatchesBatch(output, relativeZxid, chroot);
            for (WatchKind kind = WatchKind.Data; kind <= WatchKind.PersistentRecursive; kind++)
            {
                foreach (string path in Table(kind).Keys)
                    batch.Add(kind, path);
            }
            batch.Flush();
            if (Table(WatchKind.Config).Count > 0)
            {
                var outside = new SetWatchesBatch(output, relativeZxid, "");
                outside.Add(WatchKind.Data, ConfigPath);
                outside.Flush();
            }
        }
    }

    /// <summary>
    /// Appends the packet that sets again whatever is registered here for one path. Servers do not make up for what
    /// lasting watches have missed meanwhile, so their streams are told to read again.
    /// </summary>
    public void WriteSetWatches(JuteBuffer output, long relativeZxid, string chroot, string path)
    {
        lock (gate)
        {
            var batch = new SetWatchesBatch(output, relativeZxid, chroot);
            for (WatchKind kind = WatchKind.Data; kind <= WatchKind.PersistentRecursive; kind++)
            {
                if (!Table(kind).TryGetValue(path, out List<Watch>? watches))
                    continue;
                batch.Add(kind, path);
                foreach (WatchStream stream in watches.OfType<WatchStream>())
                    stream.OnRegistered();
            }
            batch.Flush();
        }
    }

    private bool Take(WatchKind kind, string path)
    {
        if (!Table(kind).Remove(path, out List<Watch>? watches))
            return false;
        fired.UnionWith(watches);
        return true;
    }

    private void Find(WatchKind kind, string path)
    {
        if (Table(kind).TryGetValue(path, out List<Watch>? watches))
            fired.UnionWith(watches);
    }

    private void FindRecursive(string path)
    {
        Dictionary<string, List<Watch>> table = Table(WatchKind.PersistentRecursive);
        if (table.Count == 0)
            return;
        var lookup = table.GetAlternateLookup<ReadOnlySpan<char>>();
        ReadOnlySpan<char> ancestor = path;
        while (true)
        {
            if (lookup.TryGetValue(ancestor, out List<Watch>? watches))
                fired.UnionWith(watches);
            if (ancestor.Length <= 1)
                return;
            int slash = ancestor.LastIndexOf('/');
            ancestor = slash <= 0 ? ZnodePath.Root : ancestor[..slash];
        }
    }

    private void FireAll(in WatchedEvent watched, EventDispatcher dispatcher)
    {
        foreach (Watch watch in fired)
            watch.Fire(watched, dispatcher);
        fired.Clear();
    }

    /// <summary>Collects paths and writes a packet when they are enough.</summary>
    private sealed class SetWatchesBatch(JuteBuffer output, long relativeZxid, string chroot)
    {
        private readonly List<string>[] lists = [[], [], [], [], []];
        private int bytes;

        public void Add(WatchKind kind, string path)
        {
            lists[(int)kind - 1].Add(path);
            bytes += chroot.Length + path.Length;
            if (bytes >= SetWatchesPathsMax)
                Flush();
        }

        public void Flush()
        {
            if (lists.All(list => list.Count == 0))
                return;
            bool persistent = lists[3].Count > 0 || lists[4].Count > 0;
            int frame = output.BeginFrame();
            output.WriteInt32(Xids.SetWatches);
            output.WriteInt32((int)(persistent ? OpCode.SetWatches2 : OpCode.SetWatches));
            output.WriteInt64(relativeZxid);
            for (int i = 0; i < (persistent ? 5 : 3); i++)
            {
                output.WriteInt32(lists[i].Count);
                foreach (string path in lists[i])
                    output.WritePath(chroot, path);
            }
            output.EndFrame(frame);
            foreach (List<string> list in lists)
                list.Clear();
            bytes = 0;
        }
    }
}
