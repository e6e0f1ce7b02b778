using System.CommandLine;
using System.IO.Compression;
using System.Text.Json;
using SharpKeeper.Cli.Commands;

namespace SharpKeeper.StorageTests;

public sealed class FileToolTests : IDisposable
{
    private static readonly string Recorded = Path.Combine(AppContext.BaseDirectory, "testdata", "apache-3.8.0");
    private readonly string root = Directory.CreateTempSubdirectory("sharpkeeper-tools-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void Log_dump_prints_every_transaction()
    {
        (int exitCode, string output, string error) = Run(LogCommand.Create(), "dump", Unpack("log.2f"));
        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal((0, ""), (exitCode, error));
        Assert.Equal("ZooKeeper Transactional Log File with dbid 0 txnlog format version 2", lines[0].TrimEnd('\r'));
        Assert.Equal(
            "2026-11-22T17:17:06.989Z session 0x100001530920001 cxid 0x3a zxid 0x3e createTTL "
            + "/app/ttl-day,ttl,[world:anyone:cdrwa],17,86400000 digest 95182672300",
            lines[16].TrimEnd('\r'));
        Assert.Contains(lines, static line => line.Contains("zxid 0x56 error -101", StringComparison.Ordinal));
        Assert.Equal("EOF reached after 44 txns.", lines[^1].TrimEnd('\r'));
    }

    [Fact]
    public void Log_dump_as_json_prints_one_object_a_transaction()
    {
        (int exitCode, string output, string _) = Run(LogCommand.Create(), "dump", "--json", Unpack("log.2f"));
        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal((0, 44), (exitCode, lines.Length));
        JsonElement multi = JsonDocument.Parse(lines[37]).RootElement;
        Assert.Equal(
            ("0x54", "multi", 8),
            (multi.GetProperty("zxid").GetString(), multi.GetProperty("op").GetString(),
                multi.GetProperty("parts").GetArrayLength()));
    }

    [Fact]
    public void Log_verify_of_whole_files_finds_nothing()
    {
        (int exitCode, string output, string _) = Run(
            LogCommand.Create(), "verify", Unpack("log.2f"), Unpack("log.d4"));
        Assert.Equal(0, exitCode);
        Assert.Contains("44 entries, 0x2f to 0x5a, end at offset 5603, damaged places: 0", output);
    }

    [Fact]
    public void Log_verify_reports_each_damage_with_what_is_before_and_behind()
    {
        string path = Unpack("log.2f");
        byte[] bytes = File.ReadAllBytes(path);
        bytes[100] ^= 1;
        bytes[2013 + 15] ^= 1;
        File.WriteAllBytes(path, bytes);
        (int exitCode, string output, string _) = Run(LogCommand.Create(), "verify", path);
        Assert.Equal(1, exitCode);
        Assert.Contains("42 entries", output);
        Assert.Contains("offset 16: its checksum is wrong; 0 whole entries before it; 42 behind it", output);
        Assert.Contains(
            "offset 2013: its checksum is wrong; 14 whole entries before it, the last 0x3d; 28 behind it", output);
    }

    [Fact]
    public void Log_repair_writes_a_copy_that_recovery_accepts()
    {
        string path = Unpack("log.2f");
        byte[] bytes = File.ReadAllBytes(path);
        bytes[2013 + 15] ^= 1;
        File.WriteAllBytes(path, bytes);
        string copy = Path.Combine(root, "copy");
        (int exitCode, string output, string _) = Run(LogCommand.Create(), "repair", path, "--output", copy);
        Assert.Equal(0, exitCode);
        Assert.Contains("15 entries up to 0x3d; 28 whole entries behind the damage left out", output);
        Assert.Equal(bytes[..2013], File.ReadAllBytes(copy));
        Assert.Equal(bytes, File.ReadAllBytes(path));
        Assert.Equal(1, Run(LogCommand.Create(), "repair", path, "--output", copy).ExitCode);
    }

    [Theory]
    [InlineData("standalone", "snapshot.88", "92 znodes, 4 sessions, 6 ACLs, 2 checksums, digest right")]
    [InlineData("standalone-gz", "snapshot.61.gz", "73 znodes, 4 sessions, 6 ACLs, 2 checksums, completed by the log")]
    [InlineData("standalone-snappy", "snapshot.d5.snappy", "133 znodes, 4 sessions, 6 ACLs, 2 checksums, completed")]
    public void Snapshot_verify_reads_all_formats(string directory, string name, string verdict)
    {
        (int exitCode, string output, string _) = Run(
            SnapshotCommand.Create(), "verify", Path.Combine(Recorded, directory, "data", "version-2", name));
        Assert.Equal(0, exitCode);
        Assert.Contains(verdict, output);
    }

    [Fact]
    public void Snapshot_verify_names_what_is_wrong()
    {
        string path = Path.Combine(root, "snapshot.88");
        byte[] bytes = File.ReadAllBytes(Path.Combine(Recorded, "standalone", "data", "version-2", "snapshot.88"));
        bytes[^40] ^= 1;
        File.WriteAllBytes(path, bytes);
        (int exitCode, string _, string error) = Run(SnapshotCommand.Create(), "verify", path);
        Assert.Equal(1, exitCode);
        Assert.Contains($"{path}: the checksum is wrong (at offset", error);
        (exitCode, string _, error) = Run(SnapshotCommand.Create(), "verify", path + "x");
        Assert.Equal(1, exitCode);
        Assert.Contains(path + "x", error);
    }

    [Fact]
    public void Snapshot_dump_has_the_layout_of_Apaches_toolkit()
    {
        string path = Path.Combine(Recorded, "standalone", "data", "version-2", "snapshot.88");
        (int exitCode, string output, string _) = Run(SnapshotCommand.Create(), "dump", path);
        output = output.ReplaceLineEndings("\n");
        Assert.Equal(0, exitCode);
        Assert.StartsWith(
            "ZNode Details (count=92):\n----\n/\n  cZxid = 0x00000000000000\n  ctime = Thu Jan 01 00:00:00 UTC 1970\n",
            output, StringComparison.Ordinal);
        Assert.EndsWith(
            "Target zxid digest is: 88, 190800627006\n----\nLast zxid: 0x88\n", output, StringComparison.Ordinal);
        Assert.Contains("\n0x100001530920002, 300000, 2\n", output);
    }

    [Fact]
    public void Snapshot_dump_as_json_prints_one_object_a_znode()
    {
        string path = Path.Combine(Recorded, "standalone", "data", "version-2", "snapshot.88");
        (int _, string output, string _) = Run(SnapshotCommand.Create(), "dump", "--json", path);
        JsonElement[] lines =
        [
            .. output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(static line => JsonDocument.Parse(line).RootElement),
        ];
        Assert.Equal(92, lines.Count(static line => line.GetProperty("kind").GetString() == "znode"));
        Assert.All(
            lines.Where(static line => line.GetProperty("kind").GetString() == "znode"),
            static line => Assert.Equal(JsonValueKind.Array, line.GetProperty("acl").ValueKind));
        Assert.Equal(190800627006, lines[^1].GetProperty("digest").GetInt64());
    }

    [Fact]
    public void Snapshot_tree_adds_up_what_is_below()
    {
        string path = Path.Combine(Recorded, "standalone", "data", "version-2", "snapshot.d2");
        (int exitCode, string output, string _) = Run(SnapshotCommand.Create(), "tree", path, "--depth", "1");
        string[] lines = output.ReplaceLineEndings("\n").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(0, exitCode);
        Assert.Equal("/  children: 2  below: 130  data: 5720", lines[0]);
        Assert.Equal("  /app  children: 26  below: 123  data: 5647", lines[1]);
        Assert.Equal(3, lines.Length);
        Assert.Equal(1, Run(SnapshotCommand.Create(), "tree", path, "--path", "/none").ExitCode);
    }

    private static (int ExitCode, string Output, string Error) Run(Command command, params string[] arguments)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        int exitCode = command.Parse(arguments).Invoke(new InvocationConfiguration { Output = output, Error = error });
        return (exitCode, output.ToString(), error.ToString());
    }

    private string Unpack(string log)
    {
        string path = Path.Combine(root, log);
        using var source = new GZipStream(
            File.OpenRead(Path.Combine(Recorded, "standalone", "data", "version-2", log + ".gz")),
            CompressionMode.Decompress);
        using FileStream target = File.Create(path);
        source.CopyTo(target);
        return path;
    }
}
