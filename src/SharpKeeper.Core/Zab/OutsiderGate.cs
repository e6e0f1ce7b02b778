using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Zab;

/// <summary>
/// Decides whether a server that is no voter here gets an answer. Two servers, neither of which is a voter to the
/// other, would answer each other's answers as fast as the network carries them; an exchange that repeats word for word
/// is therefore let through once an interval.
/// </summary>
internal sealed class OutsiderGate(int intervalMs)
{
    /// <summary>Servers remembered. Beyond it all are forgotten, which costs an answer too many at worst.</summary>
    public const int RememberedMax = 64;

    private readonly Dictionary<ServerId, Exchange> last = [];

    /// <summary>May <paramref name="answer"/> be given to what <paramref name="from"/> has asked?</summary>
    public bool MayAnswer(ServerId from, in Ballot asked, in Ballot answer, long nowMs)
    {
        bool isKnown = last.TryGetValue(from, out Exchange before);
        if (isKnown && before.Asked == asked && before.Answer == answer && nowMs - before.AtMs < intervalMs)
            return false;
        if (!isKnown && last.Count >= RememberedMax)
            last.Clear();
        last[from] = new Exchange(asked, answer, nowMs);
        return true;
    }

    private readonly record struct Exchange(Ballot Asked, Ballot Answer, long AtMs);
}
