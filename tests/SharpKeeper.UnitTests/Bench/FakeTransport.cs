using System.Diagnostics;
using System.Net;
using SharpKeeper.Cli.Bench.Transport;

namespace SharpKeeper.BenchTests;

/// <summary>
/// Connects the driver with a <see cref="FakeServer"/> without sockets. Time passes only here: a millisecond for each
/// wait that finds something, the whole timeout for one that does not.
/// </summary>
internal sealed class FakeTransport(FakeServer server, FakeTime time) : ITransport
{
    private readonly List<(FakeConnection Connection, int Tag)?> connections = [];
    private readonly HashSet<int> writable = [];
    private int turn;

    /// <summary>Most bytes that one send takes.</summary>
    public int SendMax { get; init; } = int.MaxValue;

    /// <summary>Most bytes that one receive gives.</summary>
    public int ReceiveMax { get; init; } = int.MaxValue;

    /// <summary>Does only one connection at a time show that it can be read, in turns?</summary>
    public bool IsOneByOne { get; init; }

    /// <summary>Does the server answer at all once sessions are open?</summary>
    public bool IsSilent { get; init; }

    /// <summary>Where connections were made to.</summary>
    public List<IPEndPoint> EndPoints { get; } = [];

    public int Connect(IPEndPoint endPoint, int tag)
    {
        EndPoints.Add(endPoint);
        connections.Add((new FakeConnection(server), tag));
        return connections.Count - 1;
    }

    public void Close(int handle) => connections[handle] = null;

    public int Send(int handle, ReadOnlySpan<byte> bytes)
    {
        FakeConnection connection = Of(handle);
        int count = Math.Min(bytes.Length, SendMax);
        if (!IsSilent || !connection.IsOpen)
            connection.Feed(bytes[..count]);
        return count;
    }

    public int Receive(int handle, Span<byte> bytes)
    {
        FakeConnection connection = Of(handle);
        int count = connection.Read(bytes[..Math.Min(bytes.Length, ReceiveMax)]);
        return count > 0 ? count : connection.IsClosed ? 0 : -1;
    }

    public void WatchWritable(int handle, bool watch)
    {
        if (watch)
            writable.Add(handle);
        else
            writable.Remove(handle);
    }

    public int Wait(Span<Readiness> ready, int timeoutMs)
    {
        int count = 0;
        int most = IsOneByOne ? 1 : ready.Length;
        int first = IsOneByOne ? turn++ : 0;
        for (int i = 0; i < connections.Count && count < most; i++)
        {
            int handle = (first + i) % connections.Count;
            if (connections[handle] is not { } entry)
                continue;
            if (entry.Connection.IsReadable || writable.Contains(handle))
                ready[count++] = new Readiness(entry.Tag, entry.Connection.IsReadable, writable.Contains(handle));
        }
        time.Advance(TimeSpan.FromMilliseconds(count > 0 ? 1 : timeoutMs));
        return count;
    }

    public void Dispose()
    {
    }

    private FakeConnection Of(int handle) => connections[handle]!.Value.Connection;
}

/// <summary>A clock that a test moves.</summary>
internal sealed class FakeTime : TimeProvider
{
    private long ticks = 1;

    public override long TimestampFrequency => Stopwatch.Frequency;

    public override long GetTimestamp() => ticks;

    public void Advance(TimeSpan by) => ticks += (long)(by.TotalSeconds * Stopwatch.Frequency);
}
