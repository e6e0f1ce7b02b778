using SharpKeeper.Core.Clients;
using SharpKeeper.Protocol;
using SharpKeeper.Server.Connections;

namespace SharpKeeper.Server.Runtime;

/// <summary>What goes out to clients, and who is not read meanwhile.</summary>
internal sealed partial class ClientLoop
{
    // Events still come in while it is not read; with so much of them, besides a large reply, it is cut off.
    private const int UnsentBytesHardMax = 32 << 20;

    // Larger output is handed over as it is, so that nothing is copied if the peer does not take it at once.
    private const int ReusedBytesMax = 64 * 1024;

    private void FlushDirty()
    {
        List<ClientLink> links;
        lock (dirtyLock)
        {
            links = dirty;
            if (links.Count == 0)
                return;
            dirty = dirtySpare;
        }
        foreach (ClientLink link in links)
        {
            var client = (ClientConnection)link.Owner!;
            if (link.IsHangingUp && !link.SendsRest)
                client.Close(CloseReason.Server, flush: false);
            else
                Flush(client);
        }
        links.Clear();
        dirtySpare = links;
    }

    /// <summary>Takes a link's output from the replica's reach and sends it.</summary>
    private void Flush(ClientConnection client)
    {
        ClientLink link = client.Link;
        JuteBuffer empty = emptyBuffers.TryPop(out JuteBuffer? spare) ? spare : new JuteBuffer();
        runtime.Gate.EnterShared(slot);
        JuteBuffer output = link.Output;
        link.Output = empty;
        link.IsDirty = false;
        bool isAnswered = !link.HasUnanswered;
        bool isEstablished = link.IsEstablished;
        bool isClosing = link.IsClosing;
        runtime.Gate.ExitShared(slot);
        if (isAnswered && client.PendingRefusal is { } refusal)
        {
            Replies.WriteEmpty(output, refusal.Xid, refusal.Zxid, refusal.Error);
            client.PendingRefusal = null;
            isClosing = true;
        }
        if (isAnswered)
        {
            ReturnLarge(client);
            client.WaitingReads = 0;
            client.WaitingReadBytes = 0;
        }
        Send(client, output);
        AwaitPeer(client);
        if (isClosing)
        {
            client.Phase = ConnectionPhase.Done;
            client.Close(CloseReason.Server, flush: true);
            return;
        }
        if (client.Phase == ConnectionPhase.Connecting && isEstablished)
            client.Phase = ConnectionPhase.Established;
        if (client.WaitsForSync && isAnswered)
        {
            client.WaitsForSync = false;
            ResumeIfFree(client);
        }
        if (client.WaitsForReplica && client.Phase != ConnectionPhase.Connecting
            && (isAnswered || !(runtime.IsOverloaded || HasTooManyReads(client))))
        {
            client.WaitsForReplica = false;
            ResumeIfFree(client);
        }
    }

    private void Send(ClientConnection client, JuteBuffer output)
    {
        if (output.Length == 0)
        {
            output.Reset();
            emptyBuffers.Push(output);
            return;
        }
        counters.BytesSent += output.Length;
        runtime.Metrics.ResponseSizes.Note(output.Length);
        if (client.QueuedBytes == 0 || output.Length > UnsentBytesSoftMax)
            client.LargeReplyBytes = output.Length > UnsentBytesSoftMax ? output.Length : 0;
        if (client.QueuedBytes > 0 || output.Length > ReusedBytesMax)
        {
            client.Send(output);
        }
        else
        {
            client.Send(output.WrittenSpan);
            output.Reset();
            emptyBuffers.Push(output);
        }
        if (client.QueuedBytes <= UnsentBytesHardMax + client.LargeReplyBytes)
            return;
        runtime.LogSlowReader(client.Link.Session, client.Remote, client.QueuedBytes);
        client.Close(CloseReason.Overflow, flush: false);
    }

    /// <summary>Stops reading while too much is unsent; goes on if the peer took all of it at once.</summary>
    private static void AwaitPeer(ClientConnection client)
    {
        if (client.QueuedBytes > UnsentBytesSoftMax)
        {
            client.WaitsForPeer = true;
            client.PauseReading();
        }
        else if (client.WaitsForPeer && client.QueuedBytes == 0)
        {
            client.WaitsForPeer = false;
            ResumeIfFree(client);
        }
    }

    private static void ResumeIfFree(ClientConnection client)
    {
        if (!client.IsWaiting)
            client.ResumeReading();
    }

    private void Touch(ClientConnection client)
    {
        if (client.IsTouched)
            return;
        client.IsTouched = true;
        touched.Add(client);
    }
}
