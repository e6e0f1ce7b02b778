using System.Net;
using System.Security.Cryptography;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Protocol;
using SharpKeeper.Server.Auth;

namespace SharpKeeper.TransactionTests;

/// <summary>Who may do what, and which ACLs may be stored.</summary>
public class AccessControlTests
{
    private static readonly DigestProvider Digest = new("super:lK75jTNcA+U9vtVEw5vB51mj/w4=", HashAlgorithmName.SHA1);
    private static readonly AccessControl Access = new([Digest, new IpProvider()], skipChecks: false);
    private static readonly AuthId Bob = new("digest", "bob:ikIaKsbtGweaHnb/jKn7OHqbunM=");
    private static readonly AuthId Local = new("ip", "127.0.0.1");

    [Fact]
    public void Authenticate_gives_the_known_digest()
    {
        Assert.Equal([Bob], Digest.Authenticate("bob:pw"u8, IPAddress.Loopback));
        Assert.Equal(2, Digest.Authenticate("super:secret"u8, IPAddress.Loopback)!.Count);
        Assert.Equal(new AuthId("super", ""), Digest.Authenticate("super:secret"u8, IPAddress.Loopback)![1]);
        Assert.Single(Digest.Authenticate("super:wrong"u8, IPAddress.Loopback)!);
        AuthId whole = Assert.Single(Digest.Authenticate("nocolon"u8, IPAddress.Loopback)!);
        Assert.StartsWith("nocolon:", whole.Id, StringComparison.Ordinal);
    }

    [Fact]
    public void IsAllowed_reads_zeros_in_front_as_decimal_numbers()
    {
        Assert.True(Access.IsAllowed(
            [new(Permissions.Read, new AuthId("ip", "0127.000.0.01"))], Permissions.Read, [Local]));
        Assert.False(Access.IsAllowed(
            [new(Permissions.Read, new AuthId("ip", "0177.0.0.1"))], Permissions.Read, [Local]));
    }

    [Fact]
    public void Resolve_auth_becomes_each_authenticated_identity_once()
    {
        AuthId ann = new("digest", "ann:h");
        IReadOnlyList<Acl>? resolved = Access.Resolve(
            [
                new(Permissions.Read, new AuthId("auth", "ignored")), new(Permissions.Read, ann),
                new(Permissions.All, Bob),
            ],
            [Local, Bob, ann]);
        Assert.Equal([new(Permissions.Read, Bob), new(Permissions.Read, ann), new(Permissions.All, Bob)], resolved);
        Assert.Null(Access.Resolve(Acl.CreatorAll, [Local]));
        Assert.Null(Access.Resolve(Acl.CreatorAll, []));
    }

    [Theory]
    [InlineData("world", "anyone", true)]
    [InlineData("world", "", false)]
    [InlineData("digest", "a:b", true)]
    [InlineData("digest", "ab", false)]
    [InlineData("digest", "a:b:c", false)]
    [InlineData("digest", "a:", false)]
    [InlineData("digest", ":", false)]
    [InlineData("digest", ":b", true)]
    [InlineData("ip", "010.1.2.3", true)]
    [InlineData("ip", "0x7f.0.0.1", false)]
    [InlineData("super", "", false)]
    [InlineData("sasl", "a", false)]
    [InlineData("", "", false)]
    [InlineData("ip", "10.1.2.3", true)]
    [InlineData("ip", "10.1.2.3/32", true)]
    [InlineData("ip", "10.1.2.3/0", true)]
    [InlineData("ip", "10.1.2.3/33", false)]
    [InlineData("ip", "10.1.2.3/", false)]
    [InlineData("ip", "10.1.2.3/-1", false)]
    [InlineData("ip", "10.1.2.3/x", false)]
    [InlineData("ip", "10.1.2", false)]
    [InlineData("ip", "10.1.2.300", false)]
    [InlineData("ip", "1", false)]
    [InlineData("ip", "::1", true)]
    [InlineData("ip", "2001:db8::/32", true)]
    [InlineData("ip", "2001:db8::/128", true)]
    [InlineData("ip", "2001:db8::/129", false)]
    [InlineData("ip", "2001:db8:::1", false)]
    [InlineData("ip", "localhost", false)]
    [InlineData("ip", "", false)]
    public void Resolve_takes_only_ids_that_their_scheme_knows(string scheme, string id, bool isTaken)
    {
        Acl[] acl = [new(Permissions.All, new AuthId(scheme, id))];
        Assert.Equal(isTaken ? acl : null, Access.Resolve(acl, []));
        // One bad entry spoils the list.
        Assert.Equal(isTaken, Access.Resolve([Acl.OpenUnsafe[0], .. acl], []) is not null);
    }

    [Fact]
    public void Resolve_empty_list_is_refused()
    {
        Assert.Null(Access.Resolve(null, [Bob]));
        Assert.Null(Access.Resolve([], [Bob]));
    }

    [Theory]
    [InlineData("10.1.2.3", "10.1.2.3", true)]
    [InlineData("10.1.2.3", "10.1.2.4", false)]
    [InlineData("10.1.2.4/31", "10.1.2.5", true)]
    [InlineData("10.1.2.4/31", "10.1.2.6", false)]
    [InlineData("10.1.2.4/9", "10.127.0.1", true)]
    [InlineData("10.1.2.4/9", "10.128.0.1", false)]
    [InlineData("10.1.2.4/0", "200.1.1.1", true)]
    [InlineData("0.0.0.0/0", "::1", false)]
    [InlineData("::1", "0:0:0:0:0:0:0:1", true)]
    [InlineData("2001:db8::/33", "2001:db8:7fff::1", true)]
    [InlineData("2001:db8::/33", "2001:db8:8000::1", false)]
    [InlineData("::/0", "2001::1", true)]
    [InlineData("::/0", "1.2.3.4", false)]
    public void IsAllowed_ip_looks_at_the_masked_bits(string wanted, string actual, bool isAllowed) =>
        Assert.Equal(isAllowed, Access.IsAllowed(
            [new(Permissions.All, new AuthId("ip", wanted))], Permissions.Read, [new AuthId("ip", actual)]));

    [Fact]
    public void IsAllowed_needs_an_entry_with_a_wanted_right_for_one_of_the_identities()
    {
        Acl[] acl = [new(Permissions.Write, AuthId.Anyone), new(Permissions.Read | Permissions.Admin, Bob)];
        Assert.True(Access.IsAllowed(acl, Permissions.Write, []));
        Assert.False(Access.IsAllowed(acl, Permissions.Read, []));
        Assert.False(Access.IsAllowed(acl, Permissions.Read, [Local, new AuthId("digest", "bob:other")]));
        Assert.True(Access.IsAllowed(acl, Permissions.Read, [Local, Bob]));
        Assert.True(Access.IsAllowed(acl, Permissions.Delete | Permissions.Admin, [Bob]));
        Assert.False(Access.IsAllowed(acl, Permissions.Delete, [Bob]));
        Assert.True(Access.IsAllowed(acl, Permissions.Delete, [new AuthId("super", "")]));
        Assert.True(Access.IsAllowed([], Permissions.Delete, []));
        Assert.True(new AccessControl([], skipChecks: true).IsAllowed(acl, Permissions.Delete, []));
        // An entry of a scheme that this server does not have matches nobody.
        Assert.False(Access.IsAllowed(
            [new(Permissions.All, new AuthId("x509", "CN=a"))], Permissions.Read, [new AuthId("x509", "CN=a")]));
    }
}
