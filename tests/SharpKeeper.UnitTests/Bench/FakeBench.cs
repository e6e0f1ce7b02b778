using System.Net;
using SharpKeeper.Cli.Bench;
using SharpKeeper.Cli.Bench.Report;

namespace SharpKeeper.BenchTests;

/// <summary>A fake server, a fake clock, and options that lead to both.</summary>
internal sealed class FakeBench
{
    private readonly FakeTime time = new();

    public FakeServer Server { get; } = new();

    public int SendMax { get; init; } = int.MaxValue;

    public int ReceiveMax { get; init; } = int.MaxValue;

    public bool IsOneByOne { get; init; }

    public bool IsSilent { get; init; }

    /// <summary>Of the last run.</summary>
    public FakeTransport Transport { get; private set; } = null!;

    public BenchOptions Options => new()
    {
        Servers = [new IPEndPoint(IPAddress.Loopback, 1)],
        Sessions = 4,
        Children = 20,
        MultiSize = 3,
        Duration = TimeSpan.FromMilliseconds(100),
        Warmup = TimeSpan.Zero,
        Time = time,
        Transport = () => Transport = new FakeTransport(Server, time)
        {
            SendMax = SendMax,
            ReceiveMax = ReceiveMax,
            IsOneByOne = IsOneByOne,
            IsSilent = IsSilent,
        },
    };

    public BenchResult Run(BenchOperation operation, Func<BenchOptions, BenchOptions>? change = null) =>
        BenchRun.Execute(
            operation, change?.Invoke(Options) ?? Options, TextWriter.Null, TestContext.Current.CancellationToken);
}
