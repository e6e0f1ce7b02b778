namespace SharpKeeper.Protocol;

/// <summary>What an ACL entry allows. Unknown bits are kept and returned as they came.</summary>
[Flags]
public enum Permissions
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Read data and the list of children.</summary>
    Read = 1,

    /// <summary>Replace the data.</summary>
    Write = 2,

    /// <summary>Create children.</summary>
    Create = 4,

    /// <summary>Delete children.</summary>
    Delete = 8,

    /// <summary>Replace the ACL.</summary>
    Admin = 16,

    /// <summary>Everything.</summary>
    All = 31,
}

/// <summary>An identity: a scheme and an id in it.</summary>
/// <param name="Scheme">For example world, digest, ip, auth.</param>
/// <param name="Id">What the scheme makes of it.</param>
public sealed record AuthId(string Scheme, string Id)
{
    /// <summary>Everybody.</summary>
    public static AuthId Anyone { get; } = new("world", "anyone");
}

/// <summary>One entry of an access control list.</summary>
/// <param name="Permissions">What is allowed.</param>
/// <param name="Id">To whom.</param>
public sealed record Acl(Permissions Permissions, AuthId Id)
{
    /// <summary>Everybody may do everything.</summary>
    public static IReadOnlyList<Acl> OpenUnsafe { get; } = [new(Permissions.All, AuthId.Anyone)];

    /// <summary>Everybody may read.</summary>
    public static IReadOnlyList<Acl> ReadUnsafe { get; } = [new(Permissions.Read, AuthId.Anyone)];

    /// <summary>Whoever is authenticated on the creating connection may do everything.</summary>
    public static IReadOnlyList<Acl> CreatorAll { get; } = [new(Permissions.All, new AuthId("auth", ""))];

    /// <summary>Smallest size of an entry on the wire, for checking vector counts.</summary>
    public const int BytesMin = 12;

    /// <summary>Reads one entry; null strings become empty.</summary>
    public static Acl Read(ref JuteReader reader)
    {
        var permissions = (Permissions)reader.ReadInt32();
        string scheme = reader.ReadString() ?? "";
        string id = reader.ReadString() ?? "";
        return new Acl(permissions, new AuthId(scheme, id));
    }

    /// <summary>Reads a vector of entries; a null vector gives null.</summary>
    public static Acl[]? ReadVector(ref JuteReader reader)
    {
        int count = reader.ReadVectorCount(BytesMin);
        if (reader.Failed || count < 0)
            return null;
        var entries = new Acl[count];
        for (int i = 0; i < count; i++)
            entries[i] = Read(ref reader);
        return entries;
    }

    /// <summary>Appends one entry.</summary>
    public void Write(JuteBuffer output)
    {
        output.WriteInt32((int)Permissions);
        output.WriteString(Id.Scheme);
        output.WriteString(Id.Id);
    }

    /// <summary>Appends a vector of entries.</summary>
    public static void WriteVector(JuteBuffer output, IReadOnlyList<Acl>? entries)
    {
        if (entries is null)
        {
            output.WriteInt32(-1);
            return;
        }
        output.WriteInt32(entries.Count);
        foreach (Acl entry in entries)
            entry.Write(output);
    }
}
