namespace SharpKeeper.Protocol;

/// <summary>How a server treats an operation.</summary>
public enum OpClass
{
    /// <summary>Not an operation that a client may send: answered with Unimplemented, then the connection is closed.</summary>
    Unknown = 0,

    /// <summary>Answered from the local tree, in the session's order.</summary>
    Read,

    /// <summary>Becomes a transaction.</summary>
    Write,

    /// <summary>Concerns the connection alone and is answered out of order (auth, sasl).</summary>
    Connection,
}

/// <summary>What is known about one operation.</summary>
/// <param name="Code">Its code on the wire.</param>
/// <param name="Class">How a server treats it.</param>
/// <param name="Name">Its name in metrics and messages.</param>
/// <param name="ShortName">The abbreviation that the four-letter word <c>cons</c> shows.</param>
public sealed record OpInfo(OpCode Code, OpClass Class, string Name, string ShortName)
{
    /// <summary>What <c>cons</c> shows before the first request.</summary>
    public const string NoShortName = "NA";
}

/// <summary>The one list of operations.</summary>
public static class OpTable
{
    private static readonly OpInfo unknown = new(OpCode.Notification, OpClass.Unknown, "unknown", OpInfo.NoShortName);

    private static readonly OpInfo[] byCode = Build();

    /// <summary>All operations that a client may send.</summary>
    public static IEnumerable<OpInfo> All => byCode.Where(op => op.Class != OpClass.Unknown);

    /// <summary>The entry for a code; codes that no client may send give one of class Unknown.</summary>
    public static OpInfo Find(OpCode code)
    {
        if (code == OpCode.CloseSession)
            return byCode[0];
        int index = (int)code;
        return (uint)(index - 1) < (uint)(byCode.Length - 1) ? byCode[index] : unknown;
    }

    private static OpInfo[] Build()
    {
        OpInfo[] ops =
        [
            new(OpCode.Create, OpClass.Write, "create", "CREA"),
            new(OpCode.Delete, OpClass.Write, "delete", "DELE"),
            new(OpCode.Exists, OpClass.Read, "exists", "EXIS"),
            new(OpCode.GetData, OpClass.Read, "get_data", "GETD"),
            new(OpCode.SetData, OpClass.Write, "set_data", "SETD"),
            new(OpCode.GetAcl, OpClass.Read, "get_acl", "GETA"),
            new(OpCode.SetAcl, OpClass.Write, "set_acl", "SETA"),
            new(OpCode.GetChildren, OpClass.Read, "get_children", "GETC"),
            new(OpCode.Sync, OpClass.Read, "sync", "SYNC"),
            new(OpCode.Ping, OpClass.Read, "ping", "PING"),
            new(OpCode.GetChildren2, OpClass.Read, "get_children2", "GETC"),
            new(OpCode.Multi, OpClass.Write, "multi", "MULT"),
            new(OpCode.Create2, OpClass.Write, "create2", "CREA"),
            new(OpCode.Reconfig, OpClass.Write, "reconfig", "RECO"),
            new(OpCode.CheckWatches, OpClass.Read, "check_watches", "CHKW"),
            new(OpCode.RemoveWatches, OpClass.Read, "remove_watches", "REMW"),
            new(OpCode.CreateContainer, OpClass.Write, "create_container", "CREA"),
            new(OpCode.CreateTtl, OpClass.Write, "create_ttl", "CREA"),
            new(OpCode.MultiRead, OpClass.Read, "multi_read", "MLTR"),
            new(OpCode.Auth, OpClass.Connection, "auth", "AUTH"),
            new(OpCode.SetWatches, OpClass.Read, "set_watches", "SETW"),
            new(OpCode.Sasl, OpClass.Connection, "sasl", "SASL"),
            new(OpCode.GetEphemerals, OpClass.Read, "get_ephemerals", "GETE"),
            new(OpCode.GetAllChildrenNumber, OpClass.Read, "get_all_children_number", "GETACN"),
            new(OpCode.SetWatches2, OpClass.Read, "set_watches2", "STW2"),
            new(OpCode.AddWatch, OpClass.Read, "add_watch", "ADDW"),
            new(OpCode.WhoAmI, OpClass.Read, "who_am_i", "HOMI"),
        ];
        var table = new OpInfo[(int)OpCode.WhoAmI + 1];
        Array.Fill(table, unknown);
        foreach (OpInfo op in ops)
            table[(int)op.Code] = op;
        table[0] = new OpInfo(OpCode.CloseSession, OpClass.Write, "close_session", "CLOS");
        return table;
    }
}
