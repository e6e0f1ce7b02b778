using SharpKeeper.Server.Metrics;

namespace SharpKeeper.Server.Runtime;

/// <summary>
/// What one connection thread counts by itself between two ticks. Plain fields, so that a request costs no interlocked
/// operation; the thread carries them over to the server's metrics now and then.
/// </summary>
internal sealed class LoopCounters
{
    /// <summary>Frames received.</summary>
    public long Received { get; set; }

    /// <summary>Bytes received.</summary>
    public long BytesReceived { get; set; }

    /// <summary>Bytes sent.</summary>
    public long BytesSent { get; set; }

    /// <summary>Reads answered without the replica.</summary>
    public int ReadsAnswered { get; set; }

    /// <summary>Carries everything over and starts again from nothing; on the thread that counts.</summary>
    public void MoveTo(ServerMetrics metrics)
    {
        if (Received > 0)
            metrics.PacketsReceived.Add(Received);
        if (BytesReceived > 0)
            metrics.BytesReceived.Add(BytesReceived);
        if (BytesSent > 0)
            metrics.ResponseBytes.Add(BytesSent);
        if (ReadsAnswered > 0)
        {
            // They are answered in the pass in which they arrive: below the millisecond that is counted.
            metrics.PacketsSent.Add(ReadsAnswered);
            metrics.ReadLatency.Add(0, ReadsAnswered);
            metrics.RequestLatency.Add(0, ReadsAnswered);
        }
        Received = BytesReceived = BytesSent = 0;
        ReadsAnswered = 0;
    }
}
