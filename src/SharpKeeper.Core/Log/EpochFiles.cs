using System.Globalization;
using System.Text;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Log;

/// <summary>
/// The two epochs that a server of an ensemble must not forget: the one it has promised to follow (acceptedEpoch) and
/// the one whose leader's history it holds (currentEpoch). Each is a small file beside the snapshots.
/// </summary>
/// <remarks>
/// <para>At every moment, whatever crashes: epoch of the last transaction ≤ currentEpoch ≤ acceptedEpoch, or what
/// <see cref="Load"/> mends. An epoch is durable when a save returns, so nothing that a server told anybody rests on a
/// temporary file: one that a crash left is removed. Apache, which does not sync the directory, takes the value of
/// currentEpoch.tmp where the last transaction's epoch is above currentEpoch. That epoch itself is as good there, since
/// a transaction is only logged behind everything that its epoch started from, and a temporary file may be cut off. A
/// file left lying would be believed by an Apache server that is given the directory later.</para>
/// <para>A missing file gets the last transaction's epoch, as with Apache: so a server that was standalone
/// joins.</para>
/// </remarks>
public sealed class EpochFiles
{
    /// <summary>Name of the file of the promised epoch.</summary>
    public const string AcceptedName = "acceptedEpoch";

    /// <summary>Name of the file of the established epoch.</summary>
    public const string CurrentName = "currentEpoch";

    private const int BytesMax = 64;

    private const string StartAfresh =
        "If the other servers of the ensemble hold a quorum without this one, move its version-2 directories away "
        + "instead: it then joins with an empty state and is sent everything.";

    private readonly IStorageDevice device;

    private EpochFiles(IStorageDevice device, long accepted, long current)
    {
        this.device = device;
        Accepted = accepted;
        Current = current;
    }

    /// <summary>The promised epoch on disk.</summary>
    public long Accepted { get; private set; }

    /// <summary>The established epoch on disk.</summary>
    public long Current { get; private set; }

    /// <summary>What <see cref="Load"/> found wrong and put right, in a sentence; empty if nothing.</summary>
    public string Mended { get; private init; } = "";

    /// <summary>Reads the files, makes missing ones, and mends what a crash between two steps leaves.</summary>
    /// <param name="device">Holds the files.</param>
    /// <param name="last">The last transaction of the recovered state.</param>
    /// <exception cref="CorruptDataException">
    /// A file holds no epoch, or the epochs contradict each other or the transactions; the message names the file and
    /// what to do. Nothing has changed.
    /// </exception>
    public static EpochFiles Load(IStorageDevice device, Zxid last)
    {
        long ofLast = last.Epoch;
        long? acceptedFound = Read(device, AcceptedName);
        long? currentFound = Read(device, CurrentName);
        long accepted = acceptedFound ?? ofLast;
        long current = currentFound ?? ofLast;
        string mended = "";
        if (current > accepted)
            throw Contradiction(device, accepted, current, acceptedFound is null);
        if (ofLast > accepted)
            throw Outdated(device, accepted, last);
        if (ofLast > current)
        {
            mended = string.Create(
                CultureInfo.InvariantCulture,
                $"{Describe(device, CurrentName)} said {current}, but the last transaction is {last}: it is raised to "
                + $"{ofLast}, which was being taken over when the server ended.");
            current = ofLast;
        }
        var files = new EpochFiles(device, accepted, current) { Mended = mended };
        if (acceptedFound is null)
            Write(device, AcceptedName, accepted);
        if (currentFound != current)
            Write(device, CurrentName, current);
        DeleteLeftovers(device);
        return files;
    }

    /// <summary>Makes an epoch the promised one, durably.</summary>
    public void SaveAccepted(long epoch)
    {
        Invariant.Check(epoch >= Accepted, "acceptedEpoch was to go back");
        Write(device, AcceptedName, epoch);
        Accepted = epoch;
    }

    /// <summary>
    /// Makes an epoch the established one, durably. Everything that it started from must be durable before.
    /// </summary>
    public void SaveCurrent(long epoch)
    {
        Invariant.Check(epoch >= Current, "currentEpoch was to go back");
        Invariant.Check(epoch <= Accepted, "currentEpoch was to exceed acceptedEpoch");
        Write(device, CurrentName, epoch);
        Current = epoch;
    }

    private static void Write(IStorageDevice device, string name, long epoch) => device.WriteFile(
        StorageArea.Snapshots, name, Encoding.ASCII.GetBytes(epoch.ToString(CultureInfo.InvariantCulture)));

    private static long? Read(IStorageDevice device, string name)
    {
        if (!Exists(device, name))
            return null;
        Span<byte> bytes = stackalloc byte[BytesMax];
        int count = device.ReadAt(StorageArea.Snapshots, name, 0, bytes);
        // Apache reads the first line; people who edit the file leave a line's end.
        ReadOnlySpan<byte> text = bytes[..count].TrimEnd(" \t\r\n"u8);
        if (count == BytesMax || !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long epoch)
            || epoch > int.MaxValue)
        {
            throw new CorruptDataException(
                $"{Describe(device, name)} must hold an epoch, a decimal number from 0 to {int.MaxValue}, but it does "
                + $"not. Restore it from a backup. {StartAfresh}");
        }
        return epoch;
    }

    private static bool Exists(IStorageDevice device, string name)
    {
        foreach (StorageFile file in device.List(StorageArea.Snapshots))
        {
            if (file.Name == name)
                return true;
        }
        return false;
    }

    private static void DeleteLeftovers(IStorageDevice device)
    {
        foreach (string name in (ReadOnlySpan<string>)[AcceptedName, CurrentName])
        {
            string temporary = name + StorageNames.TemporarySuffix;
            if (Exists(device, temporary))
                device.Delete(StorageArea.Snapshots, temporary);
        }
    }

    private static string Describe(IStorageDevice device, string name) => device.Describe(StorageArea.Snapshots, name);

    private static CorruptDataException Contradiction(
        IStorageDevice device, long accepted, long current, bool acceptedIsMissing) => new(
        string.Create(
            CultureInfo.InvariantCulture,
            $"{Describe(device, CurrentName)} says {current}, which must not be more than acceptedEpoch, but ")
        + (acceptedIsMissing
            ? $"{Describe(device, AcceptedName)} is missing. "
            : string.Create(CultureInfo.InvariantCulture, $"{Describe(device, AcceptedName)} says {accepted}. "))
        + $"One of them was lost or comes from elsewhere: restore both from one backup. {StartAfresh}");

    private static CorruptDataException Outdated(IStorageDevice device, long accepted, Zxid last) => new(
        string.Create(
            CultureInfo.InvariantCulture,
            $"{Describe(device, AcceptedName)} says {accepted}, but the last transaction is {last}, epoch {last.Epoch}")
        + ": snapshots or logs of another server or time were put beside it. Put the acceptedEpoch and currentEpoch "
        + $"that belong to them there as well. {StartAfresh}");
}
