using SharpKeeper.Protocol;
using Xunit;

namespace SharpKeeper.Simulation;

/// <summary>The checker of histories must tell good ones from bad ones.</summary>
public class LinearizabilityTests
{
    private readonly List<Operation> history = [];

    [Fact]
    public void Check_accepts_a_read_of_either_of_two_writes_at_the_same_time()
    {
        Create(0, 1);
        Set(10, 30, 2, version: 1);
        Set(12, 28, 3, version: 2);
        Read(15, 20, 2, version: 1);
        Read(31, 32, 3, version: 2);
        Assert.Equal(0, Linearizability.Check(history, new CommittedHistory()));
    }

    [Fact]
    public void Check_refuses_a_read_that_goes_back()
    {
        Create(0, 1);
        Set(10, 11, 2, version: 1);
        Read(12, 13, 2, version: 1);
        Read(14, 15, 1, version: 0);
        Assert.Throws<SimulationFailure>(() => Linearizability.Check(history, new CommittedHistory()));
    }

    [Fact]
    public void Check_refuses_a_write_that_was_lost()
    {
        Create(0, 1);
        Set(10, 11, 2, version: 1);
        Set(12, 13, 3, version: 1);
        Assert.Throws<SimulationFailure>(() => Linearizability.Check(history, new CommittedHistory()));
    }

    [Fact]
    public void Check_leaves_out_an_unanswered_write_that_did_not_happen()
    {
        Create(0, 1);
        Set(10, -1, 2, version: 1);
        Read(20, 21, 1, version: 0);
        Assert.Equal(0, Linearizability.Check(history, new CommittedHistory()));
    }

    private void Create(long from, byte value) => Add(OperationKind.Create, from, from + 1, value, 0);

    private void Set(long from, long to, byte value, int version) => Add(OperationKind.Set, from, to, value, version);

    private void Read(long from, long to, byte value, int version) => Add(OperationKind.Get, from, to, value, version);

    private void Add(OperationKind kind, long from, long to, byte value, int version) => history.Add(new Operation
    {
        Number = history.Count,
        Client = 1,
        Session = 1,
        Xid = history.Count + 1,
        Kind = kind,
        Path = "/r0",
        Parts = kind == OperationKind.Get ? [] : [new WritePart(kind, "/r0", [value], -1, CreateMode.Persistent)],
        InvokedUs = from,
        Floor = Zxid.Zero,
        IsSynced = kind == OperationKind.Get,
        ReturnedUs = to,
        Value = [value],
        Stat = new Stat { Version = version },
    });
}
