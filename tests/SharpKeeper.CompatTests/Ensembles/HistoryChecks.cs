namespace SharpKeeper.CompatTests.Ensembles;

/// <summary>
/// What the promises of ZooKeeper make of histories: writes and reads after a sync are linearizable, and each session
/// sees one state of all znodes after the other. The servers tell each write's place themselves, as version and
/// transaction of the znode, so the order to check is known and need not be searched for.
/// </summary>
internal static class HistoryChecks
{
    /// <summary>The first problems found; empty when all is well.</summary>
    public static IReadOnlyList<string> Problems(IReadOnlyCollection<Operation> history)
    {
        var problems = new List<string>();
        Dictionary<string, Register> registers = history.GroupBy(operation => operation.Register)
            .ToDictionary(group => group.Key, group => new Register(group, problems));
        foreach (Register register in registers.Values)
            register.CheckRealTime(problems);
        foreach (IGrouping<int, Operation> session in history.GroupBy(operation => operation.Session))
            CheckSession(session, registers, problems);
        return problems;
    }

    // What a session has seen of one znode tells how far it has come, and no other znode may be older than that.
    private static void CheckSession(
        IEnumerable<Operation> session, Dictionary<string, Register> registers, List<string> problems)
    {
        long seen = 0;
        foreach (Operation operation in session.Where(o => o.Stat is not null).OrderBy(o => o.Invoked))
        {
            long mzxid = operation.Stat!.Value.Mzxid;
            if (operation.Deed == Deed.Write && mzxid <= seen)
                problems.Add($"{Describe(operation)} came before what its session had seen: 0x{seen:x}");
            long newest = registers[operation.Register].NewestUpTo(seen);
            if (mzxid < newest)
                problems.Add($"{Describe(operation)} is older than 0x{newest:x}, its session had come to 0x{seen:x}");
            seen = Math.Max(seen, mzxid);
        }
    }

    private static string Describe(Operation operation) =>
        $"{operation.Deed} of {operation.Register} by session {operation.Session} at {operation.Invoked}"
        + $"-{operation.Completed}: {operation.Value}, version {operation.Stat?.Version}, 0x{operation.Stat?.Mzxid:x}";

    /// <summary>What was done to one znode.</summary>
    private sealed class Register
    {
        private readonly Operation[] answered;
        private readonly long[] writes;

        public Register(IEnumerable<Operation> history, List<string> problems)
        {
            Operation[] all = [.. history];
            answered = [.. all.Where(operation => operation.Stat is not null)];
            Dictionary<string, Operation> byValue = all.Where(operation => operation.Deed == Deed.Write)
                .ToDictionary(write => write.Value);
            writes = [.. answered.Where(operation => operation.Deed == Deed.Write)
                .Select(write => write.Stat!.Value.Mzxid).Order()];
            CheckPlaces(byValue, problems);
        }

        /// <summary>The last acknowledged write's transaction up to a transaction; 0 if there is none.</summary>
        public long NewestUpTo(long zxid)
        {
            int index = Array.BinarySearch(writes, zxid);
            index = index >= 0 ? index : ~index - 1;
            return index < 0 ? 0 : writes[index];
        }

        /// <summary>What ended before something else began came before it.</summary>
        public void CheckRealTime(List<string> problems)
        {
            Operation[] byEnd = [.. answered.OrderBy(operation => operation.Completed)];
            int ended = 0;
            Operation? newest = null;
            foreach (Operation next in answered.Where(o => o.Deed != Deed.Read).OrderBy(o => o.Invoked))
            {
                for (; byEnd[ended].Completed < next.Invoked; ended++)
                {
                    if (newest is null || byEnd[ended].Stat!.Value.Version > newest.Stat!.Value.Version)
                        newest = byEnd[ended];
                }
                int least = newest is null ? 0 : newest.Stat!.Value.Version + (next.Deed == Deed.Write ? 1 : 0);
                if (next.Stat!.Value.Version < least)
                    problems.Add($"{Describe(next)} began after the end of {Describe(newest!)}");
            }
        }

        // Every version has one value and one transaction, whoever saw it, and later versions have later ones.
        private void CheckPlaces(Dictionary<string, Operation> byValue, List<string> problems)
        {
            var places = new SortedDictionary<int, Operation>();
            foreach (Operation operation in answered)
            {
                int version = operation.Stat!.Value.Version;
                if (version > 0 && !byValue.ContainsKey(operation.Value))
                    problems.Add($"{Describe(operation)}: nobody wrote this");
                if (byValue.TryGetValue(operation.Value, out Operation? write) && write.Invoked > operation.Completed)
                    problems.Add($"{Describe(operation)} ended before it was written");
                if (!places.TryAdd(version, operation) && (places[version].Value != operation.Value
                    || places[version].Stat!.Value.Mzxid != operation.Stat.Value.Mzxid))
                {
                    problems.Add($"{Describe(operation)} has the version of {Describe(places[version])}");
                }
            }
            Operation? former = null;
            foreach (Operation operation in places.Values)
            {
                if (former is not null && operation.Stat!.Value.Mzxid <= former.Stat!.Value.Mzxid)
                    problems.Add($"{Describe(operation)} is a later version than {Describe(former)}");
                former = operation;
            }
            CheckGaps(places, byValue, problems);
        }

        // A version that nobody saw must be a write whose outcome is not known.
        private static void CheckGaps(
            SortedDictionary<int, Operation> places, Dictionary<string, Operation> byValue, List<string> problems)
        {
            if (places.Count == 0)
                return;
            int last = places.Keys.Last();
            HashSet<string> seen = [.. places.Values.Select(operation => operation.Value)];
            int unknown = byValue.Values.Count(write => write.Stat is null && !seen.Contains(write.Value));
            int gaps = last - places.Keys.Count(version => version > 0);
            if (gaps > unknown)
            {
                problems.Add(
                    $"{places[last].Register} has {gaps} versions that nobody saw and {unknown} writes that may be them");
            }
        }
    }
}
