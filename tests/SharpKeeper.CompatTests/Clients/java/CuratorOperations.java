import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.ensemble.fixed.FixedEnsembleProvider;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.WatcherRemoveCuratorFramework;
import org.apache.curator.framework.api.ACLProvider;
import org.apache.curator.framework.api.CuratorEventType;
import org.apache.curator.framework.api.transaction.CuratorTransactionResult;
import org.apache.curator.framework.recipes.watch.PersistentWatcher;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Stat;
import org.apache.zookeeper.server.quorum.QuorumPeer.QuorumServer;

/** What Curator's framework does, against the servers given; ends with 0 if all was as it must be. */
public final class CuratorOperations {
    private static final long TTL_MS = 3_600_000;

    private CuratorOperations() {
    }

    private static void check(boolean condition, String message) {
        CuratorProgram.check(condition, message);
    }

    private static byte[] bytes(String text) {
        return CuratorProgram.bytes(text);
    }

    private static String read(CuratorFramework client, String path) throws Exception {
        return CuratorProgram.text(client.getData().forPath(path));
    }

    private static void checkNodes(CuratorFramework client) throws Exception {
        CuratorProgram.step("nodes");
        Stat stat = new Stat();
        check("/ops/a/b".equals(
            client.create().creatingParentsIfNeeded().storingStatIn(stat).forPath("/ops/a/b", bytes("1"))), "create");
        check(stat.getVersion() == 0 && stat.getDataLength() == 1, "stat of a create: " + stat);
        check(client.setData().withVersion(0).forPath("/ops/a/b", bytes("22")).getVersion() == 1, "set");
        check("22".equals(CuratorProgram.text(client.getData().storingStatIn(stat).forPath("/ops/a/b"))), "get");
        try {
            client.setData().withVersion(0).forPath("/ops/a/b", bytes("3"));
            check(false, "a stale version was taken");
        } catch (KeeperException.BadVersionException expected) {
            check("/ops/a/b".equals(expected.getPath()), "path of the exception");
        }
        client.create().orSetData().forPath("/ops/a/b", bytes("4"));
        check("4".equals(read(client, "/ops/a/b")), "create or set");
        client.create().compressed().forPath("/ops/gz", bytes("compressed"));
        check("compressed".equals(CuratorProgram.text(client.getData().decompressed().forPath("/ops/gz"))), "gzip");
        check(client.getChildren().storingStatIn(stat).forPath("/ops").size() == 2 && stat.getCversion() == 2, "list");
        try {
            client.delete().forPath("/ops");
            check(false, "a node with children was deleted");
        } catch (KeeperException.NotEmptyException expected) {
            check("/ops".equals(expected.getPath()), "path of the exception");
        }
        client.delete().guaranteed().deletingChildrenIfNeeded().forPath("/ops/a");
        client.delete().quietly().forPath("/ops/a");
        check(client.checkExists().forPath("/ops/a") == null, "exists after delete");
        client.usingNamespace("ops").create().forPath("/inside", bytes("n"));
        check("n".equals(read(client, "/ops/inside")), "namespace");
    }

    private static void checkKinds(CuratorFramework client) throws Exception {
        CuratorProgram.step("kinds of nodes");
        client.create().creatingParentsIfNeeded().forPath("/kinds/parent");
        client.create().creatingParentContainersIfNeeded().forPath("/kinds/box/child", bytes("x"));
        client.createContainers("/kinds/box2");
        client.create().withTtl(1).withMode(CreateMode.PERSISTENT_WITH_TTL).forPath("/kinds/ttl", bytes("t"));
        client.delete().forPath("/kinds/box/child");
        CuratorProgram.until("what is empty or old is gone",
            () -> client.getChildren().forPath("/kinds").equals(Arrays.asList("box2", "parent"))
                || client.getChildren().forPath("/kinds").equals(Arrays.asList("parent", "box2")));
        String timed = client.create().withTtl(TTL_MS).withMode(CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL)
            .forPath("/kinds/ttl-", bytes("t"));
        check(timed.equals("/kinds/ttl-0000000004"), "numbered with a lifetime: " + timed);
        String first = client.create().withProtection().withMode(CreateMode.EPHEMERAL_SEQUENTIAL)
            .forPath("/kinds/p-", bytes("p"));
        check(first.matches("/kinds/_c_[-0-9a-f]{36}-p-0000000005"), "protected: " + first);
        check(client.checkExists().forPath(first).getEphemeralOwner() == CuratorProgram.session(client), "owner");
        String second = client.create().creatingParentsIfNeeded().withProtection().withMode(CreateMode.EPHEMERAL)
            .forPath("/kinds/more/e", bytes("p"));
        check(second.matches("/kinds/more/_c_[-0-9a-f]{36}-e"), "protected: " + second);
        client.create().idempotent().forPath("/kinds/same", bytes("s"));
        client.create().idempotent().forPath("/kinds/same", bytes("s"));
        client.setData().idempotent().withVersion(0).forPath("/kinds/same", bytes("s2"));
        client.setData().idempotent().withVersion(0).forPath("/kinds/same", bytes("s2"));
        try {
            client.create().idempotent().forPath("/kinds/same", bytes("other"));
            check(false, "an idempotent create took another's node for its own");
        } catch (KeeperException.NodeExistsException expected) {
            check("/kinds/same".equals(expected.getPath()), "path of the exception");
        }
        client.delete().idempotent().forPath("/kinds/same");
        client.delete().idempotent().forPath("/kinds/same");
    }

    private static void checkAcls(String hosts, CuratorFramework stranger) throws Exception {
        CuratorProgram.step("rights");
        CuratorFramework owner = CuratorProgram.connect(
            CuratorProgram.builder(hosts).authorization("digest", bytes("bob:pw")).aclProvider(new ACLProvider() {
                @Override
                public List<ACL> getDefaultAcl() {
                    return Ids.CREATOR_ALL_ACL;
                }

                @Override
                public List<ACL> getAclForPath(String path) {
                    return path.equals("/acl") ? Ids.OPEN_ACL_UNSAFE : Ids.CREATOR_ALL_ACL;
                }
            }));
        owner.create().creatingParentsIfNeeded().forPath("/acl/mine", bytes("m"));
        check(owner.getACL().forPath("/acl/mine").get(0).getId().getScheme().equals("digest"), "scheme");
        stranger.sync().forPath("/acl");
        try {
            stranger.getData().forPath("/acl/mine");
            check(false, "a stranger could read");
        } catch (KeeperException.NoAuthException expected) {
            check("/acl/mine".equals(expected.getPath()), "path of the exception");
        }
        check(owner.setACL().withVersion(0).withACL(Ids.READ_ACL_UNSAFE).forPath("/acl/mine").getAversion() == 1, "acl");
        stranger.sync().forPath("/acl");
        check("m".equals(read(stranger, "/acl/mine")), "a reader could not read");
        owner.close();
    }

    private static void checkTransactions(CuratorFramework client) throws Exception {
        CuratorProgram.step("transactions");
        List<CuratorTransactionResult> results = client.transaction().forOperations(
            client.transactionOp().create().forPath("/tx", bytes("0")),
            client.transactionOp().create().withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath("/tx/s-", bytes("1")),
            client.transactionOp().create().withTtl(TTL_MS).withMode(CreateMode.PERSISTENT_WITH_TTL)
                .forPath("/tx/ttl", bytes("1")),
            client.transactionOp().setData().withVersion(0).forPath("/tx", bytes("2")),
            client.transactionOp().check().withVersion(1).forPath("/tx"),
            client.transactionOp().delete().forPath("/tx/ttl"));
        check(results.size() == 6 && results.get(1).getResultPath().equals("/tx/s-0000000000"), "results " + results);
        check(results.get(3).getResultStat().getVersion() == 1, "stat of a transaction");
        try {
            client.transaction().forOperations(
                client.transactionOp().setData().forPath("/tx", bytes("3")),
                client.transactionOp().check().withVersion(7).forPath("/tx"));
            check(false, "a transaction should have failed");
        } catch (KeeperException.BadVersionException expected) {
            check(expected.getResults().size() == 2, "results of the exception");
        }
        check("2".equals(read(client, "/tx")), "a part of a failed transaction was done");
        CountDownLatch done = new CountDownLatch(1);
        client.transaction().inBackground((some, event) -> {
            if (event.getType() == CuratorEventType.TRANSACTION && event.getOpResults().size() == 1) {
                done.countDown();
            }
        }).forOperations(client.transactionOp().create().forPath("/tx/background", bytes("b")));
        check(done.await(CuratorProgram.WAIT_SECONDS, TimeUnit.SECONDS), "transaction in the background");
    }

    private static void checkBackground(CuratorFramework client) throws Exception {
        CuratorProgram.step("in the background");
        int count = 300;
        List<Object> order = Collections.synchronizedList(new ArrayList<>());
        CountDownLatch done = new CountDownLatch(count + 1);
        client.create().forPath("/background");
        for (int i = 0; i < count; i++) {
            client.create().withMode(CreateMode.PERSISTENT_SEQUENTIAL).inBackground((some, event) -> {
                if (event.getResultCode() == 0 && event.getName().endsWith(String.format("%010d", order.size()))) {
                    order.add(event.getContext());
                }
                done.countDown();
            }, i).forPath("/background/n-");
        }
        client.sync().inBackground((some, event) -> done.countDown()).forPath("/background");
        check(done.await(CuratorProgram.WAIT_SECONDS, TimeUnit.SECONDS), "not all was answered");
        for (int i = 0; i < count; i++) {
            check(order.get(i).equals(i), "answers out of order");
        }
    }

    private static void expectTree(CuratorProgram.Events events, String path) throws Exception {
        events.expect(EventType.NodeCreated, path);
        events.expect(EventType.NodeCreated, path + "/a");
        events.expect(EventType.NodeDataChanged, path + "/a");
        events.expect(EventType.NodeDeleted, path + "/a");
    }

    private static void checkWatches(CuratorFramework client, CuratorFramework other) throws Exception {
        CuratorProgram.step("watches");
        // A path for each: the server keeps one kind of watch for a path and a session.
        CuratorProgram.Events once = new CuratorProgram.Events();
        CuratorProgram.Events lasting = new CuratorProgram.Events();
        CuratorProgram.Events tree = new CuratorProgram.Events();
        CuratorProgram.Events recipe = new CuratorProgram.Events();
        CuratorProgram.Events removed = new CuratorProgram.Events();
        client.checkExists().usingWatcher(once).forPath("/once");
        client.watchers().add().withMode(AddWatchMode.PERSISTENT).usingWatcher(lasting).forPath("/lasting");
        client.watchers().add().withMode(AddWatchMode.PERSISTENT_RECURSIVE).usingWatcher(tree).forPath("/watch");
        WatcherRemoveCuratorFramework removing = client.newWatcherRemoveCuratorFramework();
        removing.checkExists().usingWatcher(removed).forPath("/removed");
        removing.removeWatchers();
        removed.expect(EventType.DataWatchRemoved, "/removed");
        PersistentWatcher persistent = new PersistentWatcher(client, "/recipe", true);
        CountDownLatch ready = new CountDownLatch(1);
        persistent.getResetListenable().addListener(ready::countDown);
        persistent.getListenable().addListener(recipe);
        persistent.start();
        check(ready.await(CuratorProgram.WAIT_SECONDS, TimeUnit.SECONDS), "persistent watcher");
        other.create().forPath("/once", bytes("0"));
        for (String path : Arrays.asList("/watch", "/lasting", "/recipe")) {
            other.create().forPath(path, bytes("0"));
            other.create().forPath(path + "/a", bytes("0"));
            other.setData().forPath(path + "/a", bytes("1"));
            other.delete().forPath(path + "/a");
        }
        once.expect(EventType.NodeCreated, "/once");
        lasting.expect(EventType.NodeCreated, "/lasting");
        lasting.expect(EventType.NodeChildrenChanged, "/lasting");
        lasting.expect(EventType.NodeChildrenChanged, "/lasting");
        expectTree(tree, "/watch");
        expectTree(recipe, "/recipe");
        client.watchers().remove(tree).forPath("/watch");
        tree.expect(EventType.PersistentWatchRemoved, "/watch");
        for (String path : Arrays.asList("/watch", "/lasting", "/recipe")) {
            other.setData().forPath(path, bytes("2"));
        }
        lasting.expect(EventType.NodeDataChanged, "/lasting");
        recipe.expect(EventType.NodeDataChanged, "/recipe");
        persistent.close();
        client.watchers().removeAll().forPath("/lasting");
        lasting.expect(EventType.PersistentWatchRemoved, "/lasting");
        tree.expectNothing();
        once.expectNothing();
        removed.expectNothing();
    }

    private static void expect(BlockingQueue<ConnectionState> states, ConnectionState wanted) throws Exception {
        ConnectionState state = states.poll(CuratorProgram.WAIT_SECONDS, TimeUnit.SECONDS);
        check(state == wanted, "expected " + wanted + ", got " + state);
    }

    private static void checkConnectionStates(String hosts) throws Exception {
        CuratorProgram.step("states of the connection");
        BlockingQueue<ConnectionState> states = new LinkedBlockingQueue<>();
        CuratorFramework client = CuratorProgram.builder(hosts).build();
        client.getConnectionStateListenable().addListener((some, state) -> states.add(state));
        client.start();
        expect(states, ConnectionState.CONNECTED);
        long session = CuratorProgram.session(client);
        CuratorProgram.Events tree = new CuratorProgram.Events();
        CuratorProgram.Events late = new CuratorProgram.Events();
        client.create().creatingParentsIfNeeded().withMode(CreateMode.EPHEMERAL).forPath("/states/e", bytes("e"));
        client.watchers().add().withMode(AddWatchMode.PERSISTENT_RECURSIVE).usingWatcher(tree).forPath("/states");
        client.checkExists().usingWatcher(late).forPath("/late");
        CuratorProgram.ask("stop");
        expect(states, ConnectionState.SUSPENDED);
        CuratorProgram.ask("start");
        expect(states, ConnectionState.RECONNECTED);
        check(CuratorProgram.session(client) == session, "another session");
        check(client.checkExists().forPath("/states/e").getEphemeralOwner() == session, "the ephemeral is gone");
        client.setData().forPath("/states/e", bytes("e2"));
        client.create().forPath("/late", bytes("l"));
        tree.expect(EventType.NodeDataChanged, "/states/e");
        late.expect(EventType.NodeCreated, "/late");

        client.getZookeeperClient().getZooKeeper().getTestable().injectSessionExpiration();
        expect(states, ConnectionState.LOST);
        expect(states, ConnectionState.RECONNECTED);
        check(CuratorProgram.session(client) != session, "the same session after its loss");
        client.setData().forPath("/late", bytes("l2"));
        client.close();
    }

    private static String ports(QuorumServer server) {
        return "server." + server.id + "=" + server;
    }

    private static void checkConfiguration(String hosts) throws Exception {
        CuratorProgram.step("configuration");
        FixedEnsembleProvider provider = new FixedEnsembleProvider(hosts);
        CuratorFramework client = CuratorProgram.connect(CuratorProgram.builder(hosts)
            .ensembleProvider(provider).authorization("digest", bytes("super:test")));
        int all = hosts.split(",").length;
        if (all == 1) {
            check(client.getConfig().forEnsemble().length == 0, "a server alone has a configuration");
            check(client.getCurrentConfig().getAllMembers().isEmpty(), "a server alone has members");
            check(provider.getConnectionString().equals(hosts), "connect string " + provider.getConnectionString());
            client.close();
            return;
        }
        CuratorProgram.until("the configuration is known", () -> client.getCurrentConfig().getAllMembers().size() == all);
        QuorumServer last = client.getCurrentConfig().getAllMembers().get((long) all);
        String config = CuratorProgram.text(client.reconfig().leaving(Long.toString(last.id)).forEnsemble());
        check(!config.contains("server." + last.id + "="), "configuration without server " + last.id + ": " + config);
        CuratorProgram.until("the provider forgets a server",
            () -> provider.getConnectionString().split(",").length == all - 1);
        client.create().forPath("/without", bytes("w"));
        Stat stat = new Stat();
        config = CuratorProgram.text(client.reconfig().joining(ports(last)).storingStatIn(stat).forEnsemble());
        check(config.contains("server." + last.id + "="), "configuration with server " + last.id + ": " + config);
        CuratorProgram.until("the provider learns of a server",
            () -> provider.getConnectionString().split(",").length == all);
        check(client.getCurrentConfig().getAllMembers().size() == all, "members");
        try {
            client.reconfig().leaving("1").fromConfig(1).forEnsemble();
            check(false, "a reconfiguration of a version long gone was taken");
        } catch (KeeperException.BadVersionException expected) {
            check("w".equals(read(client, "/without")), "data");
        }
        client.close();
    }

    private static void run(String hosts) throws Exception {
        CuratorFramework client = CuratorProgram.connect(hosts);
        CuratorFramework other = CuratorProgram.connect(hosts);
        checkNodes(client);
        checkKinds(client);
        checkAcls(hosts, other);
        checkTransactions(client);
        checkBackground(client);
        checkWatches(client, other);
        checkConfiguration(hosts);
        checkConnectionStates(hosts);
        client.close();
        other.close();
    }

    public static void main(String[] arguments) {
        CuratorProgram.run(() -> run(arguments[0]));
    }
}
