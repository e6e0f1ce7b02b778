using System.Diagnostics;
using System.Runtime.InteropServices;
using SharpKeeper.Core;

namespace SharpKeeper.Server;

/// <summary>
/// Lets many readers or one writer in. Each reader thread owns a slot on cache lines of its own, so readers do not
/// disturb each other: entering and leaving cost one interlocked operation each. A waiting writer holds new readers
/// back; the readers it held back get their turn before the next writer, so neither side starves.
/// Not re-entrant.
/// </summary>
internal sealed class AccessGate
{
    private const int SpinsBeforeParking = 30;

    // How long a writer waits for the readers that the previous writer held back.
    private static readonly long ReaderTurnTicksMax = Stopwatch.Frequency / 1000;

    // Slot 0 is unused: it keeps the array's own length off the first reader's cache lines.
    private readonly Slot[] slots;
    private readonly Lock writers = new();
    private readonly object parking = new();
    private Flags flags;

    /// <summary>Creates a gate with reader slots 0 to <paramref name="slotCount"/> - 1.</summary>
    public AccessGate(int slotCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(slotCount);
        slots = new Slot[slotCount + 1];
    }

    /// <summary>Number of reader slots.</summary>
    public int SlotCount => slots.Length - 1;

    /// <summary>
    /// Enters as a reader; waits only while a writer is inside or waits for readers to leave. A slot belongs to one
    /// thread at a time.
    /// </summary>
    public void EnterShared(int slot)
    {
        int before = Interlocked.Exchange(ref slots[slot + 1].Inside, 1);
        CheckSlot(before == 0, "a reader slot of the access gate is entered twice");
        if (Volatile.Read(ref flags.Writer) != 0)
            EnterSharedSlow(slot);
    }

    /// <summary>Leaves as a reader.</summary>
    public void ExitShared(int slot)
    {
        int before = Interlocked.Exchange(ref slots[slot + 1].Inside, 0);
        CheckSlot(before == 1, "a reader slot of the access gate is left without having been entered");
        if (Volatile.Read(ref flags.WriterParked) != 0)
            Unpark();
    }

    /// <summary>Enters alone: waits until no other writer and no reader is inside.</summary>
    public void EnterExclusive()
    {
        CheckSlot(!writers.IsHeldByCurrentThread, "the access gate is entered exclusively twice by one thread");
        writers.Enter();
        YieldToHeldReaders();
        Interlocked.Exchange(ref flags.Writer, 1);
        SpinWait spin = default;
        while (!NobodyInside())
        {
            if (spin.Count >= SpinsBeforeParking)
            {
                ParkWriter();
                return;
            }
            spin.SpinOnce(sleep1Threshold: -1);
        }
    }

    /// <summary>Leaves after <see cref="EnterExclusive"/>, on the same thread.</summary>
    public void ExitExclusive()
    {
        Interlocked.Exchange(ref flags.Writer, 0);
        if (Volatile.Read(ref flags.ReadersParked) != 0)
            Unpark();
        writers.Exit();
    }

    [Conditional("DEBUG")]
    private static void CheckSlot(bool condition, string message) => Invariant.Check(condition, message);

    private void EnterSharedSlow(int slot)
    {
        ref int inside = ref slots[slot + 1].Inside;
        Interlocked.Increment(ref flags.ReadersHeld);
        do
        {
            Interlocked.Exchange(ref inside, 0);
            if (Volatile.Read(ref flags.WriterParked) != 0)
                Unpark();
            WaitForWriter();
            Interlocked.Exchange(ref inside, 1);
        }
        while (Volatile.Read(ref flags.Writer) != 0);
        Interlocked.Decrement(ref flags.ReadersHeld);
    }

    private void WaitForWriter()
    {
        SpinWait spin = default;
        while (spin.Count < SpinsBeforeParking)
        {
            if (Volatile.Read(ref flags.Writer) == 0)
                return;
            spin.SpinOnce(sleep1Threshold: -1);
        }
        // Counted before the flag is read again, and the writer reads the count after clearing its flag: one of the
        // two sees the other.
        Interlocked.Increment(ref flags.ReadersParked);
        lock (parking)
        {
            while (Volatile.Read(ref flags.Writer) != 0)
                Monitor.Wait(parking);
        }
        Interlocked.Decrement(ref flags.ReadersParked);
    }

    private void YieldToHeldReaders()
    {
        if (Volatile.Read(ref flags.ReadersHeld) == 0)
            return;
        long until = Stopwatch.GetTimestamp() + ReaderTurnTicksMax;
        SpinWait spin = default;
        while (Volatile.Read(ref flags.ReadersHeld) != 0 && Stopwatch.GetTimestamp() < until)
            spin.SpinOnce(sleep1Threshold: -1);
    }

    private void ParkWriter()
    {
        lock (parking)
        {
            Interlocked.Exchange(ref flags.WriterParked, 1);
            while (!NobodyInside())
                Monitor.Wait(parking);
            Interlocked.Exchange(ref flags.WriterParked, 0);
        }
    }

    private bool NobodyInside()
    {
        for (int i = 1; i < slots.Length; i++)
        {
            if (Volatile.Read(ref slots[i].Inside) != 0)
                return false;
        }
        return true;
    }

    private void Unpark()
    {
        lock (parking)
            Monitor.PulseAll(parking);
    }

    [StructLayout(LayoutKind.Explicit, Size = 128)]
    private struct Slot
    {
        [FieldOffset(0)]
        public int Inside;
    }

    // What readers only read stands apart from what held readers count.
    [StructLayout(LayoutKind.Explicit, Size = 384)]
    private struct Flags
    {
        [FieldOffset(128)]
        public int Writer;
        [FieldOffset(132)]
        public int WriterParked;
        [FieldOffset(256)]
        public int ReadersHeld;
        [FieldOffset(260)]
        public int ReadersParked;
    }
}
