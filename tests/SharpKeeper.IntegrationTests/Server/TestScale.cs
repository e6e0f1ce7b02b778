using System.Globalization;

namespace SharpKeeper.ServerTests;

/// <summary>How much the random tests do, and from which seed.</summary>
internal static class TestScale
{
    private static readonly int factor = Number("SHARPKEEPER_TEST_SCALE") ?? 1;

    /// <summary>A number of cases: what the usual run does, times what the environment asks for.</summary>
    public static int Of(int cases, int factorMax = int.MaxValue) =>
        checked(cases * Math.Clamp(factor, 1, factorMax));

    /// <summary>The fixed seed, or the one that SHARPKEEPER_TEST_SEED names.</summary>
    public static int Seed(int usual) => Number("SHARPKEEPER_TEST_SEED") ?? usual;

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out int value)
            ? value
            : null;
}
