using SharpKeeper.Protocol;

namespace SharpKeeper.Simulation;

internal sealed partial class Checkers
{
    private readonly Dictionary<string, Zxid> givenNames = [];

    /// <summary>A client has its reply.</summary>
    public void Returned(SimClient client, Operation operation)
    {
        if (operation.Error is ErrorCode.SessionExpired or ErrorCode.NotReadOnly or ErrorCode.SessionMoved
            or ErrorCode.ConnectionLoss or ErrorCode.ThrottledOp)
            return;
        if (world.Setup.LocalSessions && IsLocalAnswer(operation))
            return;
        if (operation.IsWrite)
            CheckWrite(operation);
        else
            CheckRead(operation);
    }

    // A server ends a session that only it knows, and refuses it ephemerals, without a transaction.
    private bool IsLocalAnswer(Operation operation) => operation.Error == ErrorCode.EphemeralOnLocalSession
        ? !world.Setup.UpgradesSessions
        : operation.Kind == OperationKind.Close && !Committed.IsKnown(operation.Session);

    /// <summary>A client was told that its session has expired: it must have ended for everybody.</summary>
    public void Expired(SimClient client)
    {
        if (client.Session == 0 || Committed.EndOf(client.Session) is not null)
            return;
        // The end of the session may not be committed yet, but then it is proposed.
        world.CheckSessionEnds(client.Session);
    }

    /// <summary>
    /// A client has seen a reply of that transaction: each watch that is still waiting must have had nothing to tell.
    /// </summary>
    public void CheckWatches(SimClient client, Zxid seen)
    {
        foreach (((string Path, bool IsChild) key, (WatchWait Wait, Zxid Since) watch) in client.Watches)
        {
            Zxid change = key.IsChild
                ? Committed.ChildChangeBetween(key.Path, watch.Since, seen)
                : Committed.ChangeBetween(key.Path, watch.Since, seen);
            if (change == Zxid.Zero)
                continue;
            throw new SimulationFailure("WatchBeforeReply",
                $"client {client.Number} has seen {seen}, but its watch on {key.Path}, set at {watch.Since}, has "
                + $"not told "
                + $"of {change}");
        }
    }

    /// <summary>A watch was set again and did not fire.</summary>
    public void CheckRearmedWatch(SimClient client, string path, WatchWait wait, Zxid since, Zxid seen)
    {
        ZnodeState before = Committed.At(path, since);
        ZnodeState now = Committed.At(path, seen);
        bool isMissed = wait switch
        {
            WatchWait.Data => !now.Exists || now.Mzxid != before.Mzxid,
            WatchWait.Exist => now.Exists,
            _ => Committed.ChildChangeBetween(path, since, seen) != Zxid.Zero,
        };
        if (!isMissed)
            return;
        throw new SimulationFailure("WatchBeforeReply",
            $"client {client.Number} set its watch on {path} of {since} again and has seen {seen}, but was not "
            + $"told of a change");
    }

    private void CheckWrite(Operation operation)
    {
        Proposed proposed = Proposals.Find(operation.Zxid) is { } found && Committed.Contains(operation.Zxid)
            ? found
            : throw new SimulationFailure("AcknowledgedWrites", $"{operation} is acknowledged and not committed");
        if (proposed.Header.ClientId != operation.Session || proposed.Header.Cxid != operation.Xid)
            throw new SimulationFailure("AcknowledgedWrites",
                $"{operation} is answered with another request's transaction");
        if (operation.Kind != OperationKind.Multi
            && operation.Error == ErrorCode.Ok == (proposed.Header.Type == OpCode.Error))
            throw new SimulationFailure("AcknowledgedWrites",
                $"{operation} does not fit its {proposed.Header.Type} transaction");
        if (operation.Zxid <= operation.Floor)
        {
            throw new SimulationFailure("Linearizability",
                $"{operation} was asked for when {operation.Floor} was known, and became {operation.Zxid}");
        }
        if (operation.Error == ErrorCode.Ok && operation.Kind != OperationKind.Close)
            CheckResult(operation);
    }

    private void CheckResult(Operation operation)
    {
        foreach (WritePart part in operation.Parts)
        {
            bool isSequential = part.Kind == OperationKind.Create && part.Mode.IsSequential();
            string path = isSequential ? operation.CreatedPath : part.Path;
            if (isSequential)
                CheckName(operation, part);
            ZnodeState state = Committed.At(path, operation.Zxid);
            if (part.Kind == OperationKind.Set && operation.Parts.Count == 1
                && (!state.Exists || operation.Stat.Version != state.Version
                || operation.Stat.Mzxid != operation.Zxid.Value))
                throw new SimulationFailure("Linearizability",
                    $"{operation} returned version {operation.Stat.Version}, {state.Version} is committed");
        }
    }

    private void CheckName(Operation operation, in WritePart part)
    {
        string suffix = operation.CreatedPath[part.Path.Length..];
        if (suffix.Length != 10 || !int.TryParse(suffix, out _))
            throw new SimulationFailure("SequenceNumbers", $"{operation} made {operation.CreatedPath}");
        if (!givenNames.TryAdd(operation.CreatedPath, operation.Zxid))
        {
            throw new SimulationFailure("SequenceNumbers",
                $"{operation} made {operation.CreatedPath}, which {givenNames[operation.CreatedPath]} had made before");
        }
    }

    private void CheckRead(Operation operation)
    {
        Zxid seen = Proposals.Resolve(operation.Zxid);
        if (seen > Committed.Last)
            throw new SimulationFailure("CommittedReads",
                $"{operation} was answered from a tree of {seen}, which is not committed");
        if (operation.IsSynced && seen < Proposals.Resolve(operation.Floor))
        {
            throw new SimulationFailure("Linearizability",
                $"{operation} follows a sync that was asked for when {operation.Floor} was known");
        }
        if (operation.Path == OperatorWorkload.ConfigPath)
        {
            CheckConfigRead(operation, seen);
            return;
        }
        ZnodeState state = Committed.At(operation.Path, seen);
        bool isThere = state.Exists || operation.Path == "/";
        if (operation.Kind is OperationKind.Get or OperationKind.Exists)
            CheckRead(operation, state, isThere);
        else if (operation.Kind == OperationKind.Children && operation.Error == ErrorCode.Ok != isThere)
            throw new SimulationFailure("CommittedReads", $"{operation} does not fit what is committed");
    }

    private static void CheckRead(Operation operation, in ZnodeState state, bool isThere)
    {
        if (operation.Error == ErrorCode.Ok != isThere)
            throw new SimulationFailure("CommittedReads",
                $"{operation}, but the znode {(isThere ? "exists" : "does not exist")} there");
        if (operation.Error != ErrorCode.Ok)
            return;
        if (operation.Stat.Mzxid != state.Mzxid.Value || operation.Stat.Version != state.Version
            || operation.Stat.Czxid != state.Czxid.Value || operation.Stat.EphemeralOwner != state.Owner)
            throw new SimulationFailure("CommittedReads",
                $"{operation} has the stat {operation.Stat}, committed is {state}");
        if (operation.Value is { } value && !value.AsSpan().SequenceEqual(state.Data))
            throw new SimulationFailure("CommittedReads", $"{operation} has other data than what is committed");
    }
}
