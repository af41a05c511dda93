"""A clock that is set back, as /clock is by a simulation that starts again."""

import math
import threading
import time

import pytest

from rtgym_ros.core.errors import ClockJumpError, InterfaceTimeoutError
from rtgym_ros.core.time_source import TimeSource
from rtgym_ros.envs.real_time_env import RealTimeEnv
from rtgym_ros.envs.state import State

MS = 1_000_000


class SimulatedClock(TimeSource):
    """A clock that a thread moves at a rate of its own, and that a test may set back or stop."""

    poll_period = 0.001

    def __init__(self, rate=5):
        self.ns = 100 * 10**9
        self.runs = threading.Event()
        self.runs.set()
        self.ended = threading.Event()
        self.rate = rate
        self.raises = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.ended.wait(0.001):
            if self.runs.is_set():
                self.ns += self.rate * MS

    def now_ns(self):
        return self.ns

    def sleep_until_ns(self, deadline_ns):
        before_ns, patience = self.ns, 1000
        while self.ns < deadline_ns:
            time.sleep(0.0005)
            if self.raises and self.ns < before_ns:
                raise ClockJumpError("the clock jumped")
            patience = patience - 1 if self.ns == before_ns else 1000
            if not patience:
                raise InterfaceTimeoutError("the clock stands still")
            before_ns = self.ns


@pytest.fixture
def clock():
    clock = SimulatedClock()
    yield clock
    clock.ended.set()
    clock.thread.join()


@pytest.fixture
def env(make_env, clock):
    return make_env(RealTimeEnv, clock, time_step_timeout_factor=math.inf, agent_timeout=math.inf)


@pytest.mark.parametrize("raises", [False, True], ids=["noticed", "raised by the source"])
def test_the_episode_ends_and_reset_begins_again(env, clock, raises):
    clock.raises = raises
    env.reset()
    for number in (1, 2):
        assert env.step([0.5])[0][0] == [number]
    clock.ns -= 15 * 10**9
    truncated = False
    for _ in range(3):  # the time-step under way may have been captured before
        _, _, terminated, truncated, info = env.step([0.5])
        if truncated:
            break
    assert (terminated, truncated) == (False, True)
    assert "set back" in info["truncation"] or "jumped" in info["truncation"]
    assert env.state is State.DONE
    env.reset()
    assert "truncation" not in env.step([0.5])[-1]
    assert env.clock.timeouts == 0


def test_a_jump_between_two_episodes_ends_none(env, clock):
    env.reset()
    env.step([0.5])
    env.wait()
    clock.ns -= 15 * 10**9
    env.reset()
    assert not env.step([0.5])[3]


def test_an_absent_agent_is_noticed_after_a_jump_too(make_env, clock):
    env = make_env(RealTimeEnv, clock, agent_timeout=0.5)
    stopped = threading.Event()
    env.interface.do["send_control"] = lambda control: stopped.set() if control[0] == -1 else None
    env.reset()
    clock.ns -= 50 * 10**9
    assert stopped.wait(30), "and not after 50 s of that clock"


def test_a_clock_that_stands_still_is_an_error_in_bounded_time(env, clock):
    env.reset()
    clock.runs.clear()
    with pytest.raises(InterfaceTimeoutError, match="stands still"):
        env.step([0.5])
    assert env.state is State.FAILED
    clock.runs.set()
    env.reset()
    env.step([0.5])


def test_simulated_time_may_be_fast(make_env):
    clock = SimulatedClock(rate=100)
    env = make_env(RealTimeEnv, clock, time_step_timeout_factor=math.inf)
    env.reset()
    for number in range(1, 21):
        assert env.step([0.5])[0][0] == [number]
    clock.ended.set()
    clock.thread.join()
