namespace SharpKeeper.CompatTests.Clients;

/// <summary>What client programs of somebody else are tried on.</summary>
internal interface IClientsPeer : IAsyncDisposable
{
    /// <summary>Where they connect.</summary>
    string ConnectString { get; }

    /// <summary>Fulfils what a client program wishes: stop, kill, start.</summary>
    Task FulfilAsync(string wish);

    /// <summary>Runs a part of a test and adds what the servers said to the message when it fails.</summary>
    Task ExplainAsync(Func<Task> part);
}
