using System.Net;

namespace SharpKeeper.Server.Runtime;

/// <summary>Counts connections against the limits for one address and for the whole server.</summary>
internal sealed class Admission(int perAddressMax, int totalMax)
{
    private readonly Lock padlock = new();
    private readonly Dictionary<IPAddress, int> perAddress = [];
    private int total;

    /// <summary>Connections admitted now.</summary>
    public int Total => Volatile.Read(ref total);

    /// <summary>Admits one more connection of <paramref name="address"/>, or says no; any thread.</summary>
    public bool TryEnter(IPAddress address)
    {
        lock (padlock)
        {
            perAddress.TryGetValue(address, out int count);
            if ((perAddressMax > 0 && count >= perAddressMax) || (totalMax > 0 && total >= totalMax))
                return false;
            perAddress[address] = count + 1;
            total++;
            return true;
        }
    }

    /// <summary>Notes the end of an admitted connection.</summary>
    public void Leave(IPAddress address)
    {
        lock (padlock)
        {
            total--;
            if (--perAddress[address] == 0)
                perAddress.Remove(address);
        }
    }
}
