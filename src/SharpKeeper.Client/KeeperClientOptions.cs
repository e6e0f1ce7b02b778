using Microsoft.Extensions.Logging;
using SharpKeeper.Client.Internal;
using SharpKeeper.Protocol;

namespace SharpKeeper.Client;

/// <summary>How a <see cref="KeeperClient"/> connects and behaves.</summary>
public sealed record KeeperClientOptions
{
    /// <summary>
    /// The servers, and optionally the path that is the client's root: <c>host1:2181,host2,[::1]:2182/app</c>. The
    /// default port is 2181; IPv6 addresses with a port stand in brackets.
    /// </summary>
    public required string ConnectString { get; init; }

    /// <summary>
    /// How long the session outlives a lost connection. The server limits it, usually to 2 to 20 of its ticks: see
    /// <see cref="IKeeperClient.SessionTimeout"/> for what was agreed. Default 30 seconds.
    /// </summary>
    public TimeSpan SessionTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long <see cref="KeeperClient.ConnectAsync(KeeperClientOptions, CancellationToken)"/> waits for a server.
    /// Default 30 seconds; <see cref="Timeout.InfiniteTimeSpan"/> waits for ever.
    /// </summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>May a read-only server serve the session while no other can be reached?</summary>
    public bool ReadOnlyAllowed { get; init; }

    /// <summary>Credentials to send on each connection before anything else.</summary>
    public IReadOnlyList<AuthInfo> Auth { get; init; } = [];

    /// <summary>A session to go on with, as another client's <see cref="IKeeperClient.Session"/> gave it.</summary>
    public KeeperSession? Session { get; init; }

    /// <summary>
    /// Longest request in bytes. Servers cut the connection over their own limit (jute.maxbuffer), so a longer request
    /// is refused before it is sent. Default 1,048,575, as servers have it.
    /// </summary>
    public int RequestBytesMax { get; init; } = 0xfffff;

    /// <summary>
    /// Longest reply in bytes; a longer one fails its request only. Servers do not limit what they send: a list of
    /// many children can be longer than any request. Default 64 MiB.
    /// </summary>
    public int ReplyBytesMax { get; init; } = 64 << 20;

    /// <summary>
    /// How many bytes of requests may wait to be sent; over that limit requests fail with
    /// <see cref="ErrorCode.ThrottledOp"/>. Default 64 MiB.
    /// </summary>
    public int QueuedBytesMax { get; init; } = 64 << 20;

    /// <summary>
    /// Events that a stream of watch events holds for a slow reader. Over that limit the stream forgets what it holds
    /// and reports one session event instead, which says that everything has to be read again. Default 10,000.
    /// </summary>
    public int WatchStreamEventsMax { get; init; } = 10_000;

    /// <summary>
    /// Longest delay between two rounds over all servers. After a lost connection each of the others is tried at once;
    /// when all have failed, the next round waits for a random time that doubles with each round, from some 10 ms up to
    /// this value. Default 1 second.
    /// </summary>
    public TimeSpan ReconnectDelayMax { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Does the client follow the ensemble's configuration? It then watches /zookeeper/config, takes its servers from
    /// the client addresses there, and moves so that clients stay spread evenly: see
    /// <see cref="IKeeperClient.UpdateServers"/>. The connect string is where it starts. A configuration without client
    /// addresses, such as a standalone server's, changes nothing. Default false.
    /// </summary>
    public bool FollowConfig { get; init; }

    /// <summary>Where the client logs; null for nowhere.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    internal ITransport Transport { get; init; } = SocketTransport.Instance;

    internal Random Random { get; init; } = Random.Shared;

    internal void Validate()
    {
        ArgumentException.ThrowIfNullOrEmpty(ConnectString);
        ThrowUnlessPositive(SessionTimeout, nameof(SessionTimeout));
        if (ConnectTimeout != Timeout.InfiniteTimeSpan)
            ThrowUnlessPositive(ConnectTimeout, nameof(ConnectTimeout));
        ArgumentOutOfRangeException.ThrowIfNegative(ReconnectDelayMax.Ticks, nameof(ReconnectDelayMax));
        ArgumentOutOfRangeException.ThrowIfLessThan(RequestBytesMax, 1024);
        ArgumentOutOfRangeException.ThrowIfLessThan(ReplyBytesMax, 1024);
        ArgumentOutOfRangeException.ThrowIfLessThan(QueuedBytesMax, 1024);
        ArgumentOutOfRangeException.ThrowIfLessThan(WatchStreamEventsMax, 1);
    }

    private static void ThrowUnlessPositive(TimeSpan value, string name)
    {
        if (value <= TimeSpan.Zero || value.TotalMilliseconds > int.MaxValue)
            throw new ArgumentOutOfRangeException(name, value, $"{name} must be more than zero and less than 24 days.");
    }
}

/// <summary>What a client needs to go on with a session: whoever has it can take the session over.</summary>
/// <param name="Id">The session.</param>
/// <param name="Password">16 bytes that the server gave.</param>
public sealed record KeeperSession(SessionId Id, ReadOnlyMemory<byte> Password);
