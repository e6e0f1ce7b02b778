namespace SharpKeeper.Server.Storage;

/// <summary>The file operations of the log writer; tests put faults and lost power behind it.</summary>
internal interface ILogFiles
{
    /// <summary>Creates a file, or empties the one of that name.</summary>
    /// <exception cref="IOException">It cannot be created.</exception>
    ILogFile Create(string path);

    /// <summary>Opens an existing file once more, for another thread.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    ILogFile Open(string path);

    /// <summary>Renames a file; one that has the new name already is replaced.</summary>
    void Rename(string from, string to);

    /// <summary>Deletes a file if it is there.</summary>
    void Delete(string path);

    /// <summary>Makes creations and renames in a directory durable.</summary>
    void SyncDirectory(string directory);
}

/// <summary>An open log file. Disposal closes it and syncs nothing.</summary>
internal interface ILogFile : IDisposable
{
    /// <summary>Writes bytes at an offset.</summary>
    void Write(ReadOnlySpan<byte> bytes, long position);

    /// <summary>Writes buffers one behind the other from an offset on.</summary>
    void Write(IReadOnlyList<ReadOnlyMemory<byte>> buffers, long position);

    /// <summary>Returns when everything written is on the device.</summary>
    void SyncData();

    /// <summary>Cuts the file to a length.</summary>
    void Truncate(long length);
}
