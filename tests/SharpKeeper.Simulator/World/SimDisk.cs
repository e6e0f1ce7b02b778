using SharpKeeper.Core;
using SharpKeeper.Core.Log;

namespace SharpKeeper.Simulation;

/// <summary>What a server does with its disk, so that a crash can be placed inside of it.</summary>
internal enum DiskWork
{
    Other,
    Log,
    Recovery,
    Snapshot,
    Truncation,
    Installation,
    AcceptedEpoch,
    CurrentEpoch,
    Config,
}

/// <summary>
/// A server's disk. Bytes are durable once their file is synced, names once their directory is; a loss of power keeps
/// of the rest what the seed chooses, as file systems do: a part of what was appended, and the changes of a directory
/// up to some point.
/// </summary>
internal sealed partial class SimDisk : IStorageDevice
{
    private readonly record struct Key(StorageArea Area, string Name);

    // A change of a directory that is not durable: a name that stands for a file now, or for none.
    private readonly record struct NameChange(string Name, SimFile? File);

    private readonly SimRandom choices;
    private readonly SortedDictionary<string, SimFile>[] names = [NewDirectory(), NewDirectory()];
    private readonly SortedDictionary<string, SimFile>[] durableNames = [NewDirectory(), NewDirectory()];
    private readonly List<List<NameChange>>[] pending = [[], []];

    // Between the crash and the restart, while the server's code is still being left: nothing it does counts.
    private bool isDead;

    public SimDisk(SimRandom choices) => this.choices = choices;

    /// <summary>What is being done.</summary>
    public DiskWork Work { get; set; }

    /// <summary>
    /// The server crashes when it has done so many more operations of <see cref="CrashWork"/>; -1 for never.
    /// </summary>
    public int CrashAfterOps { get; set; } = -1;

    /// <summary>Operations of which kind of work count towards the crash.</summary>
    public DiskWork CrashWork { get; set; }

    /// <summary>Is there no room for anything more?</summary>
    public bool IsFull { get; set; }

    /// <summary>So many of the next writes fail.</summary>
    public int FailingWrites { get; set; }

    /// <summary>So many of the next syncs fail.</summary>
    public int FailingSyncs { get; set; }

    /// <summary>Are appended bytes cut anywhere by a loss of power, or lost and kept as a whole?</summary>
    public bool Tears { get; set; } = true;

    /// <summary>Number of operations that changed something.</summary>
    public long Operations { get; private set; }

    /// <inheritdoc/>
    public IReadOnlyList<StorageFile> List(StorageArea area) =>
        [.. names[(int)area].Select(static pair => new StorageFile(pair.Key, pair.Value.Length))];

    /// <inheritdoc/>
    /// <exception cref="CorruptDataException">There is no such file.</exception>
    public IStorageReader Open(StorageArea area, string name)
    {
        CountOperation();
        return new Reader(Find(area, name).Contents.ToArray());
    }

    /// <inheritdoc/>
    public int ReadAt(StorageArea area, string name, long offset, Span<byte> destination)
    {
        ReadOnlySpan<byte> contents = Find(area, name).Contents;
        if (offset >= contents.Length)
            return 0;
        contents = contents[(int)Math.Max(offset, 0)..];
        contents = contents[..Math.Min(contents.Length, destination.Length)];
        contents.CopyTo(destination);
        return contents.Length;
    }

    /// <inheritdoc/>
    public ISnapshotSink CreateSnapshot(string name) => new Sink(this, name);

    /// <inheritdoc/>
    public void Delete(StorageArea area, string name)
    {
        if (!names[(int)area].ContainsKey(name))
            return;
        CountOperation();
        Link(area, name, null);
    }

    /// <inheritdoc/>
    public string Describe(StorageArea area, string name) => "disk:" + name;

    /// <summary>Creates an empty file, in place of one of that name.</summary>
    public SimFile Create(StorageArea area, string name)
    {
        BeforeWrite();
        var file = new SimFile();
        Link(area, name, file);
        return file;
    }

    /// <summary>The file of that name, or null.</summary>
    public SimFile? TryFind(StorageArea area, string name) => names[(int)area].GetValueOrDefault(name);

    /// <summary>Appends to a file.</summary>
    public void Append(SimFile file, ReadOnlySpan<byte> bytes)
    {
        BeforeWrite();
        if (!isDead)
            file.Append(bytes);
    }

    /// <summary>Makes a file's bytes durable.</summary>
    /// <exception cref="IOException">The disk fails.</exception>
    public void Sync(SimFile file)
    {
        CountOperation();
        if (FailingSyncs > 0)
        {
            FailingSyncs--;
            throw new IOException("the sync fails");
        }
        if (!isDead)
            file.Sync();
    }

    /// <inheritdoc/>
    public void WriteFile(StorageArea area, string name, ReadOnlySpan<byte> bytes)
    {
        string temporary = name + StorageNames.TemporarySuffix;
        SimFile file = Create(area, temporary);
        Append(file, bytes);
        Sync(file);
        Rename(area, temporary, name);
    }

    /// <inheritdoc/>
    public void Sync(StorageArea area, string name) => Sync(Find(area, name));

    /// <inheritdoc/>
    public void Truncate(StorageArea area, string name, long length)
    {
        SimFile file = Find(area, name);
        CountOperation();
        if (!isDead)
            file.Truncate((int)length);
        Sync(file);
    }

    /// <inheritdoc/>
    public void Rename(StorageArea area, string from, string to)
    {
        Move(area, from, to);
        SyncDirectory(area);
    }

    /// <summary>Gives a file another name, in place of a file that has it; not durably yet.</summary>
    public void Move(StorageArea area, string from, string to)
    {
        CountOperation();
        SimFile file = Find(area, from);
        Link(area, from, null, to, file);
    }

    /// <inheritdoc/>
    public void SyncDirectory(StorageArea area)
    {
        CountOperation();
        if (isDead)
            return;
        foreach (List<NameChange> change in pending[(int)area])
            Apply(durableNames[(int)area], change);
        pending[(int)area].Clear();
    }

    /// <summary>The power fails.</summary>
    public void LosePower()
    {
        for (int area = 0; area < names.Length; area++)
        {
            int kept = choices.Between(0, pending[area].Count);
            foreach (List<NameChange> change in pending[area].Take(kept))
                Apply(durableNames[area], change);
            pending[area].Clear();
            names[area].Clear();
            foreach ((string name, SimFile file) in durableNames[area])
            {
                file.LosePower(choices, Tears);
                names[area].Add(name, file);
            }
        }
        Forget();
    }

    /// <summary>The process ends; the system goes on and keeps what was written.</summary>
    public void LoseProcess() => Forget();

    /// <summary>A disk as this one would be after a loss of power that keeps only what must be kept.</summary>
    public SimDisk AfterWorstLoss()
    {
        var copy = new SimDisk(new SimRandom(0));
        for (int area = 0; area < names.Length; area++)
        {
            foreach ((string name, SimFile file) in durableNames[area])
                copy.Adopt(area, name, file.Durable());
        }
        return copy;
    }

    /// <summary>A copy of the disk as the running system sees it.</summary>
    public SimDisk Copy()
    {
        var copy = new SimDisk(new SimRandom(0));
        for (int area = 0; area < names.Length; area++)
        {
            foreach ((string name, SimFile file) in names[area])
                copy.Adopt(area, name, file.Copy());
        }
        return copy;
    }

    private static SortedDictionary<string, SimFile> NewDirectory() => new(StringComparer.Ordinal);

    private static void Apply(SortedDictionary<string, SimFile> directory, List<NameChange> changes)
    {
        foreach (NameChange change in changes)
        {
            if (change.File is null)
                directory.Remove(change.Name);
            else
                directory[change.Name] = change.File;
        }
    }

    private void Adopt(int area, string name, SimFile file)
    {
        names[area].Add(name, file);
        durableNames[area].Add(name, file);
    }

    private void Forget()
    {
        isDead = false;
        CrashAfterOps = -1;
        Work = DiskWork.Other;
        FailingSyncs = FailingWrites = 0;
    }

    private SimFile Find(StorageArea area, string name) => names[(int)area].GetValueOrDefault(name)
        ?? throw new CorruptDataException($"There is no file {name}.");

    private void Link(StorageArea area, string name, SimFile? file, string? second = null, SimFile? secondFile = null)
    {
        if (isDead)
            return;
        List<NameChange> change = [new NameChange(name, file)];
        if (second is not null)
            change.Add(new NameChange(second, secondFile));
        pending[(int)area].Add(change);
        Apply(names[(int)area], change);
    }

    private void BeforeWrite()
    {
        CountOperation();
        if (IsFull)
            throw new IOException("no space left on the device");
        if (FailingWrites <= 0)
            return;
        FailingWrites--;
        throw new IOException("the write fails");
    }

    private void CountOperation()
    {
        Operations++;
        if (isDead || CrashAfterOps < 0 || Work != CrashWork || --CrashAfterOps >= 0)
            return;
        isDead = true;
        throw new SimulatedCrash();
    }

    private sealed class Reader(byte[] bytes) : IStorageReader
    {
        private int position;

        public int Read(Span<byte> destination)
        {
            int count = Math.Min(destination.Length, bytes.Length - position);
            bytes.AsSpan(position, count).CopyTo(destination);
            position += count;
            return count;
        }

        public void Dispose()
        {
        }
    }

    private sealed class Sink(SimDisk disk, string name) : ISnapshotSink
    {
        private readonly string temporary = name + StorageNames.TemporarySuffix;
        private SimFile? file;
        private bool isCommitted;

        public void Write(ReadOnlySpan<byte> bytes)
        {
            file ??= disk.Create(StorageArea.Snapshots, temporary);
            disk.Append(file, bytes);
        }

        public void Commit()
        {
            file ??= disk.Create(StorageArea.Snapshots, temporary);
            disk.Sync(file);
            disk.Move(StorageArea.Snapshots, temporary, name);
            disk.SyncDirectory(StorageArea.Snapshots);
            isCommitted = true;
        }

        public void Dispose()
        {
            if (!isCommitted && file is not null)
                disk.Delete(StorageArea.Snapshots, temporary);
        }
    }
}
