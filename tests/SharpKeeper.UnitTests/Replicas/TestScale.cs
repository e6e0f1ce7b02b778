using System.Globalization;

namespace SharpKeeper.ReplicaTests;

/// <summary>How much the random tests do: SHARPKEEPER_TEST_SCALE multiplies it.</summary>
internal static class TestScale
{
    private static readonly double Factor = double.TryParse(
        Environment.GetEnvironmentVariable("SHARPKEEPER_TEST_SCALE"), CultureInfo.InvariantCulture, out double factor)
        ? factor
        : 1;

    public static int Of(int iterations) => Math.Max(1, (int)(iterations * Factor));
}

/// <summary>Choices that follow from one number, so that a generated case stays small and can be shrunk.</summary>
internal sealed class Dice(int seed)
{
    private ulong state = (ulong)(uint)seed + 1;

    /// <summary>A number from 0 to below <paramref name="sides"/>.</summary>
    public int Roll(int sides)
    {
        state = state * 6364136223846793005 + 1442695040888963407;
        return (int)((state >> 33) % (ulong)sides);
    }

    public bool Hits(int percent) => Roll(100) < percent;

    public T Pick<T>(IReadOnlyList<T> from) => from[Roll(from.Count)];
}
