using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace SharpKeeper.Protocol.Quorum;

/// <summary>Reads and writes the text of a configuration.</summary>
internal static class EnsembleConfigText
{
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

    public static bool TryParse(string text, [NotNullWhen(true)] out EnsembleConfig? config, out string problem)
    {
        config = null;
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
            if (!parser.TryAdd(property.Key.Trim(), property.Value.Trim(), out problem))
                return false;
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
