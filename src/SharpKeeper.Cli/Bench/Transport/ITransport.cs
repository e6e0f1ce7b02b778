using System.Net;

namespace SharpKeeper.Cli.Bench.Transport;

/// <summary>
/// Many TCP connections driven by one thread that never blocks but in <see cref="Wait"/>. A connection is known by the
/// handle that <see cref="Connect"/> returned; its owner by the tag that was given there.
/// </summary>
internal interface ITransport : IDisposable
{
    /// <summary>Begins to connect. Sending may be tried at once; nothing is taken before it stands.</summary>
    /// <exception cref="TransportException">The operating system refuses another connection.</exception>
    int Connect(IPEndPoint endPoint, int tag);

    /// <summary>Closes a connection; its handle may be given to a later one.</summary>
    void Close(int handle);

    /// <summary>Hands over bytes and returns how many were taken; 0 when none can be taken now.</summary>
    /// <exception cref="TransportException">The connection is broken.</exception>
    int Send(int handle, ReadOnlySpan<byte> bytes);

    /// <summary>Returns how many bytes came, 0 when the peer has closed, -1 when there are none now.</summary>
    /// <exception cref="TransportException">The connection is broken.</exception>
    int Receive(int handle, Span<byte> bytes);

    /// <summary>Says whether <see cref="Wait"/> shall report that the connection takes bytes again.</summary>
    void WatchWritable(int handle, bool watch);

    /// <summary>
    /// Waits until a connection has something to read, or takes bytes where that is watched, and fills
    /// <paramref name="ready"/>. Returns the number filled, 0 after <paramref name="timeoutMs"/> without any.
    /// </summary>
    int Wait(Span<Readiness> ready, int timeoutMs);
}

/// <summary>What a connection is ready for.</summary>
internal readonly record struct Readiness(int Tag, bool CanRead, bool CanWrite);

/// <summary>A connection could not be made or broke; the message says why in words.</summary>
internal sealed class TransportException(string message) : Exception(message);

/// <summary>Chooses the transport for this machine.</summary>
internal static class Transports
{
    /// <summary>The epoll loop on Linux, sockets elsewhere or where asked for.</summary>
    public static ITransport Create(bool portable = false) =>
        OperatingSystem.IsLinux() && !portable ? new EpollTransport() : new SelectTransport();
}
