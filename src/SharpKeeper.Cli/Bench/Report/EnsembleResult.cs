using SharpKeeper.Cli.Bench.Ensembles;

namespace SharpKeeper.Cli.Bench.Report;

/// <summary>One scenario on one or two ensembles; this is also the form of <c>--json</c>.</summary>
internal sealed record EnsembleResult
{
    public required string Scenario { get; init; }
    public required int Servers { get; init; }
    public required string A { get; init; }
    public string? B { get; init; }
    public required int Rounds { get; init; }
    public required EnsembleRow[] Figures { get; init; }

    /// <summary>Takes the medians of the rounds of each side.</summary>
    public static EnsembleResult Of(
        string scenario, EnsembleBenchOptions options, IReadOnlyList<List<List<EnsembleFigure>>> rounds)
    {
        List<List<EnsembleFigure>> a = rounds[0];
        List<List<EnsembleFigure>>? b = rounds.Count > 1 ? rounds[1] : null;
        string[] names = a.Count == 0 ? [] : [.. a[0].Select(figure => figure.Name)];
        return new EnsembleResult
        {
            Scenario = scenario,
            Servers = options.Servers,
            A = options.A.Program,
            B = options.B?.Program,
            Rounds = a.Count,
            Figures =
            [
                .. names.Select((name, i) => EnsembleRow.Of(name, Values(a, i), b is null ? null : Values(b, i)))
            ],
        };
    }

    /// <summary>Writes a table for people.</summary>
    public void Write(TextWriter output)
    {
        string median = Rounds == 1 ? "one round" : $"median of {Rounds} rounds";
        output.WriteLine($"{Scenario}, {Servers} servers: A = {A}{(B is null ? "" : $", B = {B}")}; {median}");
        output.WriteLine($"  {"",-42} {"A",14} {(B is null ? "" : "B"),14} {(B is null ? "" : "B/A"),8}");
        foreach (EnsembleRow row in Figures)
            output.WriteLine($"  {row.Name,-42} {Text(row.A),14} {Text(row.B),14} {Ratio(row.Ratio),8}");
    }

    private static double[] Values(List<List<EnsembleFigure>> rounds, int index) =>
        [.. rounds.Where(round => round.Count > index).Select(round => round[index].Value)];

    private static string Text(double? value) => value is not { } known ? ""
        : known.ToString(Math.Abs(known) < 100 ? "0.0" : "N0", System.Globalization.CultureInfo.InvariantCulture);

    private static string Ratio(double? ratio) => ratio is { } known ? $"{known:0.000}" : "";
}

/// <summary>A figure of one or two ensembles.</summary>
/// <param name="Name">What it is, with its unit.</param>
/// <param name="A">Median of A's rounds.</param>
/// <param name="B">Median of B's rounds; null without B.</param>
/// <param name="Ratio">Median of B / A over the rounds; null without B, or where A is always 0.</param>
/// <param name="RoundsOfA">Every round.</param>
/// <param name="RoundsOfB">Every round; null without B.</param>
internal sealed record EnsembleRow(
    string Name, double A, double? B, double? Ratio, double[] RoundsOfA, double[]? RoundsOfB)
{
    /// <summary>Takes the medians.</summary>
    public static EnsembleRow Of(string name, double[] a, double[]? b)
    {
        if (b is null)
            return new EnsembleRow(name, ComparisonResult.Median(a), null, null, a, null);
        double[] ratios = [.. a.Zip(b).Where(pair => pair.First > 0).Select(pair => pair.Second / pair.First)];
        return new EnsembleRow(name, ComparisonResult.Median(a), ComparisonResult.Median(b),
            ratios.Length == 0 ? null : ComparisonResult.Median(ratios), a, b);
    }
}
