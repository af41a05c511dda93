"""What an environment's first line in the log costs the thread that logs."""

import inspect
from contextlib import closing

from rtgym_ros.ros.node_log import NodeLog
from rtgym_ros.ros.session import RosSession


def test_the_first_line_does_not_walk_over_all_modules(namespace, monkeypatch):
    # As in a program that has not asked where anything is yet.
    inspect.modulesbyfile.clear()
    inspect._filesbymodname.clear()
    with closing(RosSession("logging", namespace, arguments=["program"])) as session:
        log = NodeLog(session)
        looked_at = []
        find = inspect.getabsfile
        monkeypatch.setattr(inspect, "getabsfile", lambda *args: looked_at.append(args) or find(*args))
        log.warning("said")
    assert len(looked_at) < 20
