using System.Runtime.CompilerServices;

namespace SharpKeeper.ZabTests;

/// <summary>Compares what servers say to each other with a file; SHARPKEEPER_REWRITE_TRACES=1 writes it anew.</summary>
internal static class GoldenTrace
{
    public static void Check(string name, string trace, [CallerFilePath] string source = "")
    {
        string file = Path.Combine(Path.GetDirectoryName(source)!, "..", "testdata", "zab", name + ".txt");
        if (Environment.GetEnvironmentVariable("SHARPKEEPER_REWRITE_TRACES") == "1")
            File.WriteAllText(file, trace);
        Assert.Equal(File.ReadAllText(file), trace);
    }
}
