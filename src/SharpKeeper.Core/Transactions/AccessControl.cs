using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Transactions;

/// <summary>What a scheme of identities knows; pure functions, so that every server decides alike.</summary>
public interface IAuthScheme
{
    /// <summary>The scheme's name in ACLs.</summary>
    string Name { get; }

    /// <summary>Do its identities count as authenticated, so that the ACL scheme <c>auth</c> stands for them?</summary>
    bool IsAuthenticated { get; }

    /// <summary>May <paramref name="id"/> stand in an ACL?</summary>
    bool IsValidId(string id);

    /// <summary>Does an identity of this scheme satisfy an ACL entry's id?</summary>
    bool Matches(string identity, string aclId);
}

/// <summary>The rules of access: who may do what, and which ACLs may be stored.</summary>
public sealed class AccessControl
{
    private const string World = "world";
    private const string Anyone = "anyone";
    private const string AuthScheme = "auth";
    private const string Super = "super";

    private readonly Dictionary<string, IAuthScheme> schemes = new(StringComparer.Ordinal);

    /// <summary>Sets up the rules.</summary>
    /// <param name="schemes">The schemes besides world and auth.</param>
    /// <param name="skipChecks">True lets everybody do everything.</param>
    public AccessControl(IEnumerable<IAuthScheme> schemes, bool skipChecks)
    {
        foreach (IAuthScheme scheme in schemes)
            this.schemes.Add(scheme.Name, scheme);
        SkipChecks = skipChecks;
    }

    /// <summary>Are all checks off?</summary>
    public bool SkipChecks { get; }

    /// <summary>The scheme of that name, or null.</summary>
    public IAuthScheme? Find(string scheme) => schemes.GetValueOrDefault(scheme);

    /// <summary>May somebody with these identities do any of <paramref name="wanted"/>?</summary>
    public bool IsAllowed(IReadOnlyList<Acl> entries, Permissions wanted, ReadOnlySpan<AuthId> identities)
    {
        if (SkipChecks || entries.Count == 0 || IsSuper(identities))
            return true;
        foreach (Acl entry in entries)
        {
            if ((entry.Permissions & wanted) != 0 && IsMeant(entry.Id, identities))
                return true;
        }
        return false;
    }

    /// <summary>Is one of the identities the super user?</summary>
    public static bool IsSuper(ReadOnlySpan<AuthId> identities)
    {
        foreach (AuthId identity in identities)
        {
            if (identity.Scheme == Super)
                return true;
        }
        return false;
    }

    /// <summary>
    /// Makes an ACL fit for storing: duplicates removed, <c>auth</c> replaced by the caller's authenticated identities.
    /// Null if it is empty or an entry is not acceptable.
    /// </summary>
    public IReadOnlyList<Acl>? Resolve(IReadOnlyList<Acl>? entries, ReadOnlySpan<AuthId> identities)
    {
        if (entries is null || entries.Count == 0)
            return null;
        var resolved = new List<Acl>(entries.Count);
        foreach (Acl entry in entries)
        {
            if (!ResolveEntry(entry, identities, resolved))
                return null;
        }
        return resolved;
    }

    private bool ResolveEntry(Acl entry, ReadOnlySpan<AuthId> identities, List<Acl> resolved)
    {
        if (entry.Id.Scheme == World)
        {
            AddOnce(resolved, entry);
            return entry.Id.Id == Anyone;
        }
        if (entry.Id.Scheme != AuthScheme)
        {
            AddOnce(resolved, entry);
            return schemes.TryGetValue(entry.Id.Scheme, out IAuthScheme? scheme) && scheme.IsValidId(entry.Id.Id);
        }
        bool any = false;
        foreach (AuthId identity in identities)
        {
            if (!schemes.TryGetValue(identity.Scheme, out IAuthScheme? scheme) || !scheme.IsAuthenticated)
                continue;
            AddOnce(resolved, new Acl(entry.Permissions, identity));
            any = true;
        }
        return any;
    }

    private static void AddOnce(List<Acl> entries, Acl entry)
    {
        if (!entries.Contains(entry))
            entries.Add(entry);
    }

    private bool IsMeant(AuthId wanted, ReadOnlySpan<AuthId> identities)
    {
        if (wanted.Scheme == World && wanted.Id == Anyone)
            return true;
        if (!schemes.TryGetValue(wanted.Scheme, out IAuthScheme? scheme))
            return false;
        foreach (AuthId identity in identities)
        {
            if (identity.Scheme == wanted.Scheme && scheme.Matches(identity.Id, wanted.Id))
                return true;
        }
        return false;
    }
}
