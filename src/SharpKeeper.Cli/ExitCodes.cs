namespace SharpKeeper.Cli;

/// <summary>What the process ends with; the numbers are those of Apache's server.</summary>
internal static class ExitCodes
{
    /// <summary>All went well.</summary>
    internal const int Finished = 0;

    /// <summary>Something failed that has no number of its own.</summary>
    internal const int Failed = 1;

    /// <summary>The command line or the configuration is not valid.</summary>
    internal const int InvalidInvocation = 2;

    /// <summary>The data directory cannot be used.</summary>
    internal const int DataDirectoryNotAccessible = 3;
}
