using System.Globalization;

namespace SharpKeeper.Server.Admin;

/// <summary>How many files and sockets this process has open, where the system tells.</summary>
internal static class ProcessFiles
{
    private const string Limits = "/proc/self/limits";
    private const string Open = "/proc/self/fd";

    /// <summary>Open descriptors and their limit, or null on systems without <c>/proc</c>.</summary>
    internal static (long Open, long Max)? Count()
    {
        if (!OperatingSystem.IsLinux())
            return null;
        try
        {
            long open = Directory.EnumerateFileSystemEntries(Open).LongCount();
            return (open, ReadLimit(File.ReadLines(Limits)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Finds the soft limit in a line such as <c>Max open files  1024  4096  files</c>.</summary>
    internal static long ReadLimit(IEnumerable<string> lines)
    {
        const string label = "Max open files";
        string? line = lines.FirstOrDefault(static l => l.StartsWith(label, StringComparison.Ordinal));
        string? soft = line?[label.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        return long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out long limit)
            ? limit : long.MaxValue;
    }
}
