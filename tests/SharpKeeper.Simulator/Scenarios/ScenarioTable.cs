using SharpKeeper.Protocol;

namespace SharpKeeper.Simulation;

/// <summary>The ways in which ensembles lost data, as stories. Each ends well unless the bug is planted.</summary>
internal static class ScenarioTable
{
    private const int SomeCommits = 20;
    private const int SoonMs = 50;

    /// <summary>ZOOKEEPER-3911, 4785, 4646 and 3104: NEWLEADER is acknowledged and what it stands for is not there.
    /// </summary>
    public static Scenario SlowLogBeforeNewLeader { get; } = new(
        "a follower that missed much is all that the next leader has, and its log is slow", static stage =>
            MeetLateFollower(stage, forcesSnapshots: false));

    /// <summary>ZOOKEEPER-3642: a snapshot is acknowledged, and a crash leaves the one before it.</summary>
    public static Scenario PowerLossBehindSnapshot { get; } = new(
        "a follower that missed much is all that the next leader has, and is sent a snapshot", static stage =>
            MeetLateFollower(stage, forcesSnapshots: true));

    /// <summary>ZOOKEEPER-2845: what the new leader has cut off stays in the tree.</summary>
    public static Scenario CutOffTail { get; } = new(
        "a leader logs what nobody else gets, restarts with it in its tree, and is told to cut it off", static stage =>
        {
            SimServer leader = stage.AwaitService();
            stage.SendClientsTo(leader);
            stage.Quiet();
            LogAlone(stage, leader);
            Zxid tail = leader.Zab!.LastLogged;
            stage.Until("the tail is on disk", () => leader.Log.Durable >= tail);
            stage.Kill(leader);
            stage.Heal();
            stage.World.ClientServers = [];
            stage.AwaitLeader();
            stage.Start(leader);
            stage.AwaitSettled(leader);
            stage.Resume();
        });

    /// <summary>A leader's proposals arrive when others lead already.</summary>
    public static Scenario LateProposals { get; } = new(
        "what a mute leader proposed arrives when its followers follow another one", static stage =>
        {
            SimServer leader = stage.AwaitService();
            stage.SendClientsTo(leader);
            stage.Quiet();
            stage.Mute(leader);
            WriteTo(stage, leader);
            stage.World.ClientServers = [];
            SimServer[] others = stage.Except(leader);
            stage.Until("the others have a leader", () => stage.World.FindLeader() is { } found && found != leader
                && others.All(static server => server.Zab!.IsSettled));
            SimServer next = stage.World.FindLeader()!;
            SimServer follower = stage.Except(leader, next)[0];
            stage.SendClientsTo(next);
            // What the follower would acknowledge tells the next leader that something is wrong.
            stage.Mute(follower, WireKind.Quorum);
            stage.World.Network.Heal(leader.Id, follower.Id);
            stage.AwaitElapsed(SoonMs);
            WriteTo(stage, next);
            stage.AwaitElapsed(SoonMs);
            stage.World.ClientServers = [];
            stage.Heal();
            stage.AwaitLeader();
            stage.Resume();
        });

    /// <summary>ZOOKEEPER-4925: a DIFF from a memory in which an earlier DIFF is missing.</summary>
    public static Scenario DiffBehindDiff { get; } = new(
        "a follower is sent a leader's tail as DIFF, leads, and sends a DIFF to who lacks that tail", static stage =>
        {
            SimServer leader = stage.AwaitService();
            SimServer next = stage.Except(leader)[0];
            SimServer late = stage.Except(leader, next)[0];
            stage.SendClientsTo(leader);
            stage.Quiet();
            stage.Kill(late);
            LogAlone(stage, leader);
            stage.Until("the leader has lost its quorum", () => leader.Zab!.Leader is null);
            stage.Heal();
            stage.World.ClientServers = [];
            stage.AwaitLeader();
            stage.Resume();
            stage.AwaitCommits(SomeCommits);
            stage.Quiet();
            stage.Kill(leader);
            stage.Start(late);
            stage.AwaitLeader();
            stage.Resume();
            stage.AwaitCommits(SomeCommits);
            stage.Start(leader);
        });

    /// <summary>A tree from the leader that never came to disk.</summary>
    public static Scenario LinkEndsBehindSnapshot { get; } = new(
        "the leader dies when its snapshot has arrived; the next one sends a DIFF", static stage =>
        {
            stage.AwaitService();
            SimServer late = stage.Servers[0];
            SimServer other = stage.Servers[1];
            SimServer sender = stage.Servers[2];
            stage.Kill(late);
            stage.AwaitCommits(SomeCommits);
            stage.Quiet();
            stage.Kill(other, sender);
            sender.ForcesSnapshots = true;
            stage.Start(late, sender);
            stage.Until("the snapshot is there and not installed", () => late.Zab is { } zab
                && late.Replica.Tree.LastProcessed > zab.LastLogged);
            stage.BreakLinks(sender);
            stage.Kill(sender);
            stage.Start(other);
            stage.AwaitSettled(late);
            stage.Start(sender);
            stage.Resume();
        });

    /// <summary>ZOOKEEPER-4837: an ephemeral of a session that is being closed.</summary>
    public static Scenario CreateBehindClose { get; } = new(
        "clients close their session and create an ephemeral without waiting", static stage =>
        {
            stage.AwaitService();
            foreach (SimClient client in stage.World.Clients)
            {
                stage.Until("it has a session", () => client.IsConnected);
                stage.CloseAndCreate(client);
            }
            stage.AwaitService();
        });

    /// <summary>ZOOKEEPER-2325: a server without its snapshots counts as one that is new.</summary>
    public static Scenario LostSnapshots { get; } = new(
        "a server has lost its snapshots and meets one that is behind", static stage =>
        {
            SimServer leader = stage.AwaitService();
            SimServer late = stage.Except(leader)[0];
            SimServer damaged = stage.Except(leader, late)[0];
            stage.Kill(late);
            stage.AwaitCommits(SomeCommits);
            stage.Kill(damaged);
            stage.Kill(leader);
            damaged.LoseSnapshots();
            stage.Start(late, damaged);
            stage.Until("it refuses to start, or leads or follows",
                () => damaged.Refusal is not null || damaged.Zab is { IsSettled: true });
            stage.Start(leader);
            stage.AwaitLeader();
        });

    /// <summary>ZOOKEEPER-4882: what could not be written is missing, and what follows is acknowledged.</summary>
    public static Scenario FullDiskForAWhile { get; } = new(
        "a follower's disk is full for a while under load, and it loses power later", static stage =>
        {
            SimServer leader = stage.AwaitService();
            SimServer full = stage.Except(leader)[0];
            full.Disk.IsFull = true;
            stage.AwaitCommits(SomeCommits);
            full.Disk.IsFull = false;
            stage.AwaitCommits(SomeCommits);
            stage.AwaitSettled(full);
            stage.CutPower(full);
            stage.Start(full);
            stage.AwaitSettled(full);
        });

    /// <summary>All have promised an epoch that nobody led.</summary>
    public static Scenario PromisesOnly { get; } = new(
        "power is lost everywhere when all have promised an epoch and nobody has begun it", static stage =>
        {
            stage.AwaitService();
            stage.Quiet();
            SimServer[] all = [.. stage.Servers];
            stage.Kill(all);
            long before = all.Max(static server => server.AcceptedEpoch);
            stage.Start(all);
            stage.Until("all have promised", () =>
            {
                foreach (SimServer server in all.Where(server => server.AcceptedEpoch > before && server.Zab?.Leader is null))
                    stage.Mute(server, WireKind.Quorum);
                return all.All(server => server.AcceptedEpoch > before);
            });
            stage.CutPower(all);
            stage.Heal();
            stage.Start(all);
            stage.AwaitElapsed(1_000);
            stage.Resume();
        });

    /// <summary>Sessions live by pings to followers alone.</summary>
    public static Scenario OnlyPings { get; } = new(
        "clients of a follower only ping for longer than their session timeout", static stage =>
        {
            SimServer leader = stage.AwaitService();
            stage.SendClientsTo(stage.Except(leader)[0]);
            stage.BeIdle(3 * stage.World.Options.SessionTimeoutMs);
            stage.World.ClientServers = [];
            stage.Resume();
        });

    /// <summary>
    /// Once the late one has the new epoch on its disk, it wins against the third server, which has everything.
    /// </summary>
    private static void MeetLateFollower(Stage stage, bool forcesSnapshots)
    {
        SimServer leader = stage.AwaitService();
        SimServer late = stage.Except(leader)[0];
        SimServer other = stage.Except(leader, late)[0];
        stage.Kill(late);
        stage.AwaitCommits(SomeCommits);
        stage.Kill(other);
        stage.Kill(leader);
        leader.ForcesSnapshots = forcesSnapshots;
        late.LogSlowness = 1000;
        long before = late.CurrentEpoch;
        stage.Start(leader, late);
        stage.Until("the epoch is on the late one's disk", () => late.CurrentEpoch > before);
        // The checkers tell from the disks what would happen now; here it happens.
        stage.CutPower(leader, late);
        late.LogSlowness = 1;
        stage.Start(late, other);
        stage.AwaitLeader();
    }

    /// <summary>The leader is cut off and logs what a client asks it for.</summary>
    private static void LogAlone(Stage stage, SimServer leader)
    {
        stage.CutOff(leader);
        WriteTo(stage, leader);
        stage.BreakLinks(leader);
    }

    private static void WriteTo(Stage stage, SimServer leader)
    {
        Zxid before = leader.Zab!.LastLogged;
        foreach (SimClient client in stage.World.Clients)
            stage.Write(client);
        stage.Until("the leader has logged it", () => leader.Zab!.LastLogged > before);
    }
}
