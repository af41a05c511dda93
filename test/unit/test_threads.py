"""Which thread calls the interface, on the real clock: thread identities and events, never durations."""

import math
import signal
import threading
from threading import Event, Thread, Timer

import numpy as np
import pytest
from rtgym_ros.envs.interface_thread import InterfaceThread
from rtgym_ros.envs.pending_capture import PendingCapture

from rtgym_ros.core.elastic_clock import TimeStep
from rtgym_ros.core.errors import InterfaceError, InterfaceTimeoutError
from rtgym_ros.core.time_source import FakeTimeSource, MonotonicTimeSource
from rtgym_ros.envs.real_time_env import RealTimeEnv, RealTimeEnvTS
from rtgym_ros.envs.state import State

LONG = 30  # s; more than any thread needs, however busy the machine
CAPTURE = "get_obs_rew_terminated_info"
MS = 1_000_000


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


# --- real-time-gym-v1 ---


def test_v1_a_caller_in_time_does_everything_itself(make):
    env = make(RealTimeEnv, time_step_duration=0.5)
    env.reset()
    env.step([0.1])
    env.wait()
    env.render()
    env.close()
    assert set(env.interface.threads) >= {"__init__", "reset", "send_control", "on_time_step", CAPTURE, "wait", "close"}
    assert set.union(*env.interface.threads.values()) == {threading.get_ident()}


def test_v1_the_helper_captures_when_the_caller_is_late(make):
    captured = Event()
    env = make(RealTimeEnv, do={CAPTURE: captured.set})
    env.reset()
    for number in (1, 2, 3):
        assert captured.wait(LONG), "nobody calls step(), so the helper captures"
        captured.clear()
        assert env.step([0.1])[0][0] == [number], "what was captured then is returned, and nothing captured anew"
    assert threading.get_ident() not in env.interface.threads[CAPTURE]
    assert len(env.interface.threads[CAPTURE]) == 1
    assert env.interface.threads["send_control"] == {threading.get_ident()}


def test_v1_a_caller_who_comes_back_during_the_capture_waits_for_it(make, gate):
    do = {CAPTURE: stop_at(gate)}
    env = make(RealTimeEnv, do=do)
    env.reset()
    assert do[CAPTURE].reached.wait(LONG)
    opener = Thread(target=gate.set)
    opener.start()
    assert env.step([0.1])[0][0] == [1]
    opener.join(LONG)


def test_v1_an_error_in_the_helper_comes_out_of_step(make):
    raised = Event()

    def robot_fault():
        raised.set()
        raise OSError("no link")

    env = make(RealTimeEnv, do={CAPTURE: robot_fault})
    env.reset()
    assert raised.wait(LONG)
    with pytest.raises(OSError, match="no link") as error:
        env.step([0.1])
    assert error.traceback[-1].name == "robot_fault"
    assert (env.state, env.interface.log[-1][1:]) == (State.FAILED, ("send", -1.0))
    raised.clear()
    env.interface.do.clear()
    env.reset()
    assert env.step([0.1])[0][0] == [2]


def test_v1_has_a_watchdog_and_from_the_first_time_step_on_a_helper(make):
    env = make(RealTimeEnv)
    assert names() == ["rtgym_ros call watchdog"]
    for _ in range(3):
        env.reset()
        env.step([0.1])
        assert names() == ["rtgym_ros agent watchdog", "rtgym_ros call watchdog", "rtgym_ros capture helper"]
    env.close()
    assert names() == []


def test_v1_a_blocked_capture_ends_step_and_close_in_bounded_time(make, gate):
    do = {CAPTURE: stop_at(gate)}
    env = make(RealTimeEnv, do=do, interface_timeout=0.3)
    env.reset()
    assert do[CAPTURE].reached.wait(LONG)
    with pytest.raises(InterfaceTimeoutError, match=rf"the interface's {CAPTURE}\(\) has been blocked for 0\.3 s"):
        env.step([0.1])
    assert env.interface.log[-1][1:] == ("send", -1.0)
    with pytest.raises(InterfaceTimeoutError, match="the interface has not let go of its thread"):
        env.close()
    assert env.interface.log[-1][1:] == ("close",)


# --- real-time-gym-ts-v1 ---


def test_ts_one_background_thread_makes_every_call(make):
    env = make(RealTimeEnvTS, wait_on_done=True, ep_max_length=2)
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


def test_ts_has_a_thread_of_its_own_and_one_that_watches_the_agent(make):
    env = make(RealTimeEnvTS)
    env.reset()
    env.step([0.1])
    assert names() == ["rtgym_ros agent watchdog", "rtgym_ros interface"]
    env.close()
    assert names() == []


def test_ts_observations_are_captured_on_the_grid_in_turn(make):
    env = make(RealTimeEnvTS, time_step_duration=0.005, act_buf_len=2)
    env.reset()
    for number in range(1, 51):
        observation = env.step([number / 50])[0]
        assert [float(part[0]) for part in observation] == pytest.approx([number, (number - 1) / 50, number / 50])
    assert [entry[1] for entry in env.interface.log[1:]] == ["send", "capture"] * 50 + ["send"]


def test_ts_several_threads_may_step(make):
    env = make(RealTimeEnvTS, time_step_duration=0.002)
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


def test_ts_an_error_in_its_thread_comes_out_with_its_traceback(make):
    def robot_fault(*args):
        raise OSError("no link")

    env = make(RealTimeEnvTS)
    calls = {"reset": env.reset, CAPTURE: lambda: env.step([0.1]), "wait": env.wait, "send_control": env.reset}
    for method, call in calls.items():
        env.interface.do.clear()
        env.reset()
        env.interface.do[method] = robot_fault
        with pytest.raises(OSError, match="no link") as error:
            call()
        assert error.traceback[-1].name == "robot_fault"
        assert env.state is State.FAILED


def test_ts_an_exit_asked_for_in_its_thread_comes_out_and_does_not_end_it(make):
    def leave():
        raise SystemExit(3)

    env = make(RealTimeEnvTS, do={CAPTURE: leave}, interface_timeout=1)
    env.reset()
    with pytest.raises((SystemExit, InterfaceError)):  # and not after having waited for it in vain
        env.step([0.1])
    env.interface.do.clear()
    env.reset()
    assert env.step([0.1])[0][0] == [2], "the thread lives on"


def test_ts_a_timeout_error_of_the_interface_is_its_own(make):
    def silent():
        raise TimeoutError("no packet for a second")

    env = make(RealTimeEnvTS, do={CAPTURE: silent})
    env.reset()
    with pytest.raises(TimeoutError, match="no packet for a second") as error:
        env.step([0.1])
    assert not isinstance(error.value, InterfaceTimeoutError)


def test_ts_an_interrupt_while_waiting_leaves_the_environment_usable(make, gate):
    def interrupt_the_caller():
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        gate.wait(LONG)

    env = make(RealTimeEnvTS, do={CAPTURE: interrupt_the_caller})
    env.reset()
    with pytest.raises(KeyboardInterrupt):
        env.step([0.1])
    env.interface.do.clear()
    gate.set()
    observation = env.step([0.2])[0]
    assert [float(part[0]) for part in observation] == [1, np.float32(0.2)]


def test_ts_an_interrupt_while_sending_waits_until_the_time_step_has_begun(make):
    def interrupt_the_caller(control):
        env.interface.do.clear()
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        caller_interrupted.wait(0.1)  # it has not been: the interrupt waits

    caller_interrupted = Event()
    env = make(RealTimeEnvTS, act_buf_len=2)
    env.reset()
    env.interface.do["send_control"] = interrupt_the_caller
    with pytest.raises(KeyboardInterrupt):
        env.step([0.1])
    caller_interrupted.set()
    observation, _, _, _, info = env.step([0.2])
    assert [float(part[0]) for part in observation] == [2, np.float32(0.1), np.float32(0.2)]
    assert info["time_step_index"] == 1


@pytest.mark.parametrize("method", ["__init__", "get_action_space", "get_time_source"])
def test_ts_an_interface_that_blocks_while_it_is_made_is_named(make, gate, method):
    with pytest.raises(InterfaceTimeoutError, match=rf"the interface's {method}\(\) has been blocked for 0\.3 s"):
        make(RealTimeEnvTS, do={method: stop_at(gate)}, interface_timeout=0.3)


BLOCKED = {
    "reset": lambda env: env.reset(),
    "send_control": lambda env: env.step([0.1]),
    CAPTURE: lambda env: env.step([0.1]),
    "wait": lambda env: env.wait(),
    "render": lambda env: env.render(),
    "close": lambda env: env.close(),
}


@pytest.mark.parametrize("method", BLOCKED)
def test_ts_a_method_that_blocks_is_named(make, gate, method):
    env = make(RealTimeEnvTS, interface_timeout=0.3)
    env.reset()
    env.interface.do[method] = stop_at(gate)
    with pytest.raises(InterfaceTimeoutError, match=rf"the interface's {method}\(\) has been blocked for 0\.3 s"):
        BLOCKED[method](env)
    gate.set()
    if method != "close":
        env.reset()
        assert env.state is State.RUNNING


def test_ts_a_blocked_thread_is_not_waited_for_again_and_sends_the_safe_action_when_it_is_free(make, gate):
    env = make(RealTimeEnvTS, interface_timeout=0.3)
    env.reset()
    env.interface.do[CAPTURE] = stop_at(gate)
    with pytest.raises(InterfaceTimeoutError, match="has been blocked"):
        env.step([0.1])
    for _ in range(2):
        with pytest.raises(InterfaceTimeoutError, match=r"still blocks its thread, reset\(\) cannot be called"):
            env.reset()
    assert env.state is State.FAILED
    assert [entry[1] for entry in env.interface.log] == ["reset", "send", "capture"]
    gate.set()
    env.reset()
    late = [entry[1:] for entry in env.interface.log[3:]]
    assert late[0] == ("send", -1.0)
    assert late[-2:] == [("reset",), ("send", 0.0)]


@pytest.mark.parametrize("method", [CAPTURE, "wait"])
def test_ts_a_timeout_that_the_interface_reports_itself_does_not_make_it_blocked(make, method):
    def robot_fault():
        del env.interface.do[method]
        raise InterfaceTimeoutError("the robot is silent")

    env = make(RealTimeEnvTS)
    env.reset()
    env.interface.do[method] = robot_fault
    with pytest.raises(InterfaceTimeoutError, match="the robot is silent"):
        BLOCKED[method](env)
    assert env.interface.log[-1][1:] == ("send", -1.0)
    env.reset()
    assert env.state is State.RUNNING


@pytest.mark.parametrize("env_class", [RealTimeEnv, RealTimeEnvTS])
def test_an_environment_forgotten_in_its_own_thread_is_closed(make_env, monkeypatch, env_class):
    """The garbage collector runs in whichever thread happens to allocate."""
    failures, closed = [], Event()
    monkeypatch.setattr("sys.unraisablehook", failures.append)
    monkeypatch.setattr("sys.excepthook", lambda kind, error, trace: failures.append(error))
    other = make_env()
    interface = type(other.interface)
    other.close()
    do = {"close": closed.set}
    config = {
        "interface": interface,
        "interface_args": (None, do),
        "time_step_duration": 0.01,
        "interface_timeout": 0.3,
    }
    holder = [env_class(config)]
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


def test_ts_a_time_step_may_last_longer_than_the_patience_with_the_interface(make):
    env = make(RealTimeEnvTS, time_step_duration=0.6, interface_timeout=0.3)
    env.reset()
    assert env.step([0.1])[0][0] == [1]


# --- the thread itself ---


@pytest.fixture
def fake():
    return FakeTimeSource()


@pytest.fixture
def thread(fake):
    thread = InterfaceThread(fake, LONG)
    yield thread
    assert thread.close()


def time_step(index, duration_ns=50 * MS):
    start_ns = index * duration_ns
    return TimeStep(index, start_ns, start_ns + duration_ns, start_ns + duration_ns, start_ns)


def capture_with(fake):
    def capture(time_step):
        fake.sleep_until_ns(time_step.capture_ns)
        return time_step.index, fake.now_ns(), threading.get_ident()

    return capture


def test_a_capture_is_claimed_once(fake):
    pending = PendingCapture(time_step(0), capture_with(fake))
    assert not pending.claimed
    assert pending.claim()
    assert pending.claimed
    assert not pending.claim()


def test_a_capture_is_claimed_by_one_of_many_threads():
    for _ in range(50):
        pending = PendingCapture(time_step(0), lambda time_step: None)
        barrier = threading.Barrier(4)
        won = []

        def race(pending=pending, barrier=barrier, won=won):
            barrier.wait(LONG)
            if pending.claim():
                won.append(1)

        threads = [Thread(target=race) for _ in range(4)]
        for racer in threads:
            racer.start()
        for racer in threads:
            racer.join(LONG)
        assert won == [1]


def test_an_interrupted_capture_can_be_claimed_again(fake):
    def interrupted(time_step):
        raise KeyboardInterrupt

    pending = PendingCapture(time_step(0), interrupted)
    assert pending.claim()
    with pytest.raises(KeyboardInterrupt):
        pending.capture()
    assert pending.claim()


def test_a_sleeper_is_woken_and_others_do_not_wait(fake):
    pending = PendingCapture(time_step(0), capture_with(fake))
    results = []
    sleepers = [Thread(target=lambda: results.append(pending.result(LONG)[0])) for _ in range(3)]
    for sleeper in sleepers:
        sleeper.start()
    assert not pending.wait(0.01)
    assert pending.claim()
    pending.capture()
    for sleeper in sleepers:
        sleeper.join(LONG)
    assert results == [0, 0, 0]
    assert pending.wait(0)


def test_the_thread_captures_when_it_is_due_and_goes_on_with_what_follows(fake, thread):
    order = []
    pending = PendingCapture(time_step(0), lambda step: order.append(("capture", step.index)))
    thread.call("watch", thread.watch, pending)
    assert thread.call_after(pending, lambda: order.append("begin") or threading.get_ident()) != threading.get_ident()
    assert order == [("capture", 0), "begin"]


def test_what_follows_a_capture_that_is_over_is_handed_over(fake, thread):
    pending = PendingCapture(time_step(0), capture_with(fake))
    thread.call("watch", thread.watch, pending)
    assert pending.result(LONG)[0] == 0
    assert thread.call_after(pending, lambda: threading.get_ident()) != threading.get_ident()


def test_what_follows_an_interrupted_wait_is_not_called(thread, gate):
    pending = PendingCapture(time_step(0), lambda step: gate.wait(LONG))
    called = []
    thread.call("watch", thread.watch, pending)
    Timer(0.1, signal.pthread_kill, [threading.main_thread().ident, signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        thread.call_after(pending, called.append, 1)
    gate.set()
    assert pending.result(LONG)
    assert thread.call("after", lambda: 1) == 1
    assert called == []


def test_what_follows_a_long_time_step_waits_for_its_end_and_calls_are_made_meanwhile(thread):
    clock = MonotonicTimeSource()
    thread.set_time_source(clock)
    now_ns = clock.now_ns()
    pending = PendingCapture(TimeStep(0, now_ns, now_ns, now_ns + 300 * MS, now_ns), lambda step: None)
    thread.call("watch", thread.watch, pending)
    order = []
    after = Thread(target=lambda: thread.call_after(pending, lambda: order.append(clock.now_ns())))
    after.start()
    while pending.successor is None:
        pass
    assert thread.call("meanwhile", lambda: order.append("meanwhile") or clock.now_ns()) < now_ns + 300 * MS
    after.join(LONG)
    assert order[0] == "meanwhile"
    assert order[1] >= now_ns + 299 * MS


@pytest.mark.parametrize("start_obs_capture", [0.0, 59.0])
def test_ts_an_interrupt_does_not_wait_for_the_end_of_a_long_time_step(make, start_obs_capture):
    env = make(RealTimeEnvTS, time_step_duration=60.0, start_obs_capture=start_obs_capture)
    env.reset()
    Timer(0.2, signal.pthread_kill, [threading.main_thread().ident, signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        env.step([0.1])
    assert env.clock.time_steps == 1
    env.close()
    assert env.interface.log[-2][1:] == ("send", -1.0)


def test_an_abandoned_capture_is_not_made(fake, thread):
    pending = PendingCapture(time_step(0), capture_with(fake))
    assert pending.claim()
    thread.call("watch", thread.watch, pending)
    assert thread.call("after", lambda: 1) == 1
    assert not pending.done


def test_the_thread_changes_its_clock(thread):
    other = FakeTimeSource(start_ns=10**15)
    thread.set_time_source(other)
    pending = PendingCapture(time_step(5), capture_with(other))
    thread.call("watch", thread.watch, pending)
    assert pending.result(LONG)[1] == 10**15, "by that clock it is overdue"


def test_calls_raise_what_they_raise(thread):
    def leave():
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        thread.call("leave", leave)
    assert thread.call("after", threading.get_ident) != threading.get_ident()
