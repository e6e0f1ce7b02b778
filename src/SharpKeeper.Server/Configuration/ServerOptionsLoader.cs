using System.Text;

namespace SharpKeeper.Server.Configuration;

/// <summary>
/// Makes <see cref="ServerOptions"/> from a zoo.cfg, <c>-Dname=value</c> properties and command-line overrides.
/// Where a file and a property set the same key the file wins, as in Apache, which turns lines of the file into
/// system properties; only keys that Apache reads from properties alone prefer the property.
/// </summary>
public static class ServerOptionsLoader
{
    private const string WithoutFile = "command line";

    /// <summary>Reads the file, if one is named, and everything else.</summary>
    /// <param name="configFile">Path of a zoo.cfg, or null to start from the defaults.</param>
    /// <param name="properties">System properties in the order given, without <c>-D</c>.</param>
    /// <param name="overrides">What wins over both.</param>
    /// <exception cref="ServerConfigurationException">The file cannot be read, or the settings are not valid; all
    /// problems are listed.</exception>
    public static ServerOptions Load(
        string? configFile, IReadOnlyList<KeyValuePair<string, string>> properties, ServerOverrides overrides) =>
        Read(configFile, properties, overrides, isToRun: true);

    /// <summary>
    /// As <see cref="Load"/>, to find a server that runs already: what would keep it from starting now, such as its
    /// removal from the ensemble since, does not matter as long as its data directory is known.
    /// </summary>
    /// <exception cref="ServerConfigurationException">The file cannot be read, or names no data directory.</exception>
    public static ServerOptions Locate(
        string? configFile, IReadOnlyList<KeyValuePair<string, string>> properties, ServerOverrides overrides) =>
        Read(configFile, properties, overrides, isToRun: false);

    private static ServerOptions Read(
        string? configFile,
        IReadOnlyList<KeyValuePair<string, string>> properties,
        ServerOverrides overrides,
        bool isToRun)
    {
        if (configFile is null)
            return Parse(null, WithoutFile, properties, overrides, ReadFile, isToRun);
        string text = ReadFile(configFile)
            ?? throw new ServerConfigurationException($"there is no configuration file {configFile}");
        return Parse(text, configFile, properties, overrides, ReadFile, isToRun);
    }

    /// <summary>As <see cref="Load"/>, with the text of the file already in hand (null for no file); <c>myid</c> and a
    /// dynamic configuration file are read from disk if the text describes an ensemble.</summary>
    /// <exception cref="ServerConfigurationException">The settings are not valid; all problems are listed.</exception>
    public static ServerOptions Parse(
        string? text,
        string fileName,
        IReadOnlyList<KeyValuePair<string, string>> properties,
        ServerOverrides overrides) => Parse(text, fileName, properties, overrides, ReadFile);

    /// <summary>As the public one, with files from elsewhere.</summary>
    internal static ServerOptions Parse(
        string? text,
        string fileName,
        IReadOnlyList<KeyValuePair<string, string>> properties,
        ServerOverrides overrides,
        FileReader readFile,
        bool isToRun = true)
    {
        SettingCollector collector = new(fileName);
        if (text is not null)
            collector.AddFile(text);
        foreach ((string name, string value) in properties)
            collector.AddProperty(name, value);

        ServerOptions start = text is null ? new ServerOptions() : new ServerOptions
        {
            ClientAddress = null,
            DataDir = "",
            ConfigFile = fileName,
            ConfigText = text,
        };
        ServerOptions options = collector.ApplyTo(start);
        options = ApplyOverrides(options, overrides, collector);
        options = new EnsembleReader(collector, overrides, readFile).Apply(options);
        if (options.ReadOnlyModeEnabled)
            options = options with { FourLetterWords = options.FourLetterWords.With("isro") };
        collector.CheckPairs(isFile: text is not null, overrides);
        if (isToRun || options.DataDir.Length == 0)
            collector.ThrowIfProblems(options.Validate());
        return options with { Warnings = collector.Warnings };
    }

    private static ServerOptions ApplyOverrides(
        ServerOptions options, ServerOverrides overrides, SettingCollector collector)
    {
        if (overrides.InMemory)
            options = options with { InMemory = true };
        if (overrides.DataDir is string data)
            options = options with { DataDir = data, DataLogDir = data };
        if (overrides.Port is int port)
            options = options with { ClientPort = port };
        if (overrides.Listen is string listen)
        {
            SettingValue value = new("--listen", listen);
            try
            {
                options = options with { ClientAddress = value.Text == "*" ? null : value.Address() };
            }
            catch (SettingException e)
            {
                collector.AddProblem($"--listen {listen} is not valid; allowed: {e.Message}");
            }
        }
        return options;
    }

    private static string? ReadFile(string path)
    {
        try
        {
            return Decode(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ServerConfigurationException($"cannot read the configuration file {path}: {e.Message}");
        }
    }

    /// <summary>Text is UTF-8 where it can be, else Latin-1, which is what Java reads.</summary>
    private static string Decode(byte[] bytes)
    {
        try
        {
            string text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
            return text.TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException)
        {
            return Encoding.Latin1.GetString(bytes);
        }
    }
}
