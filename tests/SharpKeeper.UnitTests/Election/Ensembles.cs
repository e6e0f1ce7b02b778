using SharpKeeper.Core;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.ElectionTests;

/// <summary>Configurations for tests, and short words for what they are made of.</summary>
internal static class Ensembles
{
    public static EnsembleConfig Of(int voters, int observers = 0, long version = 0)
    {
        IEnumerable<string> lines = Enumerable.Range(1, voters + observers)
            .Select(id => Line(id, id <= voters ? "participant" : "observer"));
        return Parse(string.Join('\n', lines) + $"\nversion={version:x}");
    }

    /// <summary>Three groups of three; the third group's servers weigh nothing.</summary>
    public static EnsembleConfig InGroups()
    {
        IEnumerable<string> servers = Enumerable.Range(1, 9).Select(id => Line(id, "participant"));
        IEnumerable<string> weights = Enumerable.Range(1, 9).Select(id => $"weight.{id}={(id <= 6 ? 1 : 0)}");
        return Parse(string.Join('\n', [.. servers, "group.1=1:2:3", "group.2=4:5:6", "group.3=7:8:9", .. weights])
            + "\nversion=0");
    }

    public static EnsembleConfig Parse(string text)
    {
        Assert.True(EnsembleConfig.TryParse(text, out EnsembleConfig? config, out string problem), problem);
        return config;
    }

    public static EnsembleOptions Options(EnsembleConfig config, long self, PlantedBug bugs = PlantedBug.None) =>
        new() { Self = new ServerId(self), Config = config, Bugs = bugs };

    public static Membership Members(EnsembleConfig config, EnsembleConfig? next = null) => new(config, next);

    private static string Line(int id, string role) => $"server.{id}=127.0.0.1:{2000 + id}:{3000 + id}:{role}";
}
