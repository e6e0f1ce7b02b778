using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Text;

namespace SharpKeeper.Server.Admin;

/// <summary>A four-letter word: four bytes at the start of a connection that are no length of a frame.</summary>
internal enum FourLetterWord
{
    /// <summary>No such word: the bytes are the length of the first frame.</summary>
    None,

    /// <summary>A telnet client was interrupted: the connection is closed without a word.</summary>
    TelnetClose,

    /// <summary>Settings.</summary>
    Conf,

    /// <summary>Connections with statistics.</summary>
    Cons,

    /// <summary>Reset of connection statistics.</summary>
    Crst,

    /// <summary>Sizes of the data directories.</summary>
    Dirs,

    /// <summary>Sessions, ephemerals and connections.</summary>
    Dump,

    /// <summary>Environment.</summary>
    Envi,

    /// <summary>The trace mask.</summary>
    Gtmk,

    /// <summary>Tree digests.</summary>
    Hash,

    /// <summary>Read-only or not.</summary>
    Isro,

    /// <summary>Metrics.</summary>
    Mntr,

    /// <summary>Sign of life.</summary>
    Ruok,

    /// <summary>Reset of server statistics.</summary>
    Srst,

    /// <summary>Server statistics.</summary>
    Srvr,

    /// <summary>Server statistics and connections.</summary>
    Stat,

    /// <summary>A new trace mask, in the eight bytes that follow.</summary>
    Stmk,

    /// <summary>Watches by session.</summary>
    Wchc,

    /// <summary>Watches by path.</summary>
    Wchp,

    /// <summary>Counts of watches.</summary>
    Wchs,
}

/// <summary>Tells four-letter words from frames.</summary>
internal static class FourLetterWordRecognizer
{
    private static readonly FrozenDictionary<int, FourLetterWord> s_words = Enum.GetValues<FourLetterWord>()
        .Where(static word => word > FourLetterWord.TelnetClose)
        .Append(FourLetterWord.TelnetClose)
        .ToFrozenDictionary(static word => CodeOf(word));

    /// <summary>Which word the first four bytes of a connection are, read as a big-endian number.</summary>
    internal static FourLetterWord Recognize(int firstFourBytes) =>
        // Frame lengths below 16 MiB begin with a zero byte, which no word does.
        (firstFourBytes & 0xff000000) == 0 ? FourLetterWord.None
            : s_words.GetValueOrDefault(firstFourBytes, FourLetterWord.None);

    /// <summary>How many bytes follow a word before it can be answered.</summary>
    internal static int ArgumentBytes(FourLetterWord word) => word == FourLetterWord.Stmk ? sizeof(long) : 0;

    /// <summary>The word as it is written, also in the whitelist.</summary>
    internal static string NameOf(FourLetterWord word) =>
        word == FourLetterWord.TelnetClose ? "telnet close" : word.ToString().ToLowerInvariant();

    private static int CodeOf(FourLetterWord word) => word == FourLetterWord.TelnetClose
        ? unchecked((int)0xfff4fffd)
        : BinaryPrimitives.ReadInt32BigEndian(Encoding.ASCII.GetBytes(NameOf(word)));
}
