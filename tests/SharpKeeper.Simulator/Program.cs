namespace SharpKeeper.Simulation;

/// <summary>The simulator by hand, or its tests.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        if (CommandLine.IsMeant(args))
            return CommandLine.Run(args);
        return args.Contains("--server") || args.Contains("--internal-msbuild-node")
            ? await Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(
                args, SelfRegisteredExtensions.AddSelfRegisteredExtensions)
            : await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
    }
}
