using System.Net.Sockets;
using System.Text;

namespace SharpKeeper.Cli.Ensemble;

/// <summary>Asks a server a four-letter word: the reply, or why there is none.</summary>
internal delegate Task<string> WordAsker(ServerAddress server, string word, CancellationToken cancel);

/// <summary>Asks over a connection for each word, as the words want it.</summary>
internal static class FourLetterClient
{
    private const int ReplyBytesMax = 16 << 20;

    /// <summary>The reply of a server.</summary>
    /// <exception cref="IOException">There is none; the message says why.</exception>
    internal static async Task<string> AskAsync(
        ServerAddress server, string word, TimeSpan patience, CancellationToken cancel)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(patience);
        try
        {
            using TcpClient client = new();
            await client.ConnectAsync(server.Host, server.Port, limit.Token).ConfigureAwait(false);
            NetworkStream stream = client.GetStream();
            await stream.WriteAsync(Encoding.ASCII.GetBytes(word), limit.Token).ConfigureAwait(false);
            return await ReadAsync(stream, limit.Token).ConfigureAwait(false);
        }
        catch (SocketException e)
        {
            throw new IOException(Describe(e), e);
        }
        catch (OperationCanceledException e) when (!cancel.IsCancellationRequested)
        {
            throw new IOException($"no answer within {patience.TotalSeconds:0.#} s", e);
        }
    }

    private static string Describe(SocketException e) => e.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => "connection refused",
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => "unknown host",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable => "no route to the host",
        SocketError.TimedOut => "no answer",
        _ => e.Message,
    };

    private static async Task<string> ReadAsync(NetworkStream stream, CancellationToken cancel)
    {
        using MemoryStream reply = new();
        byte[] buffer = new byte[8192];
        int read;
        while ((read = await stream.ReadAsync(buffer, cancel).ConfigureAwait(false)) > 0)
        {
            reply.Write(buffer, 0, read);
            if (reply.Length > ReplyBytesMax)
                throw new IOException("the answer does not end");
        }
        return Encoding.UTF8.GetString(reply.GetBuffer(), 0, (int)reply.Length);
    }
}
