using System.Text;

namespace SharpKeeper.Protocol;

/// <summary>One key and value of a properties file.</summary>
/// <param name="Key">The key without escapes.</param>
/// <param name="Value">The value without escapes.</param>
/// <param name="Line">The line, from 1, on which the key begins.</param>
public readonly record struct Property(string Key, string Value, int Line)
{
    /// <summary>Where the first character of that line stands in the text.</summary>
    public int Start { get; init; }

    /// <summary>Where the text goes on behind the last line of the value, its line end included.</summary>
    public int End { get; init; }
}

/// <summary>
/// Reads text by the rules of <c>java.util.Properties</c>, which zoo.cfg files rely on: comments from <c>#</c> and
/// <c>!</c>, three ways to separate key and value, escapes, and lines continued by a backslash.
/// </summary>
public sealed class PropertiesReader
{
    private static readonly char[] s_lineEnds = ['\r', '\n'];

    private readonly string _text;
    private int _at;
    private int _line = 1;

    private PropertiesReader(string text) => _text = text;

    /// <summary>Every entry in the order of the file, duplicates included.</summary>
    /// <exception cref="PropertiesSyntaxException">An escape <c>\u</c> is not followed by four hex digits.</exception>
    public static IReadOnlyList<Property> Read(string text)
    {
        PropertiesReader reader = new(text);
        List<Property> entries = [];
        while (reader.SkipToEntry())
        {
            int line = reader._line;
            int start = text.LastIndexOfAny(s_lineEnds, Math.Max(0, reader._at - 1)) + 1;
            string logical = reader.ReadLogicalLine();
            entries.Add(Split(logical, line) with { Start = start, End = reader._at });
        }
        return entries;
    }

    private static bool IsBlank(char c) => c is ' ' or '\t' or '\f';

    private bool SkipToEntry()
    {
        while (_at < _text.Length)
        {
            char c = _text[_at];
            if (IsBlank(c))
                _at++;
            else if (c is '\r' or '\n')
                SkipLineEnd();
            else if (c is '#' or '!')
                SkipRestOfLine();
            else
                return true;
        }
        return false;
    }

    private void SkipRestOfLine()
    {
        while (_at < _text.Length && _text[_at] is not ('\r' or '\n'))
            _at++;
    }

    private void SkipLineEnd()
    {
        if (_text[_at] == '\r' && _at + 1 < _text.Length && _text[_at + 1] == '\n')
            _at++;
        _at++;
        _line++;
    }

    /// <summary>Joins continued lines; escapes other than that of the line end stay as they are.</summary>
    private string ReadLogicalLine()
    {
        StringBuilder joined = new();
        while (_at < _text.Length)
        {
            char c = _text[_at];
            if (c is '\r' or '\n')
            {
                SkipLineEnd();
                break;
            }
            _at++;
            if (c != '\\' || _at == _text.Length)
            {
                // A backslash that ends the text escapes nothing and is dropped, as in Java.
                if (c != '\\')
                    joined.Append(c);
                continue;
            }
            if (_text[_at] is '\r' or '\n')
            {
                SkipLineEnd();
                while (_at < _text.Length && IsBlank(_text[_at]))
                    _at++;
                continue;
            }
            joined.Append(c).Append(_text[_at++]);
        }
        return joined.ToString();
    }

    private static Property Split(string logical, int line)
    {
        int keyEnd = 0;
        while (keyEnd < logical.Length && logical[keyEnd] is not ('=' or ':') && !IsBlank(logical[keyEnd]))
            keyEnd += logical[keyEnd] == '\\' ? 2 : 1;
        keyEnd = Math.Min(keyEnd, logical.Length);

        int value = SkipBlanks(logical, keyEnd);
        if (value < logical.Length && logical[value] is '=' or ':')
            value = SkipBlanks(logical, value + 1);
        return new Property(Unescape(logical[..keyEnd], line), Unescape(logical[value..], line), line);
    }

    private static int SkipBlanks(string text, int at)
    {
        while (at < text.Length && IsBlank(text[at]))
            at++;
        return at;
    }

    private static string Unescape(string text, int line)
    {
        if (!text.Contains('\\'))
            return text;
        StringBuilder plain = new(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\' || i + 1 == text.Length)
            {
                plain.Append(text[i]);
                continue;
            }
            i++;
            if (text[i] == 'u')
            {
                plain.Append(ReadCodeUnit(text, i + 1, line));
                i += 4;
                continue;
            }
            plain.Append(text[i] switch { 't' => '\t', 'n' => '\n', 'r' => '\r', 'f' => '\f', char c => c });
        }
        return plain.ToString();
    }

    private static char ReadCodeUnit(string text, int at, int line)
    {
        int value = 0;
        for (int i = at; i < at + 4; i++)
        {
            if (i >= text.Length || !char.IsAsciiHexDigit(text[i]))
                throw new PropertiesSyntaxException(line, "\\u must be followed by four hex digits");
            value = (value << 4) + Convert.ToInt32(text[i].ToString(), 16);
        }
        return (char)value;
    }
}

/// <summary>Text that is no properties file.</summary>
public sealed class PropertiesSyntaxException(int line, string problem) : Exception(problem)
{
    /// <summary>The line, from 1, on which the entry at fault begins.</summary>
    public int Line { get; } = line;
}
