using System.Runtime.InteropServices;

namespace SharpKeeper.Cli.Shell;

/// <summary>
/// Turns the signals that end a process into a token, so that the shell closes its session first and its ephemerals go
/// at once.
/// </summary>
internal sealed class ShellSignals : IDisposable
{
    private const int SignalBase = 128;
    private readonly CancellationTokenSource stopped = new();
    private readonly List<PosixSignalRegistration> registrations = [];
    private int signalNumber;

    /// <summary>Starts to listen.</summary>
    public ShellSignals()
    {
        Listen(PosixSignal.SIGINT, 2);
        Listen(PosixSignal.SIGTERM, 15);
        Listen(PosixSignal.SIGHUP, 1);
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Stopped => stopped.Token;

    /// <summary>The exit code as shells expect it: 128 and the signal, if there was one.</summary>
    public int ExitCode(int exitCode) => signalNumber == 0 ? exitCode : SignalBase + signalNumber;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in registrations)
            registration.Dispose();
        stopped.Dispose();
    }

    private void Listen(PosixSignal signal, int number) =>
        registrations.Add(PosixSignalRegistration.Create(signal, context =>
        {
            // The second signal ends the process the hard way, should closing hang.
            context.Cancel = Interlocked.CompareExchange(ref signalNumber, number, 0) == 0;
            if (context.Cancel)
                stopped.Cancel();
        }));
}
