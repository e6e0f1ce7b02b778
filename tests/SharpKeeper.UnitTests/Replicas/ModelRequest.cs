using SharpKeeper.Protocol;

namespace SharpKeeper.ReplicaTests;

/// <summary>A request in a form that the model understands and the wire can carry.</summary>
internal sealed record ModelRequest(OpCode Op)
{
    public string Path { get; init; } = "";

    public byte[]? Data { get; init; }

    public int Version { get; init; } = -1;

    public CreateMode Mode { get; init; }

    public long Ttl { get; init; }

    public IReadOnlyList<Acl>? Acl { get; init; } = RequestBody.Open;

    public IReadOnlyList<ModelRequest> Parts { get; init; } = [];

    /// <summary>Bytes missing at the end of the body.</summary>
    public int CutOff { get; init; }

    public bool IsCreate => Op is OpCode.Create or OpCode.Create2 or OpCode.CreateContainer or OpCode.CreateTtl;

    public byte[] Encode()
    {
        byte[] whole = EncodeWhole();
        return whole[..Math.Max(0, whole.Length - CutOff)];
    }

    public override string ToString() =>
        $"{Op} {Path} v{Version} {Mode} ttl{Ttl} {(Acl is null ? "-" : WireText.Of(Acl))} cut{CutOff}"
        + (Parts.Count > 0 ? " {" + string.Join(" | ", Parts) + "}" : "");

    private byte[] EncodeWhole()
    {
        switch (Op)
        {
            case OpCode.CreateTtl:
                return RequestBody.CreateTtl(Path, Data, Mode, Ttl, Acl ?? []);
            case OpCode.Create or OpCode.Create2 or OpCode.CreateContainer:
                return RequestBody.Create(Path, Data, Mode, Acl ?? []);
            case OpCode.Delete or OpCode.Check:
                return RequestBody.Versioned(Path, Version);
            case OpCode.SetData:
                return RequestBody.SetData(Path, Data, Version);
            case OpCode.SetAcl:
                return RequestBody.SetAcl(Path, Acl, Version);
            case OpCode.Multi:
                return RequestBody.Multi([.. Parts.Select(part => (part.Op, part.Encode()))]);
            case OpCode.GetAcl or OpCode.GetAllChildrenNumber or OpCode.Sync:
                return RequestBody.Path(Path);
            case OpCode.Exists or OpCode.GetData or OpCode.GetChildren or OpCode.GetChildren2:
                return RequestBody.Watched(Path);
            default:
                return [];
        }
    }
}
