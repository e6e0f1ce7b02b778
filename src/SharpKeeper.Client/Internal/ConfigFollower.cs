namespace SharpKeeper.Client.Internal;

/// <summary>
/// Keeps a client's list of servers equal to the ensemble's configuration, by a watch on it. Ends with the session.
/// </summary>
internal sealed class ConfigFollower(KeeperClient client, ClientSession session)
{
    /// <summary>Reads the configuration, and again each time it changes.</summary>
    public async Task RunAsync()
    {
        while (!client.State.IsFinal())
        {
            WatchOnce watch = Watch.Once();
            try
            {
                ZnodeData config = await client.GetConfigAsync(watch).ConfigureAwait(false);
                Take(config.Text ?? "");
                await watch.Fired.ConfigureAwait(false);
            }
            catch (ConnectionLossException)
            {
                // The next read waits for the next connection.
            }
            catch (KeeperException e)
            {
                if (!client.State.IsFinal())
                    ClientLog.ConfigNotFollowed(session.Logger, e.Message);
                return;
            }
        }
    }

    private void Take(string config)
    {
        string addresses = ConfigAddresses.ToConnectString(config);
        if (addresses.Length == 0)
            return;
        try
        {
            bool moves = session.UpdateServers(addresses);
            ClientLog.ServersUpdated(session.Logger, addresses, moves);
        }
        catch (ArgumentException e)
        {
            // What an administrator has mistyped must not end the client; it goes on with the servers it has.
            ClientLog.ConfigNotFollowed(session.Logger, e.Message);
        }
    }
}
