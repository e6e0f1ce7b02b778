"""The recipes of kazoo, each with several clients that must agree."""
import threading

from kazoo.client import KazooClient
from kazoo.recipe.cache import TreeCache, TreeEvent

import control

WAIT = 30
clients = []


def connect():
    client = KazooClient(hosts=control.HOSTS)
    client.start()
    clients.append(client)
    return client


def together(*calls):
    """Runs calls in threads of their own and raises what any of them raises."""
    failures = []

    def guarded(call):
        try:
            call()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=guarded, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
        assert not thread.is_alive(), "a recipe did not come to an end"
    if failures:
        raise failures[0]


def check_lock(a, b):
    inside, most = [0], [0]
    guard = threading.Lock()

    def work(client):
        for _ in range(10):
            with client.Lock("/lock", "me"):
                with guard:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                with guard:
                    inside[0] -= 1

    together(lambda: work(a), lambda: work(b))
    assert most[0] == 1
    lock = a.Lock("/lock", "first")
    assert lock.acquire(blocking=False)
    other = b.Lock("/lock", "second")
    assert not other.acquire(blocking=False)
    assert other.contenders() == ["first"]
    lock.release()
    with a.ReadLock("/rw", "r1"), b.ReadLock("/rw", "r2"):
        assert not b.WriteLock("/rw", "w").acquire(blocking=False)
    assert b.WriteLock("/rw", "w").acquire(blocking=False)


def check_semaphore(a, b):
    first, second, third = [client.Semaphore("/sem", max_leases=2) for client in (a, b, b)]
    assert first.acquire() and second.acquire()
    assert not third.acquire(blocking=False)
    first.release()
    assert third.acquire(timeout=WAIT)
    second.release()
    third.release()


def check_election(a, b):
    leaders = []

    def lead(name):
        return lambda: leaders.append(name)

    together(lambda: a.Election("/election", "a").run(lead("a")), lambda: b.Election("/election", "b").run(lead("b")))
    assert sorted(leaders) == ["a", "b"]


def check_queues(a, b):
    queue = a.Queue("/queue")
    for value in range(10):
        queue.put(b"%d" % value, priority=100 - value)
    taken = b.Queue("/queue")
    assert [taken.get() for _ in range(10)] == [b"%d" % value for value in range(9, -1, -1)]
    assert taken.get() is None
    locking = a.LockingQueue("/locking")
    locking.put_all([b"one", b"two"])
    other = b.LockingQueue("/locking")
    assert locking.get(WAIT) == b"one" and other.get(WAIT) == b"two"
    assert locking.consume() and other.consume()
    assert len(locking) == 0


def check_barriers(a, b):
    barrier = a.Barrier("/barrier")
    barrier.create()
    together(lambda: b.Barrier("/barrier").wait(WAIT), barrier.remove)
    order = []

    def enter(client, name):
        double = client.DoubleBarrier("/double", 2, name)
        double.enter()
        order.append("in")
        double.leave()
        order.append("out")

    together(lambda: enter(a, "a"), lambda: enter(b, "b"))
    assert sorted(order) == ["in", "in", "out", "out"]


def check_party_and_counter(a, b):
    mine, others = a.Party("/party", "a"), b.Party("/party", "b")
    mine.join()
    others.join()
    assert sorted(mine) == ["a", "b"] and len(others) == 2
    others.leave()
    assert list(mine) == ["a"]
    shallow = b.ShallowParty("/shallow", "b")
    shallow.join()
    assert list(a.ShallowParty("/shallow")) == ["b"]
    together(*[(lambda client: lambda: add(client))(client) for client in (a, b)])
    assert a.Counter("/counter").value == 20


def add(client):
    counter = client.Counter("/counter")
    for _ in range(10):
        counter += 1


def check_partitioner(a, b):
    sets, both = {}, threading.Barrier(2)

    def take(client, name):
        partitioner = client.SetPartitioner("/parts", set=range(4), identifier=name, time_boundary=0.2)
        while True:
            if partitioner.release:
                partitioner.release_set()
            elif partitioner.acquired and len(list(partitioner)) == 2:
                break
            else:
                # Still allocating, or alone so far: the change of state that follows ends the wait.
                partitioner.wait_for_acquire(0.2)
        sets[name] = set(partitioner)
        both.wait(WAIT)
        partitioner.finish()

    together(lambda: take(a, "a"), lambda: take(b, "b"))
    assert sets["a"] | sets["b"] == set(range(4)) and not sets["a"] & sets["b"]


def check_watchers(a, b):
    seen, arrived = [], threading.Semaphore(0)
    a.create("/watched", b"0")

    @a.DataWatch("/watched")
    def data_changed(data, stat):
        seen.append(data)
        arrived.release()

    @a.ChildrenWatch("/watched")
    def children_changed(children):
        seen.append(sorted(children))
        arrived.release()

    # Both are called with what is there first. After that one change at a time: those that come before a watch is set
    # again are seen as one.
    for _ in range(2):
        assert arrived.acquire(timeout=WAIT)
    for step in range(5):
        b.set("/watched", b"%d" % step)
        assert arrived.acquire(timeout=WAIT)
        b.create("/watched/%d" % step)
        assert arrived.acquire(timeout=WAIT)
    assert b"4" in seen and ["0", "1", "2", "3", "4"] in seen


def check_cache(a, b):
    ready, updated, added, removed = [threading.Event() for _ in range(4)]
    reactions = {
        (TreeEvent.INITIALIZED, None): ready,
        (TreeEvent.NODE_UPDATED, "/cached/x"): updated,
        (TreeEvent.NODE_ADDED, "/cached/x/y"): added,
        (TreeEvent.NODE_REMOVED, "/cached/x/y"): removed,
    }

    def listen(event):
        reaction = reactions.get((event.event_type, event.event_data and event.event_data.path))
        if reaction is not None:
            reaction.set()

    b.ensure_path("/cached/x")
    cache = TreeCache(a, "/cached")
    cache.listen(listen)
    cache.start()
    # A cache hears of each change only after it has asked again, so the next one waits for that.
    assert ready.wait(WAIT)
    b.set("/cached/x", b"new")
    assert updated.wait(WAIT)
    assert cache.get_data("/cached/x").data == b"new"
    b.create("/cached/x/y")
    assert added.wait(WAIT)
    b.delete("/cached/x/y")
    assert removed.wait(WAIT)
    assert cache.get_children("/cached") == frozenset(["x"])
    cache.close()


def check_lease(a, b):
    import datetime
    hour = datetime.timedelta(hours=1)
    assert a.NonBlockingLease("/lease", hour, identifier="a")
    assert not b.NonBlockingLease("/lease", hour, identifier="b")
    assert a.MultiNonBlockingLease(2, "/leases", hour, identifier="a")
    assert b.MultiNonBlockingLease(2, "/leases", hour, identifier="b")
    assert not b.MultiNonBlockingLease(2, "/leases", hour, identifier="c")


def main():
    a, b = connect(), connect()
    for check in (check_lock, check_semaphore, check_election, check_queues, check_barriers, check_party_and_counter,
                  check_partitioner, check_watchers, check_cache, check_lease):
        print(check.__name__, flush=True)
        check(a, b)
    for client in clients:
        client.stop()
        client.close()


main()
