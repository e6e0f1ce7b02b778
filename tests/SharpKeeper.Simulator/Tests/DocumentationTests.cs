using System.Runtime.CompilerServices;
using Xunit;

namespace SharpKeeper.Simulation;

/// <summary>The page for the next engineer lists what there is.</summary>
public class DocumentationTests
{
    [Fact]
    public void Every_kind_of_fault_and_every_planted_bug_is_on_the_page()
    {
        string page = File.ReadAllText(Path.Combine(Root(), "docs", "internals", "simulator.md"));
        Assert.Contains($"## Kinds of fault: {FaultTable.All.Count}", page, StringComparison.Ordinal);
        Assert.All(FaultTable.All, kind => Assert.Contains($"`{kind.Name}`", page, StringComparison.Ordinal));
        Assert.All(MutationTable.All, it => Assert.Contains($"| {it.Bug} |", page, StringComparison.Ordinal));
    }

    private static string Root([CallerFilePath] string path = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, "..", "..", ".."));
}
