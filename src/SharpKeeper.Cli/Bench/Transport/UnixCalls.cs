using System.Runtime.InteropServices;

namespace SharpKeeper.Cli.Bench.Transport;

/// <summary>A call that every Unix has.</summary>
internal static partial class UnixCalls
{
    public const int Terminate = 15;

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int process, int signal);
}
