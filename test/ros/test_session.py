import subprocess
import sys
import threading
import time

import pytest
import rclpy
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import get_default_context
from std_msgs.msg import Empty

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.ros.node_executor import NodeExecutor
from rtgym_ros.ros.session import RosSession

LONG = 30.0  # s


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


def test_a_callback_that_blocks_leaves_the_others_to_the_second_thread(namespace):
    session = RosSession("served", namespace, arguments=["program"])
    gate, blocked, called = threading.Event(), threading.Event(), threading.Semaphore(0)

    def block():
        blocked.set()
        gate.wait(LONG)

    group = MutuallyExclusiveCallbackGroup()
    try:
        session.node.create_timer(0.001, block, callback_group=group)
        session.node.create_timer(0.001, called.release)
        assert blocked.wait(LONG)
        assert all(called.acquire(timeout=LONG) for _ in range(20))
    finally:
        gate.set()
        session.close()


def test_it_looks_for_work_as_often_as_there_is_some(namespace, monkeypatch):
    """rclpy's executor looks without a pause while a callback waits for its thread, and nobody else gets on."""
    session = RosSession("served", namespace, arguments=["program"])
    looked, came = [], threading.Semaphore(0)
    look = NodeExecutor.wait_for_ready_callbacks
    monkeypatch.setattr(
        NodeExecutor, "wait_for_ready_callbacks", lambda *args, **kw: looked.append(1) or look(*args, **kw)
    )
    try:
        session.node.create_subscription(Empty, "topic", lambda _: came.release(), 1000)
        session.node.create_timer(0.002, lambda: None)
        publisher = session.node.create_publisher(Empty, "topic", 1000)
        before = len(looked)
        for _ in range(1000):
            publisher.publish(Empty())
            time.sleep(0.0005)
        assert all(came.acquire(timeout=LONG) for _ in range(1000))
        assert len(looked) - before < 4000
    finally:
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


ENDS_WITH_THE_INTERPRETER = """
import rclpy
from rtgym_ros.ros.session import RosSession

if {init}:
    rclpy.init()
session = RosSession("ends", arguments=["program"])
session.itself = session  # as a robot that holds what holds it: freed by the interpreter's last collection
session.close()
"""


@pytest.mark.parametrize("init", [True, False])
def test_the_end_of_the_interpreter_finds_nothing_to_say(init):
    program = ENDS_WITH_THE_INTERPRETER.format(init=init)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_session_after_the_program_was_shut_down_by_a_signal_is_shut_down():
    """rclpy's handler of signals ends contexts without a word to who asked for it."""
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    context = get_default_context()
    try:
        first = RosSession("first", arguments=["program"])
        assert not first.is_shut_down
        with context.handle:
            context.handle.shutdown()
        second = RosSession("second", arguments=["program"])
        assert second.is_shut_down
        for session in (first, second):
            session.close()
    finally:
        rclpy.try_shutdown()
