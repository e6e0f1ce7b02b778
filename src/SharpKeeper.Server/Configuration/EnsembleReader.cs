using System.Globalization;
using System.Net;
using System.Text;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Server.Configuration;

/// <summary>The text of a file, or null if there is none.</summary>
/// <exception cref="ServerConfigurationException">There is one, and it cannot be read.</exception>
internal delegate string? FileReader(string path);

/// <summary>
/// Finds out who is in the ensemble and which of them this server is: from the lines <c>server.N</c>, <c>group.N</c>
/// and
/// <c>weight.N</c>, from the dynamic configuration files and from <c>myid</c>, by the rules of Apache.
/// </summary>
internal sealed class EnsembleReader(SettingCollector collector, ServerOverrides overrides, FileReader readFile)
{
    private const string VersionKey = "version";
    private const long ServerIdMax = 255;

    private readonly record struct Members(IReadOnlyList<SettingEntry> Lines, long Version, string File);

    /// <summary>Adds the ensemble, if the settings describe one. Problems go to the collector.</summary>
    internal ServerOptions Apply(ServerOptions options)
    {
        EnsembleSettings keys = options.EnsembleKeys;
        if (FindMembers(keys) is not Members members)
            return options;
        if (members.Lines.Count == 0)
        {
            if (!keys.StandaloneEnabled)
                collector.AddProblem($"{members.File}: standaloneEnabled=false needs at least one line server.N");
            return options;
        }
        if (Parse(members) is not EnsembleConfig config)
            return options;
        if (config.Voters.Count == 1 && keys.StandaloneEnabled)
            return ApplyToStandalone(options, config, members);
        return ApplyToEnsemble(options, keys with { Config = config }, members);
    }

    private Members? FindMembers(EnsembleSettings keys)
    {
        IReadOnlyList<SettingEntry> lines = collector.MemberLines;
        if (keys.DynamicConfigFile is not string path)
            return new Members(lines, 0, collector.FileName);
        if (lines.Count > 0)
        {
            SettingEntry line = lines[0];
            collector.AddProblem($"{line.Origin}: {line.Key} must stand in {path}, which dynamicConfigFile names; " +
                "move all lines server.N, group.N and weight.N there");
            return null;
        }
        return ReadMembers(path, isNext: false);
    }

    private Members? ReadMembers(string path, bool isNext)
    {
        string? text = readFile(path);
        if (text is null)
        {
            collector.AddProblem($"there is no file {path}, which dynamicConfigFile names");
            return null;
        }
        SettingCollector file = new(path);
        file.AddFile(text);
        long version = isNext ? file.TakeHexadecimal(VersionKey) : VersionOf(path);
        foreach (SettingEntry entry in file.OtherLines)
        {
            file.AddProblem(entry.Key == VersionKey
                ? $"{entry.Origin}: the version of this file is the end of its name; remove the line"
                : $"{entry.Origin}: {entry.Key} is no setting of a dynamic configuration; move it to " +
                    collector.FileName);
        }
        foreach (string problem in file.Problems)
            collector.AddProblem(problem);
        return file.Problems.Count > 0 ? null : new Members(file.MemberLines, version, path);
    }

    /// <summary>The hexadecimal number behind the last dot of the name; 0 if that is none.</summary>
    internal static long VersionOf(string path)
    {
        ReadOnlySpan<char> name = Path.GetFileName(path.AsSpan());
        int dot = name.LastIndexOf('.');
        return dot >= 0 && long.TryParse(
            name[(dot + 1)..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long version)
            ? version : 0;
    }

    private EnsembleConfig? Parse(Members members)
    {
        StringBuilder text = new();
        foreach (SettingEntry line in members.Lines)
            text.Append(line.Key).Append('=').Append(line.Value).Append('\n');
        if (EnsembleConfig.TryParse(text.ToString(), out EnsembleConfig? config, out string problem))
            return config.WithVersion(members.Version);
        SettingEntry? culprit = members.Lines.FirstOrDefault(
            line => problem.Contains(line.Key, StringComparison.Ordinal));
        collector.AddProblem($"{culprit?.Origin ?? members.File}: {problem}");
        return null;
    }

    /// <summary>One voter makes no ensemble: Apache runs such a file standalone, and so does this.</summary>
    private ServerOptions ApplyToStandalone(ServerOptions options, EnsembleConfig config, Members members)
    {
        if (config.Servers.Count > 1)
        {
            collector.AddProblem($"{members.File}: observers need an ensemble, and a single voter runs standalone; " +
                "add voters, or standaloneEnabled=false");
            return options;
        }
        EnsembleServer server = config.Servers[0];
        SettingEntry line = LineOf(members, server.Id);
        collector.AddWarning($"{line.Origin}: only one server is configured, so it runs standalone and " +
            $"{line.Key} is ignored");
        return collector.Has("clientPort") ? options : ApplyClient(options, server.Client, line);
    }

    private ServerOptions ApplyToEnsemble(ServerOptions options, EnsembleSettings ensemble, Members members)
    {
        if (options.InMemory)
            collector.AddProblem("--memory is for a server that stands alone: one of an ensemble must remember its " +
                "votes");
        if (!ensemble.DatabaseAutoCreate)
        {
            collector.AddProblem("db.autocreate=false keeps an empty server from voting in an ensemble, which this " +
                "release does not do; remove it");
        }
        WarnOfNumbers(ensemble.Config);
        WarnOfSessionIds(ensemble.Config, members);
        WarnOfIgnored(options, ensemble);
        ensemble = ensemble with { NextConfig = ReadNext(options, ensemble) };
        if (options.DataDir.Length == 0 || ReadSelf(options.DataDir, ensemble) is not ServerId self)
            return options;
        ensemble = ensemble with { Self = self };
        if ((ensemble.Config.Find(self) ?? ensemble.NextConfig?.Find(self)) is EnsembleServer server)
        {
            SettingEntry line = LineOf(members, self);
            options = ApplyOwnClient(options, server.Client, line);
            ensemble = ensemble with { IsObserver = RoleOf(ensemble, server, line) };
        }
        return options with { Ensemble = ensemble };
    }

    private void WarnOfNumbers(EnsembleConfig config)
    {
        int voters = config.Voters.Count;
        if (voters <= 2)
        {
            collector.AddWarning($"with {(voters == 1 ? "one voter" : "two voters")} the ensemble does not survive " +
                "the loss of any; three are needed for that");
        }
        else if (voters % 2 == 0)
        {
            collector.AddWarning($"{voters} voters survive no more losses than {voters - 1}; an odd number is better");
        }
    }

    /// <summary>Session ids hold the low byte of the number of the server that began them, as Apache's do.</summary>
    private void WarnOfSessionIds(EnsembleConfig config, Members members)
    {
        var byLowByte = new Dictionary<byte, EnsembleServer>();
        foreach (EnsembleServer server in config.Servers)
        {
            byte lowByte = (byte)server.Id.Value;
            SettingEntry line = LineOf(members, server.Id);
            if (!byLowByte.TryAdd(lowByte, server))
            {
                EnsembleServer other = byLowByte[lowByte];
                collector.AddWarning($"{line.Origin}: {line.Key} and server.{other.Id} " +
                    $"({LineOf(members, other.Id).Origin}) may begin sessions with the SAME id, of which their " +
                    $"numbers give only the last byte, {lowByte} for both; use numbers from 1 to {ServerIdMax}");
            }
            else if (server.Id.Value > ServerIdMax)
            {
                collector.AddWarning($"{line.Origin}: session ids hold only the last byte of the number of " +
                    $"{line.Key}, which is {lowByte}; never add a server.{lowByte}, or use numbers from 1 to {ServerIdMax}");
            }
        }
    }

    /// <summary>What is asked for and not done, where doing otherwise is safe.</summary>
    private void WarnOfIgnored(ServerOptions options, EnsembleSettings ensemble)
    {
        if (options.LocalSessionsUpgradingEnabled && !options.LocalSessionsEnabled)
            collector.AddWarning("localSessionsUpgradingEnabled has no effect without localSessionsEnabled=true");
    }

    /// <summary>What was proposed when the server ended is needed until it is known whether it was committed.</summary>
    private EnsembleConfig? ReadNext(ServerOptions options, EnsembleSettings ensemble)
    {
        if (!options.ReconfigEnabled || ensemble.DynamicConfigFile is null || options.ConfigFile is null)
            return null;
        string path = DynamicConfigFiles.NextPath(options.ConfigFile);
        if (readFile(path) is null || ReadMembers(path, isNext: true) is not Members members)
            return null;
        EnsembleConfig? next = Parse(members);
        return next?.Version > ensemble.Config.Version ? next : null;
    }

    private ServerId? ReadSelf(string dataDir, EnsembleSettings ensemble)
    {
        string path = Path.Combine(dataDir, "myid");
        IEnumerable<ServerId> known = ensemble.Config.Servers.Concat(ensemble.NextConfig?.Servers ?? [])
            .Select(static server => server.Id).Distinct().Order();
        string ids = string.Join(", ", known);
        string cure = $"write this server's number into it, which is one of {ids}";
        string? line = readFile(path)?.Split('\n')[0].Trim();
        if (line is null)
            collector.AddProblem($"the file {path} is missing; {cure}");
        else if (line.Length == 0)
            collector.AddProblem($"the first line of {path} is empty; {cure}");
        else if (!long.TryParse(line, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long id))
            collector.AddProblem($"{path}: {Shorten(line)} is not a number; {cure}");
        else if (known.Contains(new ServerId(id)))
            return new ServerId(id);
        else
            collector.AddProblem($"{path} says {id}, but there is no line server.{id}; {cure}, or add the line");
        return null;
    }

    private static string Shorten(string text) => text.Length <= 40 ? text : text[..40] + "...";

    private bool RoleOf(EnsembleSettings ensemble, EnsembleServer server, SettingEntry line)
    {
        bool isObserver = server.Role == ServerRole.Observer;
        if (collector.Has("peerType") && ensemble.IsObserver != isObserver)
        {
            collector.AddWarning($"{line.Origin}: {line.Key} makes this server " +
                $"{(isObserver ? "an observer" : "a participant")}, and peerType does not count against it");
        }
        return isObserver;
    }

    /// <summary>The client address may stand in both places, but must then be the same.</summary>
    private ServerOptions ApplyOwnClient(ServerOptions options, ClientAddress? client, SettingEntry line)
    {
        if (client is null)
            return options;
        ServerOptions dynamic = ApplyClient(options, client, line);
        bool isStaticElsewhere = collector.Has("clientPort") && overrides.Port is null && overrides.Listen is null
            && (options.ClientPort != dynamic.ClientPort
                || (options.ClientAddress is not null && !options.ClientAddress.Equals(dynamic.ClientAddress)));
        if (isStaticElsewhere)
        {
            collector.AddProblem($"{line.Origin}: {line.Key} says that clients connect to " +
                $"{client.Host}:{client.Port}, and clientPort and clientPortAddress say {Describe(options)}; remove " +
                "those two lines");
        }
        return dynamic;
    }

    private static string Describe(ServerOptions options) =>
        new IPEndPoint(options.ClientAddress ?? IPAddress.Any, options.ClientPort).ToString();

    private ServerOptions ApplyClient(ServerOptions options, ClientAddress? client, SettingEntry line)
    {
        if (client is null)
            return options;
        collector.HasPortFromServerLine = true;
        if (overrides.Port is null)
            options = options with { ClientPort = client.Port };
        if (overrides.Listen is not null)
            return options;
        try
        {
            return options with { ClientAddress = new SettingValue(line.Key, client.Host).Address() };
        }
        catch (SettingException e)
        {
            collector.AddProblem($"{line.Origin}: {line.Key}: clients cannot connect to {client.Host}; allowed: " +
                e.Message);
            return options;
        }
    }

    private static SettingEntry LineOf(Members members, ServerId id) =>
        members.Lines.FirstOrDefault(line => line.Key == $"server.{id}")
            ?? new SettingEntry($"server.{id}", "", members.File);
}
