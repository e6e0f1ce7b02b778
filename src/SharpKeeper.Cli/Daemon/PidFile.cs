using System.Diagnostics;
using System.Globalization;
using SharpKeeper.Server;

namespace SharpKeeper.Cli.Daemon;

/// <summary>The file that names the process of a server in the background.</summary>
internal sealed class PidFile(string path)
{
    private const string Name = "zookeeper_server.pid";
    private const string PathVariable = "ZOOPIDFILE";
    private const string Commands = "/proc/{0}/cmdline";

    /// <summary>Where the file is.</summary>
    internal string Path { get; } = path;

    /// <summary>The file for a server: named by ZOOPIDFILE, else in the data directory.</summary>
    internal static PidFile Of(ServerOptions options) => new(
        Environment.GetEnvironmentVariable(PathVariable) is { Length: > 0 } path
            ? path : System.IO.Path.Combine(options.DataDir, Name));

    /// <summary>The process the file names, or null when there is no file or it holds no number.</summary>
    internal int? Read()
    {
        try
        {
            string text = File.ReadAllText(Path).Trim();
            return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int pid) ? pid : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>The server the file names if it still runs; null if that process is gone or is another program.</summary>
    internal Process? FindServer()
    {
        if (Read() is not int pid)
            return null;
        try
        {
            Process process = Process.GetProcessById(pid);
            if (!process.HasExited && IsServer(process))
                return process;
            process.Dispose();
            return null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    /// <summary>Writes the number of a process.</summary>
    internal void Write(int pid) => File.WriteAllText(Path, pid.ToString(CultureInfo.InvariantCulture));

    /// <summary>Removes the file.</summary>
    internal void Delete() => File.Delete(Path);

    /// <summary>Numbers of processes are used again, so what runs under one must look like a server.</summary>
    private static bool IsServer(Process process)
    {
        string commands = string.Format(CultureInfo.InvariantCulture, Commands, process.Id);
        if (!File.Exists(commands))
        {
            using Process self = Process.GetCurrentProcess();
            return process.ProcessName == self.ProcessName;
        }
        try
        {
            string[] words = File.ReadAllText(commands).Split('\0');
            return LooksLikeServer(words);
        }
        catch (IOException)
        {
            // Gone between the two looks.
            return false;
        }
    }

    /// <summary>Whether a command line runs our server, or Apache's on the same data.</summary>
    internal static bool LooksLikeServer(IReadOnlyList<string> words)
    {
        bool isOurs = words.Take(2).Any(static word =>
            System.IO.Path.GetFileNameWithoutExtension(word).Equals("sharpkeeper", StringComparison.Ordinal));
        return isOurs ? words.Contains("server")
            : words.Any(static word => word.StartsWith("org.apache.zookeeper.server.", StringComparison.Ordinal));
    }
}
