using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace SharpKeeper.Cli.Daemon;

/// <summary>Processes that live on without a terminal.</summary>
internal static partial class BackgroundProcess
{
    private const int StandardInput = 0;
    private const int StandardOutput = 1;
    private const int StandardError = 2;
    private const int SigTerm = 15;

    /// <summary>
    /// Starts this program again with other arguments. The new process is to call <see cref="Detach"/>.
    /// </summary>
    internal static Process StartSelf(IEnumerable<string> arguments)
    {
        string program = Environment.ProcessPath ?? throw new InvalidOperationException("unknown program path");
        // Pipes instead of this process's own streams: whoever reads those to their end must not wait for the server.
        ProcessStartInfo start = new(program)
        {
            UseShellExecute = false,
            CreateNoWindow = true,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // "dotnet sharpkeeper.dll ..." runs the host, which needs the name of the library again.
        if (Path.GetFileNameWithoutExtension(program) == "dotnet")
            start.ArgumentList.Add(Environment.GetCommandLineArgs()[0]);
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        return Process.Start(start) ?? throw new InvalidOperationException($"could not start {program}");
    }

    /// <summary>
    /// Leaves the terminal, and appends what is written from now on to <paramref name="logFile"/>. Returns the stream
    /// to log to.
    /// </summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    internal static Stream Detach(string logFile)
    {
        if (OperatingSystem.IsWindows())
            return new FileStream(logFile, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        // A session of its own: the terminal's hang-up and interrupt no longer reach this process.
        _ = SetSession();
        using SafeFileHandle nothing = File.OpenHandle("/dev/null");
        Check(Dup2((int)nothing.DangerousGetHandle(), StandardInput), "/dev/null");
        // Opened by the C library, whose "a" makes the system append even after someone cut the file shorter.
        nint file = OpenFile(logFile, "a");
        Check(file == 0 ? -1 : 0, logFile);
        int log = FileNumber(file);
        // Also what the run time itself says when it dies belongs into the log.
        Check(Dup2(log, StandardOutput), logFile);
        Check(Dup2(log, StandardError), logFile);
        return Console.OpenStandardOutput();
    }

    /// <summary>Asks a process to end: SIGTERM, or on Windows, which has none, the end at once.</summary>
    internal static void Terminate(Process process)
    {
        if (OperatingSystem.IsWindows())
            process.Kill();
        else if (Kill(process.Id, SigTerm) != 0 && !process.HasExited)
            throw new Win32Exception(Marshal.GetLastPInvokeError());
    }

    private static void Check(int result, string file)
    {
        if (result < 0)
            throw new IOException($"cannot redirect to {file}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    [LibraryImport("libc", EntryPoint = "setsid", SetLastError = true)]
    private static partial int SetSession();

    [LibraryImport("libc", EntryPoint = "dup2", SetLastError = true)]
    private static partial int Dup2(int from, int to);

    [LibraryImport("libc", EntryPoint = "fopen", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint OpenFile(string path, string mode);

    [LibraryImport("libc", EntryPoint = "fileno", SetLastError = true)]
    private static partial int FileNumber(nint file);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}
