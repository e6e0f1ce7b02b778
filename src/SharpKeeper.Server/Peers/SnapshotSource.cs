using SharpKeeper.Core.Log;

namespace SharpKeeper.Server.Peers;

/// <summary>A snapshot stream as it comes in over a connection: first what was received already.</summary>
internal sealed class SnapshotSource(ReadOnlyMemory<byte> received, QuorumConnection connection) : IStorageReader
{
    private ReadOnlyMemory<byte> rest = received;

    /// <inheritdoc/>
    public int Read(Span<byte> destination)
    {
        if (rest.IsEmpty)
            return connection.ReceiveTransfer(destination);
        int count = Math.Min(rest.Length, destination.Length);
        rest.Span[..count].CopyTo(destination);
        rest = rest[count..];
        return count;
    }

    /// <summary>The connection goes on.</summary>
    public void Dispose()
    {
    }
}
