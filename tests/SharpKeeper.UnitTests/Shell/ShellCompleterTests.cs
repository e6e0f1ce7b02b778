using SharpKeeper.Cli.Shell;
using SharpKeeper.Cli.Shell.Editing;
using SharpKeeper.Client;

namespace SharpKeeper.ShellTests;

public class ShellCompleterTests
{
    private static readonly Dictionary<string, string[]> Tree = new()
    {
        ["/"] = ["workers", "tasks", "zookeeper", "with blank"],
        ["/tasks"] = ["task-0000000001", "task-0000000000"],
        ["/workers"] = [],
        ["/with blank"] = ["x"],
        ["/with blank/x"] = [],
    };

    private readonly ShellCompleter completer = new((path, _) => Tree.TryGetValue(path, out string[]? names)
        ? Task.FromResult<IReadOnlyList<string>>(names)
        : Task.FromException<IReadOnlyList<string>>(new NoNodeException(path)));

    [Theory]
    [InlineData("getA", 0, "getAcl+ getAllChildrenNumber+")]
    [InlineData("cr", 0, "create+")]
    [InlineData("ls -", 3, "-s+ -w+ -R+")]
    [InlineData("ls ", 3, "/")]
    [InlineData("ls /", 3, "/tasks \"/with_blank /workers /zookeeper")]
    [InlineData("ls -s /wo", 6, "/workers")]
    [InlineData("ls /tasks", 3, "/tasks/")]
    [InlineData("ls /workers", 3, "/workers+")]
    [InlineData("get /tasks/", 4, "/tasks/task-0000000000 /tasks/task-0000000001")]
    [InlineData("get \"/with blank", 4, "\"/with_blank/")]
    [InlineData("get \"/with blank/x", 4, "\"/with_blank/x\"+")]
    [InlineData("get '/wo", 4, "'/workers")]
    [InlineData("get '/workers", 4, "'/workers'+")]
    [InlineData("get \"", 4, "\"/")]
    [InlineData("create /a da", 0, "")]
    [InlineData("set -v 1 /wo", 9, "/workers")]
    [InlineData("deleteall -b 5 /wo", 15, "/workers")]
    [InlineData("addWatch -m PERSISTENT_", 12, "PERSISTENT_RECURSIVE+")]
    [InlineData("printwatches o", 13, "on+ off+")]
    [InlineData("help lis", 5, "listquota+")]
    [InlineData("nonsense /", 0, "")]
    [InlineData("ls wo", 3, "")]
    public async Task Complete_offers_what_fits(string line, int start, string candidates)
    {
        Completion completion = await completer.CompleteAsync(line, TestContext.Current.CancellationToken);
        string offered = string.Join(' ', completion.Candidates
            .Select(candidate => candidate.Text.Replace(' ', '_') + (candidate.IsWhole ? "+" : "")));
        Assert.Equal(candidates, offered);
        if (offered.Length > 0)
            Assert.Equal(start, completion.Start);
    }

    [Fact]
    public Task Complete_below_a_missing_znode_fails_and_leaves_the_line_to_the_editor() =>
        Assert.ThrowsAsync<NoNodeException>(
            () => completer.CompleteAsync("ls /nope/", TestContext.Current.CancellationToken));
}
