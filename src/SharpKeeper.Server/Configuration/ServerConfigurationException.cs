namespace SharpKeeper.Server.Configuration;

/// <summary>The settings do not describe a server that can run. The message holds one line for each problem.</summary>
public sealed class ServerConfigurationException : Exception
{
    /// <summary>Creates the exception from all problems found.</summary>
    public ServerConfigurationException(IReadOnlyList<string> problems)
        : base(string.Join(Environment.NewLine, problems)) => Problems = problems;

    /// <summary>Creates the exception from one problem.</summary>
    public ServerConfigurationException(string problem)
        : this([problem])
    {
    }

    /// <summary>One sentence for each problem, naming file, line, key, value and what is allowed.</summary>
    public IReadOnlyList<string> Problems { get; }
}
