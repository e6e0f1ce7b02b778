using SharpKeeper.Protocol;

namespace SharpKeeper.Simulation;

/// <summary>
/// Wing and Gong's check, with Lowe's memory of what was tried: is there one order of all writes and synchronised reads
/// of a znode that fits their replies, and in which nothing comes before what had ended when it began? It looks at what
/// clients saw and trusts no transaction number; those only tell which unanswered writes happened at all.
/// </summary>
internal static class Linearizability
{
    private const int StepsMax = 200_000;

    private readonly record struct Register(bool Exists, int Version, int Data);

    private sealed record Call(Operation Operation, WritePart? Part, long FromUs, long ToUs, int Data);

    /// <summary>Checks every register; says for how many the answer took too long to find.</summary>
    public static int Check(IReadOnlyList<Operation> history, CommittedHistory committed)
    {
        var values = new Dictionary<string, int>(StringComparer.Ordinal);
        var calls = new SortedDictionary<string, List<Call>>(StringComparer.Ordinal);
        foreach (Operation operation in history)
            Add(operation, committed, values, calls);
        int undecided = 0;
        foreach ((string path, List<Call> ofPath) in calls)
        {
            bool? isLinearizable = Search(ofPath);
            if (isLinearizable == false)
            {
                throw new SimulationFailure("Linearizability",
                    $"no order of the {ofPath.Count} operations on {path} fits what clients saw");
            }
            undecided += isLinearizable is null ? 1 : 0;
        }
        return undecided;
    }

    private static void Add(
        Operation operation, CommittedHistory committed, Dictionary<string, int> values,
        SortedDictionary<string, List<Call>> calls)
    {
        bool happened = operation.IsDone
            || committed.IsEffective(operation.Session, operation.Xid);
        if (!happened || IsUnclear(operation))
            return;
        if (operation is { Kind: OperationKind.Get, IsSynced: true, IsDone: true } && IsRegister(operation.Path))
            AddTo(calls, operation.Path, new Call(operation, null, operation.InvokedUs, operation.ReturnedUs,
                NumberOf(values, operation.Value)));
        foreach (WritePart part in operation.Parts)
        {
            if (!IsRegister(part.Path) || (operation.Parts.Count > 1 && operation.Error != ErrorCode.Ok))
                continue;
            long to = operation.IsDone ? operation.ReturnedUs : long.MaxValue;
            AddTo(calls, part.Path, new Call(operation, part, operation.InvokedUs, to, NumberOf(values, part.Data)));
        }
    }

    private static bool IsUnclear(Operation operation) => operation.IsDone && operation.Error is not (ErrorCode.Ok
        or ErrorCode.NoNode or ErrorCode.NodeExists or ErrorCode.BadVersion);

    private static bool IsRegister(string path) => path.Length == 3 && path.StartsWith("/r", StringComparison.Ordinal);

    private static int NumberOf(Dictionary<string, int> values, byte[]? data)
    {
        string text = data is null ? "" : Convert.ToHexString(data);
        if (!values.TryGetValue(text, out int number))
            values.Add(text, number = values.Count + 1);
        return number;
    }

    private static void AddTo(SortedDictionary<string, List<Call>> calls, string path, Call call)
    {
        if (!calls.TryGetValue(path, out List<Call>? list))
            calls.Add(path, list = []);
        list.Add(call);
    }

    // True or false; null if it takes too many steps to tell.
    private static bool? Search(List<Call> calls)
    {
        calls.Sort(static (a, b) => a.FromUs != b.FromUs
            ? a.FromUs.CompareTo(b.FromUs)
            : a.Operation.Number.CompareTo(b.Operation.Number));
        var done = new bool[calls.Count];
        var tried = new HashSet<(ulong Done, Register State)>();
        var path = new Stack<(int Call, Register Before)>();
        var marks = new SimRandom(calls.Count > 0 ? (ulong)calls.Count : 1);
        ulong[] mark = [.. calls.Select(_ => marks.Next())];
        ulong doneHash = 0;
        var state = new Register(false, 0, 0);
        int answered = calls.Count(static call => call.ToUs != long.MaxValue);
        int next = 0;
        int first = 0;
        for (int steps = 0; answered > 0; steps++)
        {
            if (steps > StepsMax)
                return null;
            while (first < calls.Count && done[first])
                first++;
            int candidate = FindCandidate(calls, done, Math.Max(next, first), first, state, out Register after);
            if (candidate >= 0 && tried.Add((doneHash ^ mark[candidate], after)))
            {
                path.Push((candidate, state));
                done[candidate] = true;
                doneHash ^= mark[candidate];
                state = after;
                answered -= calls[candidate].ToUs != long.MaxValue ? 1 : 0;
                next = 0;
                continue;
            }
            if (candidate >= 0)
            {
                next = candidate + 1;
                continue;
            }
            if (!path.TryPop(out (int Call, Register Before) last))
                return false;
            done[last.Call] = false;
            doneHash ^= mark[last.Call];
            state = last.Before;
            answered += calls[last.Call].ToUs != long.MaxValue ? 1 : 0;
            first = Math.Min(first, last.Call);
            next = last.Call + 1;
        }
        return true;
    }

    // The first call from an index on that may come next: it began before any other open one ended, and its reply fits.
    private static int FindCandidate(
        List<Call> calls, bool[] done, int from, int first, in Register state, out Register after)
    {
        long earliestEnd = long.MaxValue;
        for (int i = first; i < calls.Count && calls[i].FromUs <= earliestEnd; i++)
        {
            if (!done[i])
                earliestEnd = Math.Min(earliestEnd, calls[i].ToUs);
        }
        for (int i = from; i < calls.Count && calls[i].FromUs <= earliestEnd; i++)
        {
            if (!done[i] && Fits(calls[i], state, out after))
                return i;
        }
        after = default;
        return -1;
    }

    private static bool Fits(Call call, in Register state, out Register after)
    {
        after = state;
        Operation operation = call.Operation;
        bool isKnown = operation.IsDone;
        if (call.Part is not { } part)
        {
            return operation.Error == ErrorCode.Ok
                ? state.Exists && state.Data == call.Data && state.Version == operation.Stat.Version
                : !state.Exists;
        }
        ErrorCode expected = Apply(part, call.Data, state, out Register changed);
        if (expected == ErrorCode.Ok)
            after = changed;
        if (operation.Parts.Count > 1 || !isKnown)
            return expected == ErrorCode.Ok;
        bool fitsVersion = part.Kind != OperationKind.Set || expected != ErrorCode.Ok
            || changed.Version == operation.Stat.Version;
        return expected == operation.Error && fitsVersion;
    }

    private static ErrorCode Apply(in WritePart part, int data, in Register state, out Register changed)
    {
        changed = state;
        bool isVersionWrong = part.Version != -1 && part.Version != state.Version;
        switch (part.Kind)
        {
            case OperationKind.Create:
                if (state.Exists)
                    return ErrorCode.NodeExists;
                changed = new Register(true, 0, data);
                return ErrorCode.Ok;
            case OperationKind.Delete:
                if (!state.Exists || isVersionWrong)
                    return state.Exists ? ErrorCode.BadVersion : ErrorCode.NoNode;
                changed = default;
                return ErrorCode.Ok;
            case OperationKind.Set:
                if (!state.Exists || isVersionWrong)
                    return state.Exists ? ErrorCode.BadVersion : ErrorCode.NoNode;
                changed = new Register(true, state.Version + 1, data);
                return ErrorCode.Ok;
            default:
                return !state.Exists ? ErrorCode.NoNode : isVersionWrong ? ErrorCode.BadVersion : ErrorCode.Ok;
        }
    }
}
