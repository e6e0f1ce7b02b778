using SharpKeeper.CompatTests.Peers;

namespace SharpKeeper.CompatTests.Ensembles;

/// <summary>Disks of an ensemble fill up under load and get room again: nothing that was acknowledged is lost.</summary>
[Collection(EnsembleCollection.Name)]
public sealed class FullDiskTests
{
    private const int DiskMegabytes = 48;

    [Fact]
    public Task Follower_with_a_full_disk_is_done_without_and_comes_back() => RunAsync(async (ensemble, disks, load) =>
    {
        EnsembleServer follower = (await ensemble.LearnersAsync())[0];
        disks[follower.Id].Fill();
        await load.ProgressAsync(500);
        disks[follower.Id].Free();
        await ensemble.WaitServingAsync();
        await load.ProgressAsync(100);
    });

    [Fact]
    public Task Leader_with_a_full_disk_does_not_hold_up_the_others() => RunAsync(async (ensemble, disks, load) =>
    {
        EnsembleServer leader = await ensemble.LeaderAsync();
        disks[leader.Id].Fill();
        await load.ProgressAsync(500);
        disks[leader.Id].Free();
        await ensemble.WaitServingAsync();
        await load.ProgressAsync(100);
    });

    [Fact]
    public Task Server_that_starts_on_a_full_disk_serves_once_there_is_room() => RunAsync(
        async (ensemble, disks, load) =>
        {
            EnsembleServer leader = await ensemble.LeaderAsync();
            await leader.KillAsync();
            disks[leader.Id].Fill();
            leader.Start();
            await load.ProgressAsync(300);
            disks[leader.Id].Free();
            // Whether it waits for room or gives up with an error is its choice.
            if (!leader.IsRunning)
                await leader.KillAsync();
            await ensemble.StartAsync();
            await load.ProgressAsync(100);
        });

    [Fact]
    public Task Full_disks_everywhere_stop_writes_until_there_is_room() => RunAsync(async (ensemble, disks, load) =>
    {
        foreach (SmallDisk disk in disks.Values)
            disk.Fill();
        // What was preallocated takes some writes still; then none is acknowledged.
        await ensemble.UntilAsync("writes to stop", async stop =>
        {
            int before = load.Acknowledged;
            await Task.Delay(TimeSpan.FromSeconds(1), stop);
            return load.Acknowledged == before;
        });
        foreach (SmallDisk disk in disks.Values)
            disk.Free();
        await load.ProgressAsync(300);
        await ensemble.WaitServingAsync();
    });

    private static async Task RunAsync(Func<Ensemble, IReadOnlyDictionary<int, SmallDisk>, Load, Task> scenario)
    {
        var disks = new Dictionary<int, SmallDisk>();
        try
        {
            for (int id = 1; id <= 3; id++)
                disks[id] = SmallDisk.Mount(DiskMegabytes);
            EnsembleSetup setup = EnsembleSetup.Of("SSS").With(
                ("preAllocSize", "64"), ("syncLimit", "4"), ("maxSessionTimeout", "60000")) with
            {
                DataDirectory = id => Path.Combine(disks[id].Path, "data"),
            };
            await Ensemble.RunAsync(setup, async ensemble =>
            {
                await using Load load = await Load.StartAsync(ensemble);
                await load.ProgressAsync(100);
                await scenario(ensemble, disks, load);
                await load.StopAsync();
                await EnsembleChecks.NoMismatchesAsync(ensemble);
                await EnsembleChecks.AllIsEqualAsync(ensemble);
            });
        }
        finally
        {
            foreach (SmallDisk disk in disks.Values)
                disk.Dispose();
        }
    }
}
