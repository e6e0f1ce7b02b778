using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace SharpKeeper.Server.Storage;

/// <summary>Makes files and directories durable in the cheapest way each system has.</summary>
internal static partial class FileSync
{
    private const int ReadOnlyDirectoryLinux = 0x10000 | 0x80000;
    private const int ErrorInterrupted = 4;

    /// <summary>
    /// Returns when the file's data, and what is needed to find it, are on the device: fdatasync on Linux, elsewhere
    /// the runtime's flush (FlushFileBuffers on Windows; on macOS F_FULLFSYNC, as plain fsync there leaves data in
    /// the drive's cache).
    /// </summary>
    /// <exception cref="IOException">The device failed; what was written since the last sync may be lost.</exception>
    public static void Data(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux())
        {
            RandomAccess.FlushToDisk(file);
            return;
        }
        while (SyncDataCore(file) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            if (error != ErrorInterrupted)
                throw Failure("fdatasync", error);
        }
    }

    /// <summary>Makes names in a directory durable; Windows needs nothing for that.</summary>
    /// <exception cref="IOException">The directory cannot be opened or the device failed.</exception>
    public static void Directory(string path)
    {
        if (OperatingSystem.IsWindows())
            return;
        int descriptor = OpenCore(path, OperatingSystem.IsLinux() ? ReadOnlyDirectoryLinux : 0);
        if (descriptor < 0)
            throw Failure($"opening the directory {path}", Marshal.GetLastPInvokeError());
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        while (SyncCore(handle) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            if (error != ErrorInterrupted)
                throw Failure($"fsync of the directory {path}", error);
        }
    }

    private static IOException Failure(string what, int error) =>
        new($"{what} failed: {new Win32Exception(error).Message}", error);

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int SyncDataCore(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int SyncCore(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenCore(string path, int flags);
}
