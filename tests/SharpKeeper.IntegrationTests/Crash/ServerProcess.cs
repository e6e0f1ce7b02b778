using System.Diagnostics;
using System.Globalization;
using System.Text;
using SharpKeeper.CliTests;

namespace SharpKeeper.CrashTests;

/// <summary>The real program, serving a directory until it is killed.</summary>
internal sealed class ServerProcess : IDisposable
{
    private const string Serving = "Serving clients on 127.0.0.1:";

    private readonly Process process;
    private readonly StringBuilder output = new();
    private readonly TaskCompletionSource firstLine = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int> port = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServerProcess(Process process)
    {
        this.process = process;
        process.OutputDataReceived += (_, line) => Take(line.Data);
        process.ErrorDataReceived += (_, line) => Take(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>The client port, once clients are served.</summary>
    public Task<int> Port => port.Task;

    /// <summary>Ends with the first line that the program says.</summary>
    public Task FirstLine => firstLine.Task;

    /// <summary>Everything it said.</summary>
    public string Output
    {
        get
        {
            lock (output)
                return output.ToString();
        }
    }

    public static ServerProcess Start(SharpKeeperProcess program) => new(program.Start(
        "server", "--port=0", $"--data={program.DataDirectory}", "-DsnapCount=500", "-DpreAllocSize=64",
        "-Dautopurge.purgeInterval=20ms", "-D4lw.commands.whitelist=*", "-DmaxClientCnxns=0"));

    /// <summary>Ends it with SIGKILL: nothing in it gets a chance to tidy up.</summary>
    public void Kill()
    {
        process.Kill();
        process.WaitForExit();
    }

    public void Dispose()
    {
        if (!process.HasExited)
            Kill();
        process.Dispose();
    }

    private void Take(string? line)
    {
        if (line is null)
        {
            port.TrySetException(new InvalidOperationException("The server ended:\n" + Output));
            firstLine.TrySetResult();
            return;
        }
        lock (output)
            output.AppendLine(line);
        firstLine.TrySetResult();
        int at = line.IndexOf(Serving, StringComparison.Ordinal);
        if (at < 0)
            return;
        string digits = string.Concat(line.Skip(at + Serving.Length).TakeWhile(char.IsAsciiDigit));
        port.TrySetResult(int.Parse(digits, CultureInfo.InvariantCulture));
    }
}
