namespace SharpKeeper.Core.Tree;

/// <summary>
/// Names a znode's record while that znode exists; the value is used again after a delete. Not part of any format.
/// </summary>
/// <param name="Value">The record's number; 0 is no znode.</param>
public readonly record struct ZnodeId(uint Value)
{
    /// <summary>No znode.</summary>
    public static ZnodeId None => default;

    /// <summary>Is it no znode?</summary>
    public bool IsNone => Value == 0;
}

/// <summary>What ends a znode's life, as its stored owner tells.</summary>
public enum NodeKind
{
    /// <summary>Only a delete.</summary>
    Persistent,

    /// <summary>The end of its session.</summary>
    Ephemeral,

    /// <summary>The background check, once its last child is gone.</summary>
    Container,

    /// <summary>The background check, once it has no child and was not written for a given time.</summary>
    Ttl,
}
