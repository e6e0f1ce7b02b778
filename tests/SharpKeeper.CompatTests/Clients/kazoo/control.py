"""How a script talks to the test that runs it: the addresses of the servers, and stopping and starting them."""
import os
import sys

HOSTS = os.environ["SHARPKEEPER"]


def _ask(word):
    print("@" + word, flush=True)
    answer = sys.stdin.readline().strip()
    if answer != "done":
        raise RuntimeError("the test answered %r to %s" % (answer, word))


def stop_server(number=None):
    """Ends the server, all servers of an ensemble, or that with a number; the data stay."""
    _ask("stop" if number is None else "stop %d" % number)


def start_server(number=None):
    """Starts what was ended again on the same ports and data."""
    _ask("start" if number is None else "start %d" % number)


def restart_server():
    stop_server()
    start_server()
