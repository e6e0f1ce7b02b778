"""Runs the tests that kazoo itself ships against the servers named in SHARPKEEPER, in place of kazoo's own cluster.

They are written for pytest, mock and objgraph, which need not be installed: the few things they use of them are made
here.
Arguments: names of test modules, or of tests to leave out with a leading minus.
"""
import contextlib
import gc
import sys
import types
import unittest
import unittest.mock

import control


def _raises(expected):
    @contextlib.contextmanager
    def context():
        info = types.SimpleNamespace(value=None)
        try:
            yield info
        except expected as error:
            info.value = error
        else:
            raise AssertionError("%s was not raised" % (expected,))
    return context()


def _skip(reason=""):
    raise unittest.SkipTest(reason)


class _Marks:
    def __getattr__(self, name):
        return lambda *args, **kwargs: (args[0] if args and callable(args[0]) else lambda wrapped: wrapped)


pytest = types.ModuleType("pytest")
pytest.raises = _raises
pytest.skip = _skip
pytest.mark = _Marks()
sys.modules["pytest"] = pytest
sys.modules["mock"] = unittest.mock
objgraph = types.ModuleType("objgraph")
objgraph.count = lambda name: sum(type(found).__name__ == name for found in gc.get_objects())
sys.modules["objgraph"] = objgraph

from kazoo.testing import harness  # noqa: E402: only now are its imports there


class Server:
    """A server, as kazoo's harness sees a member of its cluster."""
    running = True

    def __init__(self, number, address):
        self.number = number
        self.address = address

    def stop(self):
        control.stop_server(self.number)
        self.running = False

    def run(self):
        control.start_server(self.number)
        self.running = True


class Cluster(list):
    def start(self):
        for server in self:
            if not server.running:
                server.run()


CLUSTER = Cluster(Server(i + 1, address) for i, address in enumerate(control.HOSTS.split(",")))
harness.get_global_cluster = lambda: CLUSTER


def _walk(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from _walk(item)
        else:
            yield item


def main(arguments):
    left_out = [argument[1:] for argument in arguments if argument.startswith("-")]
    modules = [argument for argument in arguments if not argument.startswith("-")]
    names = ["kazoo.tests." + module for module in modules]
    chosen = unittest.TestSuite()
    for test in _walk(unittest.defaultTestLoader.loadTestsFromNames(names)):
        if not any(test.id().endswith(name) for name in left_out):
            chosen.addTest(test)
    result = unittest.TextTestRunner(stream=sys.stderr, verbosity=2).run(chosen)
    print("%d tests, %d skipped" % (result.testsRun, len(result.skipped)))
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
