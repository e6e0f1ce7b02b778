import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.cache.ChildData;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.cache.CuratorCacheListener;
import org.apache.curator.framework.recipes.cache.NodeCache;
import org.apache.curator.framework.recipes.cache.PathChildrenCache;
import org.apache.curator.framework.recipes.cache.TreeCache;
import org.apache.zookeeper.CreateMode;

/** Curator's caches of a tree that another client changes, also while no server is there to watch it. */
@SuppressWarnings("deprecation")
public final class CuratorCaches {
    private static final BlockingQueue<String> events = new LinkedBlockingQueue<>();

    private CuratorCaches() {
    }

    private static void check(boolean condition, String message) {
        CuratorProgram.check(condition, message);
    }

    private static byte[] bytes(String text) {
        return CuratorProgram.bytes(text);
    }

    private static void expect(String wanted) throws Exception {
        String event = events.poll(CuratorProgram.WAIT_SECONDS, TimeUnit.SECONDS);
        check(wanted.equals(event), "expected " + wanted + ", got " + event);
    }

    private static boolean holds(ChildData data, String text) {
        return text == null ? data == null : data != null && text.equals(CuratorProgram.text(data.getData()));
    }

    /** The four kinds of caches, old and new. */
    private static final class All implements AutoCloseable {
        private final CuratorCache whole;
        private final TreeCache tree;
        private final PathChildrenCache children;
        private final NodeCache node;

        // The server keeps one kind of watch for a path and a session, so the lasting ones are of another session.
        All(CuratorFramework client, CuratorFramework lasting) throws Exception {
            whole = CuratorCache.build(lasting, "/cache");
            tree = new TreeCache(client, "/cache");
            children = new PathChildrenCache(client, "/cache", true);
            node = new NodeCache(client, "/cache/a");
            CountDownLatch ready = new CountDownLatch(1);
            whole.listenable().addListener(CuratorCacheListener.builder()
                .forCreates(created -> events.add("created " + created.getPath()))
                .forChanges((before, after) -> events.add(
                    "changed " + after.getPath() + " to " + CuratorProgram.text(after.getData())))
                .forDeletes(deleted -> events.add("deleted " + deleted.getPath()))
                .forInitialized(ready::countDown).build());
            whole.start();
            tree.start();
            children.start(PathChildrenCache.StartMode.BUILD_INITIAL_CACHE);
            node.start(true);
            check(ready.await(CuratorProgram.WAIT_SECONDS, TimeUnit.SECONDS), "the cache is not filled");
        }

        /** Waits until all caches have a child of /cache with a text, or know that there is none. */
        void await(String name, String text) throws Exception {
            String path = "/cache/" + name;
            CuratorProgram.until("CuratorCache " + name, () -> holds(whole.get(path).orElse(null), text));
            CuratorProgram.until("TreeCache " + name, () -> holds(tree.getCurrentData(path), text));
            CuratorProgram.until("PathChildrenCache " + name, () -> holds(children.getCurrentData(path), text));
            if (name.equals("a")) {
                CuratorProgram.until("NodeCache " + name, () -> holds(node.getCurrentData(), text));
            }
        }

        @Override
        public void close() throws Exception {
            whole.close();
            tree.close();
            children.close();
            node.close();
        }
    }

    private static void checkEvents(All caches, CuratorFramework other) throws Exception {
        CuratorProgram.step("changes");
        expect("created /cache");
        expect("created /cache/a");
        other.create().forPath("/cache/b", bytes("b1"));
        other.create().forPath("/cache/b/deep", bytes("d1"));
        other.setData().forPath("/cache/b/deep", bytes("d2"));
        other.delete().forPath("/cache/b/deep");
        other.setData().forPath("/cache/a", bytes("a2"));
        Set<String> wanted = new TreeSet<>();
        wanted.add("created /cache/b");
        wanted.add("created /cache/b/deep");
        wanted.add("deleted /cache/b/deep");
        wanted.add("changed /cache/a to a2");
        // The cache reads what a watch has announced: of two changes in a row it may see the second only.
        while (!wanted.isEmpty()) {
            String event = events.poll(CuratorProgram.WAIT_SECONDS, TimeUnit.SECONDS);
            check(event != null, "missing " + wanted);
            wanted.remove(event);
            if (event.startsWith("deleted /cache/b/deep")) {
                wanted.remove("created /cache/b/deep");
            }
        }
        caches.await("a", "a2");
        caches.await("b", "b1");
    }

    private static void checkMany(All caches, CuratorFramework other) throws Exception {
        CuratorProgram.step("many changes");
        int nodes = 20;
        int rounds = 10;
        List<Thread> writers = new ArrayList<>();
        for (int n = 0; n < nodes; n++) {
            String name = "n" + n;
            writers.add(CuratorProgram.beside(name, () -> {
                other.create().withMode(CreateMode.EPHEMERAL).forPath("/cache/" + name, bytes("0"));
                for (int i = 1; i <= rounds; i++) {
                    other.setData().forPath("/cache/" + name, bytes(Integer.toString(i)));
                }
            }));
        }
        for (Thread writer : writers) {
            CuratorProgram.join(writer);
        }
        for (int n = 0; n < nodes; n++) {
            caches.await("n" + n, Integer.toString(rounds));
        }
    }

    private static void run(String hosts) throws Exception {
        CuratorFramework client = CuratorProgram.connect(hosts);
        CuratorFramework lasting = CuratorProgram.connect(hosts);
        CuratorFramework other = CuratorProgram.connect(hosts);
        client.create().creatingParentsIfNeeded().forPath("/cache/a", bytes("a1"));
        lasting.sync().forPath("/cache");
        try (All caches = new All(client, lasting)) {
            checkEvents(caches, other);
            checkMany(caches, other);
            CuratorProgram.step("changes while the servers go and come");
            CuratorProgram.ask("stop");
            Thread late = CuratorProgram.beside("late", () -> {
                other.setData().forPath("/cache/a", bytes("a3"));
                other.delete().forPath("/cache/b");
                other.create().forPath("/cache/c", bytes("c1"));
            });
            CuratorProgram.ask("start");
            CuratorProgram.join(late);
            caches.await("a", "a3");
            caches.await("b", null);
            caches.await("c", "c1");
            CuratorProgram.step("the end of a session");
            other.close();
            caches.await("n0", null);
            caches.await("n19", null);
            check(caches.whole.size() == 3, "size " + caches.whole.size());
        }
        client.close();
        lasting.close();
    }

    public static void main(String[] arguments) {
        CuratorProgram.run(() -> run(arguments[0]));
    }
}
