using System.Globalization;

namespace SharpKeeper.Protocol;

/// <summary>A transaction id: the epoch in the high 32 bits, a counter in the low 32.</summary>
public readonly record struct Zxid(long Value) : IComparable<Zxid>
{
    /// <summary>The id before any transaction.</summary>
    public static Zxid Zero => default;

    /// <summary>The epoch part.</summary>
    public int Epoch => (int)(Value >> 32);

    /// <summary>The counter part.</summary>
    public uint Counter => (uint)Value;

    /// <summary>The next id in the same epoch.</summary>
    public Zxid Next => new(Value + 1);

    /// <inheritdoc/>
    public int CompareTo(Zxid other) => Value.CompareTo(other.Value);

    /// <summary>Orders by epoch, then counter.</summary>
    public static bool operator <(Zxid left, Zxid right) => left.Value < right.Value;

    /// <summary>Orders by epoch, then counter.</summary>
    public static bool operator >(Zxid left, Zxid right) => left.Value > right.Value;

    /// <summary>Orders by epoch, then counter.</summary>
    public static bool operator <=(Zxid left, Zxid right) => left.Value <= right.Value;

    /// <summary>Orders by epoch, then counter.</summary>
    public static bool operator >=(Zxid left, Zxid right) => left.Value >= right.Value;

    /// <summary>Hexadecimal with 0x, as every ZooKeeper tool prints it.</summary>
    public override string ToString() => "0x" + Value.ToString("x", CultureInfo.InvariantCulture);
}

/// <summary>A session's id; 0 means "no session yet".</summary>
public readonly record struct SessionId(long Value)
{
    /// <summary>No session.</summary>
    public static SessionId None => default;

    /// <summary>Hexadecimal with 0x, as every ZooKeeper tool prints it.</summary>
    public override string ToString() => "0x" + Value.ToString("x", CultureInfo.InvariantCulture);
}

/// <summary>The number of a server in its ensemble, as <c>myid</c> and <c>server.N</c> name it.</summary>
public readonly record struct ServerId(long Value) : IComparable<ServerId>
{
    /// <summary>What an observer proposes as leader in an election: nobody.</summary>
    public static ServerId Nobody => new(long.MinValue);

    /// <inheritdoc/>
    public int CompareTo(ServerId other) => Value.CompareTo(other.Value);

    /// <summary>Decimal, as in the configuration.</summary>
    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>What a server of an ensemble is doing; the numbers are those of election messages.</summary>
public enum ServerState
{
    /// <summary>It looks for a leader.</summary>
    Looking = 0,

    /// <summary>It follows a leader and votes.</summary>
    Following = 1,

    /// <summary>It leads.</summary>
    Leading = 2,

    /// <summary>It follows a leader without a vote.</summary>
    Observing = 3,
}
