using System.Text;

namespace SharpKeeper.Cli.Shell.Editing;

/// <summary>A writer that prints above the line being edited. Each call is one print.</summary>
internal sealed class EditorWriter(LineEditor editor) : TextWriter
{
    /// <inheritdoc/>
    public override Encoding Encoding => Encoding.UTF8;

    /// <inheritdoc/>
    public override void Write(char value) => editor.Print(value.ToString());

    /// <inheritdoc/>
    public override void Write(string? value) => editor.Print(value ?? "");

    /// <inheritdoc/>
    public override void Write(char[] buffer, int index, int count) => editor.Print(new string(buffer, index, count));

    /// <inheritdoc/>
    public override void Write(StringBuilder? value) => editor.Print(value?.ToString() ?? "");

    /// <inheritdoc/>
    public override void WriteLine() => editor.Print(NewLine);

    /// <inheritdoc/>
    public override void WriteLine(string? value) => editor.Print(value + NewLine);
}
