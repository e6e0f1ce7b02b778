using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using SharpKeeper.Core;
using SharpKeeper.Core.Log;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;
using SharpKeeper.Server.Peers;
using SharpKeeper.Server.Storage;

namespace SharpKeeper.Server.Runtime;

/// <summary>
/// Does what the replica of an ensemble wants done: messages to the other servers, epochs and logs on disk, transfers.
/// Nothing here waits on the replica's thread; what is done comes back as work for the <see cref="ReplicaDriver"/>.
/// </summary>
internal sealed partial class EnsembleDriver : IAsyncDisposable
{
    // initLimit says how long a transfer may stand still; a busy machine needs some time, and polls take half an hour.
    private const double TransferSilenceMsMin = 5_000;
    private const double TransferSilenceMsMax = 1_800_000;

    private readonly EnsembleSettings settings;
    private readonly ServerRuntime runtime;
    private readonly ReplicaDriver driver;
    private readonly IStorageDevice device;
    private readonly EpochFiles epochs;
    private readonly LogWriter log;
    private readonly RecoveryOptions recovery;
    private readonly ILogger logger;
    private readonly Action<Exception> fatal;
    private readonly ElectionNetwork election;
    private readonly QuorumNetwork quorum;
    private readonly SerialWorker files;
    private readonly CancellationTokenSource stopping = new();
    private EnsembleTicker? ticker;
    private EnsembleConfig config;
    private EnsembleConfig? nextConfig;

    /// <summary>Puts the parts together; <see cref="StartAsync"/> opens the election port.</summary>
    public EnsembleDriver(
        ServerRuntime runtime, IStorageDevice device, EpochFiles epochs, LogWriter log, RecoveryOptions recovery,
        ILogger logger, Action<Exception> fatal)
    {
        this.runtime = runtime;
        this.device = device;
        this.epochs = epochs;
        this.log = log;
        this.recovery = recovery;
        this.logger = logger;
        this.fatal = fatal;
        settings = runtime.Options.Ensemble!;
        config = settings.Config;
        nextConfig = settings.NextConfig;
        driver = runtime.Driver;
        election = new ElectionNetwork(ElectionOptions(), driver, logger);
        quorum = new QuorumNetwork(QuorumOptions(), driver, logger);
        files = new SerialWorker("ensemble-files", fatal);
        driver.IsVoteLinkUp = election.IsConnected;
        driver.Perform = Perform;
    }

    /// <summary>The connections between election ports.</summary>
    public ElectionNetwork Election => election;

    /// <summary>The connections between leader and learners.</summary>
    public QuorumNetwork Quorum => quorum;

    /// <summary>Opens the election port and starts the replica's time.</summary>
    /// <exception cref="IOException">The port cannot be had.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        election.Use(config, nextConfig);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stopping.Token);
        await election.ListenAsync(OwnAddresses(static it => it.ElectionPort), ends.Token).ConfigureAwait(false);
        ticker = new EnsembleTicker(driver);
    }

    /// <summary>Closes all connections to other servers and ends all threads; the log is still open.</summary>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        ticker?.Dispose();
        // Votes end first: else a server that is about to go would tell those whose links it closes that it leads.
        await election.DisposeAsync().ConfigureAwait(false);
        await quorum.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(TakeTransfers()).ConfigureAwait(false);
        files.Dispose();
    }

    /// <summary>Does one thing; on the replica's thread.</summary>
    private void Perform(Effect effect)
    {
        switch (effect.Kind)
        {
            case EffectKind.SendVote:
                election.Send(effect.Server, effect.Bytes!);
                break;
            case EffectKind.DialLeader:
                quorum.Dial(effect.Link!, AddressesOf(effect.Server, static it => it.QuorumPort));
                break;
            case EffectKind.ListenForLearners:
                quorum.Listen(OwnAddresses(static it => it.QuorumPort));
                break;
            case EffectKind.StopListening:
                quorum.StopListening();
                break;
            case EffectKind.UseConfig:
                UseConfig(effect.Config!, effect.NextConfig);
                break;
            case EffectKind.HangUpClients:
                runtime.HangUpClients();
                break;
            case EffectKind.SendSnapshot:
                SendSnapshot(effect.Link!);
                break;
            case EffectKind.QueryLog:
                QueryLog(effect.Link!, effect.Zxid);
                break;
            case EffectKind.SendLog:
                SendLog(effect.Link!, effect.Zxid, effect.UpTo);
                break;
            default:
                PerformOnDisk(effect);
                break;
        }
    }

    private void PerformOnDisk(Effect effect)
    {
        switch (effect.Kind)
        {
            case EffectKind.PersistAcceptedEpoch:
                Persist(() => epochs.SaveAccepted(effect.Number), () => driver.PostAcceptedEpoch(effect.Number));
                break;
            case EffectKind.PersistCurrentEpoch:
                Persist(() => epochs.SaveCurrent(effect.Number), () => driver.PostCurrentEpoch(effect.Number));
                break;
            case EffectKind.TruncateLog:
                TruncateLog(effect.Zxid, reloads: effect.Number == 1);
                break;
            case EffectKind.InstallSnapshot:
                InstallSnapshot();
                break;
            default:
                throw new InvariantException($"unknown effect {effect.Kind}");
        }
    }

    private void UseConfig(EnsembleConfig committed, EnsembleConfig? next)
    {
        IReadOnlyList<PeerAddress> before = OwnAddresses(static it => it.ElectionPort);
        ClientAddress? clientsBefore = Find(config, settings.Self)?.Client;
        config = committed;
        nextConfig = next;
        election.Use(committed, next);
        KeepConfig(committed, next);
        IReadOnlyList<PeerAddress> now = OwnAddresses(static it => it.ElectionPort);
        if (!before.SequenceEqual(now))
            _ = MoveElectionPortAsync(now);
        if (Find(committed, settings.Self)?.Client is { } clients && clients != clientsBefore)
            files.Post(() => MoveClientPort(clients));
    }

    private void MoveClientPort(ClientAddress clients)
    {
        try
        {
            var address = new PeerAddress(clients.Host, clients.Port);
            IPEndPoint end = PeerDialer.ResolveAsync(address, stopping.Token).AsTask().GetAwaiter().GetResult()[0];
            runtime.Transport!.MoveTo(end, runtime.Options.ListenBacklog);
            LogClientPort(runtime.Transport.LocalEndPoint);
        }
        catch (SocketException exception)
        {
            LogClientPortFailed(clients.Host, clients.Port, exception.Message, runtime.Transport!.LocalEndPoint);
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    private async Task MoveElectionPortAsync(IReadOnlyList<PeerAddress> addresses)
    {
        try
        {
            await election.ListenAsync(addresses, stopping.Token).ConfigureAwait(false);
        }
        catch (IOException exception)
        {
            fatal(exception);
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    private PeerAddress[] OwnAddresses(Func<ServerAddress, int> port)
    {
        PeerAddress[] own = AddressesOf(settings.Self, port);
        // A server that was removed goes on where it was.
        return own.Length > 0 ? own : AddressesOf(Find(settings.Config, settings.Self), port);
    }

    private PeerAddress[] AddressesOf(ServerId id, Func<ServerAddress, int> port) =>
        AddressesOf(Find(config, id) ?? (nextConfig is { } next ? Find(next, id) : null), port);

    private static PeerAddress[] AddressesOf(EnsembleServer? server, Func<ServerAddress, int> port) =>
        server is null ? [] : [.. server.Addresses.Select(it => new PeerAddress(it.Host, port(it)))];

    private static EnsembleServer? Find(EnsembleConfig config, ServerId id) =>
        config.Servers.FirstOrDefault(server => server.Id == id);

    private ElectionNetworkOptions ElectionOptions() => new()
    {
        Self = settings.Self,
        ConnectTimeout = settings.ElectionConnectTimeout,
        HandshakeTimeout = settings.ElectionHandshakeTimeout ?? settings.SyncLimitTicks * runtime.Options.TickTime,
        BindRetries = settings.ElectionBindRetries,
        ConnectsMax = settings.ElectionConnectsMax,
        ListensOnAllAddresses = settings.ListensOnAllAddresses,
        MultiAddress = settings.MultiAddressEnabled,
        KeepAlive = settings.TcpKeepAlive,
    };

    private QuorumNetworkOptions QuorumOptions() => new()
    {
        TransferSilenceMax = TimeSpan.FromMilliseconds(Math.Clamp(
            settings.InitLimitTicks * runtime.Options.TickTime.TotalMilliseconds,
            TransferSilenceMsMin, TransferSilenceMsMax)),
        PacketBytesMax = settings.ToReplicaOptions(runtime.Options, 0, 0).PacketBytesMax,
        ConnectRetryDelayMax = settings.ConnectRetryDelay,
        ListensOnAllAddresses = settings.ListensOnAllAddresses,
        KeepAlive = settings.TcpKeepAlive,
        LoadSnapshot = source => BulkWork.Run(() =>
        {
            SnapshotStream loaded = SnapshotStream.Load(source, recovery);
            return new LoadedSnapshot(loaded.Tree, loaded.Sessions, loaded.Rest.ToArray());
        }),
    };

    [LoggerMessage(EventId = 222, Level = LogLevel.Information, Message =
        "Serving clients on {Address} from now on, as the configuration of the ensemble says.")]
    private partial void LogClientPort(IPEndPoint address);

    [LoggerMessage(EventId = 223, Level = LogLevel.Error, Message =
        "The configuration of the ensemble says that clients connect to {Host}:{Port}, which cannot be listened on: "
        + "{Reason}. Clients are still served on {Address}.")]
    private partial void LogClientPortFailed(string host, int port, string reason, IPEndPoint address);
}
