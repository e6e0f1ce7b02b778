using System.IO.Pipes;
using System.Text;

namespace SharpKeeper.Cli.Daemon;

/// <summary>The server's end of the pipe on which <c>start</c> waits: one line, then the end of the pipe.</summary>
internal sealed class StartReport : IDisposable
{
    /// <summary>What is told when clients are served.</summary>
    internal const string Serving = "serving";

    private AnonymousPipeClientStream? _pipe;

    /// <summary>Opens the pipe with the given handle; without one, nobody waits and nothing is told.</summary>
    internal StartReport(string? handle)
    {
        if (handle is not null)
            _pipe = new AnonymousPipeClientStream(PipeDirection.Out, handle);
    }

    /// <summary>Tells how the start went, once: null when clients are served, else why not.</summary>
    internal void Tell(string? failure)
    {
        if (_pipe is null)
            return;
        try
        {
            _pipe.Write(Encoding.UTF8.GetBytes(failure ?? Serving));
        }
        catch (IOException)
        {
            // The command that started this server is gone. The server is here to stay.
        }
        Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _pipe?.Dispose();
        _pipe = null;
    }
}
