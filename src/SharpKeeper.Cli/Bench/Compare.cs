using System.Globalization;
using SharpKeeper.Cli.Bench.Report;

namespace SharpKeeper.Cli.Bench;

/// <summary>An operation of a comparison, with a shape of its own where it has one.</summary>
internal sealed record ComparedOperation(BenchOperation Operation, int? Sessions, int? Depth)
{
    /// <summary>Reads several, separated by commas.</summary>
    /// <exception cref="BenchException">One of them is malformed.</exception>
    public static IReadOnlyList<ComparedOperation> ParseList(string text) =>
        [.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(Parse)];

    /// <summary>Reads <c>name</c> or <c>name:SESSIONSxDEPTH</c>.</summary>
    /// <exception cref="BenchException">It is neither.</exception>
    public static ComparedOperation Parse(string text)
    {
        string[] parts = text.Split(':');
        if (!Enum.TryParse(parts[0], ignoreCase: true, out BenchOperation operation) || !char.IsLetter(text[0])
            || parts.Length > 2)
            throw Malformed(text);
        if (parts.Length == 1)
            return new ComparedOperation(operation, null, null);
        string[] shape = parts[1].Split('x');
        if (shape.Length != 2 || !TryCount(shape[0], 100_000, out int sessions)
            || !TryCount(shape[1], 65536, out int depth))
            throw Malformed(text);
        return new ComparedOperation(operation, sessions, depth);
    }

    private static bool TryCount(string text, int max, out int count) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count) && count >= 1 && count <= max;

    private static BenchException Malformed(string text) => new(
        $"--ops: \"{text}\" is not an operation; write a name such as get, or get:8x64 for 8 sessions of depth 64");
}

/// <summary>The two servers of a comparison and how often each operation is measured.</summary>
internal sealed record CompareOptions(
    BenchOptions A, BenchOptions B, IReadOnlyList<ComparedOperation> Operations, int Rounds);

/// <summary>
/// Measures two servers in turns, A B A B, so that whatever else the machine does meets both; a ratio is the median of
/// the ratios of the rounds.
/// </summary>
internal static class Compare
{
    /// <summary>Runs all operations; the finished ones are handed over one by one.</summary>
    /// <exception cref="BenchException">A run failed; the message says on which server.</exception>
    public static List<ComparisonResult> Execute(
        CompareOptions options, TextWriter errors, Action<ComparisonResult> finished, CancellationToken cancel)
    {
        var results = new List<ComparisonResult>();
        foreach (ComparedOperation operation in options.Operations)
        {
            var a = new List<BenchResult>();
            var b = new List<BenchResult>();
            for (int round = 0; round < options.Rounds && !cancel.IsCancellationRequested; round++)
            {
                errors.WriteLine($"{BenchRun.NameOf(operation.Operation)}: round {round + 1} of {options.Rounds}");
                BenchResult ofA = Measure("A", operation, options.A, errors, cancel);
                BenchResult ofB = Measure("B", operation, options.B, errors, cancel);
                // A round that was stopped half way compares a whole run with a piece of one.
                if (cancel.IsCancellationRequested)
                    break;
                a.Add(ofA);
                b.Add(ofB);
            }
            if (a.Count == 0)
                break;
            results.Add(ComparisonResult.Of(a, b));
            finished(results[^1]);
        }
        return results;
    }

    private static BenchResult Measure(
        string name, ComparedOperation operation, BenchOptions options, TextWriter errors, CancellationToken cancel)
    {
        BenchOptions its = options with
        {
            Sessions = operation.Sessions ?? options.Sessions,
            Depth = operation.Depth ?? options.Depth,
        };
        try
        {
            return BenchRun.Execute(operation.Operation, its, errors, cancel);
        }
        catch (WrongReplyException e)
        {
            throw new WrongReplyException($"server {name}: {e.Message}");
        }
        catch (BenchException e)
        {
            throw new BenchException($"server {name}: {e.Message}");
        }
    }
}
