using System.Globalization;
using System.Text;

namespace SharpKeeper.ServerTests;

/// <summary>Asks four-letter words.</summary>
internal static class Words
{
    /// <summary>The whole answer to a word.</summary>
    public static string Ask(int port, string word)
    {
        using RawClient client = RawClient.Open(port);
        client.SendRaw(Encoding.ASCII.GetBytes(word));
        var answer = new StringBuilder();
        byte[] buffer = new byte[8192];
        int count;
        while ((count = client.Socket.Receive(buffer)) > 0)
            answer.Append(Encoding.UTF8.GetString(buffer, 0, count));
        return answer.ToString();
    }

    /// <summary>One figure of <c>mntr</c>.</summary>
    public static long Figure(int port, string name) => FigureOf(Ask(port, "mntr"), name);

    /// <summary>One figure of an answer to <c>mntr</c>.</summary>
    public static long FigureOf(string answer, string name)
    {
        string line = answer.Split('\n').Single(line => line.StartsWith(name + "\t", StringComparison.Ordinal));
        return (long)double.Parse(line[(name.Length + 1)..], CultureInfo.InvariantCulture);
    }

    /// <summary>The value of a line <c>name: value</c> of <c>srvr</c>.</summary>
    public static string Line(int port, string word, string name)
    {
        string line = Ask(port, word).Split('\n')
            .Single(line => line.StartsWith(name + ": ", StringComparison.Ordinal));
        return line[(name.Length + 2)..].Trim();
    }
}
