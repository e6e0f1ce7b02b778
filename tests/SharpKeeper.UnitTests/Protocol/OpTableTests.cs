using CsCheck;
using SharpKeeper.Protocol;
using SharpKeeper.ReplicaTests;

namespace SharpKeeper.ProtocolTests;

/// <summary>The table of operations is complete, and whoever it sends requests to can answer them.</summary>
public class OpTableTests
{
    private static readonly HashSet<OpCode> ServersOwn =
        [OpCode.Notification, OpCode.Check, OpCode.DeleteContainer, OpCode.CreateSession, OpCode.Error];

    private static readonly OpInfo[] Replicated =
        [.. OpTable.All.Where(op => op.Class is OpClass.Read or OpClass.Write)];

    public static TheoryData<OpCode> Ops() => [.. Replicated.Select(op => op.Code)];

    [Fact]
    public void Find_every_code_a_client_may_send_has_a_class()
    {
        foreach (OpCode code in Enum.GetValues<OpCode>())
            Assert.Equal(ServersOwn.Contains(code), OpTable.Find(code).Class == OpClass.Unknown);
        Assert.Equal(OpTable.All.Count(), OpTable.All.Select(op => op.Name).Distinct().Count());
        Assert.All(OpTable.All, op => Assert.Same(op, OpTable.Find(op.Code)));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(99)]
    [InlineData(108)]
    [InlineData(-2)]
    [InlineData(int.MaxValue)]
    [InlineData(int.MinValue)]
    public void Find_other_number_is_unknown(int code) =>
        Assert.Equal(OpClass.Unknown, OpTable.Find((OpCode)code).Class);

    [Theory]
    [MemberData(nameof(Ops))]
    public void Request_well_formed_is_answered_without_error(OpCode op)
    {
        using var harness = new ReplicaHarness();
        HarnessClient client = harness.Connect();
        client.Take();
        client.Call(OpCode.Create, RequestBody.Create("/a", [1]));
        client.Call(OpCode.AddWatch, RequestBody.Versioned("/a", 0));

        Frame reply = client.Call(op, WellFormed(op));

        Assert.Equal((op, op == OpCode.Reconfig ? ErrorCode.ReconfigDisabled : ErrorCode.Ok), (reply.Op, reply.Error));
        Assert.DoesNotContain("CUT OFF", reply.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("BYTES", reply.Body, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Ops))]
    public void Request_cut_off_anywhere_is_answered_once(OpCode op)
    {
        using var harness = new ReplicaHarness();
        HarnessClient client = harness.Connect();
        client.Take();
        client.Call(OpCode.Create, RequestBody.Create("/a", [1]));
        byte[] whole = WellFormed(op);
        // The body of these is not looked at.
        bool isIgnored = op is OpCode.Ping or OpCode.WhoAmI or OpCode.CloseSession or OpCode.Reconfig;
        for (int length = 0; length < whole.Length && !isIgnored; length++)
        {
            client.Send(op, whole[..length]);
            Frame reply = Assert.Single(client.Take());
            Assert.Equal(ErrorCode.MarshallingError, reply.Error);
        }
    }

    [Fact]
    public void Request_of_random_bytes_is_answered_once() =>
        Gen.Select(Gen.Int[0, Replicated.Length - 1], Gen.Byte.Array[0, 80], Gen.Int[0, 200]).Array[1, 30].Sample(
            requests =>
            {
                using var harness = new ReplicaHarness();
                HarnessClient client = harness.Connect();
                client.Take();
                foreach ((int index, byte[] noise, int at) in requests)
                {
                    OpCode op = Replicated[index].Code;
                    if (op == OpCode.CloseSession)
                        continue;
                    byte[] body = WellFormed(op);
                    if (at >= body.Length)
                        body = noise;
                    else
                        noise.AsSpan(0, Math.Min(3, Math.Min(noise.Length, body.Length - at))).CopyTo(body.AsSpan(at));
                    client.Send(op, body);
                    Assert.Single(client.Take(), frame => !frame.IsEvent);
                }
                Assert.Equal(0, harness.Replica.Statistics.DigestMismatches);
                Assert.Equal(0, harness.Replica.PendingZnodes);
            },
            iter: TestScale.Of(300), threads: 1);

    private static byte[] WellFormed(OpCode op) => op switch
    {
        OpCode.Create or OpCode.Create2 => RequestBody.Create("/new", [1]),
        OpCode.CreateContainer => RequestBody.Create("/new", [1], CreateMode.Container),
        OpCode.CreateTtl => RequestBody.CreateTtl("/new", [1], CreateMode.PersistentWithTtl, 1000),
        OpCode.Delete or OpCode.AddWatch => RequestBody.Versioned("/a", 0),
        OpCode.CheckWatches or OpCode.RemoveWatches => RequestBody.Versioned("/a", 3),
        OpCode.Exists or OpCode.GetData or OpCode.GetChildren or OpCode.GetChildren2 => RequestBody.Watched("/a"),
        OpCode.SetData => RequestBody.SetData("/a", [2]),
        OpCode.SetAcl => RequestBody.SetAcl("/a", RequestBody.Open),
        OpCode.Multi => RequestBody.Multi((OpCode.Check, RequestBody.Versioned("/a", 0))),
        OpCode.MultiRead => RequestBody.Multi((OpCode.GetData, RequestBody.Watched("/a"))),
        OpCode.GetAcl or OpCode.Sync or OpCode.GetEphemerals or OpCode.GetAllChildrenNumber => RequestBody.Path("/a"),
        OpCode.SetWatches => RequestBody.SetWatches(0, ["/a"], [], []),
        OpCode.SetWatches2 => RequestBody.SetWatches(0, ["/a"], [], [], [], []),
        OpCode.Ping or OpCode.WhoAmI or OpCode.CloseSession or OpCode.Reconfig => [],
        _ => throw new InvalidOperationException($"the test knows no body for {op}"),
    };
}
