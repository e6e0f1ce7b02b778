namespace SharpKeeper.Server.Connections;

/// <summary>Accepts peers on the first loop's thread.</summary>
internal interface IListener
{
    /// <summary>Starts accepting; any thread.</summary>
    void Start();

    /// <summary>Stops accepting and closes the socket; on the first loop's thread, or after its end.</summary>
    void Stop();
}
