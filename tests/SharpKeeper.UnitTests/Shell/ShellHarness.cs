using SharpKeeper.Cli.Shell;
using SharpKeeper.Client;

namespace SharpKeeper.ShellTests;

/// <summary>Runs the shell on texts instead of streams, against a <see cref="FakeKeeper"/>.</summary>
internal sealed class ShellHarness
{
    private readonly StringWriter output = new() { NewLine = "\n" };
    private readonly StringWriter errors = new() { NewLine = "\n" };

    public FakeKeeper Keeper { get; } = new();

    public List<string> Connects { get; } = [];

    public string Output => output.ToString().ReplaceLineEndings("\n");

    public string Errors => errors.ToString().ReplaceLineEndings("\n");

    /// <summary>Runs one command as from a script and gives its exit code; only its own output is kept.</summary>
    public async Task<int> RunAsync(string command, bool json = false)
    {
        output.GetStringBuilder().Clear();
        errors.GetStringBuilder().Clear();
        return await RunAsync(new ShellOptions { Command = CommandLine.Split(command), Quiet = true, Json = json });
    }

    /// <summary>Runs the lines of a pipe.</summary>
    public Task<int> RunLinesAsync(params string[] lines) =>
        RunAsync(new ShellOptions(), string.Join('\n', lines));

    public Task<int> RunAsync(ShellOptions options, string input = "") =>
        RunUntilAsync(TestContext.Current.CancellationToken, options, input);

    public Task<int> RunUntilAsync(CancellationToken stopped, ShellOptions options, string input = "")
    {
        ShellStreams streams = new(new StringReader(input), output, errors);
        return ShellProgram.RunAsync(options, streams, new ShellClients(Open, OpenAsync), hasColour: false, stopped);
    }

    private Task<IKeeperClient> OpenAsync(KeeperClientOptions options, CancellationToken cancellation) =>
        Task.FromResult(Open(options));

    private IKeeperClient Open(KeeperClientOptions options)
    {
        Connects.Add(options.ConnectString);
        return Keeper;
    }
}
