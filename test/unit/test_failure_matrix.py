"""Every method of the interface, failing in every way, in both environments (DESIGN, section 7).

The caller gets an error that names the method within a bounded time (pytest's is never needed), the safe action was
sent where it could be, no thread is left, and reset() begins again where that is possible.
"""

import math
import socket
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rtgym_ros.core.errors import (
    ConfigError,
    InterfaceError,
    InterfaceTimeoutError,
    ObservationWarning,
    TimeStepTimeoutWarning,
)
from rtgym_ros.envs.real_time_env import RealTimeEnv, RealTimeEnvTS
from rtgym_ros.envs.state import State

MS = 1_000_000
CAPTURE = "get_obs_rew_terminated_info"
SAFE = -1.0
BOTH = pytest.mark.parametrize("env_class", [RealTimeEnv, RealTimeEnvTS])
ACTING = ["reset", "send_control", CAPTURE, "wait", "render"]

pytestmark = pytest.mark.timeout(60)


class RobotError(Exception):
    """What a test breaks the interface with."""


@pytest.fixture
def make(make_env):
    """Return a function that makes an environment on the real clock, with little patience and no timeouts."""

    def make(env_class, **config):
        config = {"time_step_timeout_factor": math.inf, "interface_timeout": 0.3, **config}
        return make_env(env_class, None, time_step_duration=0.01, **config)

    return make


@pytest.fixture
def gate():
    """A gate that stops who comes through; at the end of the test it is opened."""
    gate = threading.Event()
    yield gate
    gate.set()


def once(env, method, fault):
    """Let ``fault`` happen in the method the next time it is called."""

    def run(*args):
        env.interface.do.pop(method, None)
        return fault()

    env.interface.do[method] = run


def provoke(env, method):
    """Make the public call that calls the method of the interface."""
    calls = {"reset": env.reset, "wait": env.wait, "render": env.render, "close": env.close}
    calls.get(method, lambda: env.step([0.5]))()
    if method == CAPTURE and env.state is State.RUNNING:
        env.step([0.5])  # that of the first may have been made before the fault was set


def sent(env):
    return [entry[2] for entry in env.interface.log if entry[1] == "send"]


def threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("rtgym_ros")]


def end_of_threads():
    for thread in threads():
        thread.join(30)
    assert threads() == []


def recovers(env):
    """The robot was stopped; reset() begins again, and close() leaves no thread."""
    assert env.state is State.FAILED
    assert sent(env)[-1] == SAFE
    env.reset()
    env.step([0.25])
    assert env.state is State.RUNNING
    assert sent(env)[-1] == 0.25
    env.close()
    assert sent(env)[-1] == SAFE
    assert threads() == []


# --- it raises ---


def fault():
    raise RobotError("broken")


@BOTH
@pytest.mark.parametrize("method", ACTING)
def test_it_raises(make, env_class, method):
    env = make(env_class)
    env.reset()
    once(env, method, fault)
    with pytest.raises(RobotError, match="broken") as error:
        provoke(env, method)
    assert error.value.__notes__ == [f"raised in the interface's {method}()"]
    assert error.traceback[-1].name == "fault"
    recovers(env)


@BOTH
def test_close_raises(make, env_class):
    env = make(env_class)
    env.reset()
    once(env, "close", fault)
    with pytest.raises(RobotError):
        env.close()
    assert sent(env)[-1] == SAFE
    assert threads() == []
    env.close()


@BOTH
@pytest.mark.parametrize(
    "method", ["__init__", "get_action_space", "get_observation_space", "get_default_action", "get_time_source"]
)
def test_it_raises_while_it_is_made(make, env_class, method):
    closed = []
    with pytest.raises(RobotError):
        make(env_class, interface_args=(None, {method: fault, "close": lambda: closed.append(True)}))
    assert threads() == []
    assert len(closed) == (method != "__init__"), "what has been made is closed"


# --- it blocks for ever ---


def blocked(method):
    return pytest.raises(InterfaceTimeoutError, match=rf"^the interface's {method}\(\) has been blocked for 0\.3 s$")


def in_this_thread(call):
    call()


def in_another_thread(call):
    """Make the call in a thread that is not the main one; what it raises comes out."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(call).result(30)


CALLERS = pytest.mark.parametrize("caller", [in_this_thread, in_another_thread])
HOW = ["a lock", "a sleep", "a socket"]


@pytest.fixture(params=HOW)
def block(request, gate):
    """Return a function that blocks outside of Python until the gate opens."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        open_gate = gate.set
        gate.set = lambda: (open_gate(), theirs.close())
        yield {
            "a lock": gate.wait,
            "a sleep": lambda: [time.sleep(0.05) for _ in iter(gate.is_set, True)],
            "a socket": lambda: ours.recv(1),
        }[request.param]


@BOTH
@CALLERS
@pytest.mark.parametrize("method", ACTING)
def test_it_blocks(make, gate, block, env_class, caller, method):
    """The caller is free in bounded time; nothing interrupts the method, and the robot is stopped once it is back."""
    env = make(env_class)
    env.reset()
    once(env, method, block)
    with blocked(method):
        caller(lambda: provoke(env, method))
    with pytest.raises(
        InterfaceTimeoutError, match=rf"the interface's {method}\(\) is still blocked, reset\(\) cannot"
    ):
        env.reset()
    gate.set()
    env.stop()  # waits until the thread has come back
    recovers(env)


@BOTH
@CALLERS
def test_close_blocks(make, gate, env_class, caller):
    env = make(env_class)
    env.reset()
    once(env, "close", gate.wait)
    with blocked("close"):
        caller(env.close)
    assert sent(env)[-1] == SAFE
    gate.set()
    end_of_threads()


@BOTH
@pytest.mark.parametrize("method", ACTING)
def test_it_is_closed_while_it_blocks(make, gate, env_class, method):
    env = make(env_class)
    env.reset()
    once(env, method, gate.wait)
    with blocked(method):
        provoke(env, method)
    with pytest.raises(InterfaceTimeoutError, match=rf"{method}\(\) is still blocked, close\(\) cannot"):
        env.close()
    assert env.state is State.CLOSED
    gate.set()
    end_of_threads()
    assert [entry[1] for entry in env.interface.log[-2:]] == ["send", "close"]
    assert sent(env)[-1] == SAFE


@BOTH
@pytest.mark.parametrize("method", ["__init__", "get_action_space", "get_safe_action"])
def test_it_blocks_while_it_is_made(make, gate, env_class, method):
    with blocked(method):
        make(env_class, interface_args=(None, {method: gate.wait}))
    gate.set()
    end_of_threads()


@pytest.mark.parametrize(("method", "entry"), [("send_control", "send_control_timeout"), (CAPTURE, "get_obs_timeout")])
def test_what_a_time_step_calls_has_a_bound_of_its_own(make, gate, method, entry):
    env = make(RealTimeEnv, interface_timeout=30.0, **{entry: 0.3})
    env.reset()
    once(env, method, gate.wait)
    with blocked(method):
        provoke(env, method)
    gate.set()
    env.stop()
    recovers(env)


# --- it returns rubbish ---

GOOD = np.zeros(1, dtype=np.float32)
OBSERVATIONS = {
    "no list": (3, "must return a list as its observation, got 3"),
    "none": (None, "must return a list as its observation, got None"),
    "too many elements": ([GOOD, GOOD], "it must have 1 elements, got 2"),
    "too few elements": ([], "it must have 1 elements, got 0"),
    "another shape": ([np.zeros(2, dtype=np.float32)], r"\[0\] must have shape \(1,\), got \(2,\)"),
    "a scalar": ([0.0], r"\[0\] must have shape \(1,\), got \(\)"),
    "a ragged list": ([[[1.0], [1.0, 2.0]]], r"\[0\] must be an array of shape \(1,\)"),
    "text": ([["a"]], r"\[0\] must be of type float32"),
    "not in the space": ([np.array([-2.0])], r"\[0\] must lie in \[-1.0, 1000000.0\] at \[0\], got -2.0"),
    "not a number": ([np.array([np.nan])], r"\[0\] must lie in .* got nan"),
}
ANSWERS = {
    "nothing": (None, r"must return \(observation, reward, terminated, info\), got None"),
    "three values": (([GOOD], 0.0, False), r"must return \(observation, reward, terminated, info\)"),
    "five values": (([GOOD], 0.0, False, False, {}), r"must return \(observation, reward, terminated, info\)"),
    "reward nan": (([GOOD], math.nan, False, {}), "must return a finite number as its reward, got nan"),
    "reward inf": (([GOOD], np.float32(np.inf), False, {}), "must return a finite number as its reward, got"),
    "reward none": (([GOOD], None, False, {}), "must return a finite number as its reward, got None"),
    "reward array": (([GOOD], np.zeros(2), False, {}), "must return a finite number as its reward, got array"),
    "terminated none": (([GOOD], 0.0, None, {}), "must return True or False as terminated, got None"),
    "terminated ragged": (([GOOD], 0.0, [[1], [1, 2]], {}), "must return True or False as terminated, got"),
    "terminated text": (([GOOD], 0.0, "no", {}), "must return True or False as terminated, got 'no'"),
    "info none": (([GOOD], 0.0, False, None), "must return a dictionary as its info, got None"),
}
RESETS = {
    "nothing": (None, r"reset\(\) must return \(observation, info\), got None"),
    "the observation alone": ([GOOD], r"reset\(\) must return \(observation, info\)"),
    "info none": (([GOOD], None), r"reset\(\) must return a dictionary as its info, got None"),
}
FRAMES = {
    "nothing": None,
    "floats": np.zeros((4, 4, 3)),
    "grey": np.zeros((4, 4), dtype=np.uint8),
    "four channels": np.zeros((4, 4, 4), dtype=np.uint8),
}


def returning(env, method, answer):
    """Let the method return ``answer`` until the environment has failed."""

    def rubbish(*args, **kwargs):
        delattr(env.interface, method)
        return answer

    setattr(env.interface, method, rubbish)


@BOTH
@pytest.mark.parametrize(("answer", "message"), ANSWERS.values(), ids=ANSWERS)
def test_a_capture_is_rubbish(make, env_class, answer, message):
    env = make(env_class)
    env.reset()
    returning(env, CAPTURE, answer)
    with pytest.raises(InterfaceError, match=rf"^{CAPTURE}\(\) {message}"):
        provoke(env, CAPTURE)
    recovers(env)


@BOTH
@pytest.mark.parametrize(("observation", "message"), OBSERVATIONS.values(), ids=OBSERVATIONS)
def test_a_captured_observation_is_rubbish(make, env_class, observation, message):
    env = make(env_class)
    env.reset()
    returning(env, CAPTURE, (observation, 0.0, False, {}))
    with pytest.raises(InterfaceError, match=rf"^{CAPTURE}\(\) .*{message}"):
        provoke(env, CAPTURE)
    recovers(env)


@BOTH
@pytest.mark.parametrize(("answer", "message"), RESETS.values(), ids=RESETS)
def test_a_reset_is_rubbish(make, env_class, answer, message):
    env = make(env_class)
    env.reset()
    returning(env, "reset", answer)
    with pytest.raises(InterfaceError, match=f"^{message}"):
        env.reset()
    recovers(env)


@BOTH
@pytest.mark.parametrize(("observation", "message"), OBSERVATIONS.values(), ids=OBSERVATIONS)
def test_the_observation_of_a_reset_is_rubbish(make, env_class, observation, message):
    env = make(env_class)
    env.reset()
    returning(env, "reset", (observation, {}))
    with pytest.raises(InterfaceError, match=rf"^reset\(\) .*{message}"):
        env.reset()
    recovers(env)


@BOTH
@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_a_frame_is_rubbish(make_env, env_class, frame):
    env = make_env(env_class, None, time_step_duration=0.01, render_mode="rgb_array")
    env.reset()
    returning(env, "render", frame)
    with pytest.raises(
        InterfaceError, match=r"^render\(\) must return a uint8 array of shape \(height, width, 3\), got"
    ):
        env.render()
    recovers(env)


@BOTH
@pytest.mark.parametrize("method", ["send_control", "wait", "close"])
def test_what_returns_nothing_may_return_anything(make, env_class, method):
    env = make(env_class)
    env.reset()
    env.interface.do[method] = lambda *args: "rubbish"
    provoke(env, method)
    env.close()
    assert sent(env)[-1] == SAFE


@BOTH
@pytest.mark.parametrize("rubbish", [None, 3, object()])
def test_what_is_made_is_no_interface(env_class, rubbish):
    with pytest.raises(ConfigError, match=r"config\['interface'\] must make a RealTimeGymInterface, it made"):
        env_class({"interface": lambda: rubbish})
    assert threads() == []


@BOTH
def test_rubbish_may_be_let_pass(make, env_class):
    """As a program of Real-Time Gym may need, whose observations leave their space: it is told once."""
    env = make(env_class, observation_check="warn")
    env.reset()
    env.interface.do[CAPTURE] = lambda: ([np.array([-2.0])], 0.0, False, {})
    with pytest.warns(ObservationWarning, match=rf"^{CAPTURE}\(\) must return .* it is handed out as it is"):
        provoke(env, CAPTURE)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ObservationWarning)
        assert env.step([0.5])[0][0] == [-2.0]


# --- it is slow ---

SLOW = [
    # method, by how many time-steps, overruns, timeouts
    ("send_control", 0.5, 0, 0),
    ("send_control", 1.5, 1, 0),
    ("send_control", 10, 0, 1),
    (CAPTURE, 0.5, 1, 0),
    (CAPTURE, 1.5, 0, 1),
    (CAPTURE, 10, 0, 1),
    ("reset", 0.5, 1, 0),
    ("reset", 1.5, 0, 1),
    ("reset", 10, 0, 1),
    ("render", 0.5, 0, 0),
    ("render", 1.5, 1, 0),
    ("render", 10, 0, 1),
    ("wait", 0.5, 1, 0),
    ("wait", 1.5, 0, 0),  # a pause is excused
    ("wait", 10, 0, 0),
    ("close", 10, 0, 0),
]


@pytest.mark.filterwarnings("ignore::rtgym_ros.core.errors.TimeStepTimeoutWarning")
@pytest.mark.parametrize(("method", "slow", "overruns", "timeouts"), SLOW)
def test_v1_it_is_slow_once(make_env, clock, method, slow, overruns, timeouts):
    env = make_env()
    env.reset()
    env.step([0.5])
    once(env, method, lambda: clock.advance_ns(round(slow * 50 * MS)))
    provoke(env, method)
    if method != "close":
        if method in ("wait", "render"):
            env.step([0.5])  # what a pause or a picture has cost shows when the next time-step begins
        env.step([0.5])
        assert env.state is State.RUNNING
        assert SAFE not in sent(env)
    assert (env.clock.overruns, env.clock.timeouts) == (overruns, timeouts)


@pytest.mark.filterwarnings("ignore::rtgym_ros.core.errors.TimeStepTimeoutWarning")
@pytest.mark.parametrize(("method", "slow", "overruns", "timeouts"), SLOW)
def test_ts_it_is_slow_once(make_env, method, slow, overruns, timeouts):
    """On the real clock, where other things may be late as well: at least so many."""
    env = make_env(RealTimeEnvTS, None, time_step_duration=0.02)
    env.reset()
    env.step([0.5])
    once(env, method, lambda: time.sleep(slow * 0.02))
    provoke(env, method)
    if method != "close":
        env.step([0.5])
        env.step([0.5])
        assert env.state is State.RUNNING
        assert SAFE not in sent(env)
    assert env.clock.timeouts >= timeouts
    assert env.clock.overruns + env.clock.timeouts >= overruns


@BOTH
@pytest.mark.parametrize("slow", [0.5, 1.5, 10])
def test_it_is_made_slowly(make_env, env_class, slow):
    made = make_env(env_class, None, {"__init__": lambda: time.sleep(slow * 0.01)}, time_step_duration=0.01)
    made.reset()
    assert made.clock.timeouts == 0


@BOTH
def test_a_capture_that_is_always_slow_is_told_in_the_info(make_env, env_class):
    env = make_env(env_class, None, time_step_duration=0.01, time_step_timeout_factor=0.5)
    env.interface.do[CAPTURE] = lambda: time.sleep(0.015)
    env.reset()
    with pytest.warns(TimeStepTimeoutWarning, match=r"time-step \d+ timed out"):
        infos = [env.step([0.5])[-1] for _ in range(5)]
    assert [info["time_step_timed_out"] for info in infos] == [0, 1, 1, 1, 1]
    assert all(info["time_step_lateness"] >= 0.005 for info in infos[1:])
