using System.Globalization;
using System.Text.Json;

namespace SharpKeeper.QuorumTests;

/// <summary>One message between servers as recorded from Apache 3.8.0, with what it was found to say.</summary>
internal sealed record CapturedMessage(JsonElement Fields)
{
    public string Channel => Fields.GetProperty("channel").GetString()!;

    public string Kind => Fields.GetProperty("kind").GetString()!;

    public byte[] Bytes => Convert.FromHexString(Fields.GetProperty("hex").GetString()!);

    public bool Has(string name) => Fields.TryGetProperty(name, out _);

    public JsonElement this[string name] => Fields.GetProperty(name);

    /// <summary>A number, or text in hexadecimal.</summary>
    public static long Number(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Number)
            return value.GetInt64();
        return long.Parse(value.GetString()!.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }
}

/// <summary>The recorded conversations of ensembles; their README says what each shows.</summary>
internal static class EnsembleCapture
{
    private static readonly string Root =
        Path.Combine(AppContext.BaseDirectory, "testdata", "apache-3.8.0", "ensemble");

    public static TheoryData<string> Names =>
        [.. Directory.GetFiles(Root, "*.json").Select(static file => Path.GetFileNameWithoutExtension(file)).Order()];

    public static IReadOnlyList<CapturedMessage> Read(string name)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Root, name + ".json")));
        return [.. document.RootElement.GetProperty("messages").EnumerateArray()
            .Select(static message => new CapturedMessage(message.Clone()))];
    }

    public static IEnumerable<CapturedMessage> Read(string name, string channel) => Read(name)
        .Where(message => message.Channel == channel && message.Kind != "snapshot stream"
            && !message.Kind.StartsWith("partial", StringComparison.Ordinal));
}
