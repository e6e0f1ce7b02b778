using SharpKeeper.Protocol;

namespace SharpKeeper.CompatTests.Ensembles;

/// <summary>The checks of histories can fail.</summary>
public sealed class HistoryChecksTests
{
    [Fact]
    public void Problems_of_a_history_in_order_are_none() => Assert.Empty(HistoryChecks.Problems(
    [
        Write(0, "a", version: 1, 10, 20), Write(1, "b", version: 2, 15, 30), Fresh(2, "b", version: 2, 31, 32),
        // Behind the others, but not behind what its session has seen.
        Read(3, "a", version: 1, 40, 41), Read(3, "b", version: 2, 42, 43),
        // Nobody knows what became of it, until somebody reads it.
        Lost(4, "c", 50), Fresh(2, "c", version: 3, 60, 61),
    ]));

    [Fact]
    public void Problems_tell_of_a_fresh_read_that_misses_an_earlier_write() => AssertProblem(
        "began after the end of", Write(0, "a", version: 1, 10, 20), Fresh(1, "", version: 0, 21, 22));

    [Fact]
    public void Problems_tell_of_a_write_that_came_before_an_earlier_one() => AssertProblem(
        "began after the end of", Write(0, "a", version: 2, 10, 20), Write(1, "b", version: 1, 21, 22));

    [Fact]
    public void Problems_tell_of_a_session_that_goes_back() => AssertProblem(
        "is older than", Write(0, "a", version: 1, 10, 20), Read(1, "a", version: 1, 21, 22), Read(1, "", version: 0, 23, 24));

    [Fact]
    public void Problems_tell_of_a_session_that_sees_an_older_state_of_another_znode() => AssertProblem(
        "is older than",
        Write(0, "a", version: 1, 10, 20), Write(0, "x", version: 1, 21, 22) with { Register = "/other", Stat = Stat(1, 7) },
        Read(1, "x", version: 1, 30, 31) with { Register = "/other", Stat = Stat(1, 7) }, Read(1, "", version: 0, 32, 33));

    [Fact]
    public void Problems_tell_of_two_values_of_one_version() => AssertProblem(
        "has the version of", Write(0, "a", version: 1, 10, 20), Write(1, "b", version: 1, 11, 21));

    [Fact]
    public void Problems_tell_of_a_value_that_nobody_wrote() =>
        AssertProblem("nobody wrote this", Fresh(0, "a", version: 1, 10, 20));

    [Fact]
    public void Problems_tell_of_a_version_without_a_write() => AssertProblem(
        "versions that nobody saw", Write(0, "a", version: 1, 10, 20), Write(0, "b", version: 3, 21, 22));

    private static void AssertProblem(string problem, params Operation[] history) => Assert.Contains(
        HistoryChecks.Problems(history), found => found.Contains(problem, StringComparison.Ordinal));

    private static Operation Write(int session, string value, int version, long from, long to) =>
        new(session, "/r", Deed.Write, value, Stat(version, version), from, to);

    private static Operation Fresh(int session, string value, int version, long from, long to) =>
        new(session, "/r", Deed.FreshRead, value, Stat(version, version), from, to);

    private static Operation Read(int session, string value, int version, long from, long to) =>
        new(session, "/r", Deed.Read, value, Stat(version, version), from, to);

    private static Operation Lost(int session, string value, long from) =>
        new(session, "/r", Deed.Write, value, null, from, long.MaxValue);

    private static Stat Stat(int version, long mzxid) => new(0, mzxid, 0, 0, version, 0, 0, 0, 0, 0, 0);
}
