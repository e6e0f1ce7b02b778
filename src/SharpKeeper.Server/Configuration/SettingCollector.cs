using SharpKeeper.Protocol;

namespace SharpKeeper.Server.Configuration;

/// <summary>Gathers settings from file and properties, decides which counts, and applies them.</summary>
internal sealed class SettingCollector(string fileName)
{
    private const string Prefix = "zookeeper.";

    private readonly Dictionary<string, Entry> _file = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Entry> _properties = new(StringComparer.Ordinal);
    private readonly List<string> _order = [];
    private readonly List<string> _warnings = [];
    private readonly List<string> _problems = [];
    private bool _isFileBroken;
    private bool _portFromServerLine;

    /// <summary>One setting as it was written. <c>Origin</c> begins every message about it.</summary>
    private sealed record Entry(string Key, string Value, string Origin);

    internal IReadOnlyList<string> Warnings => _warnings;

    internal void AddProblem(string problem) => _problems.Add(problem);

    internal void AddFile(string text)
    {
        try
        {
            foreach (Property property in PropertiesReader.Read(text))
                Add(_file, property.Key, property.Value, $"{fileName} line {property.Line}");
        }
        catch (PropertiesSyntaxException e)
        {
            _isFileBroken = true;
            _problems.Add($"{fileName} line {e.Line}: {e.Message}");
        }
    }

    internal void AddProperty(string name, string value) => Add(_properties, name, value, $"-D{name.Trim()}");

    internal void ThrowIfProblems(IReadOnlyList<string> more)
    {
        // Values that could not be read leave defaults behind, so checks between values would only add noise.
        IReadOnlyList<string> all = _problems.Count > 0 ? _problems : more;
        if (all.Count > 0)
            throw new ServerConfigurationException(all);
    }

    /// <summary>Rules on what must be there together, which the options alone cannot show.</summary>
    internal void CheckPairs(bool isFile, ServerOverrides overrides)
    {
        bool hasPort = Has("clientPort") || _portFromServerLine || overrides.Port is not null;
        if (!isFile || _isFileBroken)
            return;
        if (!Has("dataDir") && overrides.DataDir is null && !overrides.InMemory)
            _problems.Add($"{fileName}: dataDir is not set; add a line dataDir=/path/to/data");
        if (hasPort || _problems.Count > 0)
            return;
        _problems.Add(Has("clientPortAddress")
            ? $"{fileName}: clientPortAddress is set but clientPort is not; add a line clientPort=2181"
            : $"{fileName}: clientPort is not set, so clients could not connect; add a line clientPort=2181");
    }

    internal ServerOptions ApplyTo(ServerOptions options)
    {
        List<Entry> chosen = [.. _order.Select(Choose)];
        options = ApplyServerLines(options, chosen);
        foreach (Entry entry in chosen)
        {
            if (!IsServerLine(entry.Key))
                options = Apply(options, entry);
        }
        WarnOfLaterCapabilities(options);
        return options;
    }

    private static bool IsServerLine(string key) => key.StartsWith("server.", StringComparison.Ordinal);

    private bool Has(string key) => _file.ContainsKey(key) || _properties.ContainsKey(key);

    private void Add(Dictionary<string, Entry> target, string name, string value, string origin)
    {
        string key = name.Trim();
        if (key.StartsWith(Prefix, StringComparison.Ordinal))
            key = key[Prefix.Length..];
        if (target.TryGetValue(key, out Entry? earlier) && earlier.Value != value.Trim())
            _warnings.Add($"{origin}: {key} was already set by {earlier.Origin}; the later one counts");
        if (!Has(key))
            _order.Add(key);
        target[key] = new Entry(key, value.Trim(), origin);
    }

    private Entry Choose(string key)
    {
        bool inFile = _file.TryGetValue(key, out Entry? file);
        bool inProperties = _properties.TryGetValue(key, out Entry? property);
        if (!inFile || !inProperties)
            return (file ?? property)!;
        bool propertyFirst = SettingTable.Find(key)?.Effect == SettingEffect.AppliedPropertyFirst;
        (Entry winner, Entry loser) = propertyFirst ? (property!, file!) : (file!, property!);
        if (winner.Value != loser.Value)
            _warnings.Add($"{loser.Origin}: {key} does not count, since {winner.Origin} wins over it");
        return winner;
    }

    private ServerOptions Apply(ServerOptions options, Entry entry)
    {
        if (RefusedSettings.FindCapability(entry.Key) is string capability)
        {
            if (!RefusedSettings.AsksForNothing(entry.Key, entry.Value))
                _problems.Add($"{entry.Origin}: {entry.Key} asks for {capability}; remove it");
            return options;
        }
        if (SettingTable.Find(entry.Key) is not Setting setting)
        {
            WarnOfUnknown(entry);
            return options;
        }
        if (setting.Note is string note)
            _warnings.Add($"{entry.Origin}: {entry.Key} has no effect: {note}");
        return Read(options, entry, setting);
    }

    private ServerOptions Read(ServerOptions options, Entry entry, Setting setting)
    {
        SettingValue value = new(entry.Key, entry.Value);
        try
        {
            options = setting.Apply(options, value);
        }
        catch (SettingException e)
        {
            string shown = entry.Key.Contains("superDigest", StringComparison.Ordinal) ? "(hidden)" : entry.Value;
            _problems.Add($"{entry.Origin}: {entry.Key}={shown} is not valid; allowed: {e.Message}");
        }
        foreach (string warning in value.Warnings)
            _warnings.Add($"{entry.Origin}: {warning}");
        return options;
    }

    /// <summary>A single server line makes no ensemble: Apache runs such a file standalone, and so does this.</summary>
    private ServerOptions ApplyServerLines(ServerOptions options, List<Entry> chosen)
    {
        List<Entry> lines = [.. chosen.Where(static entry => IsServerLine(entry.Key))];
        if (lines.Count == 0)
            return options;
        if (lines.Count > 1)
        {
            _problems.Add($"{lines[1].Origin}: {lines.Count} server lines ask for an ensemble of servers; this " +
                "release runs a single one; remove them");
            return options;
        }
        _warnings.Add($"{lines[0].Origin}: only one server is configured, so it runs standalone and " +
            $"{lines[0].Key} is ignored");
        return Has("clientPort") ? options : ApplyClientPart(options, lines[0]);
    }

    /// <summary>The client port of <c>server.N=host:port:port;[address:]clientPort</c> still counts.</summary>
    private ServerOptions ApplyClientPart(ServerOptions options, Entry line)
    {
        string[] parts = line.Value.Split(';');
        if (parts.Length < 2)
            return options;
        int colon = parts[1].LastIndexOf(':');
        _portFromServerLine = true;
        options = Read(options, line with { Value = parts[1][(colon + 1)..] }, SettingTable.ByKey["clientPort"]);
        return colon < 0 ? options
            : Read(options, line with { Value = parts[1][..colon] }, SettingTable.ByKey["clientPortAddress"]);
    }

    private void WarnOfUnknown(Entry entry)
    {
        string? near = NearestName.Find(entry.Key, SettingTable.ByKey.Keys.Concat(RefusedSettings.Keys));
        string hint = near is null ? "" : $"; did you mean {near}?";
        _warnings.Add($"{entry.Origin}: {entry.Key} is not a setting of this server and is ignored{hint}");
    }

    private void WarnOfLaterCapabilities(ServerOptions options)
    {
        if (options.Admin.Enabled && options.Admin != new AdminOptions())
            _warnings.Add("admin.* settings were read, but this release has no admin server yet");
        if (options.MetricsProvider is string provider && !provider.EndsWith("DefaultMetricsProvider",
            StringComparison.Ordinal))
        {
            _warnings.Add("metricsProvider.* settings were read, but this release exports no metrics yet; " +
                "the four-letter word mntr shows them");
        }
    }
}
