namespace SharpKeeper.Cli.Shell.Editing;

/// <summary>What a key does to the line.</summary>
internal enum EditorAction
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Puts its character in.</summary>
    Insert,

    /// <summary>Ends the line.</summary>
    Submit,

    /// <summary>Drops the line, or ends the input if it is empty.</summary>
    Interrupt,

    /// <summary>Deletes the character under the cursor, or ends the input if the line is empty.</summary>
    DeleteOrEnd,

    /// <summary>Deletes the character under the cursor.</summary>
    Delete,

    /// <summary>Deletes the character before the cursor.</summary>
    Backspace,

    /// <summary>One character to the left.</summary>
    Left,

    /// <summary>One character to the right.</summary>
    Right,

    /// <summary>One word to the left.</summary>
    WordLeft,

    /// <summary>One word to the right.</summary>
    WordRight,

    /// <summary>To the start of the line.</summary>
    Home,

    /// <summary>To the end of the line.</summary>
    End,

    /// <summary>Deletes to the end, for yanking.</summary>
    KillToEnd,

    /// <summary>Deletes to the start, for yanking.</summary>
    KillToStart,

    /// <summary>Deletes the word before the cursor, for yanking.</summary>
    KillWord,

    /// <summary>Puts back what was killed.</summary>
    Yank,

    /// <summary>The line typed before.</summary>
    Older,

    /// <summary>The line typed after.</summary>
    Newer,

    /// <summary>Empties the screen.</summary>
    ClearScreen,
}

/// <summary>The meaning of keys, as readline users have them in their fingers.</summary>
internal static class EditorKeys
{
    /// <summary>What the key does.</summary>
    public static EditorAction ActionOf(ConsoleKeyInfo key, bool isAfterEscape = false)
    {
        // Terminals send letters with Ctrl as the characters 1 to 26, among them Enter, Tab and Backspace.
        if (key.KeyChar is > '\0' and < ' ' or '\u007f')
            return OfControl(key.KeyChar);
        if (key.KeyChar != '\0' && (isAfterEscape || (key.Modifiers & ConsoleModifiers.Alt) != 0))
            return OfAlt(key.KeyChar);
        if (key.KeyChar != '\0')
            return char.IsControl(key.KeyChar) ? EditorAction.None : EditorAction.Insert;
        return OfCursor(key.Key, (key.Modifiers & (ConsoleModifiers.Control | ConsoleModifiers.Alt)) != 0);
    }

    private static EditorAction OfControl(char character) => character switch
    {
        '\u0001' => EditorAction.Home,
        '\u0002' => EditorAction.Left,
        '\u0003' => EditorAction.Interrupt,
        '\u0004' => EditorAction.DeleteOrEnd,
        '\u0005' => EditorAction.End,
        '\u0006' => EditorAction.Right,
        '\b' or '\u007f' => EditorAction.Backspace,
        '\n' or '\r' => EditorAction.Submit,
        '\u000b' => EditorAction.KillToEnd,
        '\u000c' => EditorAction.ClearScreen,
        '\u000e' => EditorAction.Newer,
        '\u0010' => EditorAction.Older,
        '\u0015' => EditorAction.KillToStart,
        '\u0017' => EditorAction.KillWord,
        '\u0019' => EditorAction.Yank,
        _ => EditorAction.None,
    };

    private static EditorAction OfAlt(char character) => character switch
    {
        'b' => EditorAction.WordLeft,
        'f' => EditorAction.WordRight,
        _ => EditorAction.None,
    };

    private static EditorAction OfCursor(ConsoleKey key, bool isByWord) => key switch
    {
        ConsoleKey.Enter => EditorAction.Submit,
        ConsoleKey.Backspace => EditorAction.Backspace,
        ConsoleKey.Delete => EditorAction.Delete,
        ConsoleKey.LeftArrow => isByWord ? EditorAction.WordLeft : EditorAction.Left,
        ConsoleKey.RightArrow => isByWord ? EditorAction.WordRight : EditorAction.Right,
        ConsoleKey.Home => EditorAction.Home,
        ConsoleKey.End => EditorAction.End,
        ConsoleKey.UpArrow => EditorAction.Older,
        ConsoleKey.DownArrow => EditorAction.Newer,
        _ => EditorAction.None,
    };
}
