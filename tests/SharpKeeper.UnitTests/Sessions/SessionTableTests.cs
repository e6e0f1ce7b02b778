using SharpKeeper.Core.Sessions;

namespace SharpKeeper.SessionTests;

public class SessionTableTests
{
    [Fact]
    public void CollectExpired_with_a_limit_leaves_the_rest_to_later_calls()
    {
        var table = new SessionTable(tickMs: 1000);
        for (int id = 1; id <= 10; id++)
            table.Add(id, timeoutMs: 4000 + (id % 2 * 1000), nowMs: 0);
        table.Touch(table.Find(3)!, nowMs: 9000);
        var expired = new List<Session>();
        table.CollectExpired(10_000, expired, max: 3);
        Assert.Equal(3, expired.Count);
        table.Remove(expired[0].Id);
        table.Remove(2);
        table.CollectExpired(10_000, expired, max: 3);
        table.CollectExpired(10_000, expired, max: 100);
        Assert.Equal(8, expired.Select(session => session.Id).Distinct().Count());
        Assert.DoesNotContain(expired, session => session.Id == 3);
        Assert.Single(table.Buckets);
    }
}
