using System.Text.RegularExpressions;
using SharpKeeper.Client;
using SharpKeeper.Server.Testing;

namespace SharpKeeper.CompatTests.Client;

/// <summary>The page docs/guide/client.md quotes examples that compile, and that do what it says.</summary>
public sealed partial class ClientGuideTests : IAsyncLifetime
{
    private KeeperTestServer server = null!;
    private KeeperClient client = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        server = await KeeperTestServer.StartAsync(cancellationToken: Cancellation);
        client = await KeeperClient.ConnectAsync(server.ConnectString, Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await client.DisposeAsync();
        await server.DisposeAsync();
    }

    [Fact]
    public void Page_quotes_every_example_as_it_stands()
    {
        string root = FindRoot();
        string page = File.ReadAllText(Path.Combine(root, "docs/guide/client.md"));
        string source = File.ReadAllText(
            Path.Combine(root, "tests/SharpKeeper.CompatTests/Client/GuideSnippets.cs"));

        string[] examples = [.. Regions().Matches(source).Select(match => Unindent(match.Groups["text"].Value))];
        string[] quoted = [.. Quotes().Matches(page).Select(match => match.Groups["text"].Value)];

        Assert.Equal(10, examples.Length);
        Assert.Equal(examples, quoted);
    }

    [Fact]
    public async Task Examples_do_what_they_say()
    {
        await GuideSnippets.ConnectAsync(server.ConnectString, Cancellation);
        await GuideSnippets.ReadAndWriteAsync(client);
        await client.CreateAsync("/latest", cancellation: Cancellation);
        await GuideSnippets.ReadLatestAsync(client, "/latest");
        await GuideSnippets.SeveralServersAsync(server.ConnectString);
        await GuideSnippets.ErrorsAsync(client);
        await GuideSnippets.AuthAsync(client);
        await client.CreateAsync("/orders", cancellation: Cancellation);
        await GuideSnippets.MultiAsync(client);
        await GuideSnippets.MultiAsync(client);

        Assert.NotNull(await client.ExistsAsync("/jobs", cancellation: Cancellation));
        Assert.NotNull(await client.ExistsAsync("/private", cancellation: Cancellation));
        Assert.Single(await client.GetChildrenAsync("/orders", cancellation: Cancellation));
    }

    [Fact]
    public async Task Watch_examples_see_changes()
    {
        await client.CreateAsync("/w", "0", cancellation: Cancellation);
        Task once = GuideSnippets.WatchOnceAsync(client, "/w");
        var shown = new TaskCompletionSource<string?>();
        await GuideSnippets.WatchCallbackAsync(client, "/w", text => shown.TrySetResult(text));
        using var ending = new CancellationTokenSource();
        var read = new TaskCompletionSource();
        Task tree = GuideSnippets.WatchTreeAsync(client, "/", () =>
        {
            read.TrySetResult();
            return Task.CompletedTask;
        }, ending.Token);
        await read.Task.WaitAsync(Cancellation);

        await client.SetAsync("/w", "1", cancellation: Cancellation);

        await once.WaitAsync(Cancellation);
        Assert.Equal("1", await shown.Task.WaitAsync(Cancellation));
        await ending.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => tree);
    }

    private static string Unindent(string text) =>
        string.Join('\n', text.Split('\n').Select(UnindentLine)).Trim('\n') + "\n";

    private static string UnindentLine(string line) => line.Length >= 8 ? line[8..] : line.Trim();

    internal static string FindRoot()
    {
        DirectoryInfo? directory = new(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "SharpKeeper.slnx")))
            directory = directory.Parent;
        return directory?.FullName ?? throw new InvalidOperationException("The repository's root was not found.");
    }

    [GeneratedRegex(@"#region \S+\n(?<text>.*?)\n\s*#endregion", RegexOptions.Singleline)]
    private static partial Regex Regions();

    [GeneratedRegex(@"```csharp\n(?<text>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Quotes();
}
