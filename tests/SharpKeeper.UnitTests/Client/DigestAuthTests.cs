using SharpKeeper.Client;
using SharpKeeper.Protocol;

namespace SharpKeeper.UnitTests.Client;

public class DigestAuthTests
{
    [Theory]
    [InlineData("bob", "pw", "bob:ikIaKsbtGweaHnb/jKn7OHqbunM=")]
    [InlineData("super", "secret", "super:lK75jTNcA+U9vtVEw5vB51mj/w4=")]
    public void CreateId_gives_what_servers_compare(string user, string password, string id)
    {
        Assert.Equal(id, DigestAuth.CreateId(user, password));
        Assert.Equal(new AuthId("digest", id), AclIds.Digest(user, password));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a:b")]
    public void CreateId_of_a_bad_user_name_is_refused(string user) =>
        Assert.Throws<ArgumentException>(() => DigestAuth.CreateId(user, "pw"));
}
