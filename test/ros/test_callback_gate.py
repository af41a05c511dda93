"""Callbacks begin while the gate is open, and none is lost while it is closed."""

import threading
from time import monotonic_ns

import pytest

from rtgym_ros.ros import callback_gate
from rtgym_ros.ros.callback_gate import CallbackGate
from rtgym_ros.ros.session import RosSession

HOUR_NS = 3_600_000_000_000
LONG = 30.0  # s


@pytest.fixture
def now(monkeypatch):
    """The monotonic clock of the gate, in a list, so that a test can set it."""
    now = [HOUR_NS]
    monkeypatch.setattr(callback_gate, "monotonic_ns", lambda: now[0])
    return now


def test_it_is_open_at_first_and_when_nothing_is_due():
    gate = CallbackGate()
    assert gate.wait() is None
    gate.open_until(monotonic_ns() - 1)
    gate.open_until(None)
    assert gate.wait() is None


@pytest.mark.parametrize(("before_ns", "left"), [(10_000_000, 0.00985), (1_000_000, 0.00085), (250_001, 0.000100001)])
def test_it_is_open_until_a_callback_would_not_be_over_by_then(now, before_ns, left):
    gate = CallbackGate()
    gate.open_until(now[0] + before_ns)
    assert gate.wait() == pytest.approx(left)


def test_it_opens_by_itself_where_the_clock_thread_is_busy_with_something_long(now):
    gate = CallbackGate()
    gate.open_until(now[0])
    now[0] += 5_000_000 - 150_000
    assert gate.wait() is None


def test_who_waits_is_let_in_when_it_opens(now):
    gate, through = CallbackGate(), threading.Semaphore(0)
    gate.open_until(now[0])

    def wait():
        assert gate.wait() == pytest.approx(3599.99985)
        through.release()

    for _ in range(3):
        threading.Thread(target=wait, daemon=True).start()
    assert not through.acquire(timeout=0.05), "its own clock stands still, so that only the other thread can open it"
    gate.open_until(now[0] + HOUR_NS)
    assert all(through.acquire(timeout=LONG) for _ in range(3))


def test_callbacks_are_run_whenever_it_opens_and_closes(namespace):
    session = RosSession("served", namespace, arguments=["program"])
    called = threading.Semaphore(0)
    try:
        session.node.create_timer(0.001, called.release)
        for number in range(400):
            session.open_callbacks_until(monotonic_ns() + 1_000_000)
            assert called.acquire(timeout=LONG), f"the timer is not served any more in period {number}"
        session.open_callbacks_until(monotonic_ns())
        assert all(called.acquire(timeout=LONG) for _ in range(10)), "nothing opens it but time"
    finally:
        session.close()


def test_the_executor_of_a_node_that_is_handed_in_is_told(namespace):
    session = RosSession("served", namespace, arguments=["program"])
    guest = RosSession("unused", node=session.node)
    try:
        guest.open_callbacks_until(monotonic_ns() + HOUR_NS)
        assert 3500 < session.node.executor.gate.wait() < 3600
        guest.open_callbacks_until(None)
        assert session.node.executor.gate.wait() is None
    finally:
        guest.close()
        session.close()
