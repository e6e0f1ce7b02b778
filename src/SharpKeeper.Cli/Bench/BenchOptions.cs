using System.Net;
using SharpKeeper.Cli.Bench.Transport;

namespace SharpKeeper.Cli.Bench;

/// <summary>What to measure.</summary>
internal enum BenchOperation
{
    Get,
    Set,
    Create,
    Delete,
    Exists,
    Children,
    Mixed,
    Multi,
    Watch,
    Connect,
    Idle,
    Fill,
    Stall,
}

/// <summary>How to measure; the defaults are those of the command line.</summary>
internal sealed record BenchOptions
{
    /// <summary>Where to; sessions are spread evenly over them.</summary>
    public required IReadOnlyList<IPEndPoint> Servers { get; init; }

    /// <summary>Sessions at once; null takes what suits the operation.</summary>
    public int? Sessions { get; init; }

    /// <summary>Requests in flight per session; null takes what suits the operation.</summary>
    public int? Depth { get; init; }

    /// <summary>Bytes of data of each znode.</summary>
    public int Size { get; init; } = 100;

    /// <summary>Measured time; not used where there is a count.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Measured requests; null measures for the duration.</summary>
    public long? Count { get; init; }

    /// <summary>Unmeasured time before; null is 2 seconds, or none with a count.</summary>
    public TimeSpan? Warmup { get; init; }

    /// <summary>Processes whose CPU and memory are the server's.</summary>
    public IReadOnlyList<int> ServerPids { get; init; } = [];

    /// <summary>Everything is created below this znode.</summary>
    public string Root { get; init; } = "/bench";

    /// <summary>Leave what was created.</summary>
    public bool Keep { get; init; }

    /// <summary>Share of reads in mixed.</summary>
    public double ReadRatio { get; init; } = 0.9;

    /// <summary>Writes in one multi.</summary>
    public int MultiSize { get; init; } = 10;

    /// <summary>Children of the znode that children lists.</summary>
    public int Children { get; init; } = 1000;

    /// <summary>Watch with one persistent recursive watch a session instead of one-shot watches set again.</summary>
    public bool Persistent { get; init; }

    /// <summary>Connect: close each session as soon as it stands instead of keeping all.</summary>
    public bool Close { get; init; }

    /// <summary>A session beside the operation that does one request after the other; null for none.</summary>
    public BenchOperation? Probe { get; init; }

    /// <summary>Asked for in the handshake.</summary>
    public TimeSpan SessionTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Silence after which a run is given up.</summary>
    public TimeSpan ReplyTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Makes the connections.</summary>
    public Func<ITransport> Transport { get; init; } = () => Transports.Create();

    /// <summary>Ticks as the stopwatch does.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The warm-up in force.</summary>
    public TimeSpan EffectiveWarmup =>
        Warmup ?? (Count is null ? TimeSpan.FromSeconds(2) : TimeSpan.Zero);
}
