using System.Buffers.Binary;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;

namespace SharpKeeper.Simulation;

/// <summary>
/// A server's log writer: one write and one sync at a time for everything that waits, as the real one has it, on the
/// simulated disk.
/// </summary>
internal sealed class SimLog
{
    private const int RetryUs = 20_000;

    private readonly record struct Item(TxnBatch? Batch, Action? Control);

    private readonly SimServer server;
    private readonly SimDisk disk;
    private readonly Queue<Item> queue = new();
    private readonly List<TxnBatch> group = [];
    private SimFile? segment;
    private bool isNameDurable;
    private bool isBusy;
    private bool isStalled;

    public SimLog(SimServer server, SimDisk disk)
    {
        this.server = server;
        this.disk = disk;
    }

    /// <summary>Last transaction that is on disk.</summary>
    public Zxid Durable { get; set; }

    /// <summary>Is anything being written or waiting to be?</summary>
    public bool IsBusy => isBusy || queue.Count > 0;

    /// <summary>Queues transactions.</summary>
    public void Append(TxnBatch batch) => Enqueue(new Item(batch, null));

    /// <summary>The next batch starts a new file.</summary>
    public void Roll() => Enqueue(new Item(null, Close));

    /// <summary>
    /// Runs <paramref name="action"/> once everything appended before is durable; the file ends there.
    /// </summary>
    public void Run(Action action) => Enqueue(new Item(null, () =>
    {
        Close();
        action();
    }));

    private void Close() => segment = null;

    private void Enqueue(in Item item)
    {
        queue.Enqueue(item);
        if (!isBusy)
            Work();
    }

    private void Work()
    {
        while (!isBusy && queue.TryPeek(out Item item))
        {
            if (item.Control is { } control)
            {
                queue.Dequeue();
                control();
                continue;
            }
            group.Clear();
            while (queue.TryPeek(out Item next) && next.Batch is { } batch)
            {
                queue.Dequeue();
                group.Add(batch);
            }
            isBusy = true;
            Write();
        }
    }

    private void Write()
    {
        int before = segment?.Length ?? 0;
        disk.Work = DiskWork.Log;
        try
        {
            segment ??= Open();
            before = segment.Length;
            foreach (TxnBatch batch in group)
            {
                batch.Seal();
                disk.Append(segment, batch.Bytes.Span);
            }
        }
        catch (IOException)
        {
            segment?.Truncate(before);
            Stall();
            return;
        }
        finally
        {
            disk.Work = DiskWork.Other;
        }
        server.Later(server.SyncUs() * server.LogSlowness, Sync);
    }

    private SimFile Open()
    {
        string name = StorageNames.Log(group[0].First);
        string temporary = name + StorageNames.TemporarySuffix;
        SimFile file = disk.Create(StorageArea.Logs, temporary);
        Span<byte> header = stackalloc byte[TxnLogReader.HeaderBytes];
        header.Clear();
        BinaryPrimitives.WriteInt32BigEndian(header, 0x5A4B4C47);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], 2);
        disk.Append(file, header);
        disk.Sync(file);
        disk.Move(StorageArea.Logs, temporary, name);
        isNameDurable = false;
        return file;
    }

    private void Sync()
    {
        disk.Work = DiskWork.Log;
        try
        {
            disk.Sync(segment!);
            if (!isNameDurable)
                disk.SyncDirectory(StorageArea.Logs);
            isNameDurable = true;
        }
        catch (IOException)
        {
            // What is not acknowledged goes into a new file: syncing again would not tell whether it is there.
            segment!.Truncate(segment.DurableLength);
            segment.Sync();
            Close();
            Stall();
            return;
        }
        finally
        {
            disk.Work = DiskWork.Other;
        }
        Durable = group[^1].Last;
        if (isStalled)
            server.StorageResumed();
        isStalled = false;
        isBusy = false;
        server.LogDurable(Durable);
        Work();
    }

    private void Stall()
    {
        if (server.HasBug(PlantedBug.ForgetFailedWrite))
        {
            isBusy = false;
            Work();
            return;
        }
        if (!isStalled)
            server.StorageStalled();
        isStalled = true;
        server.Later(RetryUs, Write);
    }
}
