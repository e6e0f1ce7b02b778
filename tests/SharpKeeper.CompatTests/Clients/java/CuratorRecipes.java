import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.atomic.AtomicValue;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.atomic.PromotedToLock;
import org.apache.curator.framework.recipes.barriers.DistributedBarrier;
import org.apache.curator.framework.recipes.barriers.DistributedDoubleBarrier;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;
import org.apache.curator.framework.recipes.locks.InterProcessLock;
import org.apache.curator.framework.recipes.locks.InterProcessMultiLock;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreMutex;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.framework.recipes.locks.Revoker;
import org.apache.curator.framework.recipes.nodes.GroupMember;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.curator.framework.recipes.nodes.PersistentTtlNode;
import org.apache.curator.framework.recipes.queue.DistributedDelayQueue;
import org.apache.curator.framework.recipes.queue.DistributedPriorityQueue;
import org.apache.curator.framework.recipes.queue.DistributedQueue;
import org.apache.curator.framework.recipes.queue.QueueBuilder;
import org.apache.curator.framework.recipes.queue.QueueConsumer;
import org.apache.curator.framework.recipes.queue.QueueSerializer;
import org.apache.curator.framework.recipes.queue.SimpleDistributedQueue;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.framework.recipes.shared.SharedCountListener;
import org.apache.curator.framework.recipes.shared.SharedCountReader;
import org.apache.curator.framework.recipes.shared.VersionedValue;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryNTimes;
import org.apache.curator.x.discovery.ServiceCache;
import org.apache.curator.x.discovery.ServiceDiscovery;
import org.apache.curator.x.discovery.ServiceDiscoveryBuilder;
import org.apache.curator.x.discovery.ServiceInstance;
import org.apache.curator.x.discovery.ServiceProvider;
import org.apache.curator.x.discovery.strategies.RoundRobinStrategy;
import org.apache.zookeeper.CreateMode;

/**
 * Curator's recipes among three clients, each of them on a server of its own if there are several; ends with 0 if all
 * was as it must be. The caches are in CuratorCaches.
 */
public final class CuratorRecipes {
    private static final int CLIENTS = 3;
    private static final int SHORT_MS = 10;
    private static final CuratorFramework[] clients = new CuratorFramework[CLIENTS];

    private static final QueueSerializer<String> TEXT = new QueueSerializer<String>() {
        @Override
        public byte[] serialize(String item) {
            return CuratorProgram.bytes(item);
        }

        @Override
        public String deserialize(byte[] bytes) {
            return CuratorProgram.text(bytes);
        }
    };

    private CuratorRecipes() {
    }

    /** What is done with one of the clients. */
    private interface Turn {
        void take(CuratorFramework client, int index) throws Exception;
    }

    private static void check(boolean condition, String message) {
        CuratorProgram.check(condition, message);
    }

    private static void allAtOnce(String name, Turn turn) throws Exception {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            int index = i;
            threads.add(CuratorProgram.beside(name + " " + i, () -> turn.take(clients[index], index)));
        }
        for (Thread thread : threads) {
            CuratorProgram.join(thread);
        }
    }

    private static void acquire(InterProcessLock lock) throws Exception {
        check(lock.acquire(CuratorProgram.WAIT_SECONDS, TimeUnit.SECONDS), "a lock was not to be had");
    }

    private static boolean isFree(InterProcessLock lock) throws Exception {
        if (!lock.acquire(SHORT_MS, TimeUnit.MILLISECONDS)) {
            return false;
        }
        lock.release();
        return true;
    }

    private static void checkMutex() throws Exception {
        CuratorProgram.step("InterProcessMutex");
        int rounds = 10;
        AtomicInteger inside = new AtomicInteger();
        int[] count = new int[1];
        allAtOnce("mutex", (client, index) -> {
            InterProcessMutex mutex = new InterProcessMutex(client, "/mutex");
            for (int i = 0; i < rounds; i++) {
                acquire(mutex);
                acquire(mutex);
                check(inside.incrementAndGet() == 1, "two are inside");
                count[0]++;
                inside.decrementAndGet();
                mutex.release();
                mutex.release();
            }
        });
        check(count[0] == CLIENTS * rounds, "count " + count[0]);
        InterProcessMutex mine = new InterProcessMutex(clients[0], "/mutex");
        CountDownLatch revoked = new CountDownLatch(1);
        mine.makeRevocable(lock -> revoked.countDown());
        acquire(mine);
        check(!isFree(new InterProcessMutex(clients[1], "/mutex")), "a held lock was taken");
        Collection<String> nodes = mine.getParticipantNodes();
        check(nodes.size() == 1, "participants " + nodes);
        String node = nodes.iterator().next();
        CuratorProgram.until("the node of the lock is seen", () -> clients[1].checkExists().forPath(node) != null);
        Revoker.attemptRevoke(clients[1], node);
        check(revoked.await(CuratorProgram.WAIT_SECONDS, TimeUnit.SECONDS), "revocation");
        mine.release();
        acquire(new InterProcessMutex(clients[1], "/mutex"));
    }

    private static void checkReadWriteLock() throws Exception {
        CuratorProgram.step("InterProcessReadWriteLock");
        InterProcessReadWriteLock one = new InterProcessReadWriteLock(clients[0], "/rw");
        InterProcessReadWriteLock two = new InterProcessReadWriteLock(clients[1], "/rw");
        acquire(one.readLock());
        acquire(two.readLock());
        check(!isFree(new InterProcessReadWriteLock(clients[2], "/rw").writeLock()), "a writer beside readers");
        one.readLock().release();
        two.readLock().release();
        acquire(one.writeLock());
        check(!isFree(two.readLock()) && !isFree(two.writeLock()), "somebody beside a writer");
        acquire(one.readLock());
        one.writeLock().release();
        check(!isFree(two.writeLock()), "a writer beside one that became a reader");
        acquire(two.readLock());
        one.readLock().release();
        two.readLock().release();
        acquire(two.writeLock());
    }

    private static void checkSemaphore() throws Exception {
        CuratorProgram.step("InterProcessSemaphoreV2");
        int leases = 2;
        AtomicInteger inside = new AtomicInteger();
        allAtOnce("semaphore", (client, index) -> {
            InterProcessSemaphoreV2 semaphore = new InterProcessSemaphoreV2(client, "/semaphore", leases);
            for (int i = 0; i < 5; i++) {
                Lease lease = semaphore.acquire();
                check(inside.incrementAndGet() <= leases, "too many leases");
                inside.decrementAndGet();
                semaphore.returnLease(lease);
            }
        });
        InterProcessSemaphoreV2 one = new InterProcessSemaphoreV2(clients[0], "/semaphore", leases);
        InterProcessSemaphoreV2 two = new InterProcessSemaphoreV2(clients[1], "/semaphore", leases);
        Collection<Lease> both = one.acquire(leases, CuratorProgram.WAIT_SECONDS, TimeUnit.SECONDS);
        check(both != null && both.size() == leases, "leases");
        check(two.acquire(SHORT_MS, TimeUnit.MILLISECONDS) == null, "a lease too many");
        one.returnAll(both);
        check(two.acquire(CuratorProgram.WAIT_SECONDS, TimeUnit.SECONDS) != null, "a returned lease");
    }

    private static InterProcessLock multi(CuratorFramework client) {
        return new InterProcessMultiLock(Arrays.asList(
            new InterProcessMutex(client, "/multi/a"), new InterProcessSemaphoreMutex(client, "/multi/b")));
    }

    private static void checkMultiLock() throws Exception {
        CuratorProgram.step("InterProcessMultiLock");
        InterProcessLock all = multi(clients[0]);
        InterProcessLock part = new InterProcessSemaphoreMutex(clients[1], "/multi/b");
        acquire(all);
        check(!isFree(part), "a part of a held lock was taken");
        all.release();
        acquire(part);
        check(!isFree(multi(clients[2])), "all was taken though a part is held");
        check(isFree(new InterProcessMutex(clients[0], "/multi/a")), "the other part was not given back");
        part.release();
        acquire(multi(clients[2]));
    }

    private static void checkLatch() throws Exception {
        CuratorProgram.step("LeaderLatch");
        List<LeaderLatch> latches = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            LeaderLatch latch = new LeaderLatch(clients[i], "/latch", "number " + i);
            latch.start();
            latches.add(latch);
        }
        while (!latches.isEmpty()) {
            CuratorProgram.until("somebody leads", () -> latches.stream().anyMatch(LeaderLatch::hasLeadership));
            check(latches.stream().filter(LeaderLatch::hasLeadership).count() == 1, "two lead");
            LeaderLatch leader = latches.stream().filter(LeaderLatch::hasLeadership).findFirst().get();
            for (LeaderLatch latch : latches) {
                CuratorProgram.until("all know who leads",
                    () -> latch.getLeader().getId().equals(leader.getId())
                        && latch.getParticipants().size() == latches.size());
            }
            latches.remove(leader);
            leader.close();
        }
    }

    private static void checkSelector() throws Exception {
        CuratorProgram.step("LeaderSelector");
        int turns = 3;
        AtomicInteger leaders = new AtomicInteger();
        CountDownLatch done = new CountDownLatch(CLIENTS * turns);
        List<LeaderSelector> selectors = new ArrayList<>();
        for (CuratorFramework client : clients) {
            LeaderSelector selector = new LeaderSelector(client, "/selector", new LeaderSelectorListenerAdapter() {
                @Override
                public void takeLeadership(CuratorFramework some) {
                    if (leaders.incrementAndGet() != 1) {
                        CuratorProgram.fail("two lead");
                    }
                    done.countDown();
                    leaders.decrementAndGet();
                }
            });
            selector.autoRequeue();
            selector.start();
            selectors.add(selector);
        }
        check(done.await(CuratorProgram.WAIT_SECONDS, TimeUnit.SECONDS), "turns left: " + done.getCount());
        selectors.forEach(LeaderSelector::close);
    }

    private static void checkBarriers() throws Exception {
        CuratorProgram.step("barriers");
        DistributedBarrier barrier = new DistributedBarrier(clients[0], "/barrier");
        barrier.setBarrier();
        for (CuratorFramework client : clients) {
            CuratorProgram.until("the barrier is seen", () -> client.checkExists().forPath("/barrier") != null);
            check(!new DistributedBarrier(client, "/barrier").waitOnBarrier(SHORT_MS, TimeUnit.MILLISECONDS), "passed");
        }
        Thread remover = CuratorProgram.beside("remover", barrier::removeBarrier);
        allAtOnce("barrier", (client, index) -> check(new DistributedBarrier(client, "/barrier")
            .waitOnBarrier(CuratorProgram.WAIT_SECONDS, TimeUnit.SECONDS), "the barrier stays"));
        CuratorProgram.join(remover);
        AtomicInteger entered = new AtomicInteger();
        AtomicInteger leaving = new AtomicInteger();
        allAtOnce("double barrier", (client, index) -> {
            DistributedDoubleBarrier both = new DistributedDoubleBarrier(client, "/double", CLIENTS);
            entered.incrementAndGet();
            check(both.enter(CuratorProgram.WAIT_SECONDS, TimeUnit.SECONDS) && entered.get() == CLIENTS, "enter");
            leaving.incrementAndGet();
            check(both.leave(CuratorProgram.WAIT_SECONDS, TimeUnit.SECONDS) && leaving.get() == CLIENTS, "leave");
        });
    }

    private static void checkCounters() throws Exception {
        CuratorProgram.step("counters");
        SharedCount one = new SharedCount(clients[0], "/count", 7);
        one.start();
        CuratorProgram.until("the count is seen", () -> clients[1].checkExists().forPath("/count") != null);
        SharedCount two = new SharedCount(clients[1], "/count", 8);
        CountDownLatch heard = new CountDownLatch(1);
        two.addListener(new SharedCountListener() {
            @Override
            public void countHasChanged(SharedCountReader reader, int count) {
                if (count == 9) {
                    heard.countDown();
                }
            }

            @Override
            public void stateChanged(CuratorFramework client, ConnectionState state) {
            }
        });
        two.start();
        check(two.getCount() == 7, "the first value stays");
        VersionedValue<Integer> stale = one.getVersionedValue();
        one.setCount(9);
        check(heard.await(CuratorProgram.WAIT_SECONDS, TimeUnit.SECONDS), "nobody heard of a count");
        check(!one.trySetCount(stale, 10), "a stale version was taken");
        check(two.trySetCount(two.getVersionedValue(), 11), "a good version was not taken");
        one.close();
        two.close();

        int rounds = 10;
        allAtOnce("atomic", (client, index) -> {
            DistributedAtomicLong number = new DistributedAtomicLong(client, "/atomic", new RetryNTimes(3, 1),
                PromotedToLock.builder().lockPath("/atomic-lock").retryPolicy(new RetryNTimes(1000, 1)).build());
            for (int i = 0; i < rounds; i++) {
                AtomicValue<Long> value = number.increment();
                check(value.succeeded() && value.postValue() == value.preValue() + 1, "increment");
            }
        });
        clients[0].sync().forPath("/atomic");
        DistributedAtomicLong number = new DistributedAtomicLong(clients[0], "/atomic", new RetryNTimes(3, 1));
        check(number.get().postValue() == CLIENTS * rounds, "sum " + number.get().postValue());
        check(number.compareAndSet((long) CLIENTS * rounds, 5L).succeeded(), "compare and set");
        check(!number.compareAndSet(4L, 6L).succeeded(), "compare and set of another value");
    }

    private static void checkNodes() throws Exception {
        CuratorProgram.step("nodes that stay");
        PersistentNode node = new PersistentNode(
            clients[0], CreateMode.EPHEMERAL, true, "/nodes/e", CuratorProgram.bytes("mine"));
        node.start();
        check(node.waitForInitialCreate(CuratorProgram.WAIT_SECONDS, TimeUnit.SECONDS), "node");
        String path = node.getActualPath();
        CuratorProgram.until("the node is seen", () -> clients[1].checkExists().forPath(path) != null);
        long first = clients[1].checkExists().forPath(path).getCzxid();
        clients[1].delete().forPath(path);
        CuratorProgram.until("the node is there again", () -> clients[1].checkExists().forPath(path) != null
            && clients[1].checkExists().forPath(path).getCzxid() > first);
        node.close();
        CuratorProgram.until("the node is gone", () -> clients[1].checkExists().forPath(path) == null);

        int lifetimeMs = 1_000;
        PersistentTtlNode timed = new PersistentTtlNode(clients[0], "/nodes/ttl", lifetimeMs, new byte[0]);
        timed.start();
        check(timed.waitForInitialCreate(CuratorProgram.WAIT_SECONDS, TimeUnit.SECONDS), "node with a lifetime");
        String touched = "/nodes/ttl/" + PersistentTtlNode.DEFAULT_CHILD_NODE_NAME;
        CuratorProgram.until("the node is touched", () -> clients[1].checkExists().forPath(touched) != null
            && clients[1].checkExists().forPath(touched).getVersion() > 1);
        timed.close();
        CuratorProgram.until("nobody touches the node", () -> clients[1].checkExists().forPath("/nodes/ttl") == null);

        CuratorProgram.step("GroupMember");
        List<GroupMember> members = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            GroupMember member = new GroupMember(clients[i], "/group", "m" + i, CuratorProgram.bytes("d" + i));
            member.start();
            members.add(member);
        }
        for (GroupMember member : members) {
            CuratorProgram.until("all see all", () -> member.getCurrentMembers().size() == CLIENTS
                && "d2".equals(CuratorProgram.text(member.getCurrentMembers().get("m2"))));
        }
        members.get(2).close();
        CuratorProgram.until("one has left", () -> !members.get(0).getCurrentMembers().containsKey("m2"));
        members.get(0).close();
        members.get(1).close();
    }

    private static QueueConsumer<String> consumer(Map<String, Integer> seen) {
        return new QueueConsumer<String>() {
            @Override
            public void consumeMessage(String message) {
                seen.merge(message, 1, Integer::sum);
            }

            @Override
            public void stateChanged(CuratorFramework client, ConnectionState state) {
            }
        };
    }

    private static void checkQueues() throws Exception {
        CuratorProgram.step("queues");
        int items = 30;
        Map<String, Integer> seen = new ConcurrentHashMap<>();
        List<DistributedQueue<String>> queues = new ArrayList<>();
        for (CuratorFramework client : clients) {
            DistributedQueue<String> queue = QueueBuilder.builder(client, consumer(seen), TEXT, "/queue/items")
                .lockPath("/queue/locks").buildQueue();
            queue.start();
            queues.add(queue);
        }
        for (int i = 0; i < items; i++) {
            queues.get(i % CLIENTS).put("item " + i);
        }
        CuratorProgram.until("all items are consumed", () -> seen.size() == items);
        for (DistributedQueue<String> queue : queues) {
            queue.close();
        }
        check(seen.values().stream().allMatch(times -> times == 1), "an item was consumed twice: " + seen);

        Map<String, Integer> others = new ConcurrentHashMap<>();
        try (DistributedPriorityQueue<String> queue =
                QueueBuilder.builder(clients[0], consumer(others), TEXT, "/queue/ranked").buildPriorityQueue(1);
            DistributedDelayQueue<String> late =
                QueueBuilder.builder(clients[1], consumer(others), TEXT, "/queue/late").buildDelayQueue()) {
            queue.start();
            late.start();
            queue.put("ranked", 5);
            late.put("late", System.currentTimeMillis() + SHORT_MS);
            CuratorProgram.until("both are consumed",
                () -> new TreeSet<>(others.keySet()).equals(new TreeSet<>(Arrays.asList("late", "ranked"))));
        }
        SimpleDistributedQueue simple = new SimpleDistributedQueue(clients[2], "/queue/simple");
        Thread offering = CuratorProgram.beside("offering", () ->
            new SimpleDistributedQueue(clients[0], "/queue/simple").offer(CuratorProgram.bytes("offered")));
        check("offered".equals(CuratorProgram.text(simple.take())), "take");
        CuratorProgram.join(offering);
    }

    private static ServiceInstance<String> service(int number) throws Exception {
        return ServiceInstance.<String>builder().name("printer").id("p" + number).address("127.0.0.1")
            .port(9000 + number).payload("floor " + number).build();
    }

    private static void checkDiscovery() throws Exception {
        CuratorProgram.step("ServiceDiscovery");
        List<ServiceDiscovery<String>> discoveries = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            ServiceDiscovery<String> discovery = ServiceDiscoveryBuilder.builder(String.class).client(clients[i])
                .basePath("/discovery").thisInstance(service(i)).build();
            discovery.start();
            discoveries.add(discovery);
        }
        ServiceDiscovery<String> seeker = discoveries.get(0);
        ServiceCache<String> cache = seeker.serviceCacheBuilder().name("printer").build();
        cache.start();
        CuratorProgram.until("all are found", () -> cache.getInstances().size() == CLIENTS
            && seeker.queryForInstances("printer").size() == CLIENTS);
        check(seeker.queryForNames().equals(Arrays.asList("printer")), "names");
        check("floor 2".equals(seeker.queryForInstance("printer", "p2").getPayload()), "payload");
        ServiceProvider<String> provider = seeker.serviceProviderBuilder().serviceName("printer")
            .providerStrategy(new RoundRobinStrategy<>()).build();
        provider.start();
        CuratorProgram.until("the provider finds all", () -> provider.getAllInstances().size() == CLIENTS);
        TreeSet<String> used = new TreeSet<>();
        for (int i = 0; i < CLIENTS; i++) {
            used.add(provider.getInstance().getId());
        }
        check(used.size() == CLIENTS, "round robin " + used);
        discoveries.get(1).unregisterService(service(1));
        discoveries.get(2).close();
        CuratorProgram.until("two are gone", () -> cache.getInstances().size() == 1);
        provider.close();
        cache.close();
        discoveries.get(1).close();
        seeker.close();
    }

    private static void run(String hosts) throws Exception {
        String[] servers = hosts.split(",");
        for (int i = 0; i < CLIENTS; i++) {
            clients[i] = CuratorProgram.connect(
                CuratorProgram.builder(servers[i % servers.length]).ensembleTracker(false));
        }
        checkMutex();
        checkReadWriteLock();
        checkSemaphore();
        checkMultiLock();
        checkLatch();
        checkSelector();
        checkBarriers();
        checkCounters();
        checkNodes();
        checkQueues();
        checkDiscovery();
        for (CuratorFramework client : clients) {
            client.close();
        }
    }

    public static void main(String[] arguments) {
        CuratorProgram.run(() -> run(arguments[0]));
    }
}
