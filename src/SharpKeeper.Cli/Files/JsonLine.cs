using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace SharpKeeper.Cli.Files;

/// <summary>One JSON object on one line.</summary>
internal sealed class JsonLine : IDisposable
{
    private readonly ArrayBufferWriter<byte> buffer = new();

    public JsonLine()
    {
        Writer = new Utf8JsonWriter(
            buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        Writer.WriteStartObject();
    }

    /// <summary>Writes into the object.</summary>
    public Utf8JsonWriter Writer { get; }

    /// <summary>Closes the object and returns the line.</summary>
    public string Finish()
    {
        Writer.WriteEndObject();
        Writer.Flush();
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    public void Dispose() => Writer.Dispose();
}
