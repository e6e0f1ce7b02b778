using System.Text;
using SharpKeeper.Protocol;

namespace SharpKeeper.Client;

/// <summary>Data and metadata of a znode.</summary>
/// <param name="Data">
/// The data; null where the znode was created with null data, which is not the same as empty.
/// </param>
/// <param name="Stat">The metadata.</param>
public readonly record struct ZnodeData(byte[]? Data, Stat Stat)
{
    /// <summary>The data as UTF-8 text; null for null data.</summary>
    public string? Text => Data is null ? null : Encoding.UTF8.GetString(Data);
}

/// <summary>Children and metadata of a znode.</summary>
/// <param name="Names">Names of the children, without their parent's path, in no particular order.</param>
/// <param name="Stat">The metadata.</param>
public readonly record struct ZnodeChildren(IReadOnlyList<string> Names, Stat Stat);

/// <summary>Access control list and metadata of a znode.</summary>
/// <param name="Acl">
/// The entries; ids of the digest scheme are masked for those without the right to change them.
/// </param>
/// <param name="Stat">The metadata; its <see cref="Stat.Aversion"/> is what a conditional change names.</param>
public readonly record struct ZnodeAcl(IReadOnlyList<Acl> Acl, Stat Stat);

/// <summary>A znode just created.</summary>
/// <param name="Path">Its path, with the suffix that a sequential mode gave it.</param>
/// <param name="Stat">The metadata.</param>
public readonly record struct CreatedZnode(string Path, Stat Stat);
