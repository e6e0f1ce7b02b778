using SharpKeeper.Server.Runtime;

namespace SharpKeeper.ServerTests;

public sealed class BulkWorkTests
{
    [Fact]
    public void Run_gives_the_result_of_work_on_another_thread()
    {
        int here = Environment.CurrentManagedThreadId;

        Assert.NotEqual(here, BulkWork.Run(() => Environment.CurrentManagedThreadId));
        Assert.NotEqual(here, BulkWork.RunSoon(() => Environment.CurrentManagedThreadId));
    }

    [Fact]
    public void Run_throws_what_the_work_throws()
    {
        var damage = new IOException("damaged");

        Assert.Same(damage, Assert.Throws<IOException>(() => BulkWork.Run<int>(() => throw damage)));
        Assert.Same(damage, Assert.Throws<IOException>(() => BulkWork.RunSoon<int>(() => throw damage)));
    }
}
