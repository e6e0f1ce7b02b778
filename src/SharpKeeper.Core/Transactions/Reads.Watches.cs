using SharpKeeper.Core.Clients;
using SharpKeeper.Core.Tree;
using SharpKeeper.Core.Watches;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Transactions;

public sealed partial class Reads
{
    // Events that a reconnect makes up carry no zxid.
    private const long NoZxid = -1;

    private enum RearmedList
    {
        Data,
        Exist,
        Child,
        Persistent,
        Recursive,
    }

    private static ErrorCode AddWatch(ClientLink link, ref JuteReader reader, JuteBuffer output)
    {
        ReadOnlySpan<byte> path = reader.ReadBuffer(out bool isNull);
        int mode = reader.ReadInt32();
        if (reader.Failed || isNull || mode is not (0 or 1))
            return ErrorCode.MarshallingError;
        link.Watches.Add(
            link, path, mode == (int)AddWatchMode.Persistent ? WatchKinds.Persistent : WatchKinds.Recursive);
        output.WriteInt32(0);
        return ErrorCode.Ok;
    }

    private static ErrorCode CheckOrRemoveWatches(ClientLink link, OpCode op, ref JuteReader reader)
    {
        ReadOnlySpan<byte> path = reader.ReadBuffer(out bool isNull);
        WatchKinds kinds = (WatcherType)reader.ReadInt32() switch
        {
            WatcherType.Children => WatchKinds.Child,
            WatcherType.Data => WatchKinds.Data,
            WatcherType.Any => WatchKinds.Any,
            WatcherType.Persistent => WatchKinds.Persistent,
            WatcherType.PersistentRecursive => WatchKinds.Recursive,
            _ => WatchKinds.None,
        };
        if (reader.Failed || isNull || kinds == WatchKinds.None)
            return ErrorCode.MarshallingError;
        bool found = op == OpCode.CheckWatches
            ? (link.Watches.Find(link, path) & kinds) != 0
            : link.Watches.Remove(link, path, kinds);
        return found ? ErrorCode.Ok : ErrorCode.NoWatcher;
    }

    private ErrorCode AnswerSetWatches(ClientLink link, int xid, OpCode op, ReadOnlySpan<byte> body)
    {
        int lists = op == OpCode.SetWatches2 ? 5 : 3;
        if (!IsWellFormed(body, lists))
        {
            Replies.WriteEmpty(link.Output, xid, tree.LastProcessed, ErrorCode.MarshallingError);
            return ErrorCode.MarshallingError;
        }
        var reader = new JuteReader(body);
        long seen = reader.ReadInt64();
        for (int list = 0; list < lists; list++)
        {
            int count = reader.ReadInt32();
            for (int i = 0; i < count; i++)
                Rearm(link, (RearmedList)list, reader.ReadBuffer(), seen);
        }
        Replies.WriteEmpty(link.Output, xid, tree.LastProcessed, ErrorCode.Ok);
        return ErrorCode.Ok;
    }

    private static bool IsWellFormed(ReadOnlySpan<byte> body, int lists)
    {
        var reader = new JuteReader(body);
        reader.ReadInt64();
        for (int list = 0; list < lists; list++)
        {
            int count = reader.ReadVectorCount(4);
            if (count < 0)
                return false;
            for (int i = 0; i < count && !reader.Failed; i++)
            {
                reader.ReadBuffer(out bool isNull);
                if (isNull)
                    return false;
            }
        }
        return !reader.Failed;
    }

    private void Rearm(ClientLink link, RearmedList list, ReadOnlySpan<byte> path, long seen)
    {
        if (list is RearmedList.Persistent or RearmedList.Recursive)
        {
            link.Watches.Add(
                link, path, list == RearmedList.Persistent ? WatchKinds.Persistent : WatchKinds.Recursive);
            return;
        }
        ZnodeId id = tree.Find(path);
        if (MissedEvent(list, id, seen) is { } missed)
            Replies.WriteEvent(link.Output, NoZxid, missed, path);
        else
            link.Watches.Add(link, path, list == RearmedList.Child ? WatchKinds.Child : WatchKinds.Data);
    }

    private WatchEventType? MissedEvent(RearmedList list, ZnodeId id, long seen)
    {
        if (list == RearmedList.Exist)
            return id == default ? null : WatchEventType.NodeCreated;
        if (id == default)
            return WatchEventType.NodeDeleted;
        StatPersisted stat = tree.GetPersisted(id);
        if (list == RearmedList.Data)
            return stat.Mzxid > seen ? WatchEventType.NodeDataChanged : null;
        return stat.Pzxid > seen ? WatchEventType.NodeChildrenChanged : null;
    }
}
