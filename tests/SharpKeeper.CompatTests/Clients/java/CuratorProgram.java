import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryForever;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.Watcher.Event.EventType;

/** What the programs on Curator share: checks that wait, clients, and wishes to the test that runs them. */
final class CuratorProgram {
    static final int WAIT_SECONDS = 40;
    static final int SESSION_MS = 30_000;
    private static final int CONNECTION_MS = 15_000;
    private static final int RETRY_MS = 50;
    private static final int PAUSE_MS = 10;
    private static final BufferedReader answers =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    private static volatile Throwable failure;

    /** Notes events and lets a check wait for them. */
    static final class Events implements Watcher {
        private final BlockingQueue<WatchedEvent> queue = new LinkedBlockingQueue<>();

        @Override
        public void process(WatchedEvent event) {
            if (event.getType() != EventType.None) {
                queue.add(event);
            }
        }

        void expect(EventType type, String path) throws InterruptedException {
            WatchedEvent event = queue.poll(WAIT_SECONDS, TimeUnit.SECONDS);
            check(event != null, "no event, expected " + type + " " + path);
            check(event.getType() == type && path.equals(event.getPath()),
                "expected " + type + " " + path + ", got " + event);
        }

        void expectNothing() {
            check(queue.isEmpty(), "unexpected " + queue.peek());
        }
    }

    /** A part of a program that runs beside the others. */
    interface Part {
        void run() throws Exception;
    }

    private CuratorProgram() {
    }

    /** Runs a program; the test knows by the last line and the exit code how it went. */
    static void run(Part program) {
        try {
            program.run();
            rethrow();
        } catch (Throwable thrown) {
            thrown.printStackTrace();
            System.err.flush();
            Runtime.getRuntime().halt(1);
        }
        System.out.println("all is well");
        System.out.flush();
        // A thread that somebody forgot must not keep the test waiting.
        Runtime.getRuntime().halt(0);
    }

    static void check(boolean condition, String message) {
        if (!condition) {
            throw new AssertionError(message);
        }
    }

    /** Waits until something holds: clients of different servers see a change one after the other. */
    static void until(String what, Callable<Boolean> holds) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS);
        while (!holds.call()) {
            rethrow();
            check(System.nanoTime() < end, "waited in vain: " + what);
            Thread.sleep(PAUSE_MS);
        }
    }

    /** Starts a part of the program on a thread of its own; its failure is the failure of the program. */
    static Thread beside(String name, Part part) {
        Thread thread = new Thread(() -> {
            try {
                part.run();
            } catch (Throwable thrown) {
                failure = thrown;
            }
        }, name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    /** Waits until a part that was started beside is at its end. */
    static void join(Thread thread) throws Exception {
        thread.join(TimeUnit.SECONDS.toMillis(WAIT_SECONDS));
        rethrow();
        check(!thread.isAlive(), thread.getName() + " does not come to an end");
    }

    /** Notes a failure that was seen in a callback. */
    static void fail(String message) {
        failure = new AssertionError(message);
    }

    /** Says what is being tried, for the message of a failed test. */
    static void step(String name) throws Exception {
        rethrow();
        System.out.println(name);
        System.out.flush();
    }

    /** Has the test do something to the servers. */
    static void ask(String wish) throws Exception {
        step("@" + wish);
        check("done".equals(answers.readLine()), wish);
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static String text(byte[] bytes) {
        return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
    }

    /** How all clients are made, unless a check wants it otherwise. */
    static CuratorFrameworkFactory.Builder builder(String hosts) {
        return CuratorFrameworkFactory.builder().connectString(hosts).sessionTimeoutMs(SESSION_MS)
            .connectionTimeoutMs(CONNECTION_MS).retryPolicy(new RetryForever(RETRY_MS));
    }

    static CuratorFramework connect(CuratorFrameworkFactory.Builder builder) throws Exception {
        CuratorFramework client = builder.build();
        client.start();
        check(client.blockUntilConnected(WAIT_SECONDS, TimeUnit.SECONDS), "no connection");
        return client;
    }

    static CuratorFramework connect(String hosts) throws Exception {
        return connect(builder(hosts));
    }

    static long session(CuratorFramework client) throws Exception {
        return client.getZookeeperClient().getZooKeeper().getSessionId();
    }

    private static void rethrow() throws Exception {
        Throwable thrown = failure;
        if (thrown != null) {
            throw new Exception("a part that ran beside failed", thrown);
        }
    }
}
