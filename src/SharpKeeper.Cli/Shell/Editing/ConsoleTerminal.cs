using System.Runtime.InteropServices;
using System.Text;
using System.Threading.Channels;

namespace SharpKeeper.Cli.Shell.Editing;

/// <summary>The process's own terminal, with a thread that reads its keys.</summary>
internal sealed partial class ConsoleTerminal : ITerminal
{
    private const int ColumnsDefault = 80;

    private readonly Channel<ConsoleKeyInfo> keys =
        Channel.CreateUnbounded<ConsoleKeyInfo>(new UnboundedChannelOptions { SingleReader = true });

    private readonly Stream output = Console.OpenStandardOutput();
    private Action? interrupt;

    /// <summary>The keys in the order in which they were pressed.</summary>
    public ChannelReader<ConsoleKeyInfo> Keys => keys.Reader;

    /// <inheritdoc/>
    public int Columns
    {
        get
        {
            try
            {
                return Console.WindowWidth is > 0 and int width ? width : ColumnsDefault;
            }
            catch (IOException)
            {
                return ColumnsDefault;
            }
        }
    }

    /// <summary>Are input and output a terminal that knows cursor movements?</summary>
    public static bool IsAvailable =>
        !Console.IsInputRedirected && !Console.IsOutputRedirected
        && Environment.GetEnvironmentVariable("TERM") != "dumb" && HasAnsi();

    /// <summary>Starts to read keys.</summary>
    public void Start()
    {
        Console.TreatControlCAsInput = true;
        new Thread(ReadKeys) { IsBackground = true, Name = "keys" }.Start();
    }

    /// <summary>What Ctrl-C does while a command runs; null while a line is edited, where it is a key.</summary>
    public void OnInterrupt(Action? action) => Volatile.Write(ref interrupt, action);

    /// <inheritdoc/>
    public void Write(string text)
    {
        output.Write(Encoding.UTF8.GetBytes(text));
        output.Flush();
    }

    private void ReadKeys()
    {
        try
        {
            while (true)
            {
                ConsoleKeyInfo key = Console.ReadKey(intercept: true);
                if (key.KeyChar == '\u0003' && Volatile.Read(ref interrupt) is { } action)
                    action();
                else
                    keys.Writer.TryWrite(key);
            }
        }
        catch (Exception e) when (e is InvalidOperationException or IOException)
        {
            // The terminal is gone: that is the end of the input.
            keys.Writer.TryComplete();
        }
    }

    private static bool HasAnsi()
    {
        if (!OperatingSystem.IsWindows())
            return true;
        const int OutputHandle = -11;
        const uint VirtualTerminalProcessing = 4;
        nint handle = GetStdHandle(OutputHandle);
        return GetConsoleMode(handle, out uint mode) && SetConsoleMode(handle, mode | VirtualTerminalProcessing);
    }

    [LibraryImport("kernel32", SetLastError = true)]
    private static partial nint GetStdHandle(int handle);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GetConsoleMode(nint handle, out uint mode);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool SetConsoleMode(nint handle, uint mode);
}
