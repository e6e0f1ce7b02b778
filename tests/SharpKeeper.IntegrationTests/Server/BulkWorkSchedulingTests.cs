using System.Globalization;
using SharpKeeper.Server.Runtime;

namespace SharpKeeper.ServerTests;

/// <summary>What the system says about threads that do bulk work.</summary>
public sealed class BulkWorkSchedulingTests
{
    private const int NormalPolicy = 0;
    private const int BatchPolicy = 3;

    [Fact]
    public void Run_makes_room_for_others_and_leaves_the_caller_as_it_was()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("Linux tells what its threads are scheduled like.");
        (int Nice, int Policy) before = ReadOwn();

        (int Nice, int Policy) bulk = BulkWork.Run(ReadOwn);

        Assert.Equal(NormalPolicy, before.Policy);
        Assert.Equal(BatchPolicy, bulk.Policy);
        Assert.Equal(Math.Min(before.Nice + 5, 19), bulk.Nice);
        Assert.Equal(before, ReadOwn());
    }

    [Fact]
    public void RunSoon_makes_room_for_others_and_keeps_the_usual_share()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("Linux tells what its threads are scheduled like.");

        (int Nice, int Policy) bulk = BulkWork.RunSoon(ReadOwn);

        Assert.Equal(BatchPolicy, bulk.Policy);
        Assert.Equal(ReadOwn().Nice, bulk.Nice);
    }

    // Nice value and policy are the 19th and the 41st field; the second one may hold blanks and ends with a parenthesis.
    private static (int Nice, int Policy) ReadOwn()
    {
        string text = File.ReadAllText("/proc/thread-self/stat");
        string[] fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return (int.Parse(fields[16], CultureInfo.InvariantCulture), int.Parse(fields[38], CultureInfo.InvariantCulture));
    }
}
