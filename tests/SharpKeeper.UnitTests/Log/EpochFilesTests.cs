using System.Text;
using SharpKeeper.Core;
using SharpKeeper.Core.Log;
using SharpKeeper.Protocol;

namespace SharpKeeper.LogTests;

public class EpochFilesTests
{
    private readonly MemoryStorageDevice device = new();

    [Theory]
    [InlineData(0, "0")]
    [InlineData(0x17, "0")]
    [InlineData(0x300000005, "3")]
    public void Load_without_files_takes_the_epoch_of_the_last_transaction(long last, string expected)
    {
        EpochFiles files = EpochFiles.Load(device, new Zxid(last));
        Assert.Equal((expected, expected), (Text("acceptedEpoch"), Text("currentEpoch")));
        Assert.Equal((files.Accepted, files.Current), (long.Parse(expected), long.Parse(expected)));
        Assert.Empty(files.Mended);
    }

    [Theory]
    [InlineData("7", "5", 0x500000001, 7, 5)]
    [InlineData("7", "5", 0x300000001, 7, 5)]
    [InlineData("7\n", "7\r\n", 0, 7, 7)]
    [InlineData("2147483647", "0", 0, int.MaxValue, 0)]
    public void Load_of_files_that_agree_changes_nothing(string accepted, string current, long last, long a, long c)
    {
        Put("acceptedEpoch", accepted);
        Put("currentEpoch", current);
        EpochFiles files = EpochFiles.Load(device, new Zxid(last));
        Assert.Equal((a, c, ""), (files.Accepted, files.Current, files.Mended));
        Assert.Equal((accepted, current), (Text("acceptedEpoch"), Text("currentEpoch")));
    }

    [Theory]
    [InlineData(null), InlineData("4"), InlineData("6"), InlineData("cut")]
    public void Load_raises_currentEpoch_to_what_is_logged(string? leftover)
    {
        Put("acceptedEpoch", "6");
        Put("currentEpoch", "2");
        if (leftover is not null)
            Put("currentEpoch.tmp", leftover);
        EpochFiles files = EpochFiles.Load(device, new Zxid(0x400000001));
        Assert.Equal((6, 4), (files.Accepted, files.Current));
        Assert.Equal("4", Text("currentEpoch"));
        Assert.Contains("raised to 4", files.Mended, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_removes_what_a_crash_left_and_does_not_believe_it()
    {
        Put("acceptedEpoch", "6");
        Put("currentEpoch", "5");
        Put("acceptedEpoch.tmp", "9");
        Put("currentEpoch.tmp", "6");
        EpochFiles files = EpochFiles.Load(device, new Zxid(0x500000001));
        Assert.Equal((6, 5), (files.Accepted, files.Current));
        Assert.Equal(
            ["acceptedEpoch", "currentEpoch"], device.List(StorageArea.Snapshots).Select(file => file.Name).Order());
    }

    [Fact]
    public void Load_makes_the_one_file_that_a_crash_prevented()
    {
        Put("currentEpoch", "3");
        EpochFiles.Load(device, new Zxid(0x300000001));
        Assert.Equal("3", Text("acceptedEpoch"));

        device.Delete(StorageArea.Snapshots, "currentEpoch");
        Put("acceptedEpoch", "8");
        Assert.Equal(3, EpochFiles.Load(device, new Zxid(0x300000001)).Current);
    }

    [Theory]
    [InlineData("5", "6", 0L, "currentEpoch says 6")]
    [InlineData(null, "6", 0x500000000, "acceptedEpoch is missing")]
    [InlineData("4", "4", 0x500000001, "acceptedEpoch says 4")]
    [InlineData("4", null, 0x500000001, "acceptedEpoch says 4")]
    [InlineData("", "4", 0L, "acceptedEpoch must hold an epoch")]
    [InlineData("5", "five", 0L, "currentEpoch must hold an epoch")]
    [InlineData("5", "-1", 0L, "currentEpoch must hold an epoch")]
    [InlineData("5", "+1", 0L, "currentEpoch must hold an epoch")]
    [InlineData("5", "1\n2", 0L, "currentEpoch must hold an epoch")]
    [InlineData("5", " 1", 0L, "currentEpoch must hold an epoch")]
    [InlineData("5", "0x1", 0L, "currentEpoch must hold an epoch")]
    [InlineData("5", "\0\0", 0L, "currentEpoch must hold an epoch")]
    [InlineData("4294967296", "1", 0L, "acceptedEpoch must hold an epoch")]
    [InlineData("99999999999999999999", "1", 0L, "acceptedEpoch must hold an epoch")]
    public void Load_of_what_cannot_be_refuses_and_names_file_and_remedy(
        string? accepted, string? current, long last, string expected)
    {
        if (accepted is not null)
            Put("acceptedEpoch", accepted);
        if (current is not null)
            Put("currentEpoch", current);
        Put("currentEpoch.tmp", "1");
        string message = Assert.Throws<CorruptDataException>(() => EpochFiles.Load(device, new Zxid(last))).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.Contains("move its version-2 directories away", message, StringComparison.Ordinal);
        Assert.Equal(accepted is null || current is null ? 2 : 3, device.List(StorageArea.Snapshots).Count);
    }

    [Fact]
    public void Load_refuses_a_long_file()
    {
        Put("acceptedEpoch", new string('1', 10) + new string(' ', 1000));
        Assert.Throws<CorruptDataException>(() => EpochFiles.Load(device, Zxid.Zero));
    }

    [Fact]
    public void Saved_epochs_are_loaded_again()
    {
        EpochFiles files = EpochFiles.Load(device, Zxid.Zero);
        files.SaveAccepted(3);
        files.SaveCurrent(2);
        files.SaveAccepted(3);
        EpochFiles again = EpochFiles.Load(device, Zxid.Zero);
        Assert.Equal((3, 2, 3, 2), (files.Accepted, files.Current, again.Accepted, again.Current));
    }

    [Fact]
    public void Saving_an_epoch_that_goes_back_or_too_far_breaks_the_invariant()
    {
        EpochFiles files = EpochFiles.Load(device, Zxid.Zero);
        files.SaveAccepted(3);
        Assert.Throws<InvariantException>(() => files.SaveAccepted(2));
        Assert.Throws<InvariantException>(() => files.SaveCurrent(4));
        files.SaveCurrent(2);
        Assert.Throws<InvariantException>(() => files.SaveCurrent(1));
        Assert.Equal(("3", "2"), (Text("acceptedEpoch"), Text("currentEpoch")));
    }

    private void Put(string name, string text) =>
        device.Put(StorageArea.Snapshots, name, Encoding.ASCII.GetBytes(text));

    private string Text(string name) => Encoding.ASCII.GetString(device.Get(StorageArea.Snapshots, name));
}
