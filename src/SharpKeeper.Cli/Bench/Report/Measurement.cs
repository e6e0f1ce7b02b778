using SharpKeeper.Cli.Bench.Driver;

namespace SharpKeeper.Cli.Bench.Report;

/// <summary>Counts the CPU time of server and client over the measured parts of a run, and makes the report.</summary>
internal sealed class Measurement
{
    private readonly string operation;
    private readonly BenchOptions options;
    private readonly int sessions;
    private readonly int depth;
    private readonly ProcessSample[] first;
    private readonly TimeSpan[] serverCpu;
    private ProcessSample[] resumed;
    private TimeSpan clientResumed;
    private TimeSpan clientCpu;
    private bool isPaused;

    public Measurement(string operation, BenchOptions options, int sessions, int depth, bool paused = false)
    {
        this.operation = operation;
        this.options = options;
        this.sessions = sessions;
        this.depth = depth;
        isPaused = paused;
        first = resumed = ProcessMeter.Sample(options.ServerPids);
        serverCpu = new TimeSpan[first.Length];
        clientResumed = ProcessMeter.OwnCpu;
    }

    /// <summary>What follows counts.</summary>
    public void Resume()
    {
        resumed = ProcessMeter.Sample(options.ServerPids);
        clientResumed = ProcessMeter.OwnCpu;
        isPaused = false;
    }

    /// <summary>What follows does not count.</summary>
    public void Pause()
    {
        if (isPaused)
            return;
        clientCpu += ProcessMeter.OwnCpu - clientResumed;
        ProcessSample[] samples = ProcessMeter.Sample(options.ServerPids);
        for (int i = 0; i < samples.Length; i++)
            serverCpu[i] += samples[i].Cpu - resumed[i].Cpu;
        isPaused = true;
    }

    /// <summary>Ends the measured time and reports.</summary>
    /// <param name="completed">What CPU time and throughput are divided by.</param>
    /// <param name="phase">Times.</param>
    /// <param name="extra">Figures of this operation alone.</param>
    public BenchResult End(long completed, PhaseResult phase, Dictionary<string, double>? extra = null)
    {
        Pause();
        ProcessSample[] last = ProcessMeter.Sample(options.ServerPids);
        double perOp = completed == 0 ? 0 : 1.0 / completed;
        double seconds = phase.Elapsed.TotalSeconds;
        return new BenchResult
        {
            Operation = operation,
            Servers = [.. options.Servers.Select(server => server.ToString())],
            Sessions = sessions,
            Depth = depth,
            SizeBytes = options.Size,
            Completed = completed,
            Seconds = seconds,
            PerSecond = seconds > 0 ? completed / seconds : 0,
            LatencyUs = LatencyReport.Of(phase.Meter),
            LongestGapMs = phase.LongestGap.TotalMilliseconds,
            ClientCpuUsPerOp = clientCpu.TotalMicroseconds * perOp,
            ServerCpuUsPerOp = serverCpu.Length == 0 ? null : serverCpu.Sum(cpu => cpu.TotalMicroseconds) * perOp,
            Processes = [.. last.Select((sample, i) => new ProcessReport(
                sample.Pid, serverCpu[i].TotalSeconds, first[i].RssBytes, sample.RssBytes, sample.PeakRssBytes))],
            Probe = ProbeOf(phase),
            Extra = extra ?? [],
        };
    }

    private ProbeReport? ProbeOf(PhaseResult phase) => phase.BesideMeter is not { } meter ? null : new ProbeReport(
        options.Probe?.ToString().ToLowerInvariant() ?? "", meter.Count, LatencyReport.Of(meter),
        phase.BesideLongestGap.TotalMilliseconds);
}
