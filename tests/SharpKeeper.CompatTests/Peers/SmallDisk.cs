using System.Diagnostics;

namespace SharpKeeper.CompatTests.Peers;

/// <summary>A file system of a few megabytes that can be filled and given room again.</summary>
internal sealed class SmallDisk : IDisposable
{
    private const int BlockBytes = 4096;

    private SmallDisk(string path) => Path = path;

    /// <summary>Where it is mounted.</summary>
    public string Path { get; }

    private string Ballast => System.IO.Path.Combine(Path, "ballast");

    /// <summary>Mounts one; ends the test as skipped where that is not allowed.</summary>
    public static SmallDisk Mount(int megabytes)
    {
        string path = Directory.CreateTempSubdirectory("sharpkeeper-disk-").FullName;
        int exitCode = Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", path);
        if (exitCode != 0)
        {
            Directory.Delete(path);
            Assert.Skip($"A file system cannot be mounted here (mount ended with {exitCode}; it takes root).");
        }
        return new SmallDisk(path);
    }

    /// <summary>Leaves no room for another byte.</summary>
    public void Fill()
    {
        using var file = new FileStream(Ballast, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        byte[] block = new byte[BlockBytes];
        try
        {
            while (true)
                file.Write(block);
        }
        catch (IOException)
        {
            // That is what it is for.
        }
    }

    /// <summary>Gives the room back.</summary>
    public void Free() => File.Delete(Ballast);

    /// <inheritdoc/>
    public void Dispose()
    {
        Run("umount", "--lazy", Path);
        Directory.Delete(Path);
    }

    private static int Run(string program, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(
                new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return -1;
        }
    }
}
