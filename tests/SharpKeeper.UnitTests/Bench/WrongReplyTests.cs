using SharpKeeper.Cli.Bench;
using SharpKeeper.Protocol;

namespace SharpKeeper.BenchTests;

/// <summary>Each kind of lie is found, and the message says what came.</summary>
public sealed class WrongReplyTests
{
    private const int BodyAt = 16;

    [Fact]
    public void A_reply_with_a_wrong_xid_is_found() => Finds(
        BenchOperation.Get, OpCode.GetData, payload => FakeServer.With(payload, 0, 4711), "xid 4711 came where");

    [Fact]
    public void A_zxid_that_goes_back_is_found() => Finds(
        BenchOperation.Get, OpCode.GetData, payload => FakeServer.With(payload, 8, 0), "zxid 0x0 came after");

    [Theory]
    [InlineData(BenchOperation.Get, OpCode.GetData)]
    [InlineData(BenchOperation.Exists, OpCode.Exists)]
    [InlineData(BenchOperation.Set, OpCode.SetData)]
    [InlineData(BenchOperation.Delete, OpCode.Delete)]
    [InlineData(BenchOperation.Children, OpCode.GetChildren)]
    [InlineData(BenchOperation.Multi, OpCode.Multi)]
    internal void An_error_code_is_found(BenchOperation operation, OpCode request) => Finds(
        operation, request, payload => FakeServer.With(payload[..BodyAt], 12, (int)ErrorCode.NoAuth), "NoAuth");

    [Fact]
    public void An_error_of_create_is_found() => Finds(
        BenchOperation.Create, OpCode.Create, payload => FakeServer.With(payload[..BodyAt], 12, -110), "NodeExists",
        after: 20);

    [Fact]
    public void A_wrong_data_length_is_found() => Finds(
        BenchOperation.Get, OpCode.GetData, payload => FakeServer.With(payload, BodyAt, 99), "99 bytes of data came");

    [Fact]
    public void A_body_that_is_cut_off_is_found() => Finds(
        BenchOperation.Get, OpCode.GetData, payload => payload[..^1], "body of 171 bytes came instead of 172");

    [Fact]
    public void Data_of_other_bytes_is_found() => Finds(
        BenchOperation.Get, OpCode.GetData, payload => FakeServer.With(payload, BodyAt + 4 + 50, 0), "the data is not");

    [Fact]
    public void Data_of_another_version_is_found() => Finds(
        BenchOperation.Get, OpCode.GetData, payload => FakeServer.With(payload, BodyAt + 4 + 4, 7), "the data is not");

    [Theory]
    [InlineData(BenchOperation.Get, OpCode.GetData)]
    [InlineData(BenchOperation.Exists, OpCode.Exists)]
    [InlineData(BenchOperation.Set, OpCode.SetData)]
    internal void A_wrong_version_is_found(BenchOperation operation, OpCode request) => Finds(
        operation, request, payload => FakeServer.With(payload, -Stat.Bytes + 32, 12345), "version 12345 came");

    [Fact]
    public void A_wrong_data_length_in_a_stat_is_found() => Finds(
        BenchOperation.Exists, OpCode.Exists, payload => FakeServer.With(payload, -Stat.Bytes + 52, 1),
        "data length of 1 came instead of 100");

    [Fact]
    public void A_mzxid_that_stands_still_is_found() => Finds(
        BenchOperation.Set, OpCode.SetData, payload => FakeServer.With(payload, -Stat.Bytes + 12, 0), "mzxid 0x0 came");

    [Fact]
    public void A_wrong_name_of_a_created_znode_is_found() => Finds(
        BenchOperation.Create, OpCode.Create,
        payload => [.. payload[..^1], (byte)'x'], "create returned the name", after: 20);

    [Fact]
    public void A_delete_with_a_body_is_found() => Finds(
        BenchOperation.Delete, OpCode.Delete, payload => [.. payload, 0], "delete was answered with 1 bytes");

    [Fact]
    public void A_missing_child_is_found() => Finds(
        BenchOperation.Children, OpCode.GetChildren,
        payload => FakeServer.With(payload[..^15], BodyAt, 19), "19 names instead of 20");

    [Fact]
    public void A_child_listed_twice_is_found() => Finds(
        BenchOperation.Children, OpCode.GetChildren,
        payload => [.. payload[..^15], .. payload[^30..^15]], "one name twice, at place 19");

    [Fact]
    public void A_part_of_a_multi_that_failed_is_found() => Finds(
        BenchOperation.Multi, OpCode.Multi, payload => FakeServer.With(payload, BodyAt + 5, -103), "part 0 of multi");

    [Fact]
    public void A_multi_that_lacks_its_end_is_found() => Finds(
        BenchOperation.Multi, OpCode.Multi, payload => payload[..^9], "multi does not end");

    [Fact]
    public void A_multi_with_too_few_results_is_found() => Finds(
        BenchOperation.Multi, OpCode.Multi, payload => payload[..(BodyAt + 77 + 5)], "multi ends after 1 results");

    [Fact]
    public void A_reply_shorter_than_its_header_is_found() => Finds(
        BenchOperation.Get, OpCode.GetData, payload => payload[..7], "a reply of 7 bytes");

    [Fact]
    public void An_event_of_the_wrong_type_is_found() => Finds(
        BenchOperation.Watch, OpCode.Notification, payload => FakeServer.With(payload, BodyAt, 2), "of type 2");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_event_that_comes_twice_is_found(bool persistent)
    {
        var bench = new FakeBench();
        bench.Server.EventCopies = 2;

        WrongReplyException failure = Assert.Throws<WrongReplyException>(
            () => bench.Run(BenchOperation.Watch, options => options with { Count = 20, Persistent = persistent }));

        Assert.Contains("not due", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_event_that_nobody_asked_for_is_found() => Finds(
        BenchOperation.Get, OpCode.GetData, payload => FakeServer.With(payload, 0, Xids.WatchEvent), "nothing is watched");

    [Fact]
    public void A_refused_session_is_found() => Finds(
        BenchOperation.Get, OpCode.CreateSession, payload => FakeServer.With(payload, 4, 0), "refused a new session",
        after: 0);

    [Fact]
    public void A_short_handshake_is_found() => Finds(
        BenchOperation.Get, OpCode.CreateSession, payload => payload[..36], "36 bytes instead of 37", after: 0);

    [Fact]
    public void A_closed_connection_is_reported()
    {
        var bench = new FakeBench();
        bench.Server.Tamper = (operation, before, payload) =>
            operation == OpCode.GetData && before == 50 ? null : payload;

        BenchException failure = Assert.Throws<BenchException>(() => bench.Run(BenchOperation.Get));

        Assert.Contains("closed the connection with", failure.Message, StringComparison.Ordinal);
        Assert.Contains("is left on the server", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_connection_closed_in_the_handshake_is_reported_with_the_likely_reason()
    {
        var bench = new FakeBench();
        bench.Server.Tamper = (operation, before, payload) => operation == OpCode.CreateSession && before == 2
            ? null : payload;

        BenchException failure = Assert.Throws<BenchException>(() => bench.Run(BenchOperation.Get));

        Assert.Contains("maxClientCnxns", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_that_falls_silent_is_given_up()
    {
        var bench = new FakeBench { IsSilent = true };

        BenchException failure = Assert.Throws<BenchException>(() => bench.Run(BenchOperation.Get));

        Assert.Contains("no reply for 60 s", failure.Message, StringComparison.Ordinal);
    }

    private static void Finds(
        BenchOperation operation, OpCode request, Func<byte[], byte[]> lie, string message, int after = 10)
    {
        var bench = new FakeBench();
        bench.Server.Tamper = (its, before, payload) => its == request && before == after ? lie(payload) : payload;

        WrongReplyException failure = Assert.Throws<WrongReplyException>(
            () => bench.Run(operation, options => options with { Count = 200 }));

        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
    }
}
