using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace SharpKeeper.CliTests;

/// <summary>What one run of the program said and how it ended.</summary>
internal sealed record ProgramResult(int ExitCode, string Output, string Error);

/// <summary>Runs the program as a user does, in a directory of its own.</summary>
internal sealed class SharpKeeperProcess : IDisposable
{
    private static readonly TimeSpan s_runMax = TimeSpan.FromSeconds(120);

    public SharpKeeperProcess() => Directory = System.IO.Directory.CreateTempSubdirectory("sharpkeeper-cli-").FullName;

    public string Directory { get; }

    public string DataDirectory => Path.Combine(Directory, "data");

    public string PidFile => Path.Combine(DataDirectory, "zookeeper_server.pid");

    public string LogFile => Path.Combine(DataDirectory, "sharpkeeper.out");

    private static string Program => Path.Combine(
        AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "sharpkeeper.exe" : "sharpkeeper");

    /// <summary>A port nothing listens on at the moment.</summary>
    public static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Writes a zoo.cfg for a server on loopback and returns its path.</summary>
    public string WriteConfig(int port, string more = "")
    {
        string path = Path.Combine(Directory, "zoo.cfg");
        string data = DataDirectory.Replace("\\", "\\\\", StringComparison.Ordinal);
        File.WriteAllText(path, $"dataDir={data}\nclientPort={port}\nclientPortAddress=127.0.0.1\n{more}\n");
        return path;
    }

    /// <summary>Starts the program; the caller ends it.</summary>
    public Process Start(params string[] arguments)
    {
        ProcessStartInfo start = new(Program, arguments)
        {
            WorkingDirectory = Directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (string variable in new[] { "ZOOPIDFILE", "ZOO_LOG_DIR" })
            start.Environment.Remove(variable);
        return Process.Start(start)!;
    }

    /// <summary>Runs the program to its end.</summary>
    public async Task<ProgramResult> RunAsync(params string[] arguments)
    {
        using Process process = Start(arguments);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(s_runMax);
        // The streams end too: a server left behind in the background must not hold them open.
        return new ProgramResult(process.ExitCode, await output.WaitAsync(s_runMax), await error.WaitAsync(s_runMax));
    }

    public void Dispose()
    {
        if (File.Exists(PidFile) && int.TryParse(File.ReadAllText(PidFile), out int pid) && pid != Environment.ProcessId)
        {
            try
            {
                using Process server = Process.GetProcessById(pid);
                server.Kill();
                server.WaitForExit(s_runMax);
            }
            catch (ArgumentException)
            {
                // It is gone already, as it should be.
            }
        }
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}
