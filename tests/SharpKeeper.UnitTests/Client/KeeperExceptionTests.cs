using SharpKeeper.Client;
using SharpKeeper.Protocol;

namespace SharpKeeper.UnitTests.Client;

public class KeeperExceptionTests
{
    [Theory]
    [InlineData(ErrorCode.NoNode, typeof(NoNodeException), "KeeperErrorCode = NoNode for /x: ")]
    [InlineData(ErrorCode.NodeExists, typeof(NodeExistsException), "KeeperErrorCode = NodeExists for /x: ")]
    [InlineData(ErrorCode.BadVersion, typeof(BadVersionException), "KeeperErrorCode = BadVersion for /x: ")]
    [InlineData(ErrorCode.NotEmpty, typeof(NotEmptyException), "KeeperErrorCode = Directory not empty for /x: ")]
    [InlineData(
        ErrorCode.SessionExpired, typeof(SessionExpiredException), "KeeperErrorCode = Session expired for /x: ")]
    [InlineData(ErrorCode.ConnectionLoss, typeof(ConnectionLossException), "KeeperErrorCode = ConnectionLoss for /x: ")]
    [InlineData(ErrorCode.NoAuth, typeof(NoAuthException), "KeeperErrorCode = NoAuth for /x: ")]
    [InlineData(ErrorCode.InvalidAcl, typeof(KeeperException), "KeeperErrorCode = InvalidACL for /x: ")]
    [InlineData((ErrorCode)(-999), typeof(KeeperException), "KeeperErrorCode = -999 for /x")]
    public void For_gives_the_class_and_the_message_of_a_code(ErrorCode code, Type type, string message)
    {
        KeeperException error = KeeperException.For(code, "/x");

        Assert.IsType(type, error);
        Assert.Equal(code, error.Code);
        Assert.Equal("/x", error.Path);
        Assert.StartsWith(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SessionTimeout")]
    [InlineData("ConnectTimeout")]
    [InlineData("RequestBytesMax")]
    [InlineData("ReplyBytesMax")]
    [InlineData("WatchStreamEventsMax")]
    public void Options_out_of_range_are_refused_by_name(string option)
    {
        var options = new KeeperClientOptions { ConnectString = "a" };
        options = option switch
        {
            "SessionTimeout" => options with { SessionTimeout = TimeSpan.Zero },
            "ConnectTimeout" => options with { ConnectTimeout = TimeSpan.FromDays(100) },
            "RequestBytesMax" => options with { RequestBytesMax = 10 },
            "ReplyBytesMax" => options with { ReplyBytesMax = -1 },
            _ => options with { WatchStreamEventsMax = 0 },
        };

        ArgumentOutOfRangeException error = Assert.Throws<ArgumentOutOfRangeException>(() => new KeeperClient(options));

        Assert.Equal(option, error.ParamName);
    }
}
