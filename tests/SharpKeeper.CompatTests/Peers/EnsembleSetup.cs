namespace SharpKeeper.CompatTests.Peers;

/// <summary>Whose program a server of an ensemble runs.</summary>
public enum ServerKind
{
    /// <summary>Apache ZooKeeper.</summary>
    Apache,

    /// <summary>SharpKeeper.</summary>
    SharpKeeper,
}

/// <summary>How an <see cref="Ensemble"/> is made.</summary>
public sealed record EnsembleSetup
{
    /// <summary>The program of each server; ids count from 1.</summary>
    public required IReadOnlyList<ServerKind> Kinds { get; init; }

    /// <summary>Ids of servers that do not vote.</summary>
    public IReadOnlySet<int> Observers { get; init; } = new HashSet<int>();

    /// <summary>Ids of servers that are in no configuration but their own at first.</summary>
    public IReadOnlySet<int> Outsiders { get; init; } = new HashSet<int>();

    /// <summary>Lines of zoo.cfg, added to the defaults or instead of them.</summary>
    public IReadOnlyDictionary<string, string> Config { get; init; } = new Dictionary<string, string>();

    /// <summary>Settings that are given to the programs as -D arguments.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();

    /// <summary>The unit of time, milliseconds.</summary>
    public int TickTimeMs { get; init; } = 500;

    /// <summary>May the configuration be changed by clients?</summary>
    public bool CanReconfigure { get; init; }

    /// <summary>Do servers talk through proxies that the test can cut?</summary>
    public bool HasLinks { get; init; }

    /// <summary>
    /// Stands for the directory of a server's data, where something else than a plain directory is wanted.
    /// </summary>
    public Func<int, string?> DataDirectory { get; init; } = _ => null;

    /// <summary>One server for each letter: A for Apache ZooKeeper, S for SharpKeeper.</summary>
    public static EnsembleSetup Of(string kinds) => new()
    {
        Kinds = [.. kinds.Select(kind => kind switch
        {
            'A' => ServerKind.Apache,
            'S' => ServerKind.SharpKeeper,
            _ => throw new ArgumentException($"{kind} stands for no kind of server.", nameof(kinds)),
        })],
    };

    /// <summary>The same with further lines of zoo.cfg.</summary>
    public EnsembleSetup With(params (string Key, string Value)[] lines)
    {
        var config = new Dictionary<string, string>(Config);
        foreach ((string key, string value) in lines)
            config[key] = value;
        return this with { Config = config };
    }
}
