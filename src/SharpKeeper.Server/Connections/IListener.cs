namespace SharpKeeper.Server.Connections;

/// <summary>Accepts peers on the first loop's thread.</summary>
internal interface IListener
{
    /// <summary>Starts accepting; any thread.</summary>
    void Start();

    /// <summary>Stops accepting and closes the listening socket; on the first loop's thread, or after it has ended.</summary>
    void Stop();
}
