using System.Globalization;
using System.Text;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;
using SharpKeeper.Server.Storage;

namespace SharpKeeper.Server.Configuration;

/// <summary>
/// Keeps the configuration of an ensemble that allows reconfigurations in files beside zoo.cfg, as Apache does:
/// <c>zoo.cfg.dynamic.VERSION</c> for each committed one, <c>zoo.cfg.dynamic.next</c> for a proposed one, and in
/// zoo.cfg the line <c>dynamicConfigFile</c> in place of those that now stand there.
/// </summary>
/// <remarks>Each file is replaced as a whole, so that a crash leaves the old or the new one. Not thread-safe.</remarks>
internal sealed class DynamicConfigFiles
{
    private const string DynamicSuffix = ".dynamic.";
    private const string NextSuffix = DynamicSuffix + "next";
    private const string BackupSuffix = ".bak";

    private readonly string configFile;
    private readonly ServerId self;
    private long? savedVersion;
    private long? savedNextVersion;

    /// <summary>Keeps the files of one server.</summary>
    /// <param name="configFile">The zoo.cfg; what is kept goes beside it.</param>
    /// <param name="self">The server whose zoo.cfg it is.</param>
    internal DynamicConfigFiles(string configFile, ServerId self)
    {
        this.configFile = Path.GetFullPath(configFile);
        this.self = self;
    }

    /// <summary>The files of a server, or null if it is to keep none: it allows no reconfiguration, or it was not
    /// started from a file.</summary>
    internal static DynamicConfigFiles? Of(ServerOptions options) =>
        options is { ReconfigEnabled: true, Ensemble: { } ensemble, ConfigFile: { } file }
            ? new DynamicConfigFiles(file, ensemble.Self) : null;

    /// <summary>The file that holds a proposed configuration, version included, until it is committed.</summary>
    internal static string NextPath(string configFile) => configFile + NextSuffix;

    /// <summary>
    /// Makes the files durable that say: <paramref name="committed"/> is the configuration and <paramref name="next"/>
    /// (or nothing) is proposed. A version of 0 is that of zoo.cfg itself, and leaves zoo.cfg alone.
    /// </summary>
    /// <exception cref="IOException">A file cannot be written; zoo.cfg is the old one or the new one.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    internal void Use(EnsembleConfig committed, EnsembleConfig? next)
    {
        // The proposed one first: a crash in between must not leave a server that knows neither.
        if (next?.Version > committed.Version)
            SaveNext(next);
        if (committed.Version != 0 && committed.Version != savedVersion)
        {
            SaveCommitted(committed);
            savedVersion = committed.Version;
        }
        if (next is null || next.Version <= committed.Version)
            DeleteNext();
    }

    /// <summary>The lines of a configuration in alphabetical order, without that of the version.</summary>
    internal static string MembersOf(EnsembleConfig config) => string.Join('\n', config.Format().Split('\n')
        .Where(static line => line.Length > 0 && !line.StartsWith("version=", StringComparison.Ordinal))
        .Order(StringComparer.Ordinal));

    /// <summary>
    /// The text of a zoo.cfg that refers to <paramref name="dynamicFile"/>: without the lines that say who is in the
    /// ensemble, and, if <paramref name="removesClient"/>, where clients connect; all else stays as it is.
    /// </summary>
    /// <param name="text">The old text, one character a byte.</param>
    /// <param name="dynamicFile">The file that now says it.</param>
    /// <param name="removesClient">Whether that file says also where clients of this server connect.</param>
    /// <param name="wasStatic">Whether the old text referred to no such file.</param>
    internal static string Rewrite(string text, string dynamicFile, bool removesClient, out bool wasStatic)
    {
        wasStatic = true;
        StringBuilder kept = new(text.Length);
        int from = 0;
        foreach (Property property in PropertiesReader.Read(text))
        {
            string key = property.Key.Trim();
            wasStatic &= key != "dynamicConfigFile";
            if (!IsDynamic(key, removesClient))
                continue;
            kept.Append(text, from, property.Start - from);
            from = property.End;
        }
        kept.Append(text, from, text.Length - from);
        string lineEnd = text.Contains("\r\n", StringComparison.Ordinal) ? "\r\n" : "\n";
        if (kept.Length > 0 && kept[^1] is not ('\n' or '\r'))
            kept.Append(lineEnd);
        return kept.Append("dynamicConfigFile=").Append(Escape(dynamicFile)).Append(lineEnd).ToString();
    }

    private static bool IsDynamic(string key, bool removesClient) =>
        key is "dynamicConfigFile" or "peerType"
        || (removesClient && key is "clientPort" or "clientPortAddress")
        || SettingCollector.IsMemberKey(key);

    /// <summary>A path as the value of a property, in characters that every reader takes for the same.</summary>
    private static string Escape(string path)
    {
        StringBuilder value = new(path.Length);
        foreach (char c in path.Replace('\\', '/'))
        {
            if (c is >= ' ' and <= '~')
                value.Append(c);
            else
                value.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
        }
        return value.ToString();
    }

    private void SaveNext(EnsembleConfig next)
    {
        if (savedNextVersion == next.Version)
            return;
        string text = string.Create(CultureInfo.InvariantCulture, $"{MembersOf(next)}\nversion={next.Version:x}");
        Replace(NextPath(configFile), Encoding.UTF8.GetBytes(text));
        savedNextVersion = next.Version;
    }

    private void DeleteNext()
    {
        savedNextVersion = null;
        string path = NextPath(configFile);
        if (!File.Exists(path))
            return;
        File.Delete(path);
        FileSync.Directory(Path.GetDirectoryName(path)!);
    }

    private void SaveCommitted(EnsembleConfig config)
    {
        string path = configFile + DynamicSuffix + config.Version.ToString("x", CultureInfo.InvariantCulture);
        byte[] members = Encoding.UTF8.GetBytes(MembersOf(config));
        if (!File.Exists(path) || !File.ReadAllBytes(path).AsSpan().SequenceEqual(members))
            Replace(path, members);

        // Where clients connect leaves zoo.cfg only once the configuration says it.
        bool removesClient = config.Find(self)?.Client is not null;
        byte[] old = File.ReadAllBytes(configFile);
        string text = Rewrite(Encoding.Latin1.GetString(old), path, removesClient, out bool wasStatic);
        byte[] rewritten = Encoding.Latin1.GetBytes(text);
        if (rewritten.AsSpan().SequenceEqual(old))
            return;
        if (wasStatic)
            Replace(configFile + BackupSuffix, old);
        // A link to zoo.cfg stays a link.
        Replace(File.ResolveLinkTarget(configFile, returnFinalTarget: true)?.FullName ?? configFile, rewritten);
    }

    /// <summary>Puts a whole file in place of another, durably, with the rights that one had.</summary>
    private static void Replace(string path, ReadOnlySpan<byte> content)
    {
        string temporary = path + ".tmp";
        using (FileStream file = new(temporary, FileMode.Create, FileAccess.Write))
        {
            file.Write(content);
            file.Flush();
            FileSync.Data(file.SafeFileHandle);
        }
        if (!OperatingSystem.IsWindows() && File.Exists(path))
            File.SetUnixFileMode(temporary, File.GetUnixFileMode(path));
        File.Move(temporary, path, overwrite: true);
        FileSync.Directory(Path.GetDirectoryName(path)!);
    }
}
