using System.Text;
using CsCheck;
using SharpKeeper.Core.Clients;
using SharpKeeper.Core.Watches;
using SharpKeeper.ReplicaTests;

namespace SharpKeeper.WatchTests;

/// <summary>The table itself under churn: nothing is lost, nothing leaks.</summary>
public class WatchTableTests
{
    private const int Links = 6;
    private const int Paths = 60;

    [Fact]
    public void Churn_leaves_the_table_as_a_dictionary_says() =>
        Gen.Int[0, 1 << 24].Array[1, 600].Sample(
            steps =>
            {
                var table = new WatchTable();
                ClientLink[] links = [.. Enumerable.Range(0, Links).Select(_ => new ClientLink(table, null))];
                var model = new Dictionary<(int Link, string Path), WatchKinds>();
                foreach (int step in steps)
                    Take(new Dice(step), table, links, model);
                AssertEqual(table, links, model);
                foreach (ClientLink link in links)
                    table.RemoveAll(link);
                AssertEqual(table, links, []);
            },
            iter: TestScale.Of(150), threads: 1);

    [Fact]
    public void Trigger_many_links_on_one_path_reaches_each_once_and_frees_all()
    {
        var table = new WatchTable();
        ClientLink[] links = [.. Enumerable.Range(0, 500).Select(_ => new ClientLink(table, null))];
        foreach (ClientLink link in links)
        {
            table.Add(link, "/a/b"u8, WatchKinds.Data | WatchKinds.Persistent | WatchKinds.Recursive);
            table.Add(link, "/a"u8, WatchKinds.Recursive);
            table.Add(link, "/"u8, WatchKinds.Recursive | WatchKinds.Child);
        }
        var reached = new List<ClientLink>();
        table.TriggerData("/a/b"u8, reached);
        Assert.Equal(500, reached.Count);
        Assert.Equal(500, reached.Distinct().Count());
        reached.Clear();
        table.TriggerData("/a/b"u8, reached);
        Assert.Equal(500, reached.Count);
        reached.Clear();
        table.TriggerChild("/"u8, reached);
        Assert.Equal(500, reached.Count);
        reached.Clear();
        table.TriggerChild("/"u8, reached);
        Assert.Empty(reached);
        Assert.Equal(1500, table.Count);
        foreach (ClientLink link in links)
            table.RemoveAll(link);
        Assert.Equal((0, 0, 0L), (table.Count, table.PathCount, table.TableEntryCount));
        table.TriggerData("/a/b"u8, reached);
        Assert.Empty(reached);
    }

    private static void Take(
        Dice dice, WatchTable table, ClientLink[] links, Dictionary<(int Link, string Path), WatchKinds> model)
    {
        int link = dice.Roll(Links);
        string path = dice.Roll(4) == 0 ? "/" : "/p" + dice.Roll(Paths) + (dice.Hits(50) ? "/k" : "");
        byte[] bytes = Encoding.UTF8.GetBytes(path);
        var kinds = (WatchKinds)(1 + dice.Roll(15));
        WatchKinds held = model.GetValueOrDefault((link, path));
        switch (dice.Roll(12))
        {
            case <= 5:
                table.Add(links[link], bytes, kinds);
                Set(model, (link, path), held | kinds);
                break;
            case <= 7:
                Assert.Equal((held & kinds) != 0, table.Remove(links[link], bytes, kinds));
                Set(model, (link, path), held & ~kinds);
                break;
            case 8:
                var reached = new List<ClientLink>();
                table.TriggerData(bytes, reached);
                Assert.Equal(reached.Count, reached.Distinct().Count());
                Consume(model, path, WatchKinds.Data);
                break;
            case 9:
                table.TriggerChild(bytes, []);
                Consume(model, path, WatchKinds.Child);
                break;
            case 10:
                Assert.Equal(held, table.Find(links[link], bytes));
                break;
            default:
                if (!dice.Hits(20))
                    break;
                table.RemoveAll(links[link]);
                foreach ((int Link, string Path) key in model.Keys.Where(key => key.Link == link).ToArray())
                    model.Remove(key);
                break;
        }
    }

    private static void Consume(Dictionary<(int Link, string Path), WatchKinds> model, string path, WatchKinds kind)
    {
        foreach ((int Link, string Path) key in model.Keys.Where(key => key.Path == path).ToArray())
            Set(model, key, model[key] & ~kind);
    }

    private static void Set(
        Dictionary<(int Link, string Path), WatchKinds> model, (int Link, string Path) key, WatchKinds kinds)
    {
        if (kinds == WatchKinds.None)
            model.Remove(key);
        else
            model[key] = kinds;
    }

    private static void AssertEqual(
        WatchTable table, ClientLink[] links, Dictionary<(int Link, string Path), WatchKinds> model)
    {
        var seen = new Dictionary<(int Link, string Path), WatchKinds>();
        table.Visit((path, link, kinds) =>
            seen.Add((Array.IndexOf(links, link), Encoding.UTF8.GetString(path)), kinds));
        Assert.Equal(model.OrderBy(pair => pair.Key), seen.OrderBy(pair => pair.Key));
        Assert.Equal(model.Count, table.Count);
        Assert.Equal(model.Keys.Select(key => key.Path).Distinct().Count(), table.PathCount);
        Assert.Equal(model.Values.Sum(TableEntries), table.TableEntryCount);
        for (int i = 0; i < links.Length; i++)
            Assert.Equal(model.Keys.Count(key => key.Link == i), links[i].WatchCount);
        // Recursive watches are looked for only while there are any.
        var reached = new List<ClientLink>();
        table.TriggerData("/nowhere/near"u8, reached);
        Assert.Equal(
            model.Count(pair => pair.Key.Path == "/" && (pair.Value & WatchKinds.Recursive) != 0), reached.Count);
    }

    // As Apache counts: persistent watches stand in both of its tables, recursive ones in that of data.
    private static long TableEntries(WatchKinds kinds) =>
        ((kinds & (WatchKinds.Data | WatchKinds.Persistent | WatchKinds.Recursive)) != 0 ? 1 : 0)
        + ((kinds & (WatchKinds.Child | WatchKinds.Persistent)) != 0 ? 1 : 0);
}
