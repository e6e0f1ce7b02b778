using System.Runtime.CompilerServices;

namespace SharpKeeper.ReplicaTests;

/// <summary>
/// Golden traces: what clients get for scripts of requests, compared literally. With SHARPKEEPER_REWRITE_TRACES=1 the
/// test writes what it got into the source files instead.
/// </summary>
public class WireTraceTests
{
    private static string OutputDirectory => Path.Combine(AppContext.BaseDirectory, "testdata", "wire");

    public static TheoryData<string> Traces() =>
    [
        .. Directory.EnumerateFiles(OutputDirectory, "*.txt").Select(file => Path.GetFileNameWithoutExtension(file)!)
            .Order(),
    ];

    [Theory]
    [MemberData(nameof(Traces))]
    public void Script_gets_the_recorded_replies_and_events(string name)
    {
        string recorded = File.ReadAllText(Path.Combine(OutputDirectory, name + ".txt")).ReplaceLineEndings("\n");
        string actual = WireScript.Run(recorded);
        if (Environment.GetEnvironmentVariable("SHARPKEEPER_REWRITE_TRACES") == "1")
            File.WriteAllText(Path.Combine(SourceDirectory(), name + ".txt"), actual);
        else
            Assert.Equal(recorded, actual);
    }

    private static string SourceDirectory([CallerFilePath] string here = "") =>
        Path.Combine(Path.GetDirectoryName(here)!, "..", "testdata", "wire");
}
