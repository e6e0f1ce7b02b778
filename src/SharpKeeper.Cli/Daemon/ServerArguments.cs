using System.CommandLine;
using System.Globalization;
using SharpKeeper.Server;
using SharpKeeper.Server.Configuration;

namespace SharpKeeper.Cli.Daemon;

/// <summary>The words that describe a server, shared by the commands that run, start, stop or ask for one.</summary>
internal sealed class ServerArguments
{
    private readonly Argument<string[]> _words = new("zoo.cfg")
    {
        Arity = ArgumentArity.ZeroOrMore,
        Description = "Configuration file, and -Dname=value settings as Java takes them",
    };

    private readonly Option<string?> _data = new("--data")
    {
        Description = "Data directory (default sharpkeeper-data)",
        HelpName = "directory",
    };

    private readonly Option<int?> _port = new("--port")
    {
        Description = "Client port (default 2181, 0 for a free one)",
        HelpName = "port",
    };

    private readonly Option<string?> _listen = new("--listen")
    {
        Description = "Address to listen on, * for all (default 127.0.0.1 without a configuration file)",
        HelpName = "address",
    };

    private readonly Option<bool> _memory = new("--memory") { Description = "Keep all data in memory, nothing on disk" };

    /// <summary>Adds the words to a command.</summary>
    internal void AddTo(Command command)
    {
        command.Arguments.Add(_words);
        command.Options.Add(_data);
        command.Options.Add(_port);
        command.Options.Add(_listen);
        command.Options.Add(_memory);
    }

    /// <summary>Takes the words out of a parsed command line.</summary>
    /// <exception cref="ServerConfigurationException">A word is neither a file nor a setting.</exception>
    internal ServerWords Read(ParseResult parsed)
    {
        List<string> files = [];
        List<KeyValuePair<string, string>> properties = [];
        foreach (string word in parsed.GetValue(_words) ?? [])
        {
            if (word.StartsWith("-D", StringComparison.Ordinal) && word.Length > 2)
                properties.Add(ReadProperty(word));
            else if (word.StartsWith('-'))
                throw new ServerConfigurationException($"{word} is not an option of this command");
            else
                files.Add(word);
        }
        if (files.Count > 1)
            throw new ServerConfigurationException($"one configuration file is enough, not {string.Join(", ", files)}");
        ServerOverrides overrides = new()
        {
            DataDir = parsed.GetValue(_data),
            Port = parsed.GetValue(_port),
            Listen = parsed.GetValue(_listen),
            InMemory = parsed.GetValue(_memory),
        };
        return new ServerWords(files.FirstOrDefault(), properties, overrides);
    }

    private static KeyValuePair<string, string> ReadProperty(string word)
    {
        int equals = word.IndexOf('=', StringComparison.Ordinal);
        return equals < 0 ? new(word[2..], "") : new(word[2..equals], word[(equals + 1)..]);
    }
}

/// <summary>The words of one command line that describe a server.</summary>
internal sealed record ServerWords(
    string? ConfigFile, IReadOnlyList<KeyValuePair<string, string>> Properties, ServerOverrides Overrides)
{
    /// <summary>Reads the configuration they ask for.</summary>
    /// <exception cref="ServerConfigurationException">It is not valid.</exception>
    internal ServerOptions Load() => ServerOptionsLoader.Load(ConfigFile, Properties, Overrides);

    /// <summary>Finds out where the server is that runs with this configuration.</summary>
    /// <exception cref="ServerConfigurationException">The configuration does not say it.</exception>
    internal ServerOptions Locate() => ServerOptionsLoader.Locate(ConfigFile, Properties, Overrides);

    /// <summary>The same words as a command line.</summary>
    internal IEnumerable<string> ToArguments()
    {
        if (ConfigFile is not null)
            yield return ConfigFile;
        foreach ((string name, string value) in Properties)
            yield return $"-D{name}={value}";
        if (Overrides.DataDir is not null)
            yield return $"--data={Overrides.DataDir}";
        if (Overrides.Port is int port)
            yield return $"--port={port.ToString(CultureInfo.InvariantCulture)}";
        if (Overrides.Listen is not null)
            yield return $"--listen={Overrides.Listen}";
        if (Overrides.InMemory)
            yield return "--memory";
    }
}
