using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace SharpKeeper.Protocol.Quorum;

/// <summary>Reads and writes the text of a configuration.</summary>
internal static class EnsembleConfigText
{
    private const string ServerPrefix = "server.";

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    public static bool TryParse(
        ReadOnlySpan<byte> text, [NotNullWhen(true)] out EnsembleConfig? config, out string problem)
    {
        string decoded;
        try
        {
            decoded = StrictUtf8.GetString(text);
        }
        catch (DecoderFallbackException e)
        {
            config = null;
            problem = $"the configuration is not UTF-8 from byte {e.Index} on; save it in that encoding";
            return false;
        }
        return TryParse(decoded, out config, out problem);
    }

    public static bool TryParse(string text, [NotNullWhen(true)] out EnsembleConfig? config, out string problem) =>
        TryParse(text, out config, out problem, out _);

    /// <param name="text">The lines.</param>
    /// <param name="config">The configuration; null if the text is malformed.</param>
    /// <param name="problem">What is wrong and how to mend it; empty on success.</param>
    /// <param name="lacksServerNumber">Is it that the N of a <c>server.N</c> is no number?</param>
    public static bool TryParse(
        string text, [NotNullWhen(true)] out EnsembleConfig? config, out string problem, out bool lacksServerNumber)
    {
        config = null;
        lacksServerNumber = false;
        IReadOnlyList<Property> properties;
        try
        {
            properties = PropertiesReader.Read(text);
        }
        catch (PropertiesSyntaxException e)
        {
            problem = $"line {e.Line} of the configuration: {e.Message}";
            return false;
        }
        var parser = new EnsembleConfigParser();
        foreach (Property property in properties)
        {
            string key = property.Key.Trim();
            if (!parser.TryAdd(key, property.Value.Trim(), out problem))
            {
                lacksServerNumber = key.StartsWith(ServerPrefix, StringComparison.Ordinal)
                    && !EnsembleConfigParser.TryParseNumber(key[ServerPrefix.Length..], out _);
                return false;
            }
        }
        return parser.TryFinish(out config, out problem);
    }

    public static string Format(EnsembleConfig config)
    {
        var text = new StringBuilder();
        foreach (EnsembleServer server in config.Servers)
            text.Append(server).Append('\n');
        foreach (ServerGroup group in config.Groups)
        {
            text.Append(CultureInfo.InvariantCulture, $"group.{group.Id}=");
            text.AppendJoin(':', group.Members).Append('\n');
        }
        if (config.IsHierarchical)
        {
            foreach ((ServerId id, long weight) in config.Weights)
                text.Append(CultureInfo.InvariantCulture, $"weight.{id}={weight}\n");
        }
        return text.Append(CultureInfo.InvariantCulture, $"version={config.Version:x}").ToString();
    }
}
