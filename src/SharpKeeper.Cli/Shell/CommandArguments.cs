using System.Globalization;

namespace SharpKeeper.Cli.Shell;

/// <summary>An option of a command.</summary>
/// <param name="Name">Its name without the dash.</param>
/// <param name="TakesValue">Does a value follow?</param>
/// <param name="Group">Options of the same group, other than 0, exclude each other.</param>
internal readonly record struct OptionSpec(string Name, bool TakesValue = false, int Group = 0)
{
    /// <summary>Reads a list such as "s w v: " where a colon marks an option with a value.</summary>
    public static OptionSpec[] List(string names, int group = 0)
    {
        string[] parts = names.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return Array.ConvertAll(parts, part => new OptionSpec(part.TrimEnd(':'), part.EndsWith(':'), group));
    }
}

/// <summary>
/// The arguments of one command, parsed as zkCli does: options may stand before or after the positional words, short
/// ones may be joined (<c>-es</c>), a value may be joined to its option (<c>-v3</c>, <c>-v=3</c>), <c>--</c> ends the
/// options, and a lone dash is a word.
/// </summary>
internal sealed class CommandArguments
{
    private readonly Dictionary<string, string> options = new(StringComparer.Ordinal);
    private readonly List<string> words = [];
    private readonly IReadOnlyList<OptionSpec> specs;

    private CommandArguments(IReadOnlyList<OptionSpec> specs) => this.specs = specs;

    /// <summary>The words that are neither options nor their values.</summary>
    public IReadOnlyList<string> Words => words;

    /// <summary>Parses the words after the command's name.</summary>
    /// <exception cref="ShellUsageException">An option is unknown, lacks its value or excludes another.</exception>
    public static CommandArguments Parse(IReadOnlyList<OptionSpec> specs, IReadOnlyList<string> arguments)
    {
        CommandArguments parsed = new(specs);
        int at = 0;
        bool isAfterOptions = false;
        while (at < arguments.Count)
        {
            string word = arguments[at++];
            if (isAfterOptions || word.Length < 2 || word[0] != '-')
                parsed.words.Add(word);
            else if (word == "--")
                isAfterOptions = true;
            else
                parsed.ReadOption(word, arguments, ref at);
        }
        return parsed;
    }

    /// <summary>Was the option given?</summary>
    public bool Has(string option) => options.ContainsKey(option);

    /// <summary>The option's value, null without it.</summary>
    public string? Value(string option) => options.GetValueOrDefault(option);

    /// <summary>The option's value as a number.</summary>
    /// <exception cref="ShellUsageException">It is not a number that fits.</exception>
    public int? Int32(string option)
    {
        if (Value(option) is not { } text)
            return null;
        return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value)
            ? value
            : throw new ShellUsageException($"-{option} takes a whole number, not '{text}'");
    }

    private void ReadOption(string word, IReadOnlyList<string> arguments, ref int at)
    {
        string name = word[1..];
        string? joined = null;
        if (Find(name) is null && name.IndexOf('=', StringComparison.Ordinal) is > 0 and int equals)
        {
            joined = name[(equals + 1)..];
            name = name[..equals];
        }
        if (Find(name) is { } spec)
            Take(spec, joined, arguments, ref at);
        else
            ReadJoinedLetters(word, arguments, ref at);
    }

    private void ReadJoinedLetters(string word, IReadOnlyList<string> arguments, ref int at)
    {
        for (int i = 1; i < word.Length; i++)
        {
            OptionSpec spec = Find(word[i].ToString())
                ?? throw new ShellUsageException($"Unrecognized option: {word}");
            if (spec.TakesValue)
            {
                Take(spec, i + 1 < word.Length ? word[(i + 1)..] : null, arguments, ref at);
                return;
            }
            Take(spec, null, arguments, ref at);
        }
    }

    private void Take(OptionSpec spec, string? joined, IReadOnlyList<string> arguments, ref int at)
    {
        if (spec.Group != 0)
            RefuseOtherOfGroup(spec);
        if (!spec.TakesValue)
        {
            if (joined is not null)
                throw new ShellUsageException($"-{spec.Name} takes no value");
            options[spec.Name] = "";
            return;
        }
        if (joined is null && at < arguments.Count && IsValue(arguments[at]))
            joined = arguments[at++];
        options[spec.Name] = joined ?? throw new ShellUsageException($"Missing argument for option: {spec.Name}");
    }

    private void RefuseOtherOfGroup(OptionSpec spec)
    {
        foreach (OptionSpec other in specs)
        {
            if (other.Group == spec.Group && other.Name != spec.Name && Has(other.Name))
                throw new ShellUsageException($"-{spec.Name} cannot be combined with -{other.Name}");
        }
    }

    // A negative number is a value; any other word with a dash is meant as the next option.
    private static bool IsValue(string word) =>
        word.Length < 2 || word[0] != '-'
        || double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out _);

    private OptionSpec? Find(string name)
    {
        foreach (OptionSpec spec in specs)
        {
            if (spec.Name == name)
                return spec;
        }
        return null;
    }
}
