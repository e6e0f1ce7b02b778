using System.Runtime.CompilerServices;
using SharpKeeper.Server.Configuration;

namespace SharpKeeper.ServerTests;

public sealed class ConfigurationGuideTests
{
    [Fact]
    public void Guide_names_every_key()
    {
        string guide = File.ReadAllText(FindGuide());
        IEnumerable<string> keys = SettingTable.ByKey.Keys
            .Concat(RefusedSettings.Keys)
            .Concat(RefusedSettings.Prefixes.Select(static prefix => prefix + "*"));
        Assert.Equal([], keys.Where(key => !guide.Contains($"`{key}`", StringComparison.Ordinal)));
    }

    /// <summary>The guide above this file, or above the tests where the sources have moved since the build.</summary>
    private static string FindGuide([CallerFilePath] string here = "")
    {
        foreach (string start in new[] { here, AppContext.BaseDirectory })
        {
            for (string? d = Path.GetDirectoryName(start); d is not null; d = Path.GetDirectoryName(d))
            {
                string guide = Path.Combine(d, "docs", "guide", "configuration.md");
                if (File.Exists(guide))
                    return guide;
            }
        }
        throw new FileNotFoundException("docs/guide/configuration.md is not above " + here);
    }
}
