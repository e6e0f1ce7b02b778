using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace SharpKeeper.Protocol.Quorum;

/// <summary>What a server of an ensemble is there for.</summary>
public enum ServerRole
{
    /// <summary>It votes.</summary>
    Participant,

    /// <summary>It does not vote.</summary>
    Observer,
}

/// <summary>One address of a server for the other servers.</summary>
/// <param name="Host">A name or an address, without brackets.</param>
/// <param name="QuorumPort">Where learners connect when it leads.</param>
/// <param name="ElectionPort">Where votes are exchanged.</param>
public sealed record ServerAddress(string Host, int QuorumPort, int ElectionPort);

/// <summary>Where a server takes clients.</summary>
/// <param name="Host">A name or an address, without brackets.</param>
/// <param name="Port">The port.</param>
public sealed record ClientAddress(string Host, int Port);

/// <summary>One server of an ensemble. Two are equal if they have the same addresses in whatever order.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Addresses">At least one.</param>
/// <param name="Role">What it is there for.</param>
/// <param name="Client">Where it takes clients; null if only its own configuration file says so.</param>
/// <param name="SecureClient">Where it takes clients over TLS; null for nowhere.</param>
public sealed record EnsembleServer(
    ServerId Id, IReadOnlyList<ServerAddress> Addresses, ServerRole Role, ClientAddress? Client,
    ClientAddress? SecureClient)
{
    private static readonly Comparison<ServerAddress> ByHost = static (left, right) =>
    {
        int order = string.CompareOrdinal(left.Host, right.Host);
        if (order == 0)
            order = left.QuorumPort.CompareTo(right.QuorumPort);
        return order != 0 ? order : left.ElectionPort.CompareTo(right.ElectionPort);
    };

    /// <summary>Reads what stands behind <c>server.N=</c>.</summary>
    /// <param name="id">The N.</param>
    /// <param name="value"><c>host:quorumPort:electionPort[:role][|...][;[host:]port][;[host:]securePort]</c>.</param>
    /// <param name="server">The server; null if it cannot be read.</param>
    /// <param name="problem">What is wrong and how to mend it; empty on success.</param>
    public static bool TryParse(
        ServerId id, string value, [NotNullWhen(true)] out EnsembleServer? server, out string problem) =>
        EnsembleServerParser.TryParse(id, value, out server, out problem);

    /// <summary>
    /// What stands behind <c>server.N=</c> as Apache writes it: addresses ordered by host, the role always.
    /// </summary>
    public string Format()
    {
        var text = new StringBuilder();
        foreach (ServerAddress address in SortedAddresses())
        {
            if (text.Length > 0)
                text.Append('|');
            HostText.Append(text, address.Host);
            text.Append(CultureInfo.InvariantCulture, $":{address.QuorumPort}:{address.ElectionPort}");
        }
        text.Append(Role == ServerRole.Observer ? ":observer" : ":participant");
        if (Client is not null)
            HostText.Append(text.Append(';'), Client.Host).Append(CultureInfo.InvariantCulture, $":{Client.Port}");
        if (SecureClient is not null)
        {
            HostText.Append(text.Append(Client is null ? ";;" : ";"), SecureClient.Host)
                .Append(CultureInfo.InvariantCulture, $":{SecureClient.Port}");
        }
        return text.ToString();
    }

    /// <inheritdoc/>
    public override string ToString() => $"server.{Id}={Format()}";

    /// <inheritdoc/>
    public bool Equals(EnsembleServer? other) => other is not null && Id == other.Id && Role == other.Role
        && Client == other.Client && SecureClient == other.SecureClient && HasSameAddresses(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Id, Role, Client, SecureClient, Addresses.Count);

    private bool HasSameAddresses(EnsembleServer other) => Addresses.Count == other.Addresses.Count
        && SortedAddresses().SequenceEqual(other.SortedAddresses());

    private ServerAddress[] SortedAddresses()
    {
        ServerAddress[] sorted = [.. Addresses];
        Array.Sort(sorted, ByHost);
        return sorted;
    }
}
