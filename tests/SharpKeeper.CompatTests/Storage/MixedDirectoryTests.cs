using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using SharpKeeper.CompatTests.Differential;
using SharpKeeper.CompatTests.Ensembles;
using SharpKeeper.CompatTests.Peers;
using SharpKeeper.Core.Log;
using SharpKeeper.Server;
using SharpKeeper.Server.Storage;

namespace SharpKeeper.CompatTests.Storage;

/// <summary>One data directory that SharpKeeper and Apache serve in turns, each under load.</summary>
public sealed class MixedDirectoryTests : IAsyncDisposable
{
    private const int StepsPerSession = 400;

    // No session may expire while a tree is being read.
    private static readonly TimeSpan SessionTimeout = TimeSpan.FromMinutes(10);

    private readonly string root = Directory.CreateTempSubdirectory("sharpkeeper-mixed-").FullName;
    private readonly List<Side> open = [];
    private int apachesMismatches;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        foreach (Side side in open)
            await side.DisposeAsync();
        Directory.Delete(root, recursive: true);
    }

    [Fact]
    public async Task A_directory_served_in_turns_keeps_every_znode()
    {
        ApacheServer.SkipUnlessInstalled();
        IReadOnlyList<string> left = await ServeOursAsync(before: null, seed: 11);
        left = await ServeApacheAsync(left, seed: 21);
        left = await ServeOursAsync(left, seed: 31);
        await ServeApacheAsync(left, seed: 41);
    }

    private async Task<IReadOnlyList<string>> ServeOursAsync(IReadOnlyList<string>? before, int seed)
    {
        if (before is not null)
            CheckDigests();
        await using ServerHost host = await ServerHost.StartAsync(
            new ServerOptions
            {
                DataDir = root,
                ClientPort = 0,
                TickTime = TimeSpan.FromSeconds(2),
                SessionTimeoutMax = SessionTimeout,
                ConnectionsPerAddressMax = 0,
                ExtendedTypesEnabled = true,
                SuperDigest = SuperUser.Digest,
                SnapCount = 300,
                ContainerCheckInterval = TimeSpan.FromHours(1),
                PurgeInterval = TimeSpan.Zero,
                PreAllocationBytes = 1 << 16,
            },
            NullLoggerFactory.Instance,
            Cancellation);
        Assert.Equal(before, before is null ? null : await DumpAsync(host.ClientPort));
        await PlayAsync(host.ClientPort, isApache: false, seed);
        return await DumpAsync(host.ClientPort);
    }

    private async Task<IReadOnlyList<string>> ServeApacheAsync(IReadOnlyList<string> before, int seed)
    {
        await using ApacheServer server = await ApacheServer.StartAsync(
            new ApacheServerOptions
            {
                DataDirectory = root,
                Config = new Dictionary<string, string>
                {
                    ["maxSessionTimeout"] = SessionTimeout.TotalMilliseconds.ToString(CultureInfo.InvariantCulture),
                },
                SystemProperties = new Dictionary<string, string>
                {
                    ["zookeeper.DigestAuthenticationProvider.superDigest"] = SuperUser.Digest,
                    ["zookeeper.snapCount"] = "300",
                    ["zookeeper.preAllocSize"] = "64",
                    ["znode.container.checkIntervalMs"] = "3600000",
                },
            },
            Cancellation);
        Assert.Equal(0, await MismatchesAsync(server));
        Assert.Equal(before, await DumpAsync(server.Port));
        await PlayAsync(server.Port, isApache: true, seed);
        IReadOnlyList<string> after = await DumpAsync(server.Port);
        apachesMismatches = await MismatchesAsync(server);
        // As a power cut would: what it has acknowledged must be in the directory.
        await server.KillAsync();
        return after;
    }

    private static async Task<int> MismatchesAsync(ApacheServer server)
    {
        const string Name = "zk_digest_mismatches_count\t";
        string line = (await server.CommandAsync("mntr", Cancellation)).Split('\n')
            .Single(line => line.StartsWith(Name, StringComparison.Ordinal));
        return int.Parse(line[Name.Length..], CultureInfo.InvariantCulture);
    }

    /// <summary>
    /// What Apache stored about the sums of its tree agrees with what we replay, but for those that Apache itself found
    /// wrong when it applied them: it works them out ahead, and errs when several sessions write at once.
    /// </summary>
    private void CheckDigests()
    {
        RecoveryResult result = Recovery.Run(
            FileStorageDevice.Open(root, root), new RecoveryOptions { ExtendedTypesEnabled = true });
        result.Tree.Dispose();
        Assert.True(result.DigestsCompared > 0);
        Assert.InRange(result.DigestMismatches, 0, apachesMismatches);
    }

    // Several sessions at once, so that batches and snapshots meet; they stay open, and their ephemerals with them.
    private async Task PlayAsync(int port, bool isApache, int seed)
    {
        await Task.WhenAll(Enumerable.Range(0, 3).Select(async i =>
        {
            // The servers' own clocks stamp the znodes; nothing is compared with a time here.
            var side = new Side(port, isApache, startMs: 0, [], Cancellation)
            {
                TimeoutMs = (int)SessionTimeout.TotalMilliseconds,
            };
            lock (open)
                open.Add(side);
            await RandomScripts.PlayAsync(side, seed + i, StepsPerSession);
        }));
    }

    private static Task<IReadOnlyList<string>> DumpAsync(int port) =>
        TreeDump.ReadAsync(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"), Cancellation);
}
