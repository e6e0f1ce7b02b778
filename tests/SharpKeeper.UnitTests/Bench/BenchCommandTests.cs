using System.CommandLine;
using System.Net;
using SharpKeeper.Cli.Bench;
using SharpKeeper.Cli.Commands;

namespace SharpKeeper.BenchTests;

public sealed class BenchCommandTests
{
    [Theory]
    [InlineData("bench", "Required argument 'operation' missing")]
    [InlineData("bench walk", "'walk' not recognized")]
    [InlineData("bench get --depth 0", "--depth must be 1 to 65536")]
    [InlineData("bench get --sessions 0", "--sessions must be 1 to 100000")]
    [InlineData("bench get --sessions many", "--sessions must be 1 to 100000, and many is not.")]
    [InlineData("bench get --size 1.5", "1.5")]
    [InlineData("bench compare --a 127.0.0.1:1 --b 127.0.0.1:2 --rounds x", "--rounds must be")]
    [InlineData("bench get --size -1", "--size must be 0 to 1000000")]
    [InlineData("bench get --duration 0", "--duration must be 0.001 to 86400")]
    [InlineData("bench get --duration NaN", "--duration must be")]
    [InlineData("bench get --count 0", "--count must be 1 to")]
    [InlineData("bench get --warmup -1", "--warmup must be 0 to")]
    [InlineData("bench mixed --read-ratio 1.5", "--read-ratio must be 0 to 1")]
    [InlineData("bench multi --multi-size 0", "--multi-size must be 1 to")]
    [InlineData("bench children --children 0", "--children must be 1 to")]
    [InlineData("bench get --probe create", "'create' not recognized")]
    [InlineData("bench get --root bench", "a path must start with '/'")]
    [InlineData("bench get --reply-timeout 0", "--reply-timeout must be 1 to")]
    [InlineData("bench compare --a 127.0.0.1:1", "--b")]
    [InlineData("bench compare --a 127.0.0.1:1 --b 127.0.0.1:2 --rounds 0", "--rounds must be 1 to")]
    [InlineData("bench startup -- java", "--server")]
    [InlineData("bench startup -s 127.0.0.1:1", "Required argument 'command' missing")]
    public void Parse_of_bad_arguments_says_which(string line, string message)
    {
        ParseResult parsed = Parse(line);

        Assert.Contains(parsed.Errors, error => error.Message.Contains(message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("bench get --server", "127.0.0.1:0", "the port must be a number from 1 to 65535")]
    [InlineData("bench get --server", "127.0.0.1:port", "the port must be a number")]
    [InlineData("bench get --server", ":2181", "the host is missing")]
    [InlineData("bench get --server", ",", "no server is given")]
    [InlineData("bench compare --a 127.0.0.1:1 --b 127.0.0.1:2 --ops", "get:8", "\"get:8\" is not an operation")]
    [InlineData("bench compare --a 127.0.0.1:1 --b 127.0.0.1:2 --ops", "get,walk", "\"walk\" is not an operation")]
    [InlineData("bench compare --a 127.0.0.1:1 --b 127.0.0.1:2 --ops", "1", "\"1\" is not an operation")]
    [InlineData("bench compare --a 127.0.0.1:1 --b 127.0.0.1:2 --ops", "get:0x5", "\"get:0x5\" is not an operation")]
    [InlineData("bench clean --root", "/", "--root / is the whole tree")]
    public void Invoke_with_bad_values_ends_with_1_and_says_which(string line, string value, string message)
    {
        var errors = new StringWriter();

        int exit = Parse(line, value).Invoke(new InvocationConfiguration { Error = errors });

        Assert.Equal(1, exit);
        Assert.Contains(message, errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_of_servers_takes_names_ports_and_ipv6()
    {
        IReadOnlyList<IPEndPoint> servers = ServerAddresses.Parse("127.0.0.1, 127.0.0.2:99,[::1]:5,[::1]");

        Assert.Equal(["127.0.0.1:2181", "127.0.0.2:99", "[::1]:5", "[::1]:2181"], servers.Select(its => $"{its}"));
    }

    [Fact]
    public void Parse_of_an_operation_takes_its_shape()
    {
        Assert.Equal(new ComparedOperation(BenchOperation.Get, 16, 2), ComparedOperation.Parse("get:16x2"));
        Assert.Equal(new ComparedOperation(BenchOperation.Set, null, null), ComparedOperation.Parse("SET"));
    }

    [Fact]
    public void Compare_takes_turns_and_gives_ratios()
    {
        var a = new FakeBench();
        var b = new FakeBench();
        var order = new List<string>();
        BenchOptions Noted(FakeBench bench, string name) => bench.Options with
        {
            Count = 100,
            Transport = () =>
            {
                order.Add(name);
                return bench.Options.Transport();
            },
        };

        var finished = new List<SharpKeeper.Cli.Bench.Report.ComparisonResult>();
        Compare.Execute(
            new CompareOptions(Noted(a, "A"), Noted(b, "B"), [ComparedOperation.Parse("get:2x10")], 3),
            TextWriter.Null, finished.Add, TestContext.Current.CancellationToken);

        Assert.Equal(["A", "B", "A", "B", "A", "B"], order);
        SharpKeeper.Cli.Bench.Report.ComparisonResult result = Assert.Single(finished);
        Assert.Equal((2, 10, 3), (result.Sessions, result.Depth, result.Rounds));
        Assert.Equal(1, result.Throughput.Ratio!.Value, 3);
    }

    [Fact]
    public void Compare_with_a_lying_server_says_which_one()
    {
        var a = new FakeBench();
        var b = new FakeBench();
        b.Server.Tamper = (_, before, payload) => before == 50 ? FakeServer.With(payload, 0, 4711) : payload;

        WrongReplyException failure = Assert.Throws<WrongReplyException>(() => Compare.Execute(
            new CompareOptions(
                a.Options with { Count = 100 }, b.Options with { Count = 100 },
                [ComparedOperation.Parse("get")], 3),
            TextWriter.Null, _ => { }, TestContext.Current.CancellationToken));

        Assert.StartsWith("server B: get: wrong reply", failure.Message, StringComparison.Ordinal);
    }

    private static ParseResult Parse(string line, params string[] more) => new RootCommand { BenchCommand.Create() }.Parse(
        [.. line.Split(' '), .. more], new ParserConfiguration { EnablePosixBundling = false });
}
