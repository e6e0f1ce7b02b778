using System.Net.Sockets;
using SharpKeeper.Protocol;

namespace SharpKeeper.Server.Peers;

internal sealed partial class QuorumConnection
{
    // An output buffer of that size is not kept for the next output.
    private const int KeptBytesMax = 1024 * 1024;

    // Output that waits is gathered in buffers of about this size.
    private const int GatheredBytesMax = 64 * 1024;

    private readonly object sendLock = new();
    private readonly Queue<JuteBuffer> unsent = new();
    private JuteBuffer? last;
    private int headSent;
    private long unsentBytes;
    private Thread? writer;

    /// <summary>Bytes handed over that the system has not taken yet; any thread.</summary>
    public long UnsentBytes => Interlocked.Read(ref unsentBytes);

    /// <summary>
    /// Sends the link's output as far as the peer takes it at once and leaves the rest to the writer; on the thread
    /// that runs the replica. Output waits while a transfer is under way.
    /// </summary>
    public void Flush()
    {
        JuteBuffer output = Link.Output;
        if (output.Length == 0)
            return;
        if (Link.IsTransferring)
        {
            if (output.Length > options.UnsentBytesMax)
                Overflow(output);
            return;
        }
        int sent;
        lock (sendLock)
        {
            if (IsClosed || socket is null)
            {
                output.Reset();
                return;
            }
            sent = unsent.Count == 0 ? TrySend(output.WrittenSpan) : 0;
            if (sent >= 0 && sent < output.Length && Enqueue(output, sent))
                Link.Output = new JuteBuffer();
        }
        Empty(Link.Output);
        if (UnsentBytes > options.UnsentBytesMax)
            Overflow(Link.Output);
    }

    /// <summary>Sends what goes out at once and closes.</summary>
    public void HangUp(string reason)
    {
        Flush();
        Close(reason);
    }

    /// <summary>
    /// Sends bytes behind everything that was sent before and waits until the system has them all; false if the
    /// connection ends meanwhile, as it does when the peer takes nothing any more. For transfers, while the link's own
    /// output waits.
    /// </summary>
    public bool Transfer(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int sent;
            lock (sendLock)
            {
                AwaitDrained();
                sent = IsClosed ? -1 : TrySend(bytes);
            }
            if (sent < 0)
                return false;
            bytes = bytes[sent..];
            if (!bytes.IsEmpty && !AwaitWritable(options.TransferSilenceMax))
                CloseStalled();
        }
        return !IsClosed;
    }

    // Under the lock. Waits until a transfer can go on behind what was sent before.
    private void AwaitDrained()
    {
        while (unsent.Count > 0 && !IsClosed)
        {
            long before = UnsentBytes;
            if (!Monitor.Wait(sendLock, options.TransferSilenceMax) && UnsentBytes == before)
                CloseStalled();
        }
    }

    private void CloseStalled() =>
        Close($"it took nothing of a transfer for {options.TransferSilenceMax.TotalMilliseconds} ms");

    private static void Empty(JuteBuffer output)
    {
        if (output.Capacity > KeptBytesMax)
            output.Reset();
        else
            output.Clear();
    }

    private void Overflow(JuteBuffer output)
    {
        output.Reset();
        Close($"it left more than {options.UnsentBytesMax >> 20} MiB unread");
    }

    // Under the lock. The buffer changes hands unless its bytes fit behind those that wait already.
    private bool Enqueue(JuteBuffer output, int sent)
    {
        ReadOnlySpan<byte> rest = output.WrittenSpan[sent..];
        Interlocked.Add(ref unsentBytes, rest.Length);
        if (unsent.Count > 0 && last!.Length + rest.Length <= GatheredBytesMax)
        {
            last.WriteRaw(rest);
            return false;
        }
        if (unsent.Count == 0)
            headSent = sent;
        else if (sent > 0)
            throw new InvalidOperationException("Output was sent past output that waits.");
        unsent.Enqueue(output);
        last = output;
        if (writer is null)
        {
            writer = new Thread(Write) { IsBackground = true, Name = "peer-writer" };
            writer.Start();
        }
        Monitor.PulseAll(sendLock);
        return true;
    }

    private void Write()
    {
        try
        {
            while (WriteSome())
                AwaitWritable(Timeout.InfiniteTimeSpan);
        }
        catch (ObjectDisposedException)
        {
            // The reader has ended the connection.
        }
        lock (sendLock)
        {
            while (unsent.TryDequeue(out JuteBuffer? rest))
                rest.Reset();
            Monitor.PulseAll(sendLock);
        }
    }

    /// <summary>Sends until the peer takes no more; false at the connection's end.</summary>
    private bool WriteSome()
    {
        lock (sendLock)
        {
            while (!IsClosed)
            {
                if (!unsent.TryPeek(out JuteBuffer? next))
                {
                    Monitor.Wait(sendLock);
                    continue;
                }
                int sent = TrySend(next.WrittenSpan[headSent..]);
                if (sent < 0)
                    return false;
                headSent += sent;
                Interlocked.Add(ref unsentBytes, -sent);
                if (headSent < next.Length)
                    return true;
                headSent = 0;
                unsent.Dequeue().Reset();
                if (unsent.Count == 0)
                    Monitor.PulseAll(sendLock);
            }
            return false;
        }
    }

    /// <summary>The number of bytes that the system takes now; -1 at the connection's end.</summary>
    private int TrySend(ReadOnlySpan<byte> bytes)
    {
        try
        {
            int sent = socket!.Send(bytes, SocketFlags.None, out SocketError error);
            if (error == SocketError.Success)
                return sent;
            if (error is SocketError.WouldBlock or SocketError.IOPending)
                return 0;
            Close($"sending failed: {Describe(error)}");
            return -1;
        }
        catch (ObjectDisposedException)
        {
            return -1;
        }
    }

    /// <summary>False if the peer took nothing for so long.</summary>
    private bool AwaitWritable(TimeSpan timeout)
    {
        try
        {
            return socket!.Poll(timeout, SelectMode.SelectWrite);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            Close("the socket failed");
            return true;
        }
    }

    private void WakeSenders()
    {
        lock (sendLock)
            Monitor.PulseAll(sendLock);
    }

    private void JoinWriter()
    {
        Thread? writing;
        lock (sendLock)
            writing = writer;
        if (writing != Thread.CurrentThread)
            writing?.Join();
    }

    private static string Describe(SocketError error) => new SocketException((int)error).Message;
}
