"""Sessions move with their ephemerals and watches as the servers of an ensemble end and come back."""
import threading

from kazoo.client import KazooClient
from kazoo.protocol.states import KazooState
from kazoo.retry import KazooRetry

import control

WAIT = 30
SERVERS = control.HOSTS.split(",")


def connect(hosts, **options):
    retry = KazooRetry(max_tries=-1, delay=0.05, max_delay=0.5)
    client = KazooClient(hosts=hosts, timeout=8, connection_retry=retry, **options)
    client.start(WAIT)
    return client


def server_of(client):
    """The number of the server that a client is connected to."""
    port = client._connection._socket.getpeername()[1]
    return [int(address.rsplit(":", 1)[1]) for address in SERVERS].index(port) + 1


def check_losing_servers():
    """The servers end under a client one after the other, the leader among them."""
    client = connect(control.HOSTS)
    states = []
    client.add_listener(states.append)
    session = client.client_id
    client.create("/lost", b"")
    client.create("/lost/e", ephemeral=True)
    # What it has changed while the client looks for another server is a different one each time.
    for round in range(len(SERVERS)):
        fired = threading.Event()
        client.retry(client.get, "/lost", watch=lambda event: fired.set())
        number = server_of(client)
        control.stop_server(number)
        rest = [address for i, address in enumerate(SERVERS) if i + 1 != number]
        writer = connect(",".join(rest))
        writer.set("/lost", b"%d" % round)
        writer.sync("/lost")
        assert writer.exists("/lost/e").ephemeralOwner == session[0]
        writer.stop()
        writer.close()
        assert fired.wait(WAIT), "the watch did not fire at another server"
        assert client.retry(client.get, "/lost")[0] == b"%d" % round
        assert client.client_id[0] == session[0], "the session was lost"
        control.start_server(number)
    assert KazooState.LOST not in states
    client.stop()
    client.close()


check_losing_servers()
