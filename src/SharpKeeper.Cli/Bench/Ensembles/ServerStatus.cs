using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Bench.Ensembles;

/// <summary>What a server says of itself in answer to srvr.</summary>
/// <param name="Mode">leader, follower, observer, standalone or read-only.</param>
/// <param name="Zxid">The last transaction that it has applied.</param>
internal readonly record struct ServerStatus(string Mode, Zxid Zxid)
{
    private const int AnswerMs = 2000;

    /// <summary>Does it take part in an ensemble and serve?</summary>
    public bool IsServing => Mode is "leader" or "follower" or "observer";

    /// <summary>Asks; null when there is no answer, or one that says that it does not serve.</summary>
    public static ServerStatus? Ask(IPEndPoint server)
    {
        try
        {
            using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.ReceiveTimeout = AnswerMs;
            socket.Connect(server);
            socket.Send("srvr"u8);
            return Read(ReadToEnd(socket));
        }
        catch (SocketException)
        {
            return null;
        }
    }

    /// <summary>Reads the answer.</summary>
    public static ServerStatus? Read(string answer) =>
        Value(answer, "Mode: ") is { } mode && Value(answer, "Zxid: 0x") is { } zxid
        && long.TryParse(zxid, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out long value)
            ? new ServerStatus(mode, new Zxid(value)) : null;

    private static string ReadToEnd(Socket socket)
    {
        Span<byte> answer = stackalloc byte[4096];
        int length = 0;
        while (length < answer.Length && socket.Receive(answer[length..]) is > 0 and int count)
            length += count;
        return Encoding.UTF8.GetString(answer[..length]);
    }

    private static string? Value(string answer, string name)
    {
        foreach (string line in answer.Split('\n'))
        {
            if (line.StartsWith(name, StringComparison.Ordinal))
                return line[name.Length..].TrimEnd();
        }
        return null;
    }
}
