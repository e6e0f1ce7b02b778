import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderLatchListener;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListener;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooKeeper;

/** Leaders and locks among three clients while servers end and come back. */
public final class CuratorFailover {
    private static final int CLIENTS = 3;
    private static final int PROGRESS = 5;
    private static final int PAUSE_MS = 5;
    private static final String NOBODY = "127.0.0.1:1";
    private static final List<CuratorFramework> clients = new ArrayList<>();
    private static final List<LeaderLatch> latches = new ArrayList<>();
    private static final AtomicInteger latched = new AtomicInteger();
    private static final AtomicInteger selected = new AtomicInteger();
    private static final AtomicInteger turns = new AtomicInteger();
    private static final AtomicInteger locked = new AtomicInteger();
    private static final AtomicInteger numbered = new AtomicInteger();
    private static volatile int underLock;
    private static volatile boolean stopping;

    private CuratorFailover() {
    }

    private static void check(boolean condition, String message) {
        CuratorProgram.check(condition, message);
    }

    /** The listener counts leaders: a latch says that it leads no more before it lets go of its node. */
    private static void startLatch(CuratorFramework client, int index) throws Exception {
        LeaderLatch latch = new LeaderLatch(client, "/latch", "number " + index);
        latch.addListener(new LeaderLatchListener() {
            @Override
            public void isLeader() {
                if (latched.incrementAndGet() != 1) {
                    CuratorProgram.fail("two latches lead");
                }
            }

            @Override
            public void notLeader() {
                latched.decrementAndGet();
            }
        });
        latch.start();
        latches.add(latch);
    }

    /** No session ends while these selectors run, so that a leader need not give way when it is cut off. */
    private static LeaderSelector startSelector(CuratorFramework client) {
        LeaderSelector selector = new LeaderSelector(client, "/selector", new LeaderSelectorListener() {
            @Override
            public void takeLeadership(CuratorFramework some) throws Exception {
                if (selected.incrementAndGet() != 1) {
                    CuratorProgram.fail("two selectors lead");
                }
                Thread.sleep(PAUSE_MS);
                turns.incrementAndGet();
                selected.decrementAndGet();
            }

            @Override
            public void stateChanged(CuratorFramework some, ConnectionState state) {
            }
        });
        selector.autoRequeue();
        selector.start();
        return selector;
    }

    private static void lockAndCount(CuratorFramework client) throws Exception {
        InterProcessMutex mutex = new InterProcessMutex(client, "/mutex");
        while (!stopping) {
            mutex.acquire();
            check(locked.incrementAndGet() == 1, "two are inside");
            int before = underLock;
            Thread.sleep(PAUSE_MS);
            underLock = before + 1;
            locked.decrementAndGet();
            mutex.release();
        }
    }

    /** A protected create finds its node again when the answer was lost: each makes one, no more. */
    private static void createProtected(CuratorFramework client) throws Exception {
        while (!stopping) {
            client.create().withProtection().withMode(CreateMode.PERSISTENT_SEQUENTIAL).forPath("/numbers/n-");
            numbered.incrementAndGet();
            Thread.sleep(PAUSE_MS);
        }
    }

    private static LeaderLatch leader() {
        return latches.stream().filter(LeaderLatch::hasLeadership).findFirst().orElse(null);
    }

    private static void awaitProgress() throws Exception {
        int turnsBefore = turns.get();
        int lockBefore = underLock;
        int numberedBefore = numbered.get();
        CuratorProgram.until("a latch leads", () -> leader() != null);
        CuratorProgram.until("selectors take turns", () -> turns.get() > turnsBefore + PROGRESS);
        CuratorProgram.until("the lock goes round", () -> underLock > lockBefore + PROGRESS);
        CuratorProgram.until("nodes are made", () -> numbered.get() > numberedBefore + PROGRESS);
    }

    private static void endServers(int count) throws Exception {
        awaitProgress();
        for (int server = 1; server <= count && count > 1; server++) {
            CuratorProgram.ask("kill " + server);
            awaitProgress();
            CuratorProgram.ask("start " + server);
        }
        awaitProgress();
        CuratorProgram.ask("kill");
        CuratorProgram.ask("start");
        awaitProgress();
    }

    /** Has the servers end the session of a client that cannot reach them meanwhile. */
    private static void endSession(CuratorFramework client, String hosts, Callable<Boolean> isSuspended)
            throws Exception {
        ZooKeeper connection = client.getZookeeperClient().getZooKeeper();
        connection.updateServerList(NOBODY);
        CuratorProgram.until("the client is cut off", isSuspended);
        CountDownLatch connected = new CountDownLatch(1);
        ZooKeeper twin = new ZooKeeper(hosts, CuratorProgram.SESSION_MS, event -> {
            if (event.getState() == KeeperState.SyncConnected) {
                connected.countDown();
            }
        }, connection.getSessionId(), connection.getSessionPasswd());
        check(connected.await(CuratorProgram.WAIT_SECONDS, TimeUnit.SECONDS), "the session is gone already");
        twin.close();
    }

    private static void checkLostSession(String hosts, PersistentNode node) throws Exception {
        CuratorProgram.step("the leader loses its session");
        CuratorProgram.until("a latch leads", () -> leader() != null);
        LeaderLatch before = leader();
        CuratorFramework loser = clients.get(latches.indexOf(before));
        ZooKeeper connection = loser.getZookeeperClient().getZooKeeper();
        long session = connection.getSessionId();
        endSession(loser, hosts, () -> !before.hasLeadership());
        CuratorProgram.until("another latch leads", () -> leader() != null);
        check(leader() != before, "a client leads that is cut off");
        connection.updateServerList(hosts);
        CuratorProgram.until("the loser has another session", () -> CuratorProgram.session(loser) != session);
        CuratorProgram.until("the loser waits for its turn again", () -> before.getParticipants().size() == CLIENTS);
        CuratorProgram.until("the node is there", () -> node.getActualPath() != null
            && clients.get(1).checkExists().forPath(node.getActualPath()) != null);
    }

    private static void checkLockOfTheDead(String hosts) throws Exception {
        CuratorProgram.step("a lock whose holder is gone");
        CuratorFramework dying = CuratorProgram.connect(hosts);
        new InterProcessMutex(dying, "/held").acquire();
        InterProcessMutex heir = new InterProcessMutex(clients.get(0), "/held");
        Thread waiting = CuratorProgram.beside("heir", heir::acquire);
        CuratorProgram.until("the heir waits", () -> heir.getParticipantNodes().size() == 2);
        check(waiting.isAlive(), "a held lock was taken");
        endSession(dying, hosts, () -> !dying.getZookeeperClient().isConnected());
        CuratorProgram.join(waiting);
        dying.close();
    }

    private static LeaderSelector lead(CuratorFramework client, AtomicInteger leading) {
        LeaderSelector selector = new LeaderSelector(client, "/led", new LeaderSelectorListenerAdapter() {
            @Override
            public void takeLeadership(CuratorFramework some) throws Exception {
                leading.incrementAndGet();
                try {
                    new CountDownLatch(1).await();
                } finally {
                    leading.decrementAndGet();
                }
            }
        });
        selector.start();
        return selector;
    }

    private static void checkSelectorOfTheDead(String hosts) throws Exception {
        CuratorProgram.step("a selected leader that is gone");
        CuratorFramework dying = CuratorProgram.connect(hosts);
        AtomicInteger before = new AtomicInteger();
        AtomicInteger after = new AtomicInteger();
        lead(dying, before);
        CuratorProgram.until("the first leads", () -> before.get() == 1);
        LeaderSelector heir = lead(clients.get(0), after);
        CuratorProgram.until("the heir waits", () -> heir.getParticipants().size() == 2);
        check(after.get() == 0, "two selectors lead");
        endSession(dying, hosts, () -> before.get() == 0);
        CuratorProgram.until("the heir leads", () -> after.get() == 1);
        check(before.get() == 0, "two selectors lead");
        heir.close();
        dying.close();
    }

    private static void run(String hosts) throws Exception {
        List<LeaderSelector> selectors = new ArrayList<>();
        List<Thread> workers = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            CuratorFramework client = CuratorProgram.connect(hosts);
            clients.add(client);
            if (i == 0) {
                client.create().forPath("/numbers");
            }
            startLatch(client, i);
            selectors.add(startSelector(client));
            workers.add(CuratorProgram.beside("locking", () -> lockAndCount(client)));
        }
        workers.add(CuratorProgram.beside("numbering", () -> createProtected(clients.get(0))));
        PersistentNode node = new PersistentNode(
            clients.get(0), CreateMode.EPHEMERAL, false, "/stays", CuratorProgram.bytes("s"));
        node.start();
        check(node.waitForInitialCreate(CuratorProgram.WAIT_SECONDS, TimeUnit.SECONDS), "node");
        endServers(hosts.split(",").length);
        stopping = true;
        for (Thread worker : workers) {
            CuratorProgram.join(worker);
        }
        selectors.forEach(LeaderSelector::close);
        clients.get(0).sync().forPath("/numbers");
        int made = clients.get(0).getChildren().forPath("/numbers").size();
        check(made == numbered.get(), numbered.get() + " protected creates made " + made + " nodes");
        checkLostSession(hosts, node);
        checkSelectorOfTheDead(hosts);
        checkLockOfTheDead(hosts);
    }

    public static void main(String[] arguments) {
        CuratorProgram.run(() -> run(arguments[0]));
    }
}
