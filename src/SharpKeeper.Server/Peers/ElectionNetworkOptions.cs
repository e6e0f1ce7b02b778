using SharpKeeper.Protocol;

namespace SharpKeeper.Server.Peers;

/// <summary>How an <see cref="ElectionNetwork"/> is to work.</summary>
internal sealed record ElectionNetworkOptions
{
    /// <summary>This server's number.</summary>
    public required ServerId Self { get; init; }

    /// <summary>How long one attempt to connect may take.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a new connection may take to say who it is.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Further tries to open the port; 0 tries for ever.</summary>
    public int BindRetries { get; init; } = 3;

    /// <summary>The wait between two such tries.</summary>
    public TimeSpan BindRetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The first wait between two attempts to connect while something is to be sent; it doubles.</summary>
    public TimeSpan RetryDelayMin { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest such wait.</summary>
    public TimeSpan RetryDelayMax { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Connections that are being made at one time at most.</summary>
    public int ConnectsMax { get; init; } = 20;

    /// <summary>Does the port listen on all addresses of the machine?</summary>
    public bool ListensOnAllAddresses { get; init; }

    /// <summary>May servers have several addresses? Then the other servers are told all of the own ones.</summary>
    public bool MultiAddress { get; init; }

    /// <summary>Do sockets ask for TCP keep-alive?</summary>
    public bool KeepAlive { get; init; }
}
