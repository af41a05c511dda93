import ctypes
import sys
from threading import Thread
from time import monotonic_ns

import pytest

from rtgym_ros.core import time_source
from rtgym_ros.core.time_source import FakeTimeSource, MonotonicTimeSource, to_ns, to_s
from rtgym_ros.core.timer_slack import set_timer_slack

MS = 1_000_000


class Machine:
    """An operating system whose sleeps overshoot by what a test says; every look at its clock takes 100 ns."""

    def __init__(self, monkeypatch, overshoot_ns=0):
        self.now_ns = 10**12
        self.overshoot_ns = overshoot_ns
        self.sleeps = []
        self.reads = 0
        monkeypatch.setattr(time_source, "monotonic_ns", self._read)
        monkeypatch.setattr(time_source, "sleep", self._sleep)
        monkeypatch.setattr(time_source, "set_timer_slack", lambda slack_ns: True)

    def _read(self):
        self.now_ns += 100
        self.reads += 1
        return self.now_ns

    def _sleep(self, seconds):
        assert seconds > 0
        self.sleeps.append(round(seconds * 1e9))
        self.now_ns += round(seconds * 1e9) + self.overshoot_ns


@pytest.mark.parametrize(("seconds", "nanoseconds"), [(0.05, 50 * MS), (1e-9, 1), (0.0, 0), (0.1 + 0.2, 300 * MS)])
def test_seconds_are_rounded_to_nanoseconds(seconds, nanoseconds):
    assert to_ns(seconds) == nanoseconds
    assert isinstance(to_ns(seconds), int)
    assert to_s(nanoseconds) == pytest.approx(seconds, abs=1e-12)


@pytest.mark.parametrize("wait_ns", [0, 1, 10_000, 300_000, 2 * MS])
def test_monotonic_never_returns_before_the_deadline(wait_ns):
    source = MonotonicTimeSource()
    for _ in range(5):
        deadline_ns = source.now_ns() + wait_ns
        source.sleep_until_ns(deadline_ns)
        assert monotonic_ns() >= deadline_ns


def test_monotonic_reads_the_clock_of_the_system():
    before_ns = monotonic_ns()
    assert before_ns <= MonotonicTimeSource().now_ns() <= monotonic_ns()
    assert MonotonicTimeSource.passes_by_itself


def test_monotonic_returns_at_once_when_the_deadline_has_passed(monkeypatch):
    machine = Machine(monkeypatch)
    MonotonicTimeSource().sleep_until_ns(machine.now_ns)
    assert machine.sleeps == []
    assert machine.reads <= 2


def test_monotonic_sleeps_first_and_spins_the_rest(monkeypatch):
    machine = Machine(monkeypatch)
    deadline_ns = machine.now_ns + 10 * MS
    MonotonicTimeSource(min_margin_ns=20_000).sleep_until_ns(deadline_ns)
    assert machine.sleeps == [10 * MS - 80_000 - 100]
    assert deadline_ns <= machine.now_ns <= deadline_ns + 100


def test_monotonic_spins_alone_when_the_deadline_is_near(monkeypatch):
    machine = Machine(monkeypatch)
    deadline_ns = machine.now_ns + 50_000
    MonotonicTimeSource(min_margin_ns=20_000).sleep_until_ns(deadline_ns)
    assert machine.sleeps == []
    assert deadline_ns <= machine.now_ns <= deadline_ns + 100


def test_monotonic_learns_the_overshoot_of_the_machine(monkeypatch):
    machine = Machine(monkeypatch, overshoot_ns=150_000)
    source = MonotonicTimeSource()
    late_ns = []
    for _ in range(20):
        deadline_ns = machine.now_ns + 10 * MS
        source.sleep_until_ns(deadline_ns)
        late_ns.append(machine.now_ns - deadline_ns)
    assert late_ns[0] == 150_000 - 80_000 + 200  # woken late, and read twice
    assert all(0 <= late <= 100 for late in late_ns[5:])


def test_monotonic_margin_stays_within_its_bounds(monkeypatch):
    machine = Machine(monkeypatch, overshoot_ns=20 * MS)
    source = MonotonicTimeSource(min_margin_ns=20_000, max_margin_ns=500_000)

    def margins(count):
        for _ in range(count):
            before_ns = machine.now_ns
            source.sleep_until_ns(before_ns + 10 * MS)
            yield 10 * MS - machine.sleeps[-1] - 100

    stalled = list(margins(50))
    assert stalled == sorted(stalled)
    assert 450_000 < stalled[-1] <= 500_000
    machine.overshoot_ns = 0
    recovered = list(margins(500))
    assert recovered == sorted(recovered, reverse=True)
    assert recovered[1] > 400_000, "one good wake-up is no reason to trust it"
    assert 20_000 <= recovered[-1] < 25_000


def test_slack_is_set_once_a_thread(monkeypatch):
    Machine(monkeypatch)
    calls = []
    monkeypatch.setattr(time_source, "set_timer_slack", lambda slack_ns: calls.append(slack_ns) or True)
    source = MonotonicTimeSource()

    def wait_twice():
        for _ in range(2):
            source.sleep_until_ns(time_source.monotonic_ns() + 10 * MS)

    wait_twice()
    thread = Thread(target=wait_twice)
    thread.start()
    thread.join(10)
    assert calls == [1, 1]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="timer slack is Linux's")
def test_slack_is_set_in_the_calling_thread_only():
    get_timer_slack = 30
    prctl = ctypes.CDLL(None).prctl
    seen = {}

    def run():
        seen["worked"] = set_timer_slack(1234)
        seen["slack"] = prctl(get_timer_slack, 0, 0, 0, 0)

    here = prctl(get_timer_slack, 0, 0, 0, 0)
    thread = Thread(target=run)
    thread.start()
    thread.join(10)
    assert seen == {"worked": True, "slack": 1234}
    assert prctl(get_timer_slack, 0, 0, 0, 0) == here


def test_no_slack_outside_linux(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert set_timer_slack(1) is False


@pytest.mark.parametrize("libc", [lambda name: object(), lambda name: ctypes.cdll.LoadLibrary("/no/such/library.so")])
def test_no_slack_without_prctl(monkeypatch, libc):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", libc)
    assert set_timer_slack(1) is False


def test_fake_stands_still_until_somebody_sleeps():
    source = FakeTimeSource(start_ns=7)
    assert (source.now_ns(), source.now_ns()) == (7, 7)
    source.sleep_until_ns(1_000_000_007)
    assert source.now_ns() == 1_000_000_007
    assert not source.passes_by_itself


def test_fake_does_not_sleep_into_the_past():
    source = FakeTimeSource(start_ns=7, overshoot_ns=lambda: 5)
    source.sleep_until_ns(7)
    source.sleep_until_ns(3)
    assert source.now_ns() == 7


def test_fake_overshoots_as_injected():
    late_ns = iter([3, 0, 11])
    source = FakeTimeSource(overshoot_ns=lambda: next(late_ns))
    woken = []
    for deadline_ns in (100, 200, 300):
        source.sleep_until_ns(deadline_ns)
        woken.append(source.now_ns())
    assert woken == [103, 200, 311]


def test_fake_advances_and_cannot_go_back():
    source = FakeTimeSource()
    source.advance_ns(0)
    source.advance_ns(5)
    with pytest.raises(ValueError, match=r"time cannot go back: advance_ns\(-1\)"):
        source.advance_ns(-1)
    assert source.now_ns() == 5
