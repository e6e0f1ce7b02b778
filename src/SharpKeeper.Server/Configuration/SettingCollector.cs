using System.Globalization;
using SharpKeeper.Protocol;

namespace SharpKeeper.Server.Configuration;

/// <summary>One setting as it was written.</summary>
/// <param name="Key">Its key without the prefix <c>zookeeper.</c>.</param>
/// <param name="Value">Its value without blanks around it.</param>
/// <param name="Origin">Where it was written; begins every message about it.</param>
internal sealed record SettingEntry(string Key, string Value, string Origin);

/// <summary>Gathers settings from file and properties, decides which counts, and applies them.</summary>
internal sealed class SettingCollector(string fileName)
{
    private const string Prefix = "zookeeper.";

    private readonly Dictionary<string, SettingEntry> _file = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SettingEntry> _properties = new(StringComparer.Ordinal);
    private readonly List<string> _order = [];
    private readonly List<string> _warnings = [];
    private readonly List<string> _problems = [];
    private bool _isFileBroken;

    /// <summary>The file whose settings are gathered, as messages name it.</summary>
    internal string FileName => fileName;

    internal IReadOnlyList<string> Warnings => _warnings;

    internal IReadOnlyList<string> Problems => _problems;

    /// <summary>Whether a line <c>server.N</c> says where clients connect.</summary>
    internal bool HasPortFromServerLine { get; set; }

    /// <summary>The settings that say who is in the ensemble, in the order written.</summary>
    internal IReadOnlyList<SettingEntry> MemberLines =>
        [.. _order.Where(IsMemberKey).Select(Choose)];

    /// <summary>All other settings, in the order written.</summary>
    internal IReadOnlyList<SettingEntry> OtherLines =>
        [.. _order.Where(static key => !IsMemberKey(key)).Select(Choose)];

    internal void AddProblem(string problem) => _problems.Add(problem);

    internal void AddWarning(string warning) => _warnings.Add(warning);

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
        bool hasPort = Has("clientPort") || HasPortFromServerLine || overrides.Port is not null;
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
        foreach (SettingEntry entry in OtherLines)
            options = Apply(options, entry);
        WarnOfLaterCapabilities(options);
        return options;
    }

    internal bool Has(string key) => _file.ContainsKey(key) || _properties.ContainsKey(key);

    /// <summary>Takes away a setting that is a hexadecimal number; 0, with a problem noted, if it is none.</summary>
    internal long TakeHexadecimal(string key)
    {
        if (!_order.Remove(key))
        {
            _problems.Add($"{fileName}: {key} is not set");
            return 0;
        }
        SettingEntry entry = Choose(key);
        if (long.TryParse(entry.Value, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long value))
            return value;
        _problems.Add($"{entry.Origin}: {key}={entry.Value} is not valid; allowed: a hexadecimal number");
        return 0;
    }

    /// <summary>Does the key say who is in the ensemble?</summary>
    internal static bool IsMemberKey(string key) => key.StartsWith("server.", StringComparison.Ordinal)
        || key.StartsWith("group.", StringComparison.Ordinal) || key.StartsWith("weight.", StringComparison.Ordinal);

    private void Add(Dictionary<string, SettingEntry> target, string name, string value, string origin)
    {
        string key = name.Trim();
        if (key.StartsWith(Prefix, StringComparison.Ordinal))
            key = key[Prefix.Length..];
        if (target.TryGetValue(key, out SettingEntry? earlier) && earlier.Value != value.Trim())
            _warnings.Add($"{origin}: {key} was already set by {earlier.Origin}; the later one counts");
        if (!Has(key))
            _order.Add(key);
        target[key] = new SettingEntry(key, value.Trim(), origin);
    }

    private SettingEntry Choose(string key)
    {
        bool inFile = _file.TryGetValue(key, out SettingEntry? file);
        bool inProperties = _properties.TryGetValue(key, out SettingEntry? property);
        if (!inFile || !inProperties)
            return (file ?? property)!;
        bool propertyFirst = SettingTable.Find(key)?.Effect == SettingEffect.AppliedPropertyFirst;
        (SettingEntry winner, SettingEntry loser) = propertyFirst ? (property!, file!) : (file!, property!);
        if (winner.Value != loser.Value)
            _warnings.Add($"{loser.Origin}: {key} does not count, since {winner.Origin} wins over it");
        return winner;
    }

    private ServerOptions Apply(ServerOptions options, SettingEntry entry)
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

    private ServerOptions Read(ServerOptions options, SettingEntry entry, Setting setting)
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

    private void WarnOfUnknown(SettingEntry entry)
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
