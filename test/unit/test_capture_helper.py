"""The thread that captures for a caller who is late, and the timer it sleeps on: on the real clock, no durations."""

import sys
import threading
from threading import Thread

import numpy as np
import pytest

from rtgym_ros.core.deadline_timer import KernelTimer, PolledTimer, make_deadline_timer
from rtgym_ros.core.elastic_clock import TimeStep
from rtgym_ros.core.time_source import FakeTimeSource, MonotonicTimeSource
from rtgym_ros.envs.capture_helper import CaptureHelper
from rtgym_ros.envs.pending_capture import PendingCapture

LONG = 30  # s; more than any thread needs, however busy the machine
MS = 1_000_000
CLOCK = MonotonicTimeSource()


@pytest.fixture(params=[KernelTimer, PolledTimer])
def timer_class(request):
    if request.param is KernelTimer and not sys.platform.startswith("linux"):
        pytest.skip("timerfd is Linux's")
    return request.param


# --- the timer ---


class Waiter:
    """A thread that waits for a timer, again and again, and writes down when it came back."""

    def __init__(self, timer, times):
        self.timer = timer
        self.came_back_ns = []
        self._thread = Thread(target=self._wait, args=(times,))
        self._thread.start()

    def _wait(self, times):
        for _ in range(times):
            self.timer.wait()
            self.came_back_ns.append(CLOCK.now_ns())

    def join(self):
        self._thread.join(LONG)
        assert not self._thread.is_alive()
        self.timer.close()
        return self.came_back_ns


def test_a_wait_ends_when_the_deadline_has_passed(timer_class):
    waiter = Waiter(timer_class(CLOCK), 3)
    for round_ in range(3):
        deadline_ns = CLOCK.now_ns() + 5 * MS
        waiter.timer.move(deadline_ns)
        while len(waiter.came_back_ns) <= round_:
            CLOCK.sleep_until_ns(CLOCK.now_ns() + MS)
        assert waiter.came_back_ns[round_] >= deadline_ns
    waiter.join()


@pytest.mark.parametrize("offset_ns", [0, -5 * MS, -(10**18)])
def test_a_deadline_that_has_passed_ends_it_at_once(timer_class, offset_ns):
    waiter = Waiter(timer_class(CLOCK), 1)
    waiter.timer.move(CLOCK.now_ns() + offset_ns)
    assert len(waiter.join()) == 1


def test_a_deadline_set_before_the_wait_counts(timer_class):
    timer = timer_class(CLOCK)
    timer.move(0)
    assert len(Waiter(timer, 1).join()) == 1


def test_a_deadline_that_moves_away_wakes_nobody(timer_class):
    waiter = Waiter(timer_class(CLOCK), 1)
    for _ in range(200):
        last_ns = CLOCK.now_ns() + 20 * MS
        waiter.timer.move(last_ns)
        CLOCK.sleep_until_ns(CLOCK.now_ns() + MS // 10)
    assert waiter.join()[0] >= last_ns


@pytest.mark.parametrize("far_ns", [3600 * 10**9, 2**62, 2**80])
def test_a_deadline_may_come_nearer(timer_class, far_ns):
    waiter = Waiter(timer_class(CLOCK), 1)
    waiter.timer.move(CLOCK.now_ns() + far_ns)
    CLOCK.sleep_until_ns(CLOCK.now_ns() + 2 * MS)
    waiter.timer.move(CLOCK.now_ns() + MS)
    assert len(waiter.join()) == 1


def test_a_clock_that_is_slow_is_waited_for(timer_class):
    """A simulated clock does not agree with the system's: what counts is the time source."""
    fake = FakeTimeSource()
    waiter = Waiter(timer_class(fake), 1)
    waiter.timer.move(2 * MS)
    CLOCK.sleep_until_ns(CLOCK.now_ns() + 20 * MS)
    assert waiter.came_back_ns == []
    fake.advance_ns(2 * MS)
    waiter.join()


def test_moves_at_random_never_lose_the_last_one(timer_class):
    rng = np.random.default_rng(1)
    waiter = Waiter(timer_class(CLOCK), 100)
    for round_ in range(100):
        while len(waiter.came_back_ns) == round_:
            waiter.timer.move(CLOCK.now_ns() + int(rng.integers(-MS, 2 * MS)))
            CLOCK.sleep_until_ns(CLOCK.now_ns() + int(rng.integers(0, 2 * MS)))
    waiter.join()


def test_where_there_is_no_timerfd_it_polls(monkeypatch):
    monkeypatch.setattr("rtgym_ros.core.deadline_timer._has_timerfd", False)
    assert isinstance(make_deadline_timer(CLOCK), PolledTimer)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="timerfd is Linux's")
def test_where_no_file_can_be_opened_any_more_it_polls():
    import resource

    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        timer = make_deadline_timer(CLOCK)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert isinstance(timer, PolledTimer)


# --- the helper ---


@pytest.fixture
def helper(timer_class, monkeypatch):
    monkeypatch.setattr("rtgym_ros.envs.capture_helper.make_deadline_timer", timer_class)
    helper = CaptureHelper(CLOCK, LONG)
    yield helper
    assert helper.close()
    assert helper.close()


def pending_capture(start_ns, duration_ns=10 * MS):
    time_step = TimeStep(0, start_ns, start_ns + duration_ns, start_ns + duration_ns, start_ns)
    return PendingCapture(time_step, capture)


def capture(time_step):
    CLOCK.sleep_until_ns(time_step.capture_ns)
    return CLOCK.now_ns(), threading.get_ident()


@pytest.mark.parametrize("offset_ns", [0, -9 * MS, -(10**10), 10 * MS])
def test_it_captures_when_it_is_due_and_nobody_has(helper, offset_ns):
    pending = pending_capture(CLOCK.now_ns() + offset_ns)
    helper.watch(pending)
    now_ns, ident = pending.result(LONG)
    assert now_ns >= pending.time_step.capture_ns
    assert ident != threading.get_ident()


def test_it_leaves_a_claimed_capture_alone_and_finds_the_next(helper):
    start_ns = CLOCK.now_ns()
    for _ in range(10):
        taken = pending_capture(start_ns)
        helper.watch(taken)
        assert taken.claim()
        helper.leave(taken)
        taken.capture()
        assert taken.result(0)[1] == threading.get_ident()
        left = pending_capture(taken.time_step.end_ns)  # on the grid: the timer has been set for it already
        helper.watch(left)
        assert left.result(LONG)[1] != threading.get_ident()
        start_ns = CLOCK.now_ns()


def test_it_finds_a_capture_that_is_due_before_the_one_it_waits_for(helper):
    far = pending_capture(CLOCK.now_ns() + 10**15)
    helper.watch(far)
    near = pending_capture(CLOCK.now_ns(), MS)
    helper.watch(near)
    assert near.result(LONG)[1] != threading.get_ident()
    assert not far.claimed


def test_a_claim_that_is_given_back_is_found(helper):
    """As after an interrupt of the user, who does not come back."""
    pending = pending_capture(CLOCK.now_ns())
    pending._run = interrupted_once(pending)
    helper.watch(pending)
    assert pending.claim()
    helper.leave(pending)
    with pytest.raises(KeyboardInterrupt):
        pending.capture()
    assert pending.result(LONG)[1] != threading.get_ident()


def interrupted_once(pending):
    def interrupted(time_step):
        pending._run = capture
        raise KeyboardInterrupt

    return interrupted


def test_no_capture_is_lost_when_claims_come_at_random(helper):
    rng = np.random.default_rng(1)
    captured = []
    for index in range(300):
        now_ns = CLOCK.now_ns()
        duration_ns = int(rng.integers(1, 4 * MS))
        time_step = TimeStep(index, now_ns, now_ns + duration_ns, now_ns + duration_ns, now_ns)
        pending = PendingCapture(time_step, lambda step: captured.append(step.index))
        helper.watch(pending)
        if rng.random() < 0.5 and pending.claim():
            if rng.random() < 0.9:
                helper.leave(pending)
            pending.capture()
        pending.result(LONG)
    assert captured == list(range(300))


def test_a_thread_that_was_never_needed_ends():
    assert CaptureHelper(CLOCK, LONG).close()
