using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace SharpKeeper.Cli.Logging;

/// <summary>Writes one JSON object a line, the named values of the message as members of <c>values</c>.</summary>
internal static class JsonLines
{
    private const string OriginalFormat = "{OriginalFormat}";
    private static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    internal static void Append(StringBuilder text, in LogLine line)
    {
        ArrayBufferWriter<byte> bytes = new();
        using (Utf8JsonWriter json = new(bytes, s_options))
        {
            json.WriteStartObject();
            json.WriteString("time", line.Time.UtcDateTime);
            json.WriteString("level", line.Level.ToString());
            json.WriteString("category", line.Category);
            if (line.Event.Id != 0)
                json.WriteNumber("event", line.Event.Id);
            json.WriteString("message", line.Message);
            WriteValues(json, line.Values);
            if (line.Exception is Exception exception)
                json.WriteString("exception", exception.ToString());
            json.WriteEndObject();
        }
        text.Append(Encoding.UTF8.GetString(bytes.WrittenSpan)).Append('\n');
    }

    private static void WriteValues(Utf8JsonWriter json, IReadOnlyList<KeyValuePair<string, object?>>? values)
    {
        if (values is null || values.All(static pair => pair.Key == OriginalFormat))
            return;
        json.WriteStartObject("values");
        foreach ((string key, object? value) in values)
        {
            if (key == OriginalFormat)
                continue;
            json.WritePropertyName(key);
            WriteValue(json, value);
        }
        json.WriteEndObject();
    }

    private static void WriteValue(Utf8JsonWriter json, object? value)
    {
        switch (value)
        {
            case null:
                json.WriteNullValue();
                break;
            case bool b:
                json.WriteBooleanValue(b);
                break;
            case int i:
                json.WriteNumberValue(i);
                break;
            case long l:
                json.WriteNumberValue(l);
                break;
            case double d when double.IsFinite(d):
                json.WriteNumberValue(d);
                break;
            default:
                json.WriteStringValue(Convert.ToString(value, CultureInfo.InvariantCulture));
                break;
        }
    }
}
