using System.Globalization;
using System.Text;
using SharpKeeper.Protocol;
using SharpKeeper.Server.Metrics;

namespace SharpKeeper.Server.Admin;

/// <summary>
/// Answers four-letter words. Replies are byte for byte those of Apache where tools parse them: lines end with a line
/// feed, and some replies have none at their end.
/// </summary>
internal sealed partial class FourLetterWords(IServerStatusSource source, ServerMetrics metrics, TimeProvider time)
{
    private const string NotServing = "This ZooKeeper instance is not currently serving requests";
    private const long DefaultTraceMask = 0b1_0011_0010;

    private long _traceMask = DefaultTraceMask;

    /// <summary>
    /// The reply to a word, after which the connection is to be closed. <paramref name="argument"/> is the number
    /// that follows <see cref="FourLetterWord.Stmk"/>, and is ignored otherwise.
    /// </summary>
    internal string Reply(FourLetterWord word, long argument = 0)
    {
        if (word is FourLetterWord.None or FourLetterWord.TelnetClose)
            return "";
        string name = FourLetterWordRecognizer.NameOf(word);
        if (!source.Options.FourLetterWords.Allows(name))
            return $"{name} is not executed because it is not in the whitelist.\n";
        return source.IsServing ? ReplyWhenServing(word, argument) : ReplyWhenNotServing(word, argument);
    }

    private string ReplyWhenNotServing(FourLetterWord word, long argument) => word switch
    {
        FourLetterWord.Ruok or FourLetterWord.Envi or FourLetterWord.Gtmk or FourLetterWord.Stmk =>
            ReplyWhenServing(word, argument),
        FourLetterWord.Isro => "null",
        FourLetterWord.Hash => NotServing,
        _ => NotServing + "\n",
    };

    private string ReplyWhenServing(FourLetterWord word, long argument) => word switch
    {
        FourLetterWord.Ruok => "imok",
        FourLetterWord.Isro => source.IsReadOnly ? "ro" : "rw",
        FourLetterWord.Gtmk => Volatile.Read(ref _traceMask).ToString(CultureInfo.InvariantCulture),
        FourLetterWord.Stmk => SetTraceMask(argument),
        FourLetterWord.Conf => Conf(),
        FourLetterWord.Envi => Envi(),
        FourLetterWord.Dirs => Dirs(),
        FourLetterWord.Srvr => VersionLine() + Statistics(),
        FourLetterWord.Stat => VersionLine() + Clients() + Statistics(),
        FourLetterWord.Cons => Cons(),
        FourLetterWord.Crst => ResetConnections(),
        FourLetterWord.Srst => ResetServer(),
        FourLetterWord.Dump => Dump(),
        FourLetterWord.Hash => Hash(),
        FourLetterWord.Wchs => Wchs(),
        FourLetterWord.Wchc => Wchc(),
        FourLetterWord.Wchp => Wchp(),
        FourLetterWord.Mntr => Mntr(),
        _ => "",
    };

    /// <summary>Kept and shown for the tools that set it; nothing is traced by it.</summary>
    private string SetTraceMask(long mask)
    {
        Volatile.Write(ref _traceMask, mask);
        return mask.ToString(CultureInfo.InvariantCulture);
    }

    private string ResetConnections()
    {
        source.ResetConnectionStatistics();
        return "Connection stats reset.\n";
    }

    private string ResetServer()
    {
        metrics.Reset();
        return "Server stats reset.\n";
    }

    private string Dirs() => Lines(
        ("datadir_size: ", source.DataDirBytes),
        ("logdir_size: ", source.LogDirBytes));

    private static string Lines(params ReadOnlySpan<(string Label, long Value)> lines)
    {
        StringBuilder text = new();
        foreach ((string label, long value) in lines)
            text.Append(CultureInfo.InvariantCulture, $"{label}{value}\n");
        return text.ToString();
    }

    private string Hash()
    {
        StringBuilder text = new();
        foreach ((Zxid zxid, ulong digest) in source.Digests)
            text.Append(CultureInfo.InvariantCulture, $"{zxid.Value:x}: {(long)digest}\n");
        return text.ToString();
    }

    private string Wchs()
    {
        WatchCounts counts = source.DataWatches;
        return string.Create(CultureInfo.InvariantCulture,
            $"{counts.Sessions} connections watching {counts.Paths} paths\nTotal watches:{counts.Watches}\n");
    }

    private string Wchc() => Grouped(source.WatchedPathsBySession, suffix: "") + "\n";

    private string Wchp() => Grouped(source.WatchingSessionsByPath, suffix: "") + "\n";

    private static string Grouped<TKey, TValue>(
        IReadOnlyList<KeyValuePair<TKey, IReadOnlyList<TValue>>> groups, string suffix)
    {
        StringBuilder text = new();
        foreach ((TKey key, IReadOnlyList<TValue> values) in groups)
        {
            text.Append(key).Append(suffix).Append('\n');
            foreach (TValue value in values)
                text.Append('\t').Append(value).Append('\n');
        }
        return text.ToString();
    }

    private string Dump()
    {
        StringBuilder text = new("SessionTracker dump:\n");
        if (source.LocalSessionExpiries is { } locals)
            AppendBuckets(text.Append("Local Session "), locals, static session => session.ToString());
        if (source.FollowedSessions is { } followed)
            AppendSessions(text, followed);
        else
            AppendBuckets(
                text.Append(source.LocalSessionExpiries is null ? "Session " : "Global Session "),
                source.SessionExpiries, static session => session.ToString());
        IReadOnlyList<KeyValuePair<SessionId, IReadOnlyList<string>>> ephemerals = source.EphemeralsBySession;
        text.Append(CultureInfo.InvariantCulture,
            $"ephemeral nodes dump:\nSessions with Ephemerals ({ephemerals.Count}):\n");
        text.Append(Grouped(ephemerals, suffix: ":"));
        text.Append("Connections dump:\nConnections ");
        AppendBuckets(text, source.ConnectionExpiries,
            static connection => $"ip: {JavaText.Of(connection.Remote)} sessionId: {connection.Session}");
        return text.ToString();
    }

    /// <summary>A learner knows the sessions and their timeouts, and not when they expire.</summary>
    private static void AppendSessions(StringBuilder text, IReadOnlyList<KeyValuePair<SessionId, TimeSpan>> sessions)
    {
        text.Append(CultureInfo.InvariantCulture, $"Global Sessions({sessions.Count}):\n");
        foreach ((SessionId session, TimeSpan timeout) in sessions)
            text.Append(CultureInfo.InvariantCulture, $"{session}\t{(long)timeout.TotalMilliseconds}ms\n");
    }

    private void AppendBuckets<T>(
        StringBuilder text, IReadOnlyList<ExpiryBucket<T>> buckets, Func<T, string> describe)
    {
        int members = buckets.Sum(static bucket => bucket.Members.Count);
        text.Append(CultureInfo.InvariantCulture, $"Sets ({buckets.Count})/({members}):\n");
        foreach (ExpiryBucket<T> bucket in buckets)
        {
            string expiry = JavaText.Of(bucket.Expiry, time.LocalTimeZone);
            text.Append(CultureInfo.InvariantCulture, $"{bucket.Members.Count} expire at {expiry}:\n");
            foreach (T member in bucket.Members)
                text.Append('\t').Append(describe(member)).Append('\n');
        }
    }
}
