using SharpKeeper.Cli.Shell.Editing;

namespace SharpKeeper.ShellTests;

public sealed class LineHistoryTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("sharpkeeper-history-").FullName;
    private readonly List<string> reports = [];

    private string FilePath => Path.Combine(directory, "history");

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public void Open_reads_what_was_added_before()
    {
        LineHistory first = LineHistory.Open(FilePath, reports.Add);
        first.Add("ls /");
        first.Add("addauth digest bob:secret");
        first.Add("get /æ");
        Assert.Equal(["ls /", "get /æ"], LineHistory.Open(FilePath, reports.Add).Lines);
        Assert.Empty(reports);
    }

    [Fact]
    public void Two_shells_append_to_the_same_file()
    {
        LineHistory first = LineHistory.Open(FilePath, reports.Add);
        LineHistory second = LineHistory.Open(FilePath, reports.Add);
        first.Add("one");
        second.Add("two");
        first.Add("three");
        Assert.Equal(["one", "two", "three"], LineHistory.Open(FilePath, reports.Add).Lines);
    }

    [Fact]
    public void Open_keeps_the_latest_thousand_and_shortens_the_file()
    {
        File.WriteAllLines(FilePath, Enumerable.Range(0, 2500).Select(i => $"line {i}"));
        LineHistory history = LineHistory.Open(FilePath, reports.Add);
        Assert.Equal(1000, history.Lines.Count);
        Assert.Equal("line 2499", history.Lines[^1]);
        Assert.Equal(1000, File.ReadAllLines(FilePath).Length);
    }

    [Fact]
    public void A_new_file_is_for_its_owner_only()
    {
        LineHistory.Open(FilePath, reports.Add).Add("ls /");
        if (OperatingSystem.IsWindows())
            Assert.Skip("Windows has other permissions; the profile directory is private there.");
        else
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(FilePath));
    }

    [Fact]
    public void A_file_that_cannot_be_written_is_reported_once_and_the_history_goes_on()
    {
        string file = Path.Combine(directory, "missing", "history");
        LineHistory history = LineHistory.Open(file, reports.Add);
        history.Add("one");
        history.Add("two");
        Assert.Equal(["one", "two"], history.Lines);
        Assert.StartsWith($"The history is not saved in {file}: ", Assert.Single(reports), StringComparison.Ordinal);
    }
}
