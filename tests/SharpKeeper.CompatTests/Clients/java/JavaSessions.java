import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;

/** Moves a session from the first to the second of the servers given; ends with 0 if all was as it must be. */
public final class JavaSessions {
    private static final int WAIT_SECONDS = 30;

    private static void check(boolean condition, String message) {
        if (!condition) {
            throw new AssertionError(message);
        }
    }

    private static ZooKeeper connect(String host, long session, byte[] password) throws Exception {
        CountDownLatch connected = new CountDownLatch(1);
        ZooKeeper client = new ZooKeeper(host, 20_000, event -> {
            if (event.getType() == EventType.None && event.getState() == KeeperState.SyncConnected) {
                connected.countDown();
            }
        }, session, password);
        check(connected.await(WAIT_SECONDS, TimeUnit.SECONDS), "no connection to " + host);
        return client;
    }

    private static void sync(ZooKeeper client) throws Exception {
        CountDownLatch synced = new CountDownLatch(1);
        client.sync("/", (code, path, context) -> synced.countDown(), null);
        check(synced.await(WAIT_SECONDS, TimeUnit.SECONDS), "sync was not answered");
    }

    public static void main(String[] arguments) throws Exception {
        String[] hosts = arguments[0].split(",");
        byte[] data = "x".getBytes(StandardCharsets.UTF_8);
        ZooKeeper first = connect(hosts[0], 0, new byte[16]);
        long session = first.getSessionId();
        first.create("/sessions", data, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        first.create("/sessions/e", data, Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
        ZooKeeper second = connect(hosts[1], session, first.getSessionPasswd());
        check(second.getSessionId() == session, "another session");
        sync(second);
        check(second.exists("/sessions/e", false).getEphemeralOwner() == session, "the ephemeral did not move along");
        CountDownLatch changed = new CountDownLatch(1);
        second.getData("/sessions", event -> {
            if (event.getType() == EventType.NodeDataChanged) {
                changed.countDown();
            }
        }, null);
        try {
            first.setData("/sessions", data, -1);
            check(false, "the old connection could write");
        } catch (KeeperException.SessionMovedException | KeeperException.ConnectionLossException expected) {
            // Which of the two depends on how soon the server closes the connection.
        }
        check(changed.getCount() == 1, "a refused write changed the data");
        ZooKeeper third = connect(hosts[2], 0, new byte[16]);
        sync(third);
        third.setData("/sessions", data, 0);
        check(changed.await(WAIT_SECONDS, TimeUnit.SECONDS), "the watch of the moved session did not fire");
        third.close();
        System.out.println("all is well");
        System.out.flush();
        // The two clients would take the session from each other for ever.
        Runtime.getRuntime().halt(0);
    }
}
