using System.Globalization;
using System.Text;
using System.Text.Unicode;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Files;

/// <summary>How the file tools write names, times and data.</summary>
internal static class TxnNames
{
    /// <summary>The operation as Apache's tools spell it.</summary>
    internal static string Of(OpCode type) => type switch
    {
        OpCode.Create => "create",
        OpCode.Create2 => "create2",
        OpCode.CreateContainer => "createContainer",
        OpCode.CreateTtl => "createTTL",
        OpCode.Delete => "delete",
        OpCode.DeleteContainer => "deleteContainer",
        OpCode.SetData => "setData",
        OpCode.SetAcl => "setACL",
        OpCode.Check => "check",
        OpCode.Multi => "multi",
        OpCode.Reconfig => "reconfig",
        OpCode.CreateSession => "createSession",
        OpCode.CloseSession => "closeSession",
        OpCode.Error => "error",
        _ => string.Create(CultureInfo.InvariantCulture, $"unknown {(int)type}"),
    };

    /// <summary>A time of the leader's clock in UTC; the number itself where it is none.</summary>
    internal static string Time(long milliseconds) =>
        milliseconds is >= 0 and < 253_402_300_800_000
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
                .ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)
            : milliseconds.ToString(CultureInfo.InvariantCulture);

    /// <summary>UTF-8 text; bytes that are none become U+FFFD, control characters are escaped.</summary>
    internal static string Text(ReadOnlySpan<byte> utf8)
    {
        string text = Encoding.UTF8.GetString(utf8);
        if (!text.Any(char.IsControl))
            return text;
        return string.Concat(text.Select(static c =>
            char.IsControl(c) ? string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}") : c.ToString()));
    }

    /// <summary>Data as text where it is short text; otherwise in base64, or its length if that was not asked for.</summary>
    internal static string Data(ReadOnlySpan<byte> data, bool isNull, bool whole)
    {
        const int shortBytesMax = 200;
        if (isNull)
            return "null";
        if (data.Length <= shortBytesMax && Utf8.IsValid(data) && !data.ContainsAnyInRange<byte>(0, 0x1f))
            return Text(data);
        return whole
            ? Convert.ToBase64String(data)
            : string.Create(CultureInfo.InvariantCulture, $"<{data.Length} bytes>");
    }

    /// <summary>ACL entries as zkCli takes them: scheme:id:permissions.</summary>
    internal static string AclText(ReadOnlySpan<byte> vector)
    {
        var reader = new JuteReader(vector);
        Acl[]? acl = Acl.ReadVector(ref reader);
        return acl is null
            ? "null"
            : string.Join(',', acl.Select(entry => $"{entry.Id.Scheme}:{entry.Id.Id}:{Letters(entry.Permissions)}"));
    }

    private static string Letters(Permissions permissions)
    {
        var letters = new StringBuilder();
        foreach ((Permissions flag, char letter) in (ReadOnlySpan<(Permissions, char)>)
            [
                (Permissions.Create, 'c'), (Permissions.Delete, 'd'), (Permissions.Read, 'r'), (Permissions.Write, 'w'),
                (Permissions.Admin, 'a'),
            ])
        {
            if (permissions.HasFlag(flag))
                letters.Append(letter);
        }
        return letters.ToString();
    }
}
