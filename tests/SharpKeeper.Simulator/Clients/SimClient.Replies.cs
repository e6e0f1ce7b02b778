using SharpKeeper.Protocol;

namespace SharpKeeper.Simulation;

/// <summary>What a watch that a client has left waits for.</summary>
internal enum WatchWait
{
    /// <summary>A znode that exists: its change or its end.</summary>
    Data,

    /// <summary>A znode that does not exist: its creation.</summary>
    Exist,

    /// <summary>A list of children.</summary>
    Child,
}

internal sealed partial class SimClient
{
    private readonly SortedDictionary<(string Path, bool IsChild), (WatchWait Wait, Zxid Since)> watches = [];
    private bool areWatchesArmed;

    /// <summary>The watches that have not fired, each with the transaction it was last known to be up to date with.
    /// </summary>
    public IEnumerable<KeyValuePair<(string Path, bool IsChild), (WatchWait Wait, Zxid Since)>> Watches => watches;

    private void RearmWatches()
    {
        areWatchesArmed = watches.Count == 0;
        if (areWatchesArmed)
            return;
        Send(RequestFrames.SetWatches(
            LastSeen, PathsOf(WatchWait.Data), PathsOf(WatchWait.Exist), PathsOf(WatchWait.Child)));
    }

    private List<string> PathsOf(WatchWait wait) =>
        [.. watches.Where(watch => watch.Value.Wait == wait).Select(static watch => watch.Key.Path)];

    private void TakeReply(ReadOnlySpan<byte> frame)
    {
        var reader = new JuteReader(frame);
        int id = reader.ReadInt32();
        var zxid = new Zxid(reader.ReadInt64());
        var error = (ErrorCode)reader.ReadInt32();
        if (reader.Failed)
            throw new SimulationFailure("Framing", $"client {Number} got a reply without a header");
        if (id == Xids.WatchEvent)
        {
            TakeEvent(ref reader);
            return;
        }
        NoteZxid(id, zxid);
        if (id == Xids.SetWatches)
            WatchesRearmed(zxid);
        if (areWatchesArmed)
            world.CheckWatches(this, zxid);
        if (id is Xids.Ping or Xids.SetWatches)
            return;
        if (!outstanding.TryDequeue(out Operation? operation) || operation.Xid != id)
            throw new SimulationFailure("SessionOrder", $"client {Number} got the reply to xid {id} out of order");
        operation.ReturnedUs = world.Scheduler.NowUs;
        operation.Error = error;
        operation.Zxid = zxid;
        if (error == ErrorCode.Ok)
            ReadBody(operation, ref reader);
        NoteWatch(operation);
        Answered++;
        world.Returned(this, operation);
        Workload.Returned(operation);
        if (operation.Kind == OperationKind.Close && error == ErrorCode.Ok)
            Abandon();
    }

    private void NoteZxid(int id, Zxid zxid)
    {
        if (zxid.Value <= 0)
            return;
        if (zxid < LastSeen)
        {
            throw new SimulationFailure("SessionZxid",
                $"the session 0x{Session:x} of client {Number} saw {LastSeen} and then {zxid} at server {Server}, "
                + $"in the reply to {id}");
        }
        LastSeen = zxid;
    }

    private void TakeEvent(ref JuteReader reader)
    {
        var type = (WatchEventType)reader.ReadInt32();
        reader.ReadInt32();
        string path = reader.ReadString() ?? "";
        bool known = false;
        if (type != WatchEventType.NodeChildrenChanged)
            known |= watches.Remove((path, false));
        if (type is WatchEventType.NodeChildrenChanged or WatchEventType.NodeDeleted)
            known |= watches.Remove((path, true));
        if (!known)
            throw new SimulationFailure("Watches", $"client {Number} got {type} of {path} without a watch on it");
    }

    private void WatchesRearmed(Zxid zxid)
    {
        areWatchesArmed = true;
        foreach (((string Path, bool IsChild) key, (WatchWait Wait, Zxid Since) watch) in watches.ToArray())
        {
            world.CheckRearmedWatch(this, key.Path, watch.Wait, watch.Since, zxid);
            watches[key] = (watch.Wait, zxid);
        }
    }

    private void NoteWatch(Operation operation)
    {
        if (!operation.IsWatched)
            return;
        if (operation.Error == ErrorCode.Ok)
        {
            bool isChild = operation.Kind == OperationKind.Children;
            watches[(operation.Path, isChild)] = (isChild ? WatchWait.Child : WatchWait.Data, operation.Zxid);
        }
        else if (operation.Error == ErrorCode.NoNode && operation.Kind == OperationKind.Exists)
        {
            watches[(operation.Path, false)] = (WatchWait.Exist, operation.Zxid);
        }
    }

    private static void ReadBody(Operation operation, ref JuteReader reader)
    {
        switch (operation.Kind)
        {
            case OperationKind.Create:
                operation.CreatedPath = reader.ReadString() ?? "";
                operation.Stat = Stat.Read(ref reader);
                break;
            case OperationKind.Get:
                operation.Value = reader.ReadBuffer().ToArray();
                operation.Stat = Stat.Read(ref reader);
                break;
            case OperationKind.Set or OperationKind.Exists:
                operation.Stat = Stat.Read(ref reader);
                break;
            case OperationKind.Children:
                ReadChildren(operation, ref reader);
                break;
            case OperationKind.Multi:
                ReadMulti(operation, reader);
                break;
        }
    }

    private static void ReadChildren(Operation operation, ref JuteReader reader)
    {
        int count = reader.ReadVectorCount(4);
        var names = new List<string>(count);
        for (int i = 0; i < count; i++)
            names.Add(reader.ReadString() ?? "");
        operation.Children = names;
        operation.Stat = Stat.Read(ref reader);
    }

    // The header of the first result says whether all went well: a failed multi has errors only.
    private static void ReadMulti(Operation operation, JuteReader reader)
    {
        while (reader.Remaining > 0)
        {
            var type = (OpCode)reader.ReadInt32();
            bool isDone = reader.ReadBoolean();
            reader.ReadInt32();
            if (isDone)
                break;
            switch (type)
            {
                case OpCode.Error:
                    var error = (ErrorCode)reader.ReadInt32();
                    if (operation.Error == ErrorCode.Ok && error != ErrorCode.Ok)
                        operation.Error = error;
                    break;
                case OpCode.Create:
                    reader.ReadString();
                    break;
                case OpCode.SetData:
                    Stat.Read(ref reader);
                    break;
            }
        }
    }
}
