using SharpKeeper.Cli.Bench.Report;

namespace SharpKeeper.Cli.Bench.Ensembles;

/// <summary>What can be measured of ensembles.</summary>
internal enum EnsembleScenario
{
    Load,
    ColdStart,
    Failover,
    CatchUp,
    Snapshot,
}

/// <summary>
/// Starts one or two ensembles for each scenario, measures them in turns, A B A B, so that whatever else the machine
/// does meets both, and ends them.
/// </summary>
internal static class EnsembleBench
{
    /// <summary>The scenarios as the command line spells them.</summary>
    public static IReadOnlyDictionary<string, EnsembleScenario> Names { get; } =
        new Dictionary<string, EnsembleScenario>
        {
            ["load"] = EnsembleScenario.Load,
            ["cold-start"] = EnsembleScenario.ColdStart,
            ["failover"] = EnsembleScenario.Failover,
            ["catch-up"] = EnsembleScenario.CatchUp,
            ["snapshot"] = EnsembleScenario.Snapshot,
        };

    /// <summary>Runs one scenario.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="options">How.</param>
    /// <param name="errors">Gets the progress.</param>
    /// <param name="cancel">Ends the run after the round under way, or at once where servers are waited for.</param>
    /// <exception cref="BenchException">A server did not start, or answered wrongly.</exception>
    public static EnsembleResult Execute(
        string name, EnsembleBenchOptions options, TextWriter errors, CancellationToken cancel)
    {
        EnsembleSide[] sides = options.B is { } other ? [options.A, other] : [options.A];
        var ensembles = new List<BenchEnsemble>();
        try
        {
            var rounds = sides.Select(_ => new List<List<EnsembleFigure>>()).ToArray();
            var scenarios = new EnsembleScenarios(options, errors, cancel);
            foreach (EnsembleSide side in sides)
                ensembles.Add(Start(name, side, options, scenarios, errors, cancel));
            for (int round = 0; round < options.Rounds && !cancel.IsCancellationRequested; round++)
            {
                for (int i = 0; i < sides.Length; i++)
                {
                    List<EnsembleFigure> figures = Named(
                        sides[i], name, () => Measure(Names[name], scenarios, ensembles[i]));
                    rounds[i].Add(figures);
                    errors.WriteLine($"{name}: {sides[i].Name}, round {round + 1} of {options.Rounds}: "
                        + string.Join(", ", figures.Select(figure => $"{figure.Name} {figure.Value:0.#}")));
                }
            }
            return EnsembleResult.Of(name, options, rounds);
        }
        finally
        {
            ensembles.ForEach(ensemble => ensemble.Dispose());
        }
    }

    private static BenchEnsemble Start(
        string name, EnsembleSide side, EnsembleBenchOptions options, EnsembleScenarios scenarios, TextWriter errors,
        CancellationToken cancel)
    {
        var ensemble = new BenchEnsemble(side, options, cancel);
        try
        {
            return Named(side, name, () =>
            {
                TimeSpan took = ensemble.StartAll();
                errors.WriteLine($"{name}: {side.Name}, {side.Program}: {options.Servers} servers serve after "
                    + $"{took.TotalSeconds:0.00} s; server {ensemble.Leader().Id} leads");
                if (Names[name] is EnsembleScenario.CatchUp or EnsembleScenario.Snapshot)
                    scenarios.Fill(ensemble);
                return ensemble;
            });
        }
        catch
        {
            ensemble.Dispose();
            throw;
        }
    }

    // The driver of the other benchmarks needs the thread; here nothing else runs on it.
    private static List<EnsembleFigure> Measure(
        EnsembleScenario scenario, EnsembleScenarios scenarios, BenchEnsemble ensemble) => scenario switch
        {
            EnsembleScenario.Load => scenarios.Load(ensemble),
            EnsembleScenario.ColdStart => EnsembleScenarios.ColdStart(ensemble),
            EnsembleScenario.Failover => scenarios.FailoverAsync(ensemble).GetAwaiter().GetResult(),
            EnsembleScenario.CatchUp => scenarios.CatchUpAsync(ensemble).GetAwaiter().GetResult(),
            _ => scenarios.SnapshotAsync(ensemble).GetAwaiter().GetResult(),
        };

    private static T Named<T>(EnsembleSide side, string scenario, Func<T> run)
    {
        try
        {
            return run();
        }
        catch (WrongReplyException e)
        {
            throw new WrongReplyException($"{scenario}: ensemble {side.Name}: {e.Message}");
        }
        catch (BenchException e)
        {
            throw new BenchException($"{scenario}: ensemble {side.Name}: {e.Message}");
        }
        catch (Client.KeeperException e)
        {
            throw new BenchException($"{scenario}: ensemble {side.Name}: {e.Message}");
        }
    }
}
