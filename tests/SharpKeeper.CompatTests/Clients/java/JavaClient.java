import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;

/** Apache's own client against the server given as the first argument; ends with 0 if all was as it must be. */
public final class JavaClient {
    private static final int WAIT_SECONDS = 30;
    private static final BufferedReader answers =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));

    /** Notes events and lets a test wait for them. */
    private static final class Events implements Watcher {
        private final BlockingQueue<WatchedEvent> queue = new LinkedBlockingQueue<>();

        @Override
        public void process(WatchedEvent event) {
            queue.add(event);
        }

        void expect(EventType type, String path) throws InterruptedException {
            WatchedEvent event = queue.poll(WAIT_SECONDS, TimeUnit.SECONDS);
            check(event != null, "no event, expected " + type + " " + path);
            check(event.getType() == type && path.equals(event.getPath()),
                "expected " + type + " " + path + ", got " + event);
        }

        void expectState(KeeperState state) throws InterruptedException {
            while (true) {
                WatchedEvent event = queue.poll(WAIT_SECONDS, TimeUnit.SECONDS);
                check(event != null, "state " + state + " did not come");
                if (event.getType() == EventType.None && event.getState() == state) {
                    return;
                }
            }
        }

        void expectNothing() {
            check(queue.isEmpty(), "unexpected " + queue.peek());
        }
    }

    private static void check(boolean condition, String message) {
        if (!condition) {
            throw new AssertionError(message);
        }
    }

    private static void ask(String wish) throws Exception {
        System.out.println("@" + wish);
        System.out.flush();
        check("done".equals(answers.readLine()), wish);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static ZooKeeper connect(String hosts, Events events) throws Exception {
        ZooKeeper client = new ZooKeeper(hosts, 20_000, events);
        events.expectState(KeeperState.SyncConnected);
        return client;
    }

    private static void create(ZooKeeper client, String path, CreateMode mode) throws Exception {
        client.create(path, bytes("x"), Ids.OPEN_ACL_UNSAFE, mode);
    }

    private static void checkKinds(ZooKeeper client) throws Exception {
        create(client, "/java", CreateMode.PERSISTENT);
        create(client, "/java/e", CreateMode.EPHEMERAL);
        create(client, "/java/box", CreateMode.CONTAINER);
        Stat stat = new Stat();
        check("/java/s-0000000002".equals(
            client.create("/java/s-", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_SEQUENTIAL, stat)), "sequence");
        check(stat.getCzxid() == stat.getPzxid() && stat.getDataLength() == 0, "stat of create2");
        check("/java/ttl0000000003".equals(client.create(
            "/java/ttl", bytes("t"), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL, stat, 60_000)),
            "ttl");
        check(client.getData("/java/s-0000000002", false, stat) == null, "null data");
        check(client.getEphemerals().equals(Collections.singletonList("/java/e")), "ephemerals");
        check(client.getAllChildrenNumber("/java") == 5 - 1, "descendants");
        try {
            create(client, "/java/e/x", CreateMode.PERSISTENT);
            check(false, "an ephemeral got a child");
        } catch (KeeperException.NoChildrenForEphemeralsException expected) {
            check("/java/e/x".equals(expected.getPath()), "path of the exception");
        }
    }

    private static void checkMulti(ZooKeeper client) throws Exception {
        List<OpResult> results = client.multi(Arrays.asList(
            Op.create("/java/m", bytes("1"), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT),
            Op.create("/java/m/box", bytes("1"), Ids.OPEN_ACL_UNSAFE, CreateMode.CONTAINER),
            Op.create("/java/m/ttl", bytes("1"), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_WITH_TTL, 60_000),
            Op.setData("/java/m", bytes("2"), 0),
            Op.check("/java/m", 1),
            Op.delete("/java/m/ttl", -1)));
        check(results.size() == 6 && "/java/m".equals(((OpResult.CreateResult) results.get(0)).getPath()), "multi");
        check(((OpResult.SetDataResult) results.get(3)).getStat().getVersion() == 1, "stat of a multi");
        try {
            client.multi(Arrays.asList(
                Op.setData("/java/m", bytes("3"), 1), Op.check("/java/none", 0), Op.delete("/java/m", -1)));
            check(false, "a multi should have failed");
        } catch (KeeperException.NoNodeException expected) {
            List<Integer> codes = new ArrayList<>();
            for (OpResult result : expected.getResults()) {
                codes.add(((OpResult.ErrorResult) result).getErr());
            }
            check(codes.equals(Arrays.asList(0, -101, -2)), "codes " + codes);
        }
        results = client.multi(
            Arrays.asList(Op.getData("/java/m"), Op.getChildren("/java/m"), Op.getData("/java/none")));
        check(Arrays.equals(bytes("2"), ((OpResult.GetDataResult) results.get(0)).getData()), "data of a multi read");
        check(((OpResult.GetChildrenResult) results.get(1)).getChildren().equals(Collections.singletonList("box")),
            "children");
        check(((OpResult.ErrorResult) results.get(2)).getErr() == -101, "error of a multi read");
    }

    private static void checkWatches(ZooKeeper client, ZooKeeper other) throws Exception {
        Events recursive = new Events();
        Events persistent = new Events();
        Events once = new Events();
        create(client, "/watch", CreateMode.PERSISTENT);
        client.addWatch("/watch", recursive, AddWatchMode.PERSISTENT_RECURSIVE);
        client.addWatch("/lasting", persistent, AddWatchMode.PERSISTENT);
        client.exists("/once", once);
        create(other, "/watch/a", CreateMode.PERSISTENT);
        create(other, "/watch/a/b", CreateMode.PERSISTENT);
        other.setData("/watch/a", bytes("y"), -1);
        other.delete("/watch/a/b", -1);
        create(other, "/lasting", CreateMode.PERSISTENT);
        create(other, "/lasting/b", CreateMode.PERSISTENT);
        other.setData("/lasting", bytes("y"), -1);
        other.delete("/lasting/b", -1);
        create(other, "/once", CreateMode.PERSISTENT);
        other.setData("/once", bytes("y"), -1);
        recursive.expect(EventType.NodeCreated, "/watch/a");
        recursive.expect(EventType.NodeCreated, "/watch/a/b");
        recursive.expect(EventType.NodeDataChanged, "/watch/a");
        recursive.expect(EventType.NodeDeleted, "/watch/a/b");
        persistent.expect(EventType.NodeCreated, "/lasting");
        persistent.expect(EventType.NodeChildrenChanged, "/lasting");
        persistent.expect(EventType.NodeDataChanged, "/lasting");
        persistent.expect(EventType.NodeChildrenChanged, "/lasting");
        once.expect(EventType.NodeCreated, "/once");
        client.removeWatches("/watch", recursive, Watcher.WatcherType.Any, false);
        recursive.expect(EventType.PersistentWatchRemoved, "/watch");
        other.setData("/watch/a", bytes("z"), -1);
        other.setData("/lasting", bytes("z"), -1);
        persistent.expect(EventType.NodeDataChanged, "/lasting");
        recursive.expectNothing();
        once.expectNothing();
        sync(client);
    }

    private static void sync(ZooKeeper client) throws Exception {
        CountDownLatch synced = new CountDownLatch(1);
        client.sync("/", (code, path, context) -> synced.countDown(), null);
        check(synced.await(WAIT_SECONDS, TimeUnit.SECONDS), "sync was not answered");
    }

    private static void checkAsync(ZooKeeper client) throws Exception {
        int count = 500;
        List<Integer> order = Collections.synchronizedList(new ArrayList<>());
        CountDownLatch done = new CountDownLatch(count);
        create(client, "/async", CreateMode.PERSISTENT);
        for (int i = 0; i < count; i++) {
            client.create("/async/n", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_SEQUENTIAL,
                (code, path, context, name) -> {
                    check(code == 0 && name.equals(String.format("/async/n%010d", (Integer) context)), "" + name);
                    order.add((Integer) context);
                    done.countDown();
                }, i);
        }
        check(done.await(WAIT_SECONDS, TimeUnit.SECONDS), "not all creates were answered");
        for (int i = 0; i < count; i++) {
            check(order.get(i) == i, "answers out of order");
        }
        check(client.getChildren("/async", false).size() == count, "children");
    }

    private static void checkReconnect(String hosts) throws Exception {
        Events events = new Events();
        ZooKeeper client = connect(hosts, events);
        long session = client.getSessionId();
        Events data = new Events();
        Events tree = new Events();
        Events missed = new Events();
        create(client, "/again", CreateMode.PERSISTENT);
        create(client, "/again/e", CreateMode.EPHEMERAL);
        client.addAuthInfo("digest", bytes("bob:pw"));
        client.create("/again/mine", bytes("m"), Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT);
        create(client, "/data", CreateMode.PERSISTENT);
        client.getData("/data", data, null);
        client.addWatch("/again", tree, AddWatchMode.PERSISTENT_RECURSIVE);
        client.exists("/late", missed);
        ask("stop");
        events.expectState(KeeperState.Disconnected);
        ask("start");
        events.expectState(KeeperState.SyncConnected);
        check(client.getSessionId() == session, "another session");
        check(client.exists("/again/e", false).getEphemeralOwner() == session, "ephemeral");
        check(Arrays.equals(bytes("m"), client.getData("/again/mine", false, null)), "identities were not sent again");
        data.queue.removeIf(event -> event.getType() == EventType.None);
        tree.queue.removeIf(event -> event.getType() == EventType.None);
        missed.queue.removeIf(event -> event.getType() == EventType.None);
        client.setData("/data", bytes("new"), -1);
        client.setData("/again", bytes("new"), -1);
        create(client, "/again/late", CreateMode.PERSISTENT);
        create(client, "/late", CreateMode.PERSISTENT);
        data.expect(EventType.NodeDataChanged, "/data");
        tree.expect(EventType.NodeDataChanged, "/again");
        tree.expect(EventType.NodeCreated, "/again/late");
        missed.expect(EventType.NodeCreated, "/late");
        client.close();
    }

    public static void main(String[] arguments) throws Exception {
        String hosts = arguments[0];
        Events events = new Events();
        ZooKeeper client = connect(hosts, events);
        ZooKeeper other = connect(hosts, new Events());
        checkKinds(client);
        checkMulti(client);
        checkWatches(client, other);
        checkAsync(client);
        check(client.whoAmI().get(0).getAuthScheme().equals("ip"), "whoAmI");

        ZooKeeper inside = connect(hosts + "/java", new Events());
        Events children = new Events();
        check(inside.getChildren("/", children).contains("m"), "chroot");
        create(inside, "/inside", CreateMode.EPHEMERAL);
        children.expect(EventType.NodeChildrenChanged, "/");
        sync(client);
        check(client.exists("/java/inside", false) != null, "chroot on the way");
        Events gone = new Events();
        client.exists("/java/inside", gone);
        inside.close();
        gone.expect(EventType.NodeDeleted, "/java/inside");

        checkReconnect(hosts);
        client.close();
        other.close();
        System.out.println("all is well");
    }
}
