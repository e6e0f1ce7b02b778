using SharpKeeper.Core;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;

namespace SharpKeeper.Simulation;

internal sealed partial class SimServer
{
    private const int LateInstallUs = 500_000;

    private static readonly double[] sizeFactors = [0, 0.33, 3];

    private bool isInstalling;

    private void SendSnapshot(PeerConnection connection)
    {
        var writer = new SnapshotStreamWriter(Replica.Tree, Replica.CommittedSessions.ToArray());
        connection.BeginTransfer(writer);
        SendSlice(connection, writer, output =>
        {
            bool more = writer.WriteSlice(output, random.Between(100, world.Setup.SliceBytesMax));
            connection.Wire.SnapshotEnd = writer.End;
            return more;
        });
    }

    private void SendLog(PeerConnection connection, Zxid after, Zxid upTo)
    {
        var range = new LogRange(Disk, after, upTo);
        connection.BeginTransfer(range);
        SendSlice(connection, range, output => range.WriteSlice(output, random.Between(100,
            world.Setup.SliceBytesMax)));
    }

    private void SendSlice(PeerConnection connection, IDisposable source, Func<JuteBuffer, bool> write)
    {
        if (!connection.IsSending(source))
            return;
        using var slice = new JuteBuffer();
        bool more;
        try
        {
            more = write(slice);
        }
        catch (CorruptDataException e)
        {
            world.Trace(Id, "cannot send its log: " + e.Message);
            connection.Wire.Close(connection.End);
            Gone(connection);
            return;
        }
        connection.SendPieces(slice.WrittenSpan);
        if (more)
            Later(random.Between(20, world.Setup.SliceUsMax), () => SendSlice(connection, source, write));
        else
            Later(random.Between(20, 500), () => EndSending(connection, source));
    }

    private static void EndSending(PeerConnection connection, IDisposable source)
    {
        if (connection.IsSending(source))
            connection.TransferDone();
    }

    private void QueryLog(PeerLink link, Zxid after)
    {
        if (!link.IsClosed)
            Replica.Step(Input.LogQueried(link, LogQuery.Find(Disk, after, random.Pick(sizeFactors)), NowMs, WallMs));
    }

    /// <summary>A whole snapshot has come in.</summary>
    public void SnapshotReceived(PeerConnection connection, byte[] stream)
    {
        SnapshotStream loaded = SnapshotStream.Load(new BytesReader(stream), world.RecoveryOptions(Id));
        world.Checkers.Received(this, connection.Wire.SnapshotEnd);
        if (BreaksOnSnapshot)
        {
            BreaksOnSnapshot = false;
            long soon = random.Skewed(1, 5_000);
            connection.Wire.Break(soon, soon);
        }
        Replica.Step(Input.SnapshotReceived(connection.Link, loaded.Tree, loaded.Sessions, NowMs, WallMs));
    }

    /// <summary>Does the link break shortly after the next snapshot was received?</summary>
    public bool BreaksOnSnapshot { get; set; }

    private void TruncateLog(Zxid target, bool reloads)
    {
        EndSaving();
        Disk.Work = DiskWork.Truncation;
        try
        {
            LogTruncationResult result = LogTruncation.CutAfter(Disk, target);
            if (!result.IsDone)
                throw new SimulationFailure("Truncation",
                    $"server {Id} cannot cut its log at {target}: {result.Problem}");
            RecoveryResult? loaded = reloads ? Recovery.Run(Disk, world.RecoveryOptions(Id)) : null;
            Disk.Work = DiskWork.Other;
            Log.Durable = result.Last;
            world.Checkers.Truncated(this, result.Last);
            world.Checkers.CheckMoment();
            Replica.Step(Input.LogTruncated(result.Last, loaded?.Tree, loaded?.Sessions, NowMs, WallMs));
        }
        catch (IOException)
        {
            EndAfterFailure("the log cannot be cut");
        }
    }

    private void InstallSnapshot()
    {
        EndSaving();
        if (HasBug(PlantedBug.PartialSnapshotInstall) && !isInstalling)
        {
            // The mistake: it is said to be there, and written later.
            isInstalling = true;
            Log.Durable = Replica.Tree.LastProcessed;
            world.Checkers.Installed(this, Replica.Tree.LastProcessed);
            Replica.Step(Input.SnapshotInstalled(NowMs, WallMs));
            Later(LateInstallUs, SaveSnapshot);
            return;
        }
        Disk.Work = DiskWork.Installation;
        try
        {
            SnapshotInstallation.Run(Disk, Replica.Tree, Replica.CommittedSessions);
            Disk.Work = DiskWork.Other;
            Log.Durable = Replica.Tree.LastProcessed;
            world.Checkers.Installed(this, Replica.Tree.LastProcessed);
            world.Checkers.CheckMoment();
            Replica.Step(Input.SnapshotInstalled(NowMs, WallMs));
        }
        catch (IOException)
        {
            EndAfterFailure("the leader's snapshot cannot be saved");
        }
    }

    // The real server's process ends here, and whoever looks after it starts it again.
    private void EndAfterFailure(string why)
    {
        world.Trace(Id, "ends: " + why);
        Disk.Work = DiskWork.Other;
        throw new SimulatedCrash();
    }

    private sealed class BytesReader(byte[] bytes) : IStorageReader
    {
        private int position;

        public int Read(Span<byte> destination)
        {
            int count = Math.Min(destination.Length, bytes.Length - position);
            bytes.AsSpan(position, count).CopyTo(destination);
            position += count;
            return count;
        }

        public void Dispose()
        {
        }
    }
}
