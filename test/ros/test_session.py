import threading

import pytest

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.ros.session import RosSession


def test_a_failing_callback_does_not_silence_the_others(namespace, caplog):
    session = RosSession("served", namespace, arguments=["program"])
    called = threading.Semaphore(0)

    def fail():
        called.release()
        raise ValueError("a mistake of the user's")

    try:
        session.node.create_timer(0.01, fail)
        assert all(called.acquire(timeout=10.0) for _ in range(3))
    finally:
        session.close()
    assert "a mistake of the user's" in caplog.text


def test_closing_waits_for_a_callback_that_runs(namespace):
    session = RosSession("served", namespace, arguments=["program"])
    running, finished = threading.Event(), threading.Event()

    def work():
        running.set()
        threading.Event().wait(0.2)
        finished.set()

    session.node.create_timer(0.0, work)
    assert running.wait(10.0)
    session.close()
    assert finished.is_set()
    session.close()


@pytest.mark.parametrize(("name", "namespace"), [("no name", ""), ("name", "/no namespace")])
def test_a_bad_name_is_one_line(name, namespace):
    with pytest.raises(ConfigError, match="no name") as error:
        RosSession(name, namespace, arguments=["program"])
    assert "\n" not in str(error.value)


def test_unknown_ros_arguments_are_one_line():
    with pytest.raises(ConfigError, match="--no-such-thing") as error:
        RosSession("name", arguments=["program", "--ros-args", "--no-such-thing"])
    assert "\n" not in str(error.value)
