using System.Diagnostics;
using System.Text;

namespace SharpKeeper.CompatTests.Clients;

/// <summary>What a client program did.</summary>
/// <param name="ExitCode">How it ended.</param>
/// <param name="Output">What it wrote to its standard output.</param>
/// <param name="Errors">What it wrote to its error stream.</param>
/// <param name="Everything">Both of its streams, for failure messages.</param>
internal sealed record ClientRun(int ExitCode, string Output, string Errors, string Everything);

/// <summary>
/// Runs a client program of somebody else in a process of its own. A line of output that starts with @ is a wish: the
/// test fulfils it (stop, kill, start) and answers "done".
/// </summary>
internal sealed class ClientProcess : IDisposable
{
    private static readonly TimeSpan RunMax = TimeSpan.FromMinutes(3);

    private readonly Process process;
    private readonly StringBuilder output = new();
    private readonly StringBuilder errors = new();
    private readonly StringBuilder everything = new();
    private readonly Func<string, Task> fulfil;

    private ClientProcess(ProcessStartInfo start, Func<string, Task> fulfil)
    {
        this.fulfil = fulfil;
        process = Process.Start(start)!;
    }

    /// <summary>Where the sources of client programs are.</summary>
    public static string Sources => Path.Combine(AppContext.BaseDirectory, "Clients");

    /// <summary>Runs a program to its end, or kills it after some minutes.</summary>
    public static async Task<ClientRun> RunAsync(
        string program,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string>? environment = null,
        string? input = null,
        Func<string, Task>? fulfil = null)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        foreach ((string key, string value) in environment ?? new Dictionary<string, string>())
            start.Environment[key] = value;
        using var client = new ClientProcess(start, fulfil ?? (wish => Task.FromException(
            new InvalidOperationException($"Nobody fulfils {wish}."))));
        return await client.RunToEndAsync(input);
    }

    /// <summary>Runs a program and fails the test with all its output unless it ends with 0.</summary>
    public static async Task<ClientRun> RunWellAsync(
        string program,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string>? environment = null,
        string? input = null,
        Func<string, Task>? fulfil = null)
    {
        ClientRun run = await RunAsync(program, arguments, environment, input, fulfil);
        Assert.True(run.ExitCode == 0, $"{program} ended with {run.ExitCode}:\n{run.Everything}");
        return run;
    }

    public void Dispose() => process.Dispose();

    private async Task<ClientRun> RunToEndAsync(string? input)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(RunMax);
        try
        {
            if (input is not null)
            {
                await process.StandardInput.WriteAsync(input.AsMemory(), limit.Token);
                process.StandardInput.Close();
            }
            await Task.WhenAll(ReadOutputAsync(limit.Token), ReadErrorsAsync(limit.Token));
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{process.StartInfo.FileName} did not come to an end:\n{everything}");
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
        return new ClientRun(process.ExitCode, output.ToString(), errors.ToString(), everything.ToString());
    }

    private async Task ReadOutputAsync(CancellationToken cancellation)
    {
        while (await process.StandardOutput.ReadLineAsync(cancellation) is { } line)
        {
            output.AppendLine(line);
            Note(line);
            if (!line.StartsWith('@'))
                continue;
            await fulfil(line[1..]);
            await process.StandardInput.WriteLineAsync("done".AsMemory(), cancellation);
            await process.StandardInput.FlushAsync(cancellation);
        }
    }

    private async Task ReadErrorsAsync(CancellationToken cancellation)
    {
        while (await process.StandardError.ReadLineAsync(cancellation) is { } line)
        {
            errors.AppendLine(line);
            Note(line);
        }
    }

    private void Note(string line)
    {
        lock (everything)
            everything.AppendLine(line);
    }
}
