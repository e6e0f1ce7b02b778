namespace SharpKeeper.Cli.Shell.Editing;

/// <summary>
/// Lines typed before, kept in a file across runs. Several shells may append to the file at the same time. Lines with
/// credentials and lines that begin with a blank are not kept.
/// </summary>
internal sealed class LineHistory
{
    private const int LinesMax = 1000;

    private readonly List<string> lines = [];
    private readonly string? file;
    private Action<string>? report;

    /// <summary>A history that lives as long as the process.</summary>
    public LineHistory()
    {
    }

    private LineHistory(string file, Action<string> report)
    {
        this.file = file;
        this.report = report;
    }

    /// <summary>The lines, oldest first.</summary>
    public IReadOnlyList<string> Lines => lines;

    /// <summary>Opens the file, or starts with nothing where there is none.</summary>
    /// <param name="file">The file.</param>
    /// <param name="report">Told once if the file cannot be read or written; the history goes on in memory.</param>
    public static LineHistory Open(string file, Action<string> report)
    {
        LineHistory history = new(file, report);
        history.Guard(() =>
        {
            if (File.Exists(file))
                history.Load(File.ReadAllLines(file));
        });
        return history;
    }

    /// <summary>Adds a line, unless it repeats the last one or should not be kept.</summary>
    public void Add(string line)
    {
        if (line.Length == 0 || line[0] == ' ' || HoldsCredentials(line) || (lines.Count > 0 && lines[^1] == line))
            return;
        lines.Add(line);
        if (lines.Count > LinesMax)
            lines.RemoveAt(0);
        Guard(() => Append(line));
    }

    private void Load(string[] all)
    {
        lines.AddRange(all.TakeLast(LinesMax));
        if (all.Length > 2 * LinesMax)
            File.WriteAllLines(file!, lines);
    }

    private void Append(string line)
    {
        FileStreamOptions options = new()
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using StreamWriter writer = new(file!, options);
        writer.Write(line + "\n");
    }

    private static bool HoldsCredentials(string line) =>
        line.AsSpan().TrimStart().StartsWith("addauth", StringComparison.Ordinal);

    private void Guard(Action access)
    {
        if (file is null || report is null)
            return;
        try
        {
            access();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            report($"The history is not saved in {file}: {e.Message}");
            report = null;
        }
    }
}
