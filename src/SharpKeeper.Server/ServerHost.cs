using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using SharpKeeper.Core;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Core.Zab;
using SharpKeeper.Server.Auth;
using SharpKeeper.Server.Configuration;
using SharpKeeper.Server.Connections;
using SharpKeeper.Server.Runtime;
using SharpKeeper.Server.Storage;

namespace SharpKeeper.Server;

/// <summary>
/// One running server. <see cref="StartAsync"/> recovers the data directory and opens the client port;
/// <see cref="DisposeAsync"/> closes the port, makes durable what was proposed and ends. Sessions outlive a restart.
/// </summary>
public sealed partial class ServerHost : IAsyncDisposable
{
    // Clients other than Java's take replies of any length, and lists of children get long.
    private const int ReplyBytesMaxMin = 64 << 20;

    // Events and other replies that may wait together with the longest reply.
    private const int LinkBytesBesidesReply = 1 << 20;

    private readonly TaskCompletionSource completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ServerOptions options;
    private readonly ILogger logger;
    private readonly ServerRuntime runtime;
    private readonly Transport transport;
    private readonly LogWriter? log;
    private readonly SnapshotKeeper? snapshots;
    private readonly Purger? purger;
    private readonly EnsembleDriver? ensemble;
    private int disposed;

    private ServerHost(
        ServerOptions options, ILogger logger, FileStorageDevice? device, RecoveryResult? recovered, EpochFiles? epochs,
        TxnHistory? history, ILogFiles? files)
    {
        this.options = options;
        this.logger = logger;
        IAuthProvider[] providers = ProvidersOf(options);
        DataTree tree = recovered?.Tree ?? NewTree(options);
        var replica = new Replica(
            ReplicaOptionsOf(options, providers, epochs), tree, recovered?.Sessions ?? new SessionTimeouts(),
            Environment.TickCount64, history);
        runtime = new ServerRuntime(
            options, replica, providers, options.ConnectionThreads, TimeProvider.System, logger, Fail);
        var transportOptions = new TransportOptions { Failed = Fail, KeepAlive = options.ClientTcpKeepAlive };
        transport = new Transport(transportOptions, logger);
        runtime.Transport = transport;
        if (device is null)
            return;
        var store = new SnapshotStore(device, FormatOf(options.SnapshotCompression));
        snapshots = new SnapshotKeeper(store, runtime.Gate, runtime.SnapshotSlot, runtime.Driver.Trees, runtime.Metrics, logger);
        runtime.Snapshots = snapshots;
        runtime.Device = device;
        runtime.Driver.SnapshotDue = () => snapshots.Start(replica);
        runtime.Driver.LogDurable = snapshots.LogDurable;
        // Before the first log: a log without a snapshot is what a damaged directory looks like.
        if (recovered!.SnapshotName is null)
            snapshots.WriteNow(replica);
        log = new LogWriter(LogOptionsOf(options, device) with { Failed = Fail, Synced = CountSync }, runtime.Driver,
            logger, files);
        runtime.Driver.Log = log;
        if (options.PurgeInterval > TimeSpan.Zero)
        {
            purger = new Purger(
                store, options.SnapshotsRetained, options.PurgeInterval, TimeProvider.System, logger);
        }
        if (epochs is not null)
        {
            ensemble = new EnsembleDriver(runtime, device, epochs, log, RecoveryOptionsOf(options), logger, Fail)
            {
                Purger = purger,
                SaveConfig = DynamicConfigFiles.Of(options) is { } configFiles ? configFiles.Use : null,
            };
        }
    }

    /// <summary>Ends when the server has stopped; faulted if something broke that it cannot go on with.</summary>
    public Task Completion => completion.Task;

    /// <summary>The parts of the running server.</summary>
    internal ServerRuntime Runtime => runtime;

    /// <summary>What deals with the other servers; null for a server that stands alone.</summary>
    internal EnsembleDriver? Ensemble => ensemble;

    /// <summary>The port that clients connect to.</summary>
    public int ClientPort => transport.LocalEndPoint.Port;

    /// <summary>The address and port that clients connect to.</summary>
    public IPEndPoint ClientEndPoint => transport.LocalEndPoint;

    /// <summary>Starts a server; once the result is there, clients are served.</summary>
    /// <exception cref="ServerConfigurationException">The options contradict each other, such as
    /// <see cref="ServerOptions.InMemory"/> and <see cref="ServerOptions.Ensemble"/>; see
    /// <see cref="ServerOptions.Validate"/>.</exception>
    /// <exception cref="CorruptDataException">The data directory is damaged; the message says where, and what to do.
    /// </exception>
    /// <exception cref="IOException">The data directory or the client port cannot be used.</exception>
    public static Task<ServerHost> StartAsync(
        ServerOptions options, ILoggerFactory loggerFactory, CancellationToken cancellationToken = default) =>
        StartWithAsync(options, loggerFactory, null, cancellationToken);

    /// <summary>As <see cref="StartAsync"/>, with other file operations under the transaction log.</summary>
    internal static async Task<ServerHost> StartWithAsync(
        ServerOptions options, ILoggerFactory loggerFactory, ILogFiles? files, CancellationToken cancellationToken)
    {
        if (options.Validate() is { Count: > 0 } problems)
            throw new ServerConfigurationException(problems);
        ILogger logger = loggerFactory.CreateLogger("SharpKeeper.Server");
        cancellationToken.ThrowIfCancellationRequested();
        ServerHost host = options.InMemory
            ? new ServerHost(options, logger, null, null, null, null, null)
            : Recover(options, logger, files);
        try
        {
            await host.OpenAsync(cancellationToken).ConfigureAwait(false);
            return host;
        }
        catch
        {
            await host.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Closes the client port, makes durable what was proposed, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0)
            return;
        if (purger is not null)
            await purger.DisposeAsync().ConfigureAwait(false);
        await transport.DisposeAsync().ConfigureAwait(false);
        if (ensemble is not null)
            await ensemble.DisposeAsync().ConfigureAwait(false);
        if (snapshots is not null)
            await snapshots.StopAsync().ConfigureAwait(false);
        log?.Dispose();
        await runtime.Driver.StopAsync().ConfigureAwait(false);
        runtime.Replica.Tree.Dispose();
        LogStopped();
        completion.TrySetResult();
    }

    private static ServerHost Recover(ServerOptions options, ILogger logger, ILogFiles? files)
    {
        FileStorageDevice device = FileStorageDevice.Open(
            options.DataDir, options.DataLogDir, options.DataDirAutoCreate);
        long started = Stopwatch.GetTimestamp();
        TxnHistory? history = HistoryOf(options);
        RecoveryResult recovered = Recovery.Run(device, RecoveryOptionsOf(options) with { History = history });
        EpochFiles? epochs = options.Ensemble is null ? null : EpochFiles.Load(device, recovered.Last);
        var host = new ServerHost(options, logger, device, recovered, epochs, history, files);
        if (epochs is { Mended.Length: > 0 })
            host.LogNotice(epochs.Mended);
        foreach (RecoveryNotice notice in recovered.Notices)
            host.LogNotice(notice.Message);
        long elapsedMs = (long)Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        host.runtime.Metrics.DatabaseInitTime.Add(elapsedMs);
        host.runtime.Metrics.StartupTxnsLoaded.Add(recovered.TxnsApplied);
        host.LogRecovered(
            options.DataDir, recovered.Tree.Count, recovered.Sessions.Count, recovered.Last, recovered.TxnsApplied,
            elapsedMs);
        host.SaveSoon(recovered);
        return host;
    }

    /// <summary>What was replayed from the log now need not be replayed again.</summary>
    private void SaveSoon(RecoveryResult recovered)
    {
        if (recovered.TxnsApplied == 0)
            return;
        // Before a leader says so nobody knows whether all of it is committed.
        if (options.Ensemble is null)
            _ = runtime.Driver.RunAsync(snapshots!.Start);
        else
            runtime.Driver.FirstSettled = replica => snapshots!.Start(replica);
    }

    private async Task OpenAsync(CancellationToken cancellationToken)
    {
        if (!options.ForceSync && !options.InMemory)
            LogUnsynced();
        var address = new IPEndPoint(options.ClientAddress ?? IPAddress.IPv6Any, options.ClientPort);
        transport.Start(address, options.ListenBacklog, options.ConnectionThreads, index => runtime.Loops[index]);
        // Connections are open, the replica hangs up clients while it cannot serve them.
        if (ensemble is not null)
            await ensemble.StartAsync(cancellationToken).ConfigureAwait(false);
        LogServing(transport.LocalEndPoint, options.InMemory ? "memory only" : options.DataDir);
    }

    private void CountSync(TimeSpan taken)
    {
        runtime.Metrics.FsyncTime.Add((long)taken.TotalMilliseconds);
        if (taken > options.FsyncWarningThreshold)
            runtime.Metrics.FsyncThresholdExceeded.Add();
    }

    private void Fail(Exception exception)
    {
        runtime.Metrics.UnrecoverableErrors.Add();
        LogFatal(exception.Message, exception);
        completion.TrySetException(exception);
    }

    private static uint NewSeed() => BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(sizeof(uint)));

    private static DataTree NewTree(ServerOptions options) => new(NewSeed())
    {
        ExtendedTypesEnabled = options.ExtendedTypesEnabled,
        Emulate353 = options.Emulate353TtlNodes,
    };

    private static IAuthProvider[] ProvidersOf(ServerOptions options)
    {
        var ip = new IpProvider();
        return options.DigestAuthEnabled
            ? [new DigestProvider(options.SuperDigest, HashNameOf(options.DigestAlgorithm)), ip]
            : [ip];
    }

    private static HashAlgorithmName HashNameOf(DigestAlgorithm algorithm) => algorithm switch
    {
        DigestAlgorithm.Md5 => HashAlgorithmName.MD5,
        DigestAlgorithm.Sha256 => HashAlgorithmName.SHA256,
        DigestAlgorithm.Sha384 => HashAlgorithmName.SHA384,
        DigestAlgorithm.Sha512 => HashAlgorithmName.SHA512,
        _ => HashAlgorithmName.SHA1,
    };

    private static SnapshotFormat FormatOf(SnapshotCompression compression) => compression switch
    {
        SnapshotCompression.Gzip => SnapshotFormat.Gzip,
        SnapshotCompression.Snappy => SnapshotFormat.Snappy,
        _ => SnapshotFormat.Plain,
    };

    private static LogWriterOptions LogOptionsOf(ServerOptions options, FileStorageDevice device) => new()
    {
        Directory = device.LogDirectory,
        PreallocBytes = options.PreAllocationBytes,
        SegmentBytesMax = options.TxnLogSizeLimitBytes > 0 ? options.TxnLogSizeLimitBytes : -1,
        ForceSync = options.ForceSync,
        FsyncWarning = options.FsyncWarningThreshold,
    };

    private static TxnHistory? HistoryOf(ServerOptions options)
    {
        if (options.Ensemble is not { } ensemble)
            return null;
        EnsembleOptions limits = ensemble.ToReplicaOptions(options, 0, 0);
        return new TxnHistory(limits.HistoryTxnsMin, limits.HistoryBytesMax);
    }

    private static RecoveryOptions RecoveryOptionsOf(ServerOptions options) => new()
    {
        TrustEmptySnapshot = options.SnapshotTrustEmpty,
        DigestEnabled = options.DigestEnabled,
        ExtendedTypesEnabled = options.ExtendedTypesEnabled,
        Emulate353 = options.Emulate353TtlNodes,
        HashSeed = NewSeed(),
    };

    private static int ReplyBytesMaxOf(ServerOptions options) => (int)Math.Clamp(
        (long)options.PacketBytesMax + options.PacketExtraBytesMax, ReplyBytesMaxMin, int.MaxValue / 2);

    private static ReplicaOptions ReplicaOptionsOf(ServerOptions options, IAuthProvider[] providers, EpochFiles? epochs)
    {
        ReplicaOptions alone = ReplicaOptionsOf(options, providers);
        if (epochs is null || options.Ensemble is not { } ensemble)
            return alone;
        return alone with
        {
            // Of a larger number the lowest byte counts, as with Apache.
            ServerId = (byte)ensemble.Self.Value,
            Ensemble = ensemble.ToReplicaOptions(options, epochs.Accepted, epochs.Current),
        };
    }

    private static ReplicaOptions ReplicaOptionsOf(ServerOptions options, IAuthProvider[] providers) => new()
    {
        Access = new AccessControl(providers, options.SkipAcl),
        SessionSeedMs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
        RandomSeed = NewSeed(),
        TickMs = (int)options.TickTime.TotalMilliseconds,
        MinSessionTimeoutMs = (int)options.SessionTimeoutMin.TotalMilliseconds,
        MaxSessionTimeoutMs = (int)options.SessionTimeoutMax.TotalMilliseconds,
        ExtendedTypesEnabled = options.ExtendedTypesEnabled,
        EnforceQuota = options.EnforceQuota,
        DigestEnabled = options.DigestEnabled,
        CloseSessionTxnEnabled = options.CloseSessionTxnEnabled,
        ReconfigEnabled = options.ReconfigEnabled,
        RequestBytesMax = options.PacketBytesMax,
        ReplyBytesMax = ReplyBytesMaxOf(options),
        LinkOutputBytesMax = ReplyBytesMaxOf(options) + LinkBytesBesidesReply,
        SnapshotTxnCount = options.InMemory ? int.MaxValue : options.SnapCount,
        SnapshotLogBytes = options.InMemory ? 0 : options.SnapSizeLimitBytes,
        ContainerCheckIntervalMs = (int)options.ContainerCheckInterval.TotalMilliseconds,
        ContainerRemovalsPerMinuteMax = options.ContainerRemovalsPerMinuteMax,
        ContainerMaxNeverUsedMs = (long)options.ContainerNeverUsedMax.TotalMilliseconds,
    };

    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message =
        "Recovered {Directory}: {Znodes} znodes, {Sessions} sessions, last zxid {Zxid}, {Txns} transactions from the "
        + "log, in {ElapsedMs} ms.")]
    private partial void LogRecovered(
        string directory, int znodes, int sessions, SharpKeeper.Protocol.Zxid zxid, long txns, long elapsedMs);

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "{Notice}")]
    private partial void LogNotice(string notice);

    [LoggerMessage(EventId = 3, Level = LogLevel.Information, Message =
        "Serving clients on {Address}, data in {Directory}.")]
    private partial void LogServing(IPEndPoint address, string directory);

    [LoggerMessage(EventId = 4, Level = LogLevel.Warning, Message =
        "forceSync=no: writes are acknowledged before they are on disk. A power failure or a crash of the operating "
        + "system LOSES acknowledged writes. Remove forceSync=no unless the data may be lost.")]
    private partial void LogUnsynced();

    [LoggerMessage(EventId = 5, Level = LogLevel.Information, Message = "Stopped.")]
    private partial void LogStopped();

    [LoggerMessage(EventId = 6, Level = LogLevel.Critical, Message = "The server cannot go on: {Reason}")]
    private partial void LogFatal(string reason, Exception exception);
}
