namespace SharpKeeper.Server.Storage;

/// <summary>The data directories cannot be used as they are; the message names the path and what to do.</summary>
public sealed class StorageException : IOException
{
    /// <summary>Creates the exception.</summary>
    public StorageException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
