using System.Threading.Channels;
using SharpKeeper.Cli.Shell.Editing;

namespace SharpKeeper.ShellTests;

public class LineEditorTests
{
    private const string Prompt = "> ";
    private const char Up = '\uE001';
    private const char Down = '\uE002';
    private const char Left = '\uE003';
    private const char Right = '\uE004';
    private const char Home = '\uE005';
    private const char End = '\uE006';
    private const char Delete = '\uE007';

    // A key is handled before the write of it returns, so that tests need not wait.
    private readonly Channel<ConsoleKeyInfo> keys = Channel.CreateUnbounded<ConsoleKeyInfo>(
        new UnboundedChannelOptions { AllowSynchronousContinuations = true });

    private readonly ScreenModel screen = new(20);
    private readonly LineHistory history = new();
    private readonly FakeCompleter completer = new();
    private readonly LineEditor editor;

    public LineEditorTests() => editor = new LineEditor(screen, keys.Reader, history, completer);

    [Theory]
    [InlineData("ls /\r", "ls /")]
    [InlineData("\r", "")]
    [InlineData("lss\b /\r", "ls /")]
    [InlineData("s /\u0001l\r", "ls /")]
    [InlineData("s /\uE005l\uE006a\r", "ls /a")]
    [InlineData("l /\uE003\uE003s\r", "ls /")]
    [InlineData("lxs\uE003\uE003\uE007\r", "ls")]
    [InlineData("lxs\u0002\u0002\u0004\r", "ls")]
    [InlineData("ls /a/b\u0017\r", "ls ")]
    [InlineData("ls /a/b\u0017\u0019\u0019\r", "ls /a/b/a/b")]
    [InlineData("get /a\u0015ls\r", "ls")]
    [InlineData("ls /abc\u0001\u0006\u0006\u000b\r", "ls")]
    [InlineData("ls /a/b\u001bbX\r", "ls /a/Xb")]
    [InlineData("ls /a\u0001\u001bfX\r", "lsX /a")]
    [InlineData("a\u0007b\r", "ab")]
    [InlineData("æ日😀\b\b\r", "æ")]
    public async Task Read_edits_as_readline_does(string typed, string line)
    {
        Type(typed);
        Assert.Equal(line, await Read());
    }

    [Theory]
    [InlineData("\u0004")]
    [InlineData("\u0003")]
    public async Task Read_of_an_end_in_an_empty_line_gives_null(string typed)
    {
        Type(typed);
        Assert.Null(await Read());
    }

    [Fact]
    public async Task Read_of_an_interrupt_drops_the_line()
    {
        Type("ls /\u0003");
        Assert.Equal("", await Read());
        Assert.Equal(["> ls /^C"], screen.Rows);
    }

    [Fact]
    public async Task Read_at_the_end_of_the_keys_gives_null()
    {
        Type("ls");
        keys.Writer.Complete();
        Assert.Null(await Read());
    }

    [Fact]
    public async Task Read_walks_the_history_and_keeps_the_draft()
    {
        history.Add("first");
        history.Add("second");
        Type("dra" + Up + Up + Up + Down + Down + Down + "ft\r");
        Assert.Equal("draft", await Read());
        Type($"{Up}{Up}!\r");
        Assert.Equal("first!", await Read());
        Assert.Equal(["first", "second"], history.Lines);
    }

    [Fact]
    public void The_cursor_is_where_the_next_character_goes()
    {
        Type("abc" + Left);
        _ = Read();
        Assert.Equal(["> abc"], screen.Rows);
        Assert.Equal((0, 4), screen.Cursor);
    }

    [Fact]
    public void A_long_line_wraps_and_is_edited_across_rows()
    {
        // The prompt takes 2 columns, so 18 characters fill the first row exactly.
        Type("abcdefghijklmnopqr");
        _ = Read();
        Assert.Equal((1, 0), screen.Cursor);
        Type("stuvwxyz" + Home + "_");
        Assert.Equal(["> _abcdefghijklmnopq", "rstuvwxyz"], screen.Rows);
        Assert.Equal((0, 3), screen.Cursor);
        Type("\u000b");
        Assert.Equal(["> _"], screen.Rows);
    }

    [Fact]
    public void Wide_characters_take_two_columns()
    {
        Type("日本" + Left);
        _ = Read();
        Assert.Equal((0, 4), screen.Cursor);
    }

    [Fact]
    public async Task Print_goes_above_the_line_and_leaves_it_alone()
    {
        Type("set /a half" + Left + Left);
        Task<string?> read = Read();
        editor.Print("\nWATCHER::\n\nWatchedEvent\n".ReplaceLineEndings("\r\n"));
        Assert.Equal(["", "WATCHER::", "", "WatchedEvent", "> set /a half"], screen.Rows);
        Assert.Equal((4, 11), screen.Cursor);
        Type("X\r");
        Assert.Equal("set /a haXlf", await read);
    }

    [Fact]
    public void Print_above_a_line_of_two_rows_takes_both_away()
    {
        Type("abcdefghijklmnopqrstuvwxyz");
        _ = Read();
        editor.Print("note");
        Assert.Equal(["note", "> abcdefghijklmnopqr", "stuvwxyz"], screen.Rows);
        Assert.Equal((2, 8), screen.Cursor);
    }

    [Fact]
    public void Print_without_a_line_goes_where_the_cursor_is()
    {
        editor.Print("a");
        editor.Print("b\r\n");
        Assert.Equal(["ab"], screen.Rows);
    }

    [Fact]
    public void ChangePrompt_redraws_the_line()
    {
        Type("ls /");
        _ = Read();
        editor.ChangePrompt("[CLOSED] ");
        Assert.Equal(["[CLOSED] ls /"], screen.Rows);
        Assert.Equal((0, 13), screen.Cursor);
    }

    [Fact]
    public void ClearScreen_leaves_the_line_in_the_first_row()
    {
        screen.Write("old\r\nolder\r\n");
        Type("ls\u000c");
        _ = Read();
        Assert.Equal(["> ls"], screen.Rows);
        Assert.Equal((0, 4), screen.Cursor);
    }

    [Fact]
    public async Task Tab_completes_the_only_candidate()
    {
        completer.Answer(0, new Candidate("create", "create", true));
        Type("cr\t/a\r");
        Assert.Equal("create /a", await Read());
        Assert.Equal("cr", completer.Asked);
    }

    [Fact]
    public async Task Tab_completes_in_the_middle_of_the_line()
    {
        completer.Answer(4, new Candidate("/abc", "abc", false));
        Type("get /a true" + string.Concat(Enumerable.Repeat(Left, 5)) + "\t\r");
        Assert.Equal("get /abc true", await Read());
        Assert.Equal("get /a", completer.Asked);
    }

    [Fact]
    public void Tab_goes_as_far_as_all_candidates_agree_then_lists_them()
    {
        completer.Answer(3, new Candidate("/task-1", "task-1", false), new Candidate("/task-2", "task-2", false));
        Type("ls /t\t");
        _ = Read();
        Assert.Equal(["> ls /task-"], screen.Rows);
        Type("\t");
        Assert.Equal(["> ls /task-", "task-1  task-2", "> ls /task-"], screen.Rows);
        Assert.Equal((2, 11), screen.Cursor);
    }

    [Fact]
    public void Tab_lists_many_candidates_in_columns_and_stops_at_a_limit()
    {
        completer.Answer(0, [.. Enumerable.Range(0, 250).Select(i => new Candidate($"n{i:D3}", $"n{i:D3}", true))]);
        Type("n\t");
        _ = Read();
        Assert.Equal("n000  n067  n134", screen.Rows[1]);
        Assert.Equal("... and 50 more", screen.Rows[^2]);
    }

    [Fact]
    public async Task Tab_without_candidates_changes_nothing()
    {
        Type("x\ty\r");
        Assert.Equal("xy", await Read());
    }

    [Fact]
    public async Task Keys_typed_during_a_search_come_behind_the_completion()
    {
        TaskCompletionSource<Completion> search = completer.AnswerLater();
        Type("l\t/\r");
        Task<string?> read = Read();
        search.SetResult(new Completion(0, [new Candidate("ls", "ls", true)]));
        Assert.Equal("ls /", await read);
    }

    [Fact]
    public async Task Interrupt_gives_up_a_search()
    {
        completer.AnswerLater();
        Type("l\t\u0003");
        Assert.Equal("", await Read());
        Assert.True(completer.Cancelled);
    }

    [Fact]
    public async Task A_search_that_fails_changes_nothing()
    {
        completer.AnswerLater().SetException(new InvalidOperationException("no server"));
        Type("l\ts\r");
        Assert.Equal("ls", await Read());
    }

    [Fact]
    public void History_skips_repetitions_credentials_and_lines_that_begin_with_a_blank()
    {
        foreach (string line in (string[])["ls /", "ls /", " get /a", "addauth digest bob:secret", "", "get /a"])
            history.Add(line);
        Assert.Equal(["ls /", "get /a"], history.Lines);
    }

    private Task<string?> Read() => editor.ReadAsync(Prompt, TestContext.Current.CancellationToken);

    private void Type(string text)
    {
        foreach (char c in text)
            Assert.True(keys.Writer.TryWrite(KeyOf(c)));
    }

    private static ConsoleKeyInfo KeyOf(char c) => c switch
    {
        Up => Special(ConsoleKey.UpArrow),
        Down => Special(ConsoleKey.DownArrow),
        Left => Special(ConsoleKey.LeftArrow),
        Right => Special(ConsoleKey.RightArrow),
        Home => Special(ConsoleKey.Home),
        End => Special(ConsoleKey.End),
        Delete => Special(ConsoleKey.Delete),
        _ => new ConsoleKeyInfo(c, ConsoleKey.None, false, false, false),
    };

    private static ConsoleKeyInfo Special(ConsoleKey key) => new('\0', key, false, false, false);

    private sealed class FakeCompleter : ICompleter
    {
        private Func<Task<Completion>> answer = () => Task.FromResult(Completion.None);
        private CancellationToken token;

        public string? Asked { get; private set; }

        public bool Cancelled => token.IsCancellationRequested;

        public void Answer(int start, params Candidate[] candidates) =>
            answer = () => Task.FromResult(new Completion(start, candidates));

        public TaskCompletionSource<Completion> AnswerLater()
        {
            TaskCompletionSource<Completion> later = new();
            answer = async () => await later.Task.WaitAsync(token);
            return later;
        }

        public Task<Completion> CompleteAsync(string textBeforeCursor, CancellationToken cancellation)
        {
            Asked = textBeforeCursor;
            token = cancellation;
            return answer();
        }
    }
}
