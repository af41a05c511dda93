"""The clock thread on the real clock: who calls the interface, and what callers get; events, never durations."""

import math
import signal
import threading
import time
from threading import Event, Thread, Timer

import numpy as np
import pytest
from unit_recorder import Recorder

from rtgym_ros.core.errors import InterfaceError, InterfaceTimeoutError, StateError
from rtgym_ros.core.time_source import FakeTimeSource
from rtgym_ros.envs.clock_thread import CLOCK_THREAD, pause
from rtgym_ros.envs.real_time_env import RealTimeEnv, RealTimeEnvTS
from rtgym_ros.envs.state import State

LONG = 30  # s; more than any thread needs, however busy the machine
CAPTURE = "get_obs_rew_terminated_info"
BOTH = pytest.mark.parametrize("env_class", [RealTimeEnv, RealTimeEnvTS])


@pytest.fixture
def make(make_env):
    """Return a function that makes an environment on the real clock that never times out."""

    def make(env_class, **config):
        return make_env(env_class, None, **{"time_step_timeout_factor": math.inf, "time_step_duration": 0.01, **config})

    return make


@pytest.fixture
def gate():
    """A gate that stops who comes through, until it is set; at the end of the test it is."""
    gate = Event()
    yield gate
    gate.set()


def stop_at(gate):
    reached = Event()

    def stop(*args):
        reached.set()
        gate.wait(LONG)

    stop.reached = reached
    return stop


def names():
    return sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("rtgym_ros"))


@BOTH
def test_one_thread_makes_every_call(make, env_class):
    env = make(env_class, wait_on_done=True, ep_max_length=2)
    for _ in range(2):
        env.reset(seed=1)
        env.step([0.1])
        env.step([0.1])
    env.render()
    env.close()
    called = env.interface.threads
    methods = ["get_observation_space", "get_action_space", "get_default_action", "get_safe_action", "get_time_source"]
    methods += ["__init__", "reset", "send_control", "on_time_step", CAPTURE, "wait", "render", "close"]
    assert sorted(called) == sorted(methods)
    assert len(set.union(*called.values())) == 1
    assert threading.get_ident() not in set.union(*called.values())
    assert [entry[1] for entry in env.interface.log[:6]] == ["reset", "send", "capture", "send", "capture", "wait"]


@BOTH
def test_there_is_one_thread_and_it_ends(make, env_class):
    env = make(env_class)
    for _ in range(3):
        env.reset()
        env.step([0.1])
        assert names() == ["rtgym_ros clock"]
    env.close()
    assert names() == []


@BOTH
def test_an_observation_is_captured_on_time_though_nobody_calls(make, env_class):
    captured = Event()
    env = make(env_class, do={CAPTURE: captured.set})
    env.reset()
    for number in (1, 2, 3):
        assert captured.wait(LONG)
        captured.clear()
        assert env.step([0.1])[0][0] == [number], "what was captured then is returned, and nothing captured anew"


@BOTH
def test_a_caller_who_comes_during_the_capture_waits_for_it(make, gate, env_class):
    do = {CAPTURE: stop_at(gate)}
    env = make(env_class, do=do)
    env.reset()
    assert do[CAPTURE].reached.wait(LONG)
    opener = Thread(target=gate.set)
    opener.start()
    assert env.step([0.1])[0][0] == [1]
    opener.join(LONG)


@BOTH
@pytest.mark.parametrize("call", ["step", "reset", "wait", "stop"])
def test_an_error_that_nobody_waits_for_stops_the_robot_at_once_and_comes_out_of_the_next_call(make, env_class, call):
    stopped = Event()

    def robot_fault():
        raise OSError("no link")

    def note(control):
        if control[0] == -1:
            stopped.set()

    env = make(env_class, do={CAPTURE: robot_fault, "send_control": note})
    env.reset()
    assert stopped.wait(LONG), "without any call"
    assert env.state is State.FAILED
    env.interface.do.clear()
    with pytest.raises(OSError, match="no link") as error:
        {"step": lambda: env.step([0.1])}.get(call, getattr(env, call))()
    assert error.traceback[-1].name == "robot_fault"
    if call != "step":
        with pytest.raises(StateError):
            env.step([0.1])
    env.reset()
    assert env.step([0.1])[0][0] == [2]


def test_an_error_that_no_call_returns_is_logged(make, caplog):
    raised = Event()

    def robot_fault():
        raised.set()
        raise OSError("no link")

    env = make(RealTimeEnv, do={CAPTURE: robot_fault})
    env.reset()
    assert raised.wait(LONG)
    env.close()
    assert "no call has returned: no link" in caplog.text


@BOTH
def test_observations_are_captured_on_the_grid_in_turn(make, env_class):
    env = make(env_class, time_step_duration=0.005, act_buf_len=2)
    env.reset()
    for number in range(1, 51):
        observation = env.step([number / 50])[0]
        assert [float(part[0]) for part in observation] == pytest.approx([number, (number - 1) / 50, number / 50])
    # One more capture may have come by now, on a busy machine.
    assert [entry[1] for entry in env.interface.log[1:102]] == ["send", "capture"] * 50 + ["send"]


@pytest.mark.parametrize("start_obs_capture", [0.0, 0.004, 0.013])
def test_a_capture_may_be_anywhere(make, start_obs_capture):
    env = make(RealTimeEnv, start_obs_capture=start_obs_capture)
    env.reset()
    for number in range(1, 11):
        observation, _, _, _, info = env.step([0.5])
        assert observation[0] == [number]
        assert info["capture_time"] >= info["time_step_nominal_start"] + start_obs_capture - 1e-9


class SetByHand(FakeTimeSource):
    """A clock that the clock thread takes for one that passes, and that is only ever set by the test."""

    passes_by_itself = True


@BOTH
def test_a_capture_at_the_start_is_made_before_anybody_goes_on(make_env, env_class):
    clock = SetByHand()
    env = make_env(env_class, clock, start_obs_capture=0.0)
    env.reset()
    assert env.interface.log == [(0, "reset"), (0, "send", 0.0), (0, "capture")]
    for number in range(1, 51):
        clock.advance_ns(50_000_000)
        info = env.step([0.5])[-1]
        assert info["capture_time"] == info["time_step_start"] == pytest.approx((number - 1) * 0.05)
        assert env.interface.log[-2:] == [(50 * number, "send", 0.5), (50 * number, "capture")]


@BOTH
def test_several_threads_may_step(make, env_class):
    env = make(env_class, time_step_duration=0.002)
    env.reset()
    seen = []

    def step():
        for _ in range(20):
            seen.append(int(env.step([0.1])[0][0][0]))

    threads = [Thread(target=step) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert sorted(seen) == list(range(1, 61))


@BOTH
def test_an_exit_asked_for_in_the_thread_comes_out_and_does_not_end_it(make, env_class):
    def leave():
        raise SystemExit(3)

    env = make(env_class, do={CAPTURE: leave}, interface_timeout=1)
    env.reset()
    with pytest.raises((SystemExit, InterfaceError)):  # and not after having waited for it in vain
        env.step([0.1])
    env.interface.do.clear()
    env.reset()
    assert env.step([0.1])[0][0] == [2], "the thread lives on"


@BOTH
def test_a_timeout_error_of_the_interface_is_its_own(make, env_class):
    def silent():
        raise TimeoutError("no packet for a second")

    env = make(env_class, do={CAPTURE: silent})
    env.reset()
    with pytest.raises(TimeoutError, match="no packet for a second") as error:
        env.step([0.1])
    assert not isinstance(error.value, InterfaceTimeoutError)


@pytest.mark.parametrize("method", [CAPTURE, "wait"])
def test_a_timeout_that_the_interface_reports_does_not_make_it_blocked(make, method):
    def robot_fault():
        del env.interface.do[method]
        raise InterfaceTimeoutError("the robot is silent")

    env = make(RealTimeEnv)
    env.reset()
    env.interface.do[method] = robot_fault
    with pytest.raises(InterfaceTimeoutError, match="the robot is silent"):
        {CAPTURE: lambda: env.step([0.1]), "wait": env.wait}[method]()
    assert env.interface.log[-1][1:] == ("send", -1.0)
    env.reset()
    assert env.state is State.RUNNING


# --- interrupts of the caller ---


@BOTH
def test_an_interrupt_while_waiting_leaves_the_environment_usable(make, gate, env_class):
    def interrupt_the_caller():
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        gate.wait(LONG)

    env = make(env_class, do={CAPTURE: interrupt_the_caller}, get_obs_timeout=LONG)
    env.reset()
    with pytest.raises(KeyboardInterrupt):
        env.step([0.1])
    env.interface.do.clear()
    gate.set()
    observation = env.step([0.2])[0]
    assert [float(part[0]) for part in observation] == [1, np.float32(0.2)]


@BOTH
def test_an_interrupt_while_sending_waits_until_the_time_step_has_begun(make, env_class):
    def interrupt_the_caller(control):
        env.interface.do.clear()
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        caller_interrupted.wait(0.1)  # it has not been: the interrupt waits

    caller_interrupted = Event()
    env = make(env_class, act_buf_len=2)
    env.reset()
    env.interface.do["send_control"] = interrupt_the_caller
    with pytest.raises(KeyboardInterrupt):
        env.step([0.1])
    caller_interrupted.set()
    observation, _, _, _, info = env.step([0.2])
    assert [float(part[0]) for part in observation] == [2, np.float32(0.1), np.float32(0.2)]
    assert info["time_step_index"] == 1


@pytest.mark.parametrize("start_obs_capture", [0.0, 59.0])
def test_an_interrupt_does_not_wait_for_the_end_of_a_long_time_step(make, start_obs_capture):
    env = make(RealTimeEnv, time_step_duration=60.0, start_obs_capture=start_obs_capture)
    env.reset()
    Timer(0.2, signal.pthread_kill, [threading.main_thread().ident, signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        env.step([0.1])
    assert env.clock.time_steps == 1
    env.close()
    assert env.interface.log[-2][1:] == ("send", -1.0)


@pytest.mark.parametrize("call", ["make", "reset"])
def test_an_interrupt_ends_a_wait_for_the_robot(make, call):
    """Which would otherwise last for as long as that robot is silent; the environment is made, or reset, again."""

    def wait(*_):
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        while True:
            pause(0.001)

    with pytest.raises(KeyboardInterrupt):
        make(RealTimeEnv, do={"__init__" if call == "make" else "reset": wait}).reset()
    assert names() == ([] if call == "make" else [CLOCK_THREAD])
    pause(0.0)  # not in the clock thread: it goes on


def test_an_interface_that_was_made_while_an_interrupt_came_is_closed(make):
    closed = Event()
    made = {
        "__init__": lambda *_: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT) or time.sleep(0.1),
        "close": closed.set,
    }
    with pytest.raises(KeyboardInterrupt):
        make(RealTimeEnv, do=made)
    assert closed.is_set()
    assert names() == []


def test_a_time_step_may_last_longer_than_any_bound(make):
    env = make(RealTimeEnv, time_step_duration=0.6, interface_timeout=0.3)
    env.reset()
    assert env.step([0.1])[0][0] == [1]


# --- an environment that is forgotten, or used by its own interface ---


@BOTH
def test_an_environment_forgotten_in_its_own_thread_is_closed(make_env, monkeypatch, env_class):
    """The garbage collector runs in whichever thread happens to allocate."""
    failures, closed = [], Event()
    monkeypatch.setattr("sys.unraisablehook", failures.append)
    monkeypatch.setattr("sys.excepthook", lambda kind, error, trace: failures.append(error))
    other = make_env()
    interface = type(other.interface)
    other.close()
    do = {"close": closed.set}
    holder = [env_class({"interface": interface, "interface_args": (None, do), "time_step_duration": 0.01})]
    log = holder[0].interface.log
    holder[0].reset()
    do[CAPTURE] = holder.clear
    assert closed.wait(10)
    assert [entry[1:] for entry in log[-2:]] == [("send", -1.0), ("close",)]
    for thread in threading.enumerate():
        if thread.name.startswith("rtgym_ros"):
            thread.join(LONG)
    assert names() == []
    assert failures == []


def test_an_interface_may_use_its_environment_but_not_step_it(make):
    seen = []

    def use(*_args):
        seen.append(env.render().shape)
        with pytest.raises(StateError, match=r"step\(\) waits for the time-step to end"):
            env.step([0.1])
        env.interface.do.clear()

    env = make(RealTimeEnv)
    env.reset()
    env.interface.do[CAPTURE] = lambda: use()
    env.step([0.1])
    assert seen == [(2, 2, 3)]


# --- ticks ---


def test_ticks_go_on_between_time_steps_and_episodes_until_the_end(make, monkeypatch):
    ticks, enough = [], Event()

    def tick():
        ticks.append(threading.get_ident())
        if len(ticks) >= 5:
            enough.set()

    env = make(RealTimeEnv, time_step_duration=0.05, ep_max_length=1)
    monkeypatch.setattr(env.interface, "get_tick_period", lambda: 0.002)
    monkeypatch.setattr(env.interface, "tick", tick)
    env.reset()
    env.step([0.1])
    assert enough.wait(LONG)
    ticks.clear()
    enough.clear()
    assert enough.wait(LONG), "the episode is over"
    env.close()
    count = len(ticks)
    assert set(ticks) == env.interface.threads["send_control"]
    assert len(ticks) == count


def test_a_tick_that_fails_stops_the_robot(make, monkeypatch):
    stopped = Event()
    env = make(RealTimeEnv, time_step_duration=0.05)
    env.interface.do["send_control"] = lambda control: stopped.set() if control[0] == -1 else None
    monkeypatch.setattr(env.interface, "get_tick_period", lambda: 0.002)
    monkeypatch.setattr(env.interface, "tick", lambda: 1 / 0)
    env.reset()
    assert stopped.wait(LONG)
    monkeypatch.setattr(env.interface, "tick", lambda: None)
    with pytest.raises(ZeroDivisionError):
        env.step([0.1])


# --- preparations ---


def test_a_capture_is_prepared_once_and_before_it(make, monkeypatch):
    log = []
    env = make(RealTimeEnv, time_step_duration=0.05)
    monkeypatch.setattr(env.interface, "get_preparation_time", lambda: 0.03)
    monkeypatch.setattr(env.interface, "prepare_capture", lambda: log.append(("prepare", threading.get_ident())))
    env.interface.do[CAPTURE] = lambda: log.append(("capture", threading.get_ident()))
    env.reset()
    end = time.monotonic() + LONG
    while log.count(("prepare", log[0][1] if log else 0)) < 3 and time.monotonic() < end:
        env.step([0.1])
    what = [method for method, _ in log]
    assert what.count("prepare") == 3, "however busy the machine, some time-steps begin in time"
    assert {thread for _, thread in log} == env.interface.threads["send_control"]
    after = [what[i + 1] for i, method in enumerate(what[:-1]) if method == "prepare"]
    assert set(after) == {"capture"}


def test_a_time_step_that_is_too_short_is_not_prepared(make, monkeypatch):
    env = make(RealTimeEnv, time_step_duration=0.005)
    monkeypatch.setattr(env.interface, "get_preparation_time", lambda: 0.005)
    monkeypatch.setattr(env.interface, "prepare_capture", lambda: 1 / 0)
    env.reset()
    for _ in range(5):
        env.step([0.1])


def test_a_preparation_that_fails_stops_the_robot(make, monkeypatch):
    stopped = Event()
    env = make(RealTimeEnv, time_step_duration=0.05)
    env.interface.do["send_control"] = lambda control: stopped.set() if control[0] == -1 else None
    monkeypatch.setattr(env.interface, "get_preparation_time", lambda: 0.03)
    monkeypatch.setattr(env.interface, "prepare_capture", lambda: 1 / 0)
    env.reset()
    with pytest.raises(ZeroDivisionError):
        [env.step([0.1]) for _ in range(1000)]  # a busy machine may leave out some
    assert stopped.is_set()


class Listening(Recorder):
    def on_rest(self, until_ns):
        self._log("rest", until_ns)
        self._run("on_rest", None)


def test_the_interface_is_told_what_the_clock_thread_rests_until(make):
    timing = {"time_step_duration": 0.02, "start_obs_capture": 0.01, "time_in_info": True}
    env = make(RealTimeEnv, interface=Listening, **timing)
    env.reset()
    captures_ns = [1e9 * env.step([0.1])[-1]["capture_time"] for _ in range(3)]
    end = time.monotonic() + LONG
    while env.interface.log[-1] != (env.interface.log[-1][0], "rest", None) and time.monotonic() < end:
        time.sleep(0.001)
    told = [entry[2] for entry in env.interface.log if entry[1] == "rest"]
    assert told[-1] is None, "nobody waits for the end of the last time-step"
    times = [until_ns for until_ns in told if until_ns is not None]
    assert times == sorted(set(times)), "a capture, an end, the next capture, each of them once"
    assert all(any(until_ns <= capture_ns < until_ns + 10e6 for until_ns in times) for capture_ns in captures_ns)
    assert env.interface.threads["on_rest"] == env.interface.threads["send_control"]


def test_an_error_while_it_is_told_stops_the_robot(make):
    env = make(RealTimeEnv, interface=Listening)
    env.reset()
    stopped = Event()
    env.interface.do["send_control"] = lambda control: stopped.set() if control[0] == -1 else None
    env.interface.do["on_rest"] = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        [env.step([0.1]) for _ in range(1000)]
    assert stopped.is_set()


def test_whenever_a_call_comes_it_is_served(make):
    """A call that waits for the end of a time-step wakes nobody, and is not overlooked in the moment of that end."""
    env = make(RealTimeEnv, time_step_duration=0.001)
    env.reset()
    pauses = np.random.default_rng(1).uniform(0.0, 0.0012, 1000)
    served = []

    def fly():
        for seconds in pauses:
            time.sleep(seconds)
            served.append(env.step([0.1]))

    flight = Thread(target=fly, daemon=True)
    flight.start()
    flight.join(LONG)
    assert len(served) == len(pauses)
