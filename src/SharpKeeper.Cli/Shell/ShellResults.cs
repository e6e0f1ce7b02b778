using SharpKeeper.Client;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Shell;

/// <summary>
/// Where commands report what they found. The human form is zkCli's, to the byte and to the stream; the JSON form is
/// one object in one line for each command, error and event.
/// </summary>
internal abstract class ShellResults
{
    /// <summary>Names of children, sorted by the caller, with the parent's stat where it was asked for.</summary>
    public abstract void Children(IReadOnlyList<string> names, Stat? stat);

    /// <summary>One path of a list whose length is not known yet; <see cref="EndPaths"/> ends the list.</summary>
    public abstract void Path(string path);

    /// <summary>Ends a list of paths.</summary>
    public abstract void EndPaths();

    /// <summary>Paths as one list.</summary>
    public abstract void PathList(IReadOnlyList<string> paths);

    /// <summary>A znode's data, null for null data.</summary>
    public abstract void Data(byte[]? data, DataForm form, Stat? stat);

    /// <summary>A znode's metadata.</summary>
    public abstract void Stat(in Stat stat);

    /// <summary>A znode was created.</summary>
    public abstract void Created(string path);

    /// <summary>A command is done that has nothing to show.</summary>
    public abstract void Done();

    /// <summary>An access control list.</summary>
    public abstract void AclList(IReadOnlyList<Acl> entries, Stat? stat);

    /// <summary>A number.</summary>
    public abstract void Number(long value);

    /// <summary>The identities of the connection.</summary>
    public abstract void Identities(IReadOnlyList<AuthId> identities);

    /// <summary>The limits and the usage of a quota; no limits where there is none.</summary>
    public abstract void Quota(string path, QuotaText? limits, QuotaText? usage);

    /// <summary>A line of text that has a name in JSON.</summary>
    public abstract void Text(string name, string text);

    /// <summary>The ensemble's configuration.</summary>
    public abstract void Config(string text, Stat? stat);

    /// <summary>Commands typed before, with their numbers.</summary>
    public abstract void History(IReadOnlyList<(int Number, string Line)> lines);

    /// <summary>A remark beside the result: a deprecated spelling, progress. Not part of the result.</summary>
    public abstract void Note(string text);

    /// <summary>A warning that is printed with the result.</summary>
    public abstract void Warning(string text);

    /// <summary>A command failed.</summary>
    public abstract void Error(string message, string code, string? path);

    /// <summary>A command needs a session, and there is none.</summary>
    public abstract void NotConnected();

    /// <summary>A command is not known; <paramref name="usage"/> lists those that are.</summary>
    public abstract void UnknownCommand(string name, IReadOnlyList<string> usage, string? nearest);

    /// <summary>Help that was asked for.</summary>
    public abstract void Help(IReadOnlyList<string> lines);

    /// <summary>A watch fired or the session changed its state.</summary>
    public abstract void Event(in WatchedEvent watched);
}

/// <summary>How data are shown.</summary>
internal enum DataForm
{
    /// <summary>As UTF-8 text.</summary>
    Text,

    /// <summary>As base64.</summary>
    Base64,

    /// <summary>As offsets, hexadecimal bytes and characters.</summary>
    HexDump,
}
