namespace SharpKeeper.CompatTests.Peers;

/// <summary>Where Apache ZooKeeper is installed and how its programs are called.</summary>
internal static class ApacheProgram
{
    /// <summary>
    /// Its classes; the manifest names the other jars. SHARPKEEPER_APACHE_JAR names those of another version than the
    /// installed one.
    /// </summary>
    public static string Jar { get; } =
        Environment.GetEnvironmentVariable("SHARPKEEPER_APACHE_JAR") is { Length: > 0 } other
            ? other
            : "/usr/share/java/zookeeper.jar";

    private const string JavaPath = "/usr/bin/java";
    private const string LogJar = "/usr/share/java/slf4j-simple.jar";

    /// <summary>Arguments of every Java machine: small, and compiled quickly rather than well.</summary>
    public static IReadOnlyList<string> SmallMachine { get; } = ["-Xmx256m", "-XX:TieredStopAtLevel=1"];

    /// <summary>Are Java and Apache's jar there?</summary>
    public static bool IsInstalled => File.Exists(Jar) && File.Exists(JavaPath);

    /// <summary>Ends the test as skipped where Apache is not installed.</summary>
    public static void SkipUnlessInstalled()
    {
        if (!IsInstalled)
        {
            Assert.Skip($"Apache ZooKeeper is not installed: {Jar} or {JavaPath} is missing "
                + "(on Debian: apt install zookeeper).");
        }
    }

    /// <summary>The command line of one of Apache's classes.</summary>
    /// <param name="machine">Arguments of the Java machine.</param>
    /// <param name="properties">System properties.</param>
    /// <param name="mainClass">The class to run.</param>
    /// <param name="logs">Is the program to log to its error stream?</param>
    /// <param name="arguments">The program's own arguments.</param>
    public static IReadOnlyList<string> Command(
        IEnumerable<string> machine, IEnumerable<KeyValuePair<string, string>> properties, string mainClass, bool logs,
        params string[] arguments)
    {
        bool canLog = logs && File.Exists(LogJar);
        string[] logging = canLog
            ? ["-Dorg.slf4j.simpleLogger.showDateTime=true", "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS"]
            : [];
        return
        [
            JavaPath, .. machine, .. logging, .. properties.Select(property => $"-D{property.Key}={property.Value}"),
            "-cp", canLog ? $"{Jar}:{LogJar}" : Jar, mainClass, .. arguments,
        ];
    }
}
