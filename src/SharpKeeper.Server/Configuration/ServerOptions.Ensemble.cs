using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Server;

public sealed partial record ServerOptions
{
    /// <summary>What makes this server one of an ensemble; null if it stands alone (default). Keys <c>server.N</c> and
    /// those of the guide's section on ensembles.</summary>
    public EnsembleSettings? Ensemble { get; init; }

    /// <summary>What the keys of an ensemble say, whether or not there is one; without its servers.</summary>
    internal EnsembleSettings EnsembleKeys { get; init; } = new()
    {
        Self = default,
        Config = new EnsembleConfig([], 0),
        InitLimitTicks = 0,
        SyncLimitTicks = 0,
    };

    private static void ValidateEnsemble(EnsembleSettings ensemble, Action<bool, string> require)
    {
        EnsembleServer? self = ensemble.Config.Servers.FirstOrDefault(server => server.Id == ensemble.Self);
        require(self is not null || ensemble.NextConfig?.Servers.Any(server => server.Id == ensemble.Self) == true,
            $"no line server.{ensemble.Self} describes this server, whose number is {ensemble.Self}");
        require(ensemble.Config.Servers.Any(static server => server.Role == ServerRole.Participant),
            "an ensemble needs a server that votes; all server lines say observer");
        require(ensemble.InitLimitTicks > 0, "initLimit is not set; add a line initLimit=10 (ticks)");
        require(ensemble.SyncLimitTicks > 0, "syncLimit is not set; add a line syncLimit=5 (ticks)");
        require(ensemble.NotificationIntervalMin > TimeSpan.Zero
            && ensemble.NotificationIntervalMin <= ensemble.NotificationIntervalMax,
            "fastleader.minNotificationInterval must be 1 or more and not above fastleader.maxNotificationInterval");
        require(ensemble.MultiAddressEnabled
            || ensemble.Config.Servers.All(static server => server.Addresses.Count == 1),
            "a server line has several addresses (|), which needs multiAddress.enabled=true");
        foreach (EnsembleServer server in ensemble.Config.Servers)
        {
            ServerAddress? twice = server.Addresses.FirstOrDefault(static a => a.QuorumPort == a.ElectionPort);
            require(twice is null, $"server.{server.Id} has port {twice?.QuorumPort} for two things; the quorum port "
                + "and the election port must differ");
        }
        require(self?.SecureClient is null,
            $"server.{ensemble.Self} has a secure client port, which asks for TLS, which this release does not have; " +
            "remove it");
    }
}
