using System.Globalization;
using SharpKeeper.Core.Sessions;
using SharpKeeper.Protocol;

namespace SharpKeeper.CompatTests.Differential;

/// <summary>One line of what a server answered.</summary>
/// <param name="Text">Normalised, so that both servers should give the same.</param>
/// <param name="Difference">Null, or why the two are expected to differ, with the reference.</param>
internal sealed record AnswerLine(string Text, ExpectedDifference? Difference);

/// <summary>A place where 3.8.0 and SharpKeeper are known to differ.</summary>
/// <param name="Reason">Why, naming the section of the protocol reference.</param>
/// <param name="Apache">What 3.8.0 answers.</param>
/// <param name="Ours">What SharpKeeper answers.</param>
internal sealed record ExpectedDifference(string Reason, string Apache, string Ours);

/// <summary>One of the two servers while a script runs against it, and everything it has answered.</summary>
/// <param name="port">Where it listens.</param>
/// <param name="isApache">Is it Apache's?</param>
/// <param name="startMs">No znode made by a script is older, milliseconds since 1970.</param>
/// <param name="skipped">Zxids that this server has spent and the other has not; kept from script to script.</param>
/// <param name="cancellation">Ends the test.</param>
internal sealed class Side(
    int port, bool isApache, long startMs, List<long> skipped, CancellationToken cancellation) : IAsyncDisposable
{
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(30);

    private readonly List<AnswerLine> lines = [];
    private readonly Dictionary<long, string> sessions = [];
    private readonly List<Talker> talkers = [];
    private readonly List<string> differing = [];
    private ExpectedDifference? difference;
    private long? baseZxid;

    public int Port => port;

    public bool IsApache => isApache;

    /// <summary>No znode made by a script is older, milliseconds since 1970.</summary>
    public long StartMs => startMs;

    /// <summary>The timeout that sessions ask for, milliseconds.</summary>
    public int TimeoutMs { get; init; } = 20_000;

    public IReadOnlyList<AnswerLine> Lines => lines;

    public CancellationToken Cancellation => cancellation;

    /// <summary>Opens a connection with a new session.</summary>
    public async Task<Talker> ConnectAsync(string name, int? timeoutMs = null)
    {
        Talker talker = await OpenAsync(name);
        await talker.HandshakeAsync(
            new ConnectRequest(0, 0, timeoutMs ?? TimeoutMs, 0, new byte[SessionPassword.Bytes], false));
        return talker;
    }

    /// <summary>Opens a connection and says nothing on it.</summary>
    public async Task<Talker> OpenAsync(string name)
    {
        var talker = new Talker(this, name, await WireConnection.OpenAsync(port, cancellation));
        talkers.Add(talker);
        return talker;
    }

    /// <summary>A source that ends a wait for an answer that does not come.</summary>
    public CancellationTokenSource NewLimit()
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(AnswerMax);
        return limit;
    }

    public void Record(string text)
    {
        if (difference is null)
            lines.Add(new AnswerLine(text, null));
        else if (!text.Contains("> ", StringComparison.Ordinal))
            differing.Add(text);
    }

    /// <summary>Runs a part of the script in which the servers are expected to differ.</summary>
    public async Task DifferAsync(ExpectedDifference expected, Func<Task> part)
    {
        difference = expected;
        await part();
        difference = null;
        lines.Add(new AnswerLine(string.Join(" | ", differing), expected));
        differing.Clear();
    }

    /// <summary>As the other overload; Apache's server spends a zxid on the part, ours does not.</summary>
    public async Task DifferAsync(ExpectedDifference expected, Talker talker, params WireRequest[] requests)
    {
        await DifferAsync(expected, async () =>
        {
            foreach (WireRequest request in requests)
            {
                await talker.DoAsync(request);
                if (isApache)
                    skipped.Add(talker.LastZxid);
            }
        });
    }

    /// <summary>Counts zxids from here on.</summary>
    public void SetBase(long zxid) => baseZxid ??= zxid;

    public string ZxidText(long zxid)
    {
        if (zxid is 0 or -1)
            return zxid.ToString(CultureInfo.InvariantCulture);
        return string.Create(CultureInfo.InvariantCulture, $"@{Counted(zxid) - Counted(baseZxid ?? 0)}");
    }

    private long Counted(long zxid) => zxid - skipped.Count(skip => skip <= zxid);

    public void NameSession(long id, string name) => sessions.TryAdd(id, name);

    public string SessionText(long id) => id == 0 ? "0" : sessions.GetValueOrDefault(id, "UNKNOWN");

    public async ValueTask DisposeAsync()
    {
        foreach (Talker talker in talkers)
            await talker.DisposeAsync();
    }
}
