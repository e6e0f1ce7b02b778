using SharpKeeper.Protocol;

namespace SharpKeeper.Server.Admin;

/// <summary>The short names of operations that <c>cons</c> shows as <c>lop</c>.</summary>
internal static class LastOperation
{
    /// <summary>Before the first request.</summary>
    internal const string None = "NA";

    /// <summary>After the handshake.</summary>
    internal const string Session = "SESS";

    /// <summary>The name of an operation, or null for those that leave the previous name standing.</summary>
    internal static string? Of(OpCode operation) => operation switch
    {
        OpCode.CreateSession => Session,
        OpCode.CloseSession => "CLOS",
        OpCode.Ping => "PING",
        OpCode.Create or OpCode.Create2 or OpCode.CreateContainer or OpCode.CreateTtl => "CREA",
        OpCode.Delete or OpCode.DeleteContainer => "DELE",
        OpCode.Exists => "EXIS",
        OpCode.GetData => "GETD",
        OpCode.SetData => "SETD",
        OpCode.GetAcl => "GETA",
        OpCode.SetAcl => "SETA",
        OpCode.GetChildren or OpCode.GetChildren2 => "GETC",
        OpCode.Sync => "SYNC",
        OpCode.Check => "CHEC",
        OpCode.Multi => "MULT",
        OpCode.MultiRead => "MLTR",
        OpCode.Reconfig => "RECO",
        OpCode.SetWatches => "SETW",
        OpCode.SetWatches2 => "STW2",
        OpCode.AddWatch => "ADDW",
        OpCode.CheckWatches => "CHKW",
        OpCode.RemoveWatches => "REMW",
        OpCode.GetEphemerals => "GETE",
        OpCode.GetAllChildrenNumber => "GETACN",
        OpCode.WhoAmI => "HOMI",
        _ => null,
    };
}
