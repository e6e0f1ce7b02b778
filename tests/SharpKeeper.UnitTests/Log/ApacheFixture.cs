using System.IO.Compression;
using System.Text.Json;
using SharpKeeper.Core.Log;

namespace SharpKeeper.LogTests;

/// <summary>A data directory recorded from a real Apache 3.8.0 server, held in memory.</summary>
internal static class ApacheFixture
{
    private static readonly string Root = Path.Combine(AppContext.BaseDirectory, "testdata", "apache-3.8.0");

    /// <summary>The recorded directories.</summary>
    public static readonly string[] Directories = ["standalone", "standalone-gz"];

    /// <summary>The files of a recorded directory, decompressed.</summary>
    public static MemoryStorageDevice Load(string directory) => LoadFiles(Path.Combine(directory, "data", "version-2"));

    /// <summary>The unaltered files that the damaged cases start from, with those of a case in their place.</summary>
    public static MemoryStorageDevice LoadDamaged(string name)
    {
        MemoryStorageDevice device = LoadFiles(Path.Combine("corrupt", "base", "version-2"));
        string altered = Path.Combine("corrupt", name, "version-2");
        if (Directory.Exists(Path.Combine(Root, altered)))
            LoadFiles(altered, device);
        return device;
    }

    /// <summary>What the server answered when it was asked for its whole tree.</summary>
    public static JsonElement Expected(string directory) =>
        JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Root, directory, "expected.json"))).RootElement;

    /// <summary>Every log entry as another decoder reads it.</summary>
    public static IEnumerable<JsonElement> Txns(string directory) =>
        File.ReadLines(Path.Combine(Root, directory, "txns.jsonl")).Select(line => JsonDocument.Parse(line).RootElement);

    /// <summary>What a real server did with each damaged case.</summary>
    public static JsonElement DamagedResults() =>
        JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Root, "corrupt", "results.json"))).RootElement;

    private static MemoryStorageDevice LoadFiles(string directory, MemoryStorageDevice? device = null)
    {
        device ??= new MemoryStorageDevice();
        foreach (string path in Directory.GetFiles(Path.Combine(Root, directory)))
        {
            string name = Path.GetFileName(path);
            byte[] bytes = File.ReadAllBytes(path);
            if (name.EndsWith(".gz", StringComparison.Ordinal))
            {
                name = name[..^3];
                bytes = Gunzip(bytes);
            }
            StorageArea area = name.StartsWith("log", StringComparison.Ordinal)
                ? StorageArea.Logs
                : StorageArea.Snapshots;
            device.Put(area, name, bytes);
        }
        return device;
    }

    private static byte[] Gunzip(byte[] bytes)
    {
        using var source = new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress);
        var target = new MemoryStream();
        source.CopyTo(target);
        return target.ToArray();
    }
}
