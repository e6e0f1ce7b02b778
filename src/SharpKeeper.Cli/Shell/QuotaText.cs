using System.Globalization;
using System.Text;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Shell;

/// <summary>
/// The content of a quota node. The "=" before the first ";" is what every ZooKeeper writes, so it is written and read.
/// </summary>
/// <param name="Count">Znodes in the subtree, its root included; -1 is no limit.</param>
/// <param name="DataBytes">Bytes of data in the subtree; -1 is no limit.</param>
/// <param name="CountHard">As <paramref name="Count"/>, but enforced.</param>
/// <param name="DataBytesHard">As <paramref name="DataBytes"/>, but enforced.</param>
internal sealed record QuotaText(long Count = -1, long DataBytes = -1, long CountHard = -1, long DataBytesHard = -1)
{
    /// <summary>Where the quotas live.</summary>
    public const string Root = "/zookeeper/quota";

    /// <summary>The node that holds the limits for a path.</summary>
    public static string LimitsPath(string path) => Root + path + "/zookeeper_limits";

    /// <summary>The node that holds the usage of a path.</summary>
    public static string StatsPath(string path) => Root + path + "/zookeeper_stats";

    /// <summary>Reads a limits or a stats node; unknown keys are left out.</summary>
    /// <exception cref="ShellCommandException">A value is not a number.</exception>
    public static QuotaText Parse(ReadOnlySpan<byte> data, string path)
    {
        QuotaText quota = new();
        foreach (string part in Encoding.UTF8.GetString(data).Split([',', ';'], StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            string key = equals < 0 ? part : part[..equals];
            string text = equals < 0 ? "" : part[(equals + 1)..].TrimEnd('=');
            long value = -1;
            if (text.Length > 0
                && !long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value))
            {
                throw new ShellCommandException(
                    $"{path} does not hold a quota: '{part}' has no number", "BadQuota", path);
            }
            quota = quota.With(key, value);
        }
        return quota;
    }

    /// <summary>The content for a limits node.</summary>
    public string Format() => string.Create(CultureInfo.InvariantCulture,
        $"{FormatUsage()}=;byteHardLimit={DataBytesHard};countHardLimit={CountHard}");

    /// <summary>The content for a stats node.</summary>
    public string FormatUsage() =>
        string.Create(CultureInfo.InvariantCulture, $"count={Count},bytes={DataBytes}");

    private QuotaText With(string key, long value) => key switch
    {
        "count" => this with { Count = value },
        "bytes" => this with { DataBytes = value },
        "countHardLimit" => this with { CountHard = value },
        "byteHardLimit" => this with { DataBytesHard = value },
        _ => this,
    };

    /// <summary>Is it the path of a quota node or of their root?</summary>
    public static bool IsQuotaPath(string path) =>
        path == Root || path.StartsWith(Root + "/", StringComparison.Ordinal);

    /// <summary>The parents of a path, nearest first, the root left out.</summary>
    public static IEnumerable<string> Ancestors(string path)
    {
        ReadOnlySpan<char> rest = path;
        List<string> ancestors = [];
        while (rest.LastIndexOf('/') is > 0 and int slash)
        {
            rest = rest[..slash];
            ancestors.Add(rest.ToString());
        }
        return ancestors;
    }

    /// <summary>Checks that a path can carry a quota at all.</summary>
    /// <exception cref="ShellCommandException">It cannot.</exception>
    public static void Validate(string path)
    {
        ShellPath.Validate(path);
        if (path == ZnodePath.Root)
            throw new ShellCommandException("a quota cannot be set on the root", "BadArguments", path);
    }
}
