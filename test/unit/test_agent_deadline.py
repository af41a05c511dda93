"""An agent that stays away: its robot is stopped, in its turn, once."""

import logging
import math
import threading
import time

import pytest
from unit_recorder import Recorder

from rtgym_ros import RealTimeGymInterface
from rtgym_ros.envs.real_time_env import RealTimeEnv, RealTimeEnvTS
from rtgym_ros.envs.state import State

MS = 1_000_000
LONG = 30.0  # s
BOTH = pytest.mark.parametrize("env_class", [RealTimeEnv, RealTimeEnvTS])

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def make(make_env):
    """Return a function that makes an environment that never times out, and tells when the robot was stopped."""

    def make(env_class, **config):
        env = make_env(
            env_class,
            None,
            **{"time_step_duration": 0.01, "time_step_timeout_factor": math.inf, "agent_timeout": 0.1, **config},
        )
        env.stopped = threading.Event()
        env.interface.do["send_control"] = lambda control: env.stopped.set() if control[0] == -1 else None
        return env

    return make


def sent(env):
    return [entry[2] for entry in env.interface.log if entry[1] == "send"]


@BOTH
def test_the_robot_of_an_absent_agent_is_stopped_once(make, env_class, caplog):
    env = make(env_class, act_buf_len=3)
    env.reset()
    env.step([0.5])
    with caplog.at_level(logging.WARNING):
        assert env.stopped.wait(LONG)
        time.sleep(0.5)  # several times its patience: it would be stopped again
    assert sent(env) == [0, 0.5, -1]
    assert env.agent_timeouts == 1
    assert [record.message for record in caplog.records] == [
        "nobody has called step() or reset() in time: the safe action is sent"
    ]
    assert env.state is State.RUNNING
    env.stopped.clear()  # before the step: on a busy machine the next stop may come before this line is left
    observation = env.step([0.25])[0]
    assert [float(part[0]) for part in observation[1:]] == [0.5, -1, 0.25], "what was sent is in the buffer"
    assert env.stopped.wait(LONG), "it watches again"


@BOTH
def test_the_robot_is_stopped_after_the_last_time_step_of_an_episode_too(make, env_class):
    env = make(env_class, ep_max_length=1, act_buf_len=2, reset_act_buf=False)
    env.reset()
    assert env.step([0.5])[3]
    assert env.stopped.wait(LONG)
    observation, _ = env.reset()
    assert [float(part[0]) for part in observation[1:]] == [-1, 0], "0.5 was never sent"


@BOTH
def test_a_pause_is_not_an_absence(make, env_class):
    env = make(env_class)
    env.reset()
    env.wait()
    assert not env.stopped.wait(0.5)
    env.step([0.5])
    assert env.stopped.wait(LONG)


class NobodyHolds(Recorder):
    """A robot whose class has no wait() of its own."""

    wait = RealTimeGymInterface.wait


@BOTH
def test_a_pause_in_which_nobody_holds_the_robot_is_one(make, env_class):
    env = make(env_class, interface=NobodyHolds)
    env.reset()
    env.step([0.5])
    env.wait()
    assert env.stopped.wait(LONG), "the last action does not go on for ever"
    assert env.step([0.5])[2:4] == (False, False)
    assert env.clock.timeouts == 0


@BOTH
def test_an_agent_that_looks_at_its_robot_is_still_absent(make, env_class):
    env = make(env_class)
    env.reset()
    end = time.monotonic() + LONG
    while not env.stopped.is_set() and time.monotonic() < end:
        env.render()
        time.sleep(0.005)
    assert env.agent_timeouts == 1


@BOTH
def test_it_can_be_switched_off(make, env_class):
    env = make(env_class, agent_timeout=math.inf)
    env.reset()
    assert not env.stopped.wait(0.5)
    assert [thread.name for thread in threading.enumerate() if "agent" in thread.name] == []


def test_an_agent_is_never_late_on_a_clock_that_stands_still(make_env):
    env = make_env(agent_timeout=0.001)
    env.reset()
    env.step([0.5])
    time.sleep(0.1)
    assert env.agent_timeouts == 0


@BOTH
def test_a_failure_has_stopped_the_robot_already(make, env_class):
    env = make(env_class)
    env.reset()
    env.interface.do["render"] = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        env.render()
    assert sent(env).count(-1) == 1
    time.sleep(0.5)
    assert sent(env).count(-1) == 1


@BOTH
def test_a_safe_action_that_cannot_be_sent_is_told(make, env_class, caplog):
    env = make(env_class)
    env.reset()
    failed = threading.Event()

    def fail(control):
        if not failed.is_set():
            failed.set()
            raise OSError("no link")

    env.interface.do["send_control"] = fail
    assert failed.wait(LONG)
    env.step([0.5])
    assert "the safe action could not be sent: no link" in caplog.text


# --- exactly, on stepped time ---


def test_deadlines_are_those_of_the_running_time_step(make_env):
    """The loop alone, as its thread runs it: what it waits for next, and what it does then."""
    env = make_env(agent_timeout=1.0)
    loop, clock = env._loop, env._loop.time_source
    env.reset()
    clock.passes_by_itself = True
    loop._agent_due_ns = loop._agent_due_after(50 * MS)
    assert loop.due_ns(has_request=False) == 49 * MS, "a millisecond before the capture"
    clock.advance_ns(49 * MS)
    loop.on_due()
    assert env.interface.log[-1] == (50, "capture")
    assert loop.due_ns(has_request=False) == 1050 * MS, "the agent is waited for from the end of the time-step on"
    assert loop.due_ns(has_request=True) == 49 * MS, "or the end of the time-step, where a call waits for it"
    clock.advance_ns(999 * MS)
    loop.on_due()
    assert env.agent_timeouts == 0
    clock.advance_ns(1 * MS)
    loop.on_due()
    assert (env.agent_timeouts, env.interface.log[-1]) == (1, (1050, "send", -1))
    assert loop.due_ns(has_request=False) is None
    clock.passes_by_itself = False
