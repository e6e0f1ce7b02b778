using SharpKeeper.Core;
using SharpKeeper.Server;

namespace SharpKeeper.ServerTests;

public sealed class AccessGateTests
{
    [Fact]
    public void EnterExclusive_with_busy_readers_and_writers_never_meets_anyone_inside()
    {
        const int readers = 3;
        const int writers = 2;
        const int rounds = 20_000;
        var gate = new AccessGate(readers);
        int inside = 0;
        long first = 0;
        long second = 0;
        int violations = 0;
        void Read(int slot)
        {
            for (int i = 0; i < rounds; i++)
            {
                gate.EnterShared(slot);
                if (Volatile.Read(ref inside) != 0 || first != second)
                    Interlocked.Increment(ref violations);
                gate.ExitShared(slot);
            }
        }
        void Write()
        {
            for (int i = 0; i < rounds / 10; i++)
            {
                gate.EnterExclusive();
                if (Interlocked.Increment(ref inside) != 1)
                    Interlocked.Increment(ref violations);
                first++;
                Thread.Yield();
                second++;
                Interlocked.Decrement(ref inside);
                gate.ExitExclusive();
            }
        }
        Thread[] threads =
        [
            .. Enumerable.Range(0, readers).Select(slot => new Thread(() => Read(slot))),
            .. Enumerable.Range(0, writers).Select(_ => new Thread(Write)),
        ];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();

        Assert.Equal(0, violations);
        Assert.Equal(writers * rounds / 10, first);
        Assert.Equal(first, second);
    }

    [Fact]
    public void EnterShared_while_another_reader_is_inside_does_not_wait()
    {
        var gate = new AccessGate(2);
        gate.EnterShared(0);
        gate.EnterShared(1);
        gate.ExitShared(0);
        gate.ExitShared(1);
        gate.EnterExclusive();
        gate.ExitExclusive();
        Assert.Equal(2, gate.SlotCount);
    }

    [Fact]
    public void EnterExclusive_while_a_reader_stays_inside_parks_until_it_leaves()
    {
        var gate = new AccessGate(1);
        gate.EnterShared(0);
        bool left = false;
        bool seen = false;
        var writer = new Thread(() =>
        {
            gate.EnterExclusive();
            seen = Volatile.Read(ref left);
            gate.ExitExclusive();
        });
        writer.Start();
        SpinWait.SpinUntil(() => writer.ThreadState.HasFlag(ThreadState.WaitSleepJoin));
        Volatile.Write(ref left, true);
        gate.ExitShared(0);
        writer.Join();
        Assert.True(seen);
    }

    [Fact]
    public void EnterShared_while_a_writer_stays_inside_parks_until_it_leaves()
    {
        var gate = new AccessGate(1);
        gate.EnterExclusive();
        bool left = false;
        bool seen = false;
        var reader = new Thread(() =>
        {
            gate.EnterShared(0);
            seen = Volatile.Read(ref left);
            gate.ExitShared(0);
        });
        reader.Start();
        SpinWait.SpinUntil(() => reader.ThreadState.HasFlag(ThreadState.WaitSleepJoin));
        Volatile.Write(ref left, true);
        gate.ExitExclusive();
        reader.Join();
        Assert.True(seen);
    }

    [Fact]
    public void EnterExclusive_with_no_slots_enters()
    {
        var gate = new AccessGate(0);
        gate.EnterExclusive();
        gate.ExitExclusive();
        Assert.Throws<ArgumentOutOfRangeException>(() => new AccessGate(-1));
    }

#if DEBUG
    [Fact]
    public void EnterShared_twice_with_one_slot_breaks_an_invariant()
    {
        var gate = new AccessGate(1);
        gate.EnterShared(0);
        Assert.Throws<InvariantException>(() => gate.EnterShared(0));
    }

    [Fact]
    public void ExitShared_without_entering_breaks_an_invariant()
    {
        var gate = new AccessGate(1);
        Assert.Throws<InvariantException>(() => gate.ExitShared(0));
    }
#endif
}
