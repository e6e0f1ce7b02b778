using Microsoft.Win32.SafeHandles;
using SharpKeeper.Core.Log;
using SharpKeeper.Protocol;

namespace SharpKeeper.Server.Storage;

/// <summary>The data directories of a server: snapshots in one, logs in the same or another one.</summary>
internal sealed class FileStorageDevice : IStorageDevice
{
    private const string VersionFolder = "version-2";
    private const string ProbeName = ".sharpkeeper-write-test";

    private FileStorageDevice(string dataDir, string dataLogDir)
    {
        SnapshotDirectory = Path.Combine(Path.GetFullPath(dataDir), VersionFolder);
        LogDirectory = Path.Combine(Path.GetFullPath(dataLogDir), VersionFolder);
    }

    /// <summary>Full path of the directory that holds snapshots.</summary>
    public string SnapshotDirectory { get; }

    /// <summary>Full path of the directory that holds logs.</summary>
    public string LogDirectory { get; }

    /// <summary>Opens the directories, makes missing ones, and removes what was being written when a server ended.</summary>
    /// <param name="dataDir">Holds version-2 with the snapshots.</param>
    /// <param name="dataLogDir">Holds version-2 with the logs.</param>
    /// <param name="autoCreate">Whether missing directories are made rather than refused.</param>
    /// <exception cref="StorageException">They cannot be used; the message says why and what to do.</exception>
    public static FileStorageDevice Open(string dataDir, string dataLogDir, bool autoCreate = true)
    {
        var device = new FileStorageDevice(dataDir, dataLogDir);
        Prepare(device.SnapshotDirectory, "dataDir", autoCreate);
        if (device.LogDirectory != device.SnapshotDirectory)
        {
            Prepare(device.LogDirectory, "dataLogDir", autoCreate);
            device.CheckPlaces();
        }
        device.DeleteLeftovers();
        return device;
    }

    /// <inheritdoc/>
    public IReadOnlyList<StorageFile> List(StorageArea area)
    {
        var directory = new DirectoryInfo(DirectoryOf(area));
        if (!directory.Exists)
            return [];
        return Guard(directory.FullName, () => (IReadOnlyList<StorageFile>)
            [.. directory.EnumerateFiles().Select(file => new StorageFile(file.Name, file.Length))]);
    }

    /// <inheritdoc/>
    public IStorageReader Open(StorageArea area, string name)
    {
        string path = Describe(area, name);
        return Guard(path, () => StorageFiles.OpenRead(path));
    }

    /// <inheritdoc/>
    public int ReadAt(StorageArea area, string name, long offset, Span<byte> destination)
    {
        string path = Describe(area, name);
        using FileStream file = Guard(path, () => new FileStream(
            path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0));
        return RandomAccess.Read(file.SafeFileHandle, destination, Math.Max(offset, 0));
    }

    /// <inheritdoc/>
    public ISnapshotSink CreateSnapshot(string name)
    {
        string path = Describe(StorageArea.Snapshots, name);
        return Guard(path, () => new FileSnapshotSink(path));
    }

    /// <inheritdoc/>
    public void Delete(StorageArea area, string name)
    {
        string path = Describe(area, name);
        Guard(path, () =>
        {
            File.Delete(path);
            return true;
        });
    }

    /// <inheritdoc/>
    public void WriteFile(StorageArea area, string name, ReadOnlySpan<byte> bytes)
    {
        string path = Describe(area, name);
        byte[] contents = bytes.ToArray();
        Guard(path, () =>
        {
            string temporary = path + StorageNames.TemporarySuffix;
            using (SafeFileHandle file = File.OpenHandle(temporary, FileMode.Create, FileAccess.Write))
            {
                RandomAccess.Write(file, contents, 0);
                FileSync.Data(file);
            }
            File.Move(temporary, path, overwrite: true);
            FileSync.Directory(DirectoryOf(area));
            return true;
        });
    }

    /// <inheritdoc/>
    public void Sync(StorageArea area, string name)
    {
        string path = Describe(area, name);
        Guard(path, () =>
        {
            using SafeFileHandle file = File.OpenHandle(
                path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            FileSync.Data(file);
            return true;
        });
    }

    /// <inheritdoc/>
    public void Truncate(StorageArea area, string name, long length)
    {
        string path = Describe(area, name);
        Guard(path, () =>
        {
            using SafeFileHandle file = File.OpenHandle(
                path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
            RandomAccess.SetLength(file, length);
            FileSync.Data(file);
            return true;
        });
    }

    /// <inheritdoc/>
    public void Rename(StorageArea area, string from, string to)
    {
        string path = Describe(area, from);
        Guard(path, () =>
        {
            File.Move(path, Describe(area, to), overwrite: true);
            FileSync.Directory(DirectoryOf(area));
            return true;
        });
    }

    /// <inheritdoc/>
    public void SyncDirectory(StorageArea area)
    {
        string directory = DirectoryOf(area);
        Guard(directory, () =>
        {
            FileSync.Directory(directory);
            return true;
        });
    }

    /// <inheritdoc/>
    public string Describe(StorageArea area, string name) => Path.Combine(DirectoryOf(area), name);

    private static void Prepare(string directory, string key, bool autoCreate)
    {
        if (!Directory.Exists(directory))
        {
            if (!autoCreate)
            {
                throw new StorageException(
                    $"The directory {directory} does not exist. Create it, correct {key}, or let the server create it "
                    + "with zookeeper.datadir.autocreate=true.");
            }
            try
            {
                Guard(directory, () => Directory.CreateDirectory(directory));
            }
            catch (IOException e) when (e is not StorageException)
            {
                throw new StorageException(
                    $"The directory {directory} cannot be created: {e.Message.TrimEnd('.')}. Correct {key}.", e);
            }
        }
        string probe = Path.Combine(directory, ProbeName);
        Guard(directory, () =>
        {
            File.WriteAllBytes(probe, []);
            File.Delete(probe);
            return true;
        });
    }

    private static T Guard<T>(string path, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (UnauthorizedAccessException e)
        {
            throw new StorageException(
                $"{path} cannot be used by the user {Environment.UserName}: {e.Message.TrimEnd('.')}. Make that user the "
                + "owner of the data directory and everything in it, or set dataDir to one that is.", e);
        }
    }

    private string DirectoryOf(StorageArea area) => area == StorageArea.Logs ? LogDirectory : SnapshotDirectory;

    // Files in the wrong directory would be overlooked, and the server would start from an older state.
    private void CheckPlaces()
    {
        foreach (FileInfo file in new DirectoryInfo(SnapshotDirectory).EnumerateFiles("log.*"))
        {
            if (StorageNames.TryParseLog(file.Name, out Zxid _))
                throw Misplaced(file, "transaction log", LogDirectory, "dataLogDir");
        }
        foreach (FileInfo file in new DirectoryInfo(LogDirectory).EnumerateFiles("snapshot.*"))
        {
            if (StorageNames.TryParseSnapshot(file.Name, out Zxid _))
                throw Misplaced(file, "snapshot", SnapshotDirectory, "dataDir");
        }
    }

    private static StorageException Misplaced(FileInfo file, string kind, string wanted, string key) => new(
        $"{file.FullName} is a {kind}, but {kind}s belong in {wanted}. Move all of them there, or set {key} to where they "
        + "are.");

    private void DeleteLeftovers()
    {
        // Not those of the epochs: EpochFiles knows what they are worth.
        var directory = new DirectoryInfo(SnapshotDirectory);
        foreach (FileInfo file in directory.EnumerateFiles("*" + StorageNames.TemporarySuffix))
        {
            if (file.Name.StartsWith("snapshot.", StringComparison.Ordinal) || SnapshotInstallation.IsName(file.Name))
                Delete(StorageArea.Snapshots, file.Name);
        }
    }
}
