"""What clients see when the server ends and comes back on the same data: sessions, ephemerals and watches live on."""
import threading

from kazoo.client import KazooClient
from kazoo.protocol.states import KazooState
from kazoo.retry import KazooRetry

import control

WAIT = 30


def main():
    client = KazooClient(hosts=control.HOSTS, timeout=20, connection_retry=KazooRetry(max_tries=-1, delay=0.05))
    states, back = [], threading.Event()

    def listen(state):
        states.append(state)
        if state == KazooState.CONNECTED and len(states) > 1:
            back.set()

    client.add_listener(listen)
    client.start()
    session = client.client_id
    client.create("/restart", b"before")
    client.create("/restart/e", ephemeral=True)
    client.create("/restart/s-", sequence=True)
    before = client.get("/restart")
    seen, fired = [], threading.Event()

    @client.DataWatch("/restart")
    def changed(data, stat):
        seen.append(data)
        if data == b"after":
            fired.set()

    lock = client.Lock("/restart-lock", "holder")
    assert lock.acquire()

    control.stop_server()
    pending = client.get_async("/restart")
    control.start_server()
    assert back.wait(WAIT), "the client did not come back"
    assert pending.wait(WAIT)

    assert client.client_id == session, "the session was lost"
    assert client.retry(client.get, "/restart") == before
    assert client.exists("/restart/e").ephemeralOwner == session[0]
    client.set("/restart", b"after")
    assert fired.wait(WAIT), "the watch did not survive the restart"
    assert seen == [b"before", b"after"]
    assert client.create("/restart/s-", sequence=True) == "/restart/s-0000000002"
    assert lock.is_acquired and lock.contenders() == ["holder"]
    lock.release()

    for _ in range(3):
        back.clear()
        control.restart_server()
        assert client.retry(client.set, "/restart", b"again").version > 0
    assert KazooState.LOST not in states
    client.stop()
    client.close()


main()
