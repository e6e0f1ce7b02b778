using SharpKeeper.Core.Clients;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core;

/// <summary>
/// Clients that connect just after their leader has gone: they wait for the next one for a moment. An election takes
/// milliseconds, while a client that is turned away tries the next server, which has no leader either, and then pauses.
/// A server that finds no leader sends them on to the others.
/// </summary>
public sealed partial class Replica
{
    private const int ArrivalWaitMsMax = 500;
    private const int ArrivalWaitsPerTick = 4;

    private readonly record struct Arrival(ClientLink Link, ConnectRequest Request);

    private readonly List<Arrival> arrivals = [];
    private long stoppedMs;

    /// <summary>May who connects now wait? Counted from the end of service, so that a lasting outage delays nobody.</summary>
    private bool MayWait => !isServing && !isLeading && !isReadOnly
        && nowMs - stoppedMs < Math.Min(ArrivalWaitMsMax, options.TickMs / ArrivalWaitsPerTick);

    /// <summary>Serves those that wait, or sends them on; with every tick, when what the last role left is done.</summary>
    private void TakeArrivals()
    {
        if (arrivals.Count == 0 || MayWait || isFinishing)
            return;
        Arrival[] all = [.. arrivals];
        arrivals.Clear();
        foreach (Arrival arrival in all)
        {
            if (!arrival.Link.IsClosed)
                Connect(arrival.Link, arrival.Request);
        }
    }
}
