using SharpKeeper.Protocol;

namespace SharpKeeper.Client.Internal;

/// <summary>How the bodies of replies are decoded. The caller checks the reader afterwards.</summary>
internal static class Replies
{
    public static readonly ReplyDecoder<bool> None = static (ref JuteReader _, string _) => true;

    public static readonly ReplyDecoder<int> Int32 = static (ref JuteReader body, string _) => body.ReadInt32();

    public static readonly ReplyDecoder<string> Path = static (ref JuteReader body, string chroot) =>
        ChrootPaths.Strip(body.ReadString() ?? "", chroot);

    public static readonly ReplyDecoder<string?> PathOrNull = static (ref JuteReader body, string chroot) =>
        ChrootPaths.Strip(body.ReadString() ?? "", chroot);

    public static readonly ReplyDecoder<CreatedZnode> Created = static (ref JuteReader body, string chroot) =>
    {
        string path = ChrootPaths.Strip(body.ReadString() ?? "", chroot);
        return new CreatedZnode(path, Stat.Read(ref body));
    };

    public static readonly ReplyDecoder<Stat> Stat1 = static (ref JuteReader body, string _) => Stat.Read(ref body);

    public static readonly ReplyDecoder<Stat?> StatOrNull = static (ref JuteReader body, string _) =>
        Stat.Read(ref body);

    public static readonly ReplyDecoder<ZnodeData> Data = static (ref JuteReader body, string _) =>
    {
        byte[]? data = ReadData(ref body);
        return new ZnodeData(data, Stat.Read(ref body));
    };

    public static readonly ReplyDecoder<ZnodeAcl> AclAndStat = static (ref JuteReader body, string _) =>
    {
        Acl[] acl = Acl.ReadVector(ref body) ?? [];
        return new ZnodeAcl(acl, Stat.Read(ref body));
    };

    public static readonly ReplyDecoder<IReadOnlyList<string>> Names = static (ref JuteReader body, string _) =>
        ReadStrings(ref body);

    public static readonly ReplyDecoder<ZnodeChildren> Children = static (ref JuteReader body, string _) =>
    {
        string[] names = ReadStrings(ref body);
        return new ZnodeChildren(names, Stat.Read(ref body));
    };

    /// <summary>
    /// Paths of the whole tree; the prefix asked for is not path-aware, so those beside the chroot go.
    /// </summary>
    public static readonly ReplyDecoder<IReadOnlyList<string>> Paths = static (ref JuteReader body, string chroot) =>
    {
        string[] paths = ReadStrings(ref body);
        if (chroot.Length == 0)
            return paths;
        IEnumerable<string> below = paths.Where(path => ChrootPaths.IsUnder(path, chroot));
        return [.. below.Select(path => ChrootPaths.Strip(path, chroot))];
    };

    public static readonly ReplyDecoder<IReadOnlyList<AuthId>> Identities = static (ref JuteReader body, string _) =>
    {
        int count = body.ReadVectorCount(8);
        var identities = new AuthId[Math.Max(count, 0)];
        for (int i = 0; i < count; i++)
            identities[i] = new AuthId(body.ReadString() ?? "", body.ReadString() ?? "");
        return identities;
    };

    public static readonly ReplyDecoder<IReadOnlyList<MultiResult>> Multi =
        static (ref JuteReader body, string chroot) =>
    {
        var results = new List<MultiResult>();
        while (!body.Failed)
        {
            var type = (OpCode)body.ReadInt32();
            bool done = body.ReadBoolean();
            var error = (ErrorCode)body.ReadInt32();
            if (done)
                break;
            results.Add(ReadMultiResult(ref body, type, error, chroot));
        }
        return results;
    };

    private static MultiResult ReadMultiResult(ref JuteReader body, OpCode type, ErrorCode error, string chroot)
    {
        switch (type)
        {
            case OpCode.Create:
                return new MultiResult(error, ChrootPaths.Strip(body.ReadString() ?? "", chroot), null, null, null);
            case OpCode.Create2:
                string path = ChrootPaths.Strip(body.ReadString() ?? "", chroot);
                return new MultiResult(error, path, Stat.Read(ref body), null, null);
            case OpCode.SetData:
                return new MultiResult(error, null, Stat.Read(ref body), null, null);
            case OpCode.GetData:
                byte[]? data = ReadData(ref body);
                return new MultiResult(error, null, Stat.Read(ref body), data, null);
            case OpCode.GetChildren:
                return new MultiResult(error, null, null, null, ReadStrings(ref body));
            case OpCode.Delete or OpCode.Check:
                return new MultiResult(error, null, null, null, null);
            case OpCode.Error:
                return new MultiResult((ErrorCode)body.ReadInt32(), null, null, null, null);
            default:
                body.Fail();
                return default;
        }
    }

    private static byte[]? ReadData(ref JuteReader body)
    {
        ReadOnlySpan<byte> data = body.ReadBuffer(out bool isNull);
        return isNull ? null : data.ToArray();
    }

    private static string[] ReadStrings(ref JuteReader body)
    {
        int count = body.ReadVectorCount(4);
        if (count <= 0)
            return [];
        var strings = new string[count];
        for (int i = 0; i < count; i++)
            strings[i] = body.ReadString() ?? "";
        return strings;
    }
}
