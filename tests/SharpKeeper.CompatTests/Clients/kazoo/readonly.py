"""A server without a quorum serves reads to a client that allows it, and the client notices when the quorum is back."""
import socket
import threading
import time

from kazoo.client import KazooClient, KeeperState
from kazoo.exceptions import NotReadOnlyCallError
from kazoo.handlers.threading import KazooTimeoutError

import control

WAIT = 60
LAST = control.HOSTS.split(",")[-1]


def connect(hosts, wait=WAIT, **options):
    client = KazooClient(hosts=hosts, timeout=8, **options)
    client.start(wait)
    return client


def wait_until_read_only():
    """A leader takes a while to notice that it has lost the others."""
    host, port = LAST.split(":")
    deadline = time.monotonic() + WAIT
    answer = b""
    while answer != b"ro":
        assert time.monotonic() < deadline, "the server does not serve reads"
        time.sleep(0.1)
        with socket.create_connection((host, int(port)), WAIT) as word:
            word.sendall(b"isro")
            answer = word.recv(64)


writer = connect(control.HOSTS)
writer.create("/seen", b"before")
watcher = connect(LAST)
watcher.sync("/seen")
assert watcher.get("/seen")[0] == b"before"
watcher.stop()
watcher.close()
writer.stop()
writer.close()
control.stop_server(1)
control.stop_server(2)

reader = KazooClient(hosts=LAST, timeout=8, read_only=True)
writable = threading.Event()
reader.add_listener(lambda state: reader.client_state == KeeperState.CONNECTED and writable.set())
wait_until_read_only()
reader.start(WAIT)
assert reader.client_state == KeeperState.CONNECTED_RO, reader.client_state
assert reader.get("/seen")[0] == b"before"
try:
    reader.set("/seen", b"refused")
    raise AssertionError("a write was taken")
except NotReadOnlyCallError:
    pass
try:
    connect(LAST, wait=2)
    raise AssertionError("a client that does not allow it was served")
except KazooTimeoutError:
    pass

control.start_server(1)
assert writable.wait(WAIT), "the client does not notice that the quorum is back"
reader.retry(reader.set, "/seen", b"after")
assert reader.get("/seen")[0] == b"after"
reader.stop()
reader.close()
