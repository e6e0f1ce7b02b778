namespace SharpKeeper.Cli.Bench.Report;

/// <summary>A line a second on the error stream: where the run is, and what the last second gave.</summary>
internal sealed class Progress(TextWriter output, string label, TimeProvider time)
{
    private long startedAt;
    private long lastAt;
    private long lastCount;
    private string phase = "";

    /// <summary>Begins a phase.</summary>
    public void Begin(string name)
    {
        phase = name;
        startedAt = lastAt = time.GetTimestamp();
        lastCount = 0;
    }

    /// <summary>Tells how many have ended in this phase.</summary>
    public void Tick(long now, long count)
    {
        double seconds = time.GetElapsedTime(lastAt, now).TotalSeconds;
        if (seconds < 0.5)
            return;
        double rate = (count - lastCount) / seconds;
        output.WriteLine(
            $"{label,-9} {phase,-8} {time.GetElapsedTime(startedAt, now).TotalSeconds,5:0} s "
            + $"{rate,12:N0}/s {count,14:N0} in all");
        lastAt = now;
        lastCount = count;
    }
}
