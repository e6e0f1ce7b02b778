"""Every operation of kazoo's client once, with the answers it must give."""
import threading

from kazoo.client import KazooClient
from kazoo.exceptions import (
    AuthFailedError, BadVersionError, InvalidACLError, NoAuthError, NoChildrenForEphemeralsError, NodeExistsError,
    NoNodeError, NotEmptyError, RolledBackError, RuntimeInconsistency)
from kazoo.protocol.states import EventType
from kazoo.security import make_acl, make_digest_acl

import control


def refused(error, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except error:
        return
    raise AssertionError("%s was not raised" % error.__name__)


def check_tree(client):
    assert client.create("/ops", b"data") == "/ops"
    path, stat = client.create("/ops/a", b"1", include_data=True)
    assert (path, stat.version, stat.data_length) == ("/ops/a", 0, 1)
    assert client.create("/ops/s-", sequence=True) == "/ops/s-0000000001"
    assert client.create("/ops/e", ephemeral=True) == "/ops/e"
    refused(NoChildrenForEphemeralsError, client.create, "/ops/e/x")
    refused(NodeExistsError, client.create, "/ops/a")
    refused(NoNodeError, client.create, "/ops/x/y")
    assert client.create("/ops/x/y", makepath=True) == "/ops/x/y"
    data, stat = client.get("/ops")
    assert (data, stat.numChildren, stat.cversion) == (b"data", 4, 4)
    assert client.set("/ops/a", b"2", version=0).version == 1
    refused(BadVersionError, client.set, "/ops/a", b"3", version=0)
    assert sorted(client.get_children("/ops")) == ["a", "e", "s-0000000001", "x"]
    children, stat = client.get_children("/ops", include_data=True)
    assert len(children) == stat.numChildren == 4
    assert client.exists("/ops/none") is None
    assert client.exists("/ops/e").ephemeralOwner == client.client_id[0]
    refused(NotEmptyError, client.delete, "/ops")
    refused(BadVersionError, client.delete, "/ops/a", version=9)
    assert client.sync("/ops") == "/ops"
    client.delete("/ops/x", recursive=True)
    assert client.exists("/ops/x") is None
    assert client.ensure_path("/ops/p/q/r")
    assert client.get("/ops/p/q/r")[0] == b""


def check_watches(client):
    events, arrived = [], threading.Semaphore(0)

    def watch(event):
        events.append((event.type, event.path))
        arrived.release()

    client.create("/watch", b"")
    client.get("/watch", watch=watch)
    client.get_children("/watch", watch=watch)
    client.exists("/watch/late", watch=watch)
    client.set("/watch", b"x")
    client.create("/watch/late")
    client.exists("/watch/late", watch=watch)
    client.delete("/watch/late")
    for _ in range(4):
        assert arrived.acquire(timeout=20)
    assert events[0] == (EventType.CHANGED, "/watch")
    assert sorted(events[1:3]) == [(EventType.CHILD, "/watch"), (EventType.CREATED, "/watch/late")]
    assert events[3] == (EventType.DELETED, "/watch/late")


def check_transactions(client):
    transaction = client.transaction()
    transaction.create("/txn", b"0")
    transaction.check("/txn", 0)
    transaction.set_data("/txn", b"1")
    transaction.create("/txn/s-", sequence=True)
    results = transaction.commit()
    assert results[0] == "/txn" and results[1] is True
    assert results[2].version == 1 and results[3] == "/txn/s-0000000000"

    transaction = client.transaction()
    transaction.set_data("/txn", b"2")
    transaction.check("/txn", 9)
    transaction.delete("/txn/s-0000000000")
    results = transaction.commit()
    assert [type(result) for result in results] == [RolledBackError, BadVersionError, RuntimeInconsistency]
    assert client.get("/txn")[0] == b"1"


def check_rights(client):
    acl = make_digest_acl("amy", "secret", all=True)
    client.create("/rights", b"hidden", acl=[acl])
    refused(NoAuthError, client.get, "/rights")
    refused(InvalidACLError, client.create, "/rights2", acl=[make_acl("nosuch", "x", read=True)])
    amy = KazooClient(hosts=control.HOSTS, auth_data=[("digest", "amy:secret")])
    amy.start()
    amy.sync("/rights")
    assert amy.get("/rights")[0] == b"hidden"
    acls, stat = amy.get_acls("/rights")
    assert acls == [acl] and stat.aversion == 0
    assert amy.set_acls("/rights", [acl, make_acl("world", "anyone", read=True)]).aversion == 1
    client.sync("/rights")
    assert client.get("/rights")[0] == b"hidden"
    assert client.get_acls("/rights")[0][0].id.id == "amy:x"
    amy.stop()
    amy.close()

    stranger = KazooClient(hosts=control.HOSTS)
    stranger.start()
    refused(AuthFailedError, stranger.add_auth, "nosuch", "x")
    stranger.stop()
    stranger.close()


def check_chroot_and_end(client):
    client.ensure_path("/root/inner")
    inside = KazooClient(hosts=control.HOSTS + "/root/inner")
    inside.start()
    assert inside.create("/e", ephemeral=True) == "/e"
    client.sync("/root")
    assert client.exists("/root/inner/e").ephemeralOwner == inside.client_id[0]
    gone = threading.Event()
    assert client.exists("/root/inner/e", watch=lambda event: gone.set()) is not None
    inside.stop()
    assert gone.wait(20)
    assert client.exists("/root/inner/e") is None
    inside.close()


def main():
    client = KazooClient(hosts=control.HOSTS)
    client.start()
    assert client.server_version() >= (3, 8)
    assert client.command(b"ruok") == "imok"
    check_tree(client)
    check_watches(client)
    check_transactions(client)
    check_rights(client)
    check_chroot_and_end(client)
    client.stop()
    client.close()


main()
