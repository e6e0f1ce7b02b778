using System.Text;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Shell;

/// <summary>
/// ACLs as users type and read them: <c>scheme:id:perms[,scheme:id:perms...]</c> with the letters c d r w a. The id
/// stands between the first and the last colon, for the id of a digest holds a colon itself.
/// </summary>
internal static class AclText
{
    private const string Letters = "cdrwa";

    private static readonly Permissions[] Bits =
        [Permissions.Create, Permissions.Delete, Permissions.Read, Permissions.Write, Permissions.Admin];

    /// <summary>Reads the text.</summary>
    /// <exception cref="ShellUsageException">An entry lacks a part or holds an unknown letter.</exception>
    public static IReadOnlyList<Acl> Parse(string text)
    {
        List<Acl> entries = [];
        foreach (string entry in text.Split(','))
        {
            int first = entry.IndexOf(':', StringComparison.Ordinal);
            int last = entry.LastIndexOf(':');
            if (first < 0 || first == last)
                throw new ShellUsageException($"{entry} does not have the form scheme:id:perm");
            entries.Add(new Acl(ParsePermissions(entry[(last + 1)..], entry),
                new AuthId(entry[..first], entry[(first + 1)..last])));
        }
        return entries;
    }

    /// <summary>The letters of the permissions in the order c d r w a.</summary>
    public static string Format(Permissions permissions)
    {
        StringBuilder text = new();
        for (int i = 0; i < Bits.Length; i++)
        {
            if ((permissions & Bits[i]) != 0)
                text.Append(Letters[i]);
        }
        return text.ToString();
    }

    private static Permissions ParsePermissions(string letters, string entry)
    {
        Permissions permissions = Permissions.None;
        foreach (char letter in letters)
        {
            int index = Letters.IndexOf(letter, StringComparison.Ordinal);
            if (index < 0)
            {
                throw new ShellUsageException(
                    $"Unknown perm type: {letter} in {entry} (the letters are c d r w a)");
            }
            permissions |= Bits[index];
        }
        return permissions;
    }
}
