"""How a script talks to the test that runs it: the server's address, and stopping and starting the server."""
import os
import sys

HOSTS = os.environ["SHARPKEEPER"]


def _ask(word):
    print("@" + word, flush=True)
    answer = sys.stdin.readline().strip()
    if answer != "done":
        raise RuntimeError("the test answered %r to %s" % (answer, word))


def stop_server():
    """Ends the server; its data stay."""
    _ask("stop")


def start_server():
    """Starts the server again on the same port and data."""
    _ask("start")


def restart_server():
    stop_server()
    start_server()
