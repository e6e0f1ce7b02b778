namespace SharpKeeper.Server.Runtime;

/// <summary>
/// Tells the replica of an ensemble that time has passed: often while it looks for a leader or is brought up to date,
/// less often once it is settled.
/// </summary>
internal sealed class EnsembleTicker : IDisposable
{
    private const int UnsettledMs = 10;
    private const int SettledMs = 50;

    private readonly ReplicaDriver driver;
    private readonly ManualResetEventSlim stopping = new();
    private readonly Thread thread;

    /// <summary>Starts to tick.</summary>
    public EnsembleTicker(ReplicaDriver driver)
    {
        this.driver = driver;
        thread = new Thread(Run) { IsBackground = true, Name = "ensemble-ticker" };
        thread.Start();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        stopping.Set();
        thread.Join();
        stopping.Dispose();
    }

    private void Run()
    {
        do
            driver.PostTick();
        while (!stopping.Wait(driver.IsSettled ? SettledMs : UnsettledMs));
    }
}
