namespace SharpKeeper.Core.Clients;

/// <summary>Requests of one session in order. Holds no memory before the first.</summary>
internal sealed class RequestQueue
{
    private QueuedRequest[] ring = [];
    private int head;

    /// <summary>Number of requests.</summary>
    public int Count { get; private set; }

    /// <summary>A request by its place, 0 being the oldest.</summary>
    public ref QueuedRequest this[int index] => ref ring[(head + index) & (ring.Length - 1)];

    /// <summary>Adds a request behind the others.</summary>
    public void Enqueue(in QueuedRequest request)
    {
        if (Count == ring.Length)
            Grow();
        this[Count++] = request;
    }

    /// <summary>The oldest request; false if there is none.</summary>
    public bool TryPeek(out QueuedRequest request)
    {
        request = Count > 0 ? this[0] : default;
        return Count > 0;
    }

    /// <summary>Takes the oldest request away; there must be one.</summary>
    public void Dequeue()
    {
        Invariant.Check(Count > 0, "a queue of requests is empty");
        this[0] = default;
        head = (head + 1) & (ring.Length - 1);
        Count--;
    }

    private void Grow()
    {
        var larger = new QueuedRequest[Math.Max(2, ring.Length * 2)];
        for (int i = 0; i < Count; i++)
            larger[i] = this[i];
        ring = larger;
        head = 0;
    }
}
