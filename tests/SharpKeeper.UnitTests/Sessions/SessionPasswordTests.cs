using SharpKeeper.Core.Sessions;

namespace SharpKeeper.SessionTests;

/// <summary>Session ids and passwords as Apache's servers make them; the vectors come from a live one.</summary>
public class SessionPasswordTests
{
    [Theory]
    [InlineData(0x10000156f8b0000, "77183f9e3886219dad417df941ad74ea")]
    [InlineData(0x100001ee9050000, "d1753e068a21b36d970fa0e4e395fe0c")]
    public void Derive_recorded_session_gives_the_recorded_password(long session, string password)
    {
        Assert.Equal(Convert.FromHexString(password), SessionPassword.Derive(session));
        Assert.True(SessionPassword.Matches(session, Convert.FromHexString(password)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(long.MinValue)]
    [InlineData(long.MaxValue)]
    public void Matches_anything_but_the_whole_password_is_refused(long session)
    {
        byte[] password = SessionPassword.Derive(session);
        Assert.Equal(SessionPassword.Bytes, password.Length);
        Assert.True(SessionPassword.Matches(session, password));
        Assert.False(SessionPassword.Matches(session, []));
        Assert.False(SessionPassword.Matches(session, password.AsSpan(0, 15)));
        Assert.False(SessionPassword.Matches(session, [.. password, 0]));
        for (int i = 0; i < password.Length; i++)
        {
            byte[] other = [.. password];
            other[i] ^= 1;
            Assert.False(SessionPassword.Matches(session, other));
        }
        Assert.False(SessionPassword.Matches(session + 1, password));
    }

    [Theory]
    [InlineData(1, 0x15_6f8b, 0x0100_0015_6f8b_0000)]
    [InlineData(255, 0, unchecked((long)0xff00_0000_0000_0000))]
    [InlineData(3, 0x12_3456_789a, 0x0312_3456_789a_0000)]
    [InlineData(3, 0x7fff_ff12_3456_789a, 0x0312_3456_789a_0000)]
    [InlineData(128, 0x100_0000_0000, long.MinValue + 1)]
    public void First_puts_the_server_above_forty_bits_of_milliseconds(byte server, long seedMs, long expected) =>
        Assert.Equal(expected, SessionIds.First(server, seedMs));
}
