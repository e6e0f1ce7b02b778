using SharpKeeper.Protocol;

namespace SharpKeeper.Simulation;

/// <summary>What a client asks for.</summary>
internal enum OperationKind
{
    Create,
    Delete,
    Set,
    Get,
    Exists,
    Children,
    Sync,
    Multi,
    Close,
    Reconfig,
}

/// <summary>One part of a multi, or the whole of any other write.</summary>
/// <param name="Kind">Create, delete, set, or a check as <see cref="OperationKind.Exists"/>.</param>
/// <param name="Path">The znode; the parent and a prefix if <paramref name="Mode"/> is sequential.</param>
/// <param name="Data">New data.</param>
/// <param name="Version">Version expected, -1 for any.</param>
/// <param name="Mode">How to create.</param>
internal readonly record struct WritePart(
    OperationKind Kind, string Path, byte[]? Data, int Version, CreateMode Mode);

/// <summary>One request of a client and its reply: an entry of the history that checkers look at.</summary>
internal sealed class Operation
{
    /// <summary>Its place in the history.</summary>
    public required int Number { get; init; }

    /// <summary>The client.</summary>
    public required int Client { get; init; }

    /// <summary>The client's session.</summary>
    public required long Session { get; init; }

    /// <summary>The request's number within the connection.</summary>
    public required int Xid { get; init; }

    /// <summary>What is asked for.</summary>
    public required OperationKind Kind { get; init; }

    /// <summary>The znode of a read or a sync.</summary>
    public string Path { get; init; } = "";

    /// <summary>What a write does.</summary>
    public IReadOnlyList<WritePart> Parts { get; init; } = [];

    /// <summary>Is a watch to be left?</summary>
    public bool IsWatched { get; init; }

    /// <summary>Virtual time at which it was asked for; of the sync for a read behind one.</summary>
    public required long InvokedUs { get; init; }

    /// <summary>The latest transaction that any client knew of when this was asked for.</summary>
    public required Zxid Floor { get; init; }

    /// <summary>Does a read follow a sync directly, so that it must see everything before?</summary>
    public bool IsSynced { get; init; }

    /// <summary>Virtual time of the reply; -1 while there is none.</summary>
    public long ReturnedUs { get; set; } = -1;

    /// <summary>The reply's error.</summary>
    public ErrorCode Error { get; set; }

    /// <summary>The reply's transaction.</summary>
    public Zxid Zxid { get; set; }

    /// <summary>Data that were read.</summary>
    public byte[]? Value { get; set; }

    /// <summary>The stat that came with it.</summary>
    public Stat Stat { get; set; }

    /// <summary>The children that were read.</summary>
    public IReadOnlyList<string> Children { get; set; } = [];

    /// <summary>The path that was created.</summary>
    public string CreatedPath { get; set; } = "";

    /// <summary>Is there a reply?</summary>
    public bool IsDone => ReturnedUs >= 0;

    /// <summary>Does it change anything?</summary>
    public bool IsWrite => Kind is OperationKind.Create or OperationKind.Delete or OperationKind.Set
        or OperationKind.Multi or OperationKind.Close or OperationKind.Reconfig;

    /// <inheritdoc/>
    public override string ToString() =>
        $"client {Client} session 0x{Session:x} xid {Xid} {Kind} "
        + $"{Path}{string.Join(',', Parts.Select(p => p.Kind + " " + p.Path))}"
        + (IsDone ? $" => {Error} {Zxid}" : " => no reply");
}
