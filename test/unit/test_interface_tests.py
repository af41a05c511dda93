"""The contract that users inherit: good interfaces pass it, and every test of it catches what it is there for."""

import contextlib
import itertools
import subprocess
import sys
import threading
import time
import unittest

import numpy as np
import pytest
from gymnasium import spaces

from rtgym_ros import DummyRCDrone, RealTimeGymInterface
from rtgym_ros.core.time_source import FakeTimeSource, MonotonicTimeSource
from rtgym_ros.robots.drone import task
from rtgym_ros.robots.drone.rendering import draw
from rtgym_ros.robots.frame_window import FrameWindow
from rtgym_ros.testing import InterfaceTests

MS = 1_000_000
CAPTURE = "get_obs_rew_terminated_info"
SAFE = -0.25


class Rover(RealTimeGymInterface):
    """A point on a line that goes where it is told, and a target."""

    def __init__(self, clock):
        self.clock = clock
        self.place = 0.0
        self.target = 0.0
        self.sent = []
        self.closed = False

    def get_observation_space(self):
        return spaces.Tuple((spaces.Box(-100.0, 100.0, (1,)), spaces.Box(-1.0, 1.0, (1,))))

    def get_action_space(self):
        return spaces.Box(-1.0, 1.0, (1,))

    def get_default_action(self):
        return np.zeros(1, dtype=np.float32)

    def get_safe_action(self):
        return np.array([SAFE], dtype=np.float32)

    def get_time_source(self):
        return self.clock

    def observe(self):
        return [np.array([value], dtype=np.float32) for value in (self.place, self.target)]

    def reset(self, seed=None, options=None):
        self.target = self.np_random.uniform(-1, 1)
        return self.observe(), {}

    def get_obs_rew_terminated_info(self):
        observation = self.observe()
        return observation, -abs(self.place - self.target), abs(self.place) > 2, {}

    def send_control(self, control):
        self.sent.append(float(control[0]))
        self.place += float(control[0])

    def close(self):
        self.closed = True


class RoverTests(InterfaceTests):
    repeatable_elements = (1,)
    varying_elements = (1,)
    time_source = FakeTimeSource()
    interface_class = Rover

    def make_interface(self):
        return self.interface_class(self.time_source or MonotonicTimeSource())


TESTS = sorted(name for name in dir(InterfaceTests) if name.startswith("test_"))


# --- interfaces that keep it ---


class TestRover(RoverTests):
    pass


class CastRover(Rover):
    """Returns what an environment has to cast."""

    def get_action_space(self):
        return spaces.Box(-0.7, 0.7, (1,))  # float32 rounds it down

    def get_default_action(self):
        return [0.7]

    def observe(self):
        return ([self.place], np.array([self.target], dtype=np.float64))

    def get_obs_rew_terminated_info(self):
        observation, reward, terminated, info = super().get_obs_rew_terminated_info()
        return observation, np.float32(reward), np.array([terminated]), info


class TestCastRover(RoverTests):
    interface_class = CastRover


class ReadOnlyRover(Rover):
    """Hands out again what nobody can write into."""

    seen = np.array([0.25], dtype=np.float32)
    seen.flags.writeable = False

    def get_default_action(self):
        return self.seen

    get_safe_action = get_default_action

    def observe(self):
        return [self.seen, super().observe()[1]]


class TestReadOnlyRover(RoverTests):
    interface_class = ReadOnlyRover


class SwitchedRover(Rover):
    """Its action is a dictionary."""

    def get_action_space(self):
        gears = spaces.Tuple((spaces.Discrete(3, start=-1), spaces.MultiBinary(2), spaces.MultiDiscrete([2, 3])))
        return spaces.Dict({"gears": gears, "text": spaces.Text(2), "speed": spaces.Box(-np.inf, 1.0, (3, 2))})

    def get_default_action(self):
        gears = (np.int64(0), np.zeros(2, np.int8), np.zeros(2, np.int64))
        return {"gears": gears, "text": "a", "speed": np.zeros((3, 2), np.float32)}

    get_safe_action = get_default_action

    def send_control(self, control):
        assert self.get_action_space().contains(control)
        super().send_control([float(control["gears"][0])])


class TestSwitchedRover(RoverTests):
    interface_class = SwitchedRover


class DroneInProcess(RealTimeGymInterface):
    """The tutorial's drone and task, without ROS."""

    def __init__(self):
        self.drone = None  # the first reset makes it
        self.window = FrameWindow("drone")
        self.target = np.zeros(2, dtype=np.float32)

    def get_observation_space(self):
        bounds = (1.0, 1.0, task.TARGET_RANGE, task.TARGET_RANGE)
        return spaces.Tuple([spaces.Box(-bound, bound, (1,)) for bound in bounds])

    def get_action_space(self):
        return spaces.Box(-task.MAX_SPEED, task.MAX_SPEED, (2,))

    def get_default_action(self):
        return np.zeros(2, dtype=np.float32)

    def observe(self):
        return [np.array([value], dtype=np.float32) for value in (*self.drone.get_observation(), *self.target)]

    def reset(self, seed=None, options=None):
        if self.drone is None:
            self.drone = DummyRCDrone()
        self.target = task.draw_target(self.np_random)
        return self.observe(), {}

    def get_obs_rew_terminated_info(self):
        observation = self.observe()
        return observation, *task.score(np.concatenate(observation[:2]), self.target), {}

    def send_control(self, control):
        self.drone.send_control(vel_x=control[0], vel_y=control[1])

    def render(self):
        frame = draw(np.zeros(2), self.target)
        return frame if self.render_mode != "human" else self.window.show(frame)

    def close(self):
        self.window.close()
        if self.drone is not None:
            self.drone.close()


class TestDroneInProcess(InterfaceTests):
    time_step_duration = 0.02  # more than it needs: quicker than the tutorial's
    repeatable_elements = (2, 3)
    varying_elements = (2, 3)

    def make_interface(self):
        return DroneInProcess()


# --- interfaces that break it ---


def broken(**methods):
    return type("Broken", (Rover,), methods)


def answers(*values):
    """Return a method that returns one value after the other, then the last one again and again."""
    calls = {}

    def method(self, *args, **kwargs):
        calls[id(self)] = index = calls.get(id(self), -1) + 1
        return values[min(index, len(values) - 1)]

    return method


def raises(self, *args, **kwargs):
    raise RuntimeError("no robot")


def one(value):
    return np.array([value], dtype=np.float32)


def captures(observation=None, reward=0.0, terminated=False, info=None):
    return answers((observation or [one(0), one(0)], reward, terminated, {} if info is None else info))


class Buffered(Rover):
    """Observes into one buffer."""

    def __init__(self, clock):
        super().__init__(clock)
        self.buffer = np.zeros(1, dtype=np.float32)

    def observe(self):
        self.buffer[:] = self.place
        return [self.buffer, one(self.target)]


class Peephole(Buffered):
    """Hands out a window on its buffer that only itself writes to."""

    def observe(self):
        window = super().observe()[0][:]
        window.flags.writeable = False
        return [window, one(self.target)]


class SameTarget(Rover):
    """Hands out its own target."""

    def reset(self, seed=None, options=None):
        self.drawn = self.np_random.uniform(-1, 1, 1).astype(np.float32)
        return self.observe(), {}

    def observe(self):
        return [one(self.place), self.drawn]


class Stack(Rover):
    """Observes what it observed before."""

    def __init__(self, clock):
        super().__init__(clock)
        self.last = one(0)

    def observe(self):
        before, self.last = self.last, one(self.place / 100)
        return [self.last, before]


class SameList(Rover):
    """Hands out one list, with nothing new in it."""

    def __init__(self, clock):
        super().__init__(clock)
        self.list = [0.5, 0.5]

    def get_observation_space(self):
        return spaces.Tuple([spaces.Box(-1.0, 1.0, ())] * 2)

    def observe(self):
        return self.list


class Slow(Rover):
    """Takes its time, given by the class (ns): one duration after the other, then the first one again."""

    sending = (0,)
    capturing = (0,)

    def __init__(self, clock):
        super().__init__(clock)
        self.sendings, self.capturings = map(itertools.cycle, (self.sending, self.capturing))

    def send_control(self, control):
        super().send_control(control)
        self.clock.advance_ns(next(self.sendings))

    def get_obs_rew_terminated_info(self):
        self.clock.advance_ns(next(self.capturings))
        return super().get_obs_rew_terminated_info()


def send_at_most_half(self, control):
    if abs(control[0]) > 0.5:
        raise ValueError("too fast")


def send_for_ever(self, control):
    while not Threaded.end.is_set():
        time.sleep(0.01)


def send_scaled(self, control):
    control *= 100


def draw_by_myself(self, seed=None, options=None):
    self.target = np.random.default_rng().uniform(-1, 1)
    return self.observe(), {}


class OnceClosed(Rover):
    def close(self):
        if self.closed:
            raise RuntimeError("it is closed")
        super().close()


class ClosedAfterReset(Rover):
    def reset(self, seed=None, options=None):
        self.port = "open"
        return super().reset()

    def close(self):
        assert self.port == "open"


class Threaded(Rover):
    """Forgets the thread that its reset starts."""

    end = threading.Event()

    def reset(self, seed=None, options=None):
        threading.Thread(target=self.end.wait, name="my reader", daemon=True).start()
        return super().reset()


class OnePort(Rover):
    """Opens a port that is never free again."""

    def __init__(self, clock, ports=1):
        super().__init__(clock)
        OnePort.ports -= 1
        if OnePort.ports < 0:
            raise OSError("port in use")


class Unwaiting(Rover):
    """Is of no use after wait()."""

    waited = False

    def wait(self):
        self.waited = True

    def reset(self, seed=None, options=None):
        return ([], {}) if self.waited else super().reset()


class OfOneThread(Rover):
    """Works in the thread that made it, as the driver of a device may."""

    def __init__(self, clock):
        super().__init__(clock)
        self.thread = threading.current_thread()

    def send_control(self, control):
        assert threading.current_thread() is self.thread, "not my thread"


BAD_OBSERVATION = "must return an observation in its space: [0] must lie in [-100.0, 100.0] at [0], got 101.0"
FLOAT32 = "Box(-1.0, 1.0, (1,), float32)"

BREACHES = [
    (
        "test_get_observation_space_returns_a_space",
        broken(get_observation_space=answers(spaces.Discrete(2))),
        "get_observation_space() must return a gymnasium.spaces.Tuple, Dict or Box, got Discrete(2)",
    ),
    (
        "test_get_observation_space_returns_a_space",
        broken(get_observation_space=raises),
        "get_observation_space() raised RuntimeError: no robot",
    ),
    (
        "test_get_action_space_returns_a_space",
        broken(get_action_space=answers((-1, 1))),
        "get_action_space() must return a gymnasium.spaces.Space, got (-1, 1)",
    ),
    (
        "test_the_spaces_stay_the_same",
        broken(get_action_space=answers(spaces.Discrete(2), spaces.Discrete(3))),
        "get_action_space() must return an equal space on each call, got Discrete(2), then Discrete(3)",
    ),
    (
        "test_the_spaces_stay_the_same",
        broken(get_observation_space=lambda self: spaces.Tuple([spaces.Box(-100.0, 100.0 + self.target, (1,))] * 2)),
        "get_observation_space() must return an equal space on each call, got Tuple(",
    ),
    (
        "test_get_default_action_is_in_the_action_space",
        broken(get_default_action=answers(np.array([1.5]))),
        f"get_default_action() must lie in {FLOAT32}, got array([1.5])",
    ),
    (
        "test_get_default_action_is_in_the_action_space",
        broken(get_action_space=answers(spaces.Box(0, 255, (1,), np.uint8)), get_default_action=answers([256])),
        "get_default_action() must lie in Box(0, 255, (1,), uint8), got [256]",
    ),
    (
        "test_get_default_action_is_in_the_action_space",
        broken(get_action_space=answers(spaces.Discrete(2)), get_default_action=answers(2)),
        "get_default_action() must be an element of Discrete(2), got 2",
    ),
    (
        "test_get_safe_action_is_in_the_action_space",
        broken(get_safe_action=answers(np.zeros(2))),
        "get_safe_action() must have shape (1,), got (2,)",
    ),
    (
        "test_get_safe_action_is_in_the_action_space",
        broken(get_safe_action=answers([np.nan])),
        "get_safe_action() must be finite, got [nan]",
    ),
    (
        "test_default_and_safe_actions_are_fresh",
        broken(get_default_action=answers(one(0))),
        "get_default_action() and a later get_default_action() returned the same array, and writing into one "
        "changes the other: return a new one on each call",
    ),
    (
        "test_default_and_safe_actions_are_fresh",
        broken(get_safe_action=answers(one(0))),
        "get_safe_action() and a later get_safe_action() returned the same array",
    ),
    (
        "test_default_and_safe_actions_are_fresh",
        broken(get_safe_action=answers({"speed": (one(0),)})),
        "get_safe_action() and a later get_safe_action() returned the same array",
    ),
    (
        "test_get_time_source_returns_a_clock",
        broken(get_time_source=answers(time)),
        "get_time_source() must return a TimeSource, got <module 'time'",
    ),
    (
        "test_get_time_source_returns_a_clock",
        broken(get_time_source=lambda self: FakeTimeSource(0.5)),
        "get_time_source() must return a clock whose now_ns() is a whole number that never decreases, got 0.5, then",
    ),
    (
        "test_get_time_source_returns_a_clock",
        broken(get_time_source=answers(type("Clock", (FakeTimeSource,), {"now_ns": answers(7, 6)})())),
        "get_time_source() must return a clock whose now_ns() is a whole number that never decreases, got 7, then 6",
    ),
    (
        "test_reset_returns_an_observation_and_an_info",
        broken(reset=lambda self, seed, options: self.observe()[0]),
        "reset() must return (observation, info), got array([0.], dtype=float32)",
    ),
    (
        "test_reset_returns_an_observation_and_an_info",
        broken(reset=lambda self, seed, options: (self.observe(), None)),
        "reset() must return a dictionary as its info, got None",
    ),
    (
        "test_reset_returns_an_observation_and_an_info",
        broken(observe=lambda self: [one(101), one(0)]),
        f"reset() {BAD_OBSERVATION}",
    ),
    (
        "test_reset_returns_an_observation_and_an_info",
        broken(observe=lambda self: [one(0)]),
        "reset() must return an observation in its space: it must have 2 elements, got 1",
    ),
    (
        "test_reset_takes_seed_and_options",
        broken(reset=lambda self: (self.observe(), {})),
        "reset() must take the keywords seed and options, it takes ()",
    ),
    (
        "test_reset_takes_seed_and_options",
        broken(reset=lambda self, seed=None, options=None: (self.observe(), {"seed": 2**seed})),
        "reset() raised TypeError: unsupported operand",
    ),
    (
        f"test_{CAPTURE}_returns_its_four_values",
        broken(get_obs_rew_terminated_info=lambda self: (self.observe(), 0.0, False)),
        f"{CAPTURE}() must return (observation, reward, terminated, info), got ([array",
    ),
    (
        f"test_{CAPTURE}_returns_its_four_values",
        broken(get_obs_rew_terminated_info=captures([one(101), one(0)])),
        f"{CAPTURE}() {BAD_OBSERVATION}",
    ),
    (
        f"test_{CAPTURE}_returns_its_four_values",
        broken(get_obs_rew_terminated_info=captures(reward=np.inf)),
        f"{CAPTURE}() must return a finite number as its reward, got inf",
    ),
    (
        f"test_{CAPTURE}_returns_its_four_values",
        broken(get_obs_rew_terminated_info=captures(reward=[1, [2, 3]])),
        f"{CAPTURE}() must return a finite number as its reward, got [1, [2, 3]]",
    ),
    (
        f"test_{CAPTURE}_returns_its_four_values",
        broken(get_obs_rew_terminated_info=captures(terminated=None)),
        f"{CAPTURE}() must return True or False as terminated, got None",
    ),
    (
        f"test_{CAPTURE}_returns_its_four_values",
        broken(get_obs_rew_terminated_info=captures(terminated=[1, [2, 3]])),
        f"{CAPTURE}() must return True or False as terminated, got [1, [2, 3]]",
    ),
    (
        f"test_{CAPTURE}_returns_its_four_values",
        broken(get_obs_rew_terminated_info=captures(info=[])),
        f"{CAPTURE}() must return a dictionary as its info, got []",
    ),
    (
        "test_observations_stay_as_they_were",
        Buffered,
        "reset() observed [0] = array([0.], dtype=float32), which later calls made array([",
    ),
    (
        "test_observations_stay_as_they_were",
        Peephole,
        "return a copy of what the interface goes on writing into",
    ),
    (
        "test_observations_stay_as_they_were",
        SameTarget,
        f"[1] that reset() observed is the same object in a later observation of {CAPTURE}(), and writing into "
        "one changes the other: return a copy",
    ),
    (
        "test_observations_stay_as_they_were",
        Stack,
        f"[0] that reset() observed is the same object in a later observation of {CAPTURE}()",
    ),
    (
        "test_observations_stay_as_they_were",
        SameList,
        f"the list that reset() observed is the same object in a later observation of {CAPTURE}()",
    ),
    (
        "test_the_same_seed_repeats_the_task",
        broken(reset=draw_by_myself),
        "reset(seed=1) observed [1] = array([",
    ),
    (
        "test_other_seeds_vary_the_task",
        broken(reset=lambda self, seed, options: (self.observe(), {})),
        "reset() observed [1] = array([0.], dtype=float32) with each of the seeds 0 to 4: draw the task from "
        "self.np_random",
    ),
    (
        "test_send_control_takes_every_action",
        broken(send_control=send_at_most_half),
        f"send_control() raised ValueError: too fast; it must take every element of {FLOAT32}, and was given "
        "array([-1.], dtype=float32)",
    ),
    (
        "test_send_control_takes_every_action",
        broken(send_control=send_for_ever),
        "send_control() raised InterfaceTimeoutError: the interface's send_control() has been blocked for 0.2 s",
    ),
    (
        "test_send_control_leaves_its_action_alone",
        broken(send_control=send_scaled),
        "send_control() was given array([-1.], dtype=float32) and made it array([-100.], dtype=float32): it must not "
        "write into its argument",
    ),
    (
        "test_send_control_is_quick",
        type("SlowToSend", (Slow,), {"sending": [int(12.5 * MS)]}),
        "send_control() must take less than 0.0125 s (0.25 of time_step_duration = 0.05 s), it took 0.0125 s, the "
        "median of 11 calls: send the action and return; do not wait until it has arrived",
    ),
    (
        f"test_{CAPTURE}_does_not_wait",
        type("SlowToCapture", (Slow,), {"capturing": [50 * MS]}),
        f"{CAPTURE}() must take less than 0.0125 s (0.25 of time_step_duration = 0.05 s), it took 0.05 s, the median "
        "of 11 calls: return the latest observation that is there; do not wait for a new one",
    ),
    ("test_wait_lets_the_robot_go_on", broken(wait=raises), "wait() raised RuntimeError: no robot"),
    (
        "test_wait_lets_the_robot_go_on",
        Unwaiting,
        "reset() must return an observation in its space: it must have 2 elements, got 0",
    ),
    (
        "test_render_returns_nothing_or_a_frame",
        broken(render=raises),
        "render() raised RuntimeError: no robot; the render mode was None",
    ),
    (
        "test_render_returns_nothing_or_a_frame",
        broken(render=lambda self: None if self.render_mode is None else np.zeros((4, 6, 3))),
        "render() must return None or a uint8 array of shape (height, width, 3) with the render mode 'rgb_array', got "
        "float64 (4, 6, 3)",
    ),
    (
        "test_render_returns_nothing_or_a_frame",
        broken(render=lambda self: "picture"),
        "with the render mode 'rgb_array', got 'picture'",
    ),
    (
        "test_close_may_be_called_at_any_time",
        OnceClosed,
        "close() raised RuntimeError: it is closed; it must do nothing when it is called again",
    ),
    (
        "test_close_may_be_called_at_any_time",
        ClosedAfterReset,
        "close() raised AttributeError: 'ClosedAfterReset' object has no attribute 'port'; it may be called before the "
        "first reset()",
    ),
    (
        "test_close_ends_the_threads",
        Threaded,
        "close() must end every thread that the interface started, still running: ['my reader']",
    ),
    (
        "test_another_interface_can_be_made",
        OnePort,
        "after close() another interface must work as the first one did, but: OSError: port in use",
    ),
    (
        "test_real_time_gym_v1_drives_it",
        broken(on_time_step=raises),
        "rtgym_ros/RealTime-v1 must drive the interface, but: RuntimeError: no robot",
    ),
    (
        "test_real_time_gym_ts_v1_drives_it",
        broken(on_time_step=raises),
        "rtgym_ros/RealTime-ts-v1 must drive the interface, but: RuntimeError: no robot",
    ),
]


def its_tests(interface_class, **attributes):
    """Return the tests of an interface, on a fake clock."""
    attributes = {"time_source": FakeTimeSource(), "interface_class": interface_class, **attributes}
    return type("Tests", (RoverTests,), attributes)()


@pytest.fixture(autouse=True)
def restore():
    """Let go of what the broken interfaces hold."""
    OnePort.ports = 1
    Threaded.end.clear()
    yield
    Threaded.end.set()


@pytest.mark.parametrize(
    ("test", "interface_class", "message"),
    BREACHES,
    ids=[f"{number}-{breach[0]}" for number, breach in enumerate(BREACHES)],
)
def test_a_breach_is_caught_and_told(monkeypatch, test, interface_class, message):
    monkeypatch.setattr("rtgym_ros.testing.life_tests._THREAD_GRACE_S", 0.01)
    with pytest.raises(AssertionError) as failure:
        getattr(its_tests(interface_class, interface_timeout=0.2), test)()
    assert message in str(failure.value)


def test_every_test_of_the_contract_can_fail():
    assert {test for test, _, _ in BREACHES} == set(TESTS)


# --- how it judges ---


@pytest.mark.parametrize(("stalls", "is_quick"), [(5, True), (6, False)])
@pytest.mark.parametrize(
    ("test", "durations"), [("test_send_control_is_quick", "sending"), (f"test_{CAPTURE}_does_not_wait", "capturing")]
)
def test_the_median_of_the_calls_counts(stalls, is_quick, test, durations):
    some = [1000 * MS] * stalls + [int(12.49 * MS)] * (11 - stalls)
    interface_class = type("Stalling", (Slow,), {durations: some})
    with contextlib.nullcontext() if is_quick else pytest.raises(AssertionError, match="it took 1 s, the median of 11"):
        getattr(its_tests(interface_class, time_steps=0), test)()


def test_a_quicker_environment_asks_for_more():
    interface_class = type("Sending", (Slow,), {"sending": [2 * MS]})
    its_tests(interface_class, time_step_duration=0.01).test_send_control_is_quick()
    with pytest.raises(AssertionError, match=r"less than 0.001 s \(0.1 of time_step_duration = 0.01 s\)"):
        its_tests(interface_class, time_step_duration=0.01, quick_fraction=0.1).test_send_control_is_quick()


def test_what_repeats_is_everything_unless_it_is_named():
    repeats = "test_the_same_seed_repeats_the_task"
    with pytest.raises(AssertionError, match=r"reset\(seed=1\) observed \[0\] = array\(\[0.\]"):
        getattr(its_tests(Rover, repeatable_elements=None), repeats)()
    getattr(its_tests(broken(reset=draw_by_myself), repeatable_elements=()), repeats)()


@pytest.mark.parametrize("attribute", ["repeatable_elements", "varying_elements"])
@pytest.mark.parametrize("index", [2, -1, "place"])
def test_an_element_that_is_not_there_is_refused(attribute, index):
    test = "test_the_same_seed_repeats_the_task" if attribute[0] == "r" else "test_other_seeds_vary_the_task"
    with pytest.raises(AssertionError, match=f"{attribute} must be indices from 0 to 1, got {index!r}"):
        getattr(its_tests(Rover, **{attribute: (index,)}), test)()


def test_nothing_varies_unless_it_is_named():
    with pytest.raises(unittest.SkipTest, match="no varying_elements are named"):
        its_tests(Rover, varying_elements=()).test_other_seeds_vary_the_task()


# --- what it sends, and what it leaves behind ---


class Garage(RoverTests):
    """Remembers the rovers that it made."""

    def __init__(self, interface_class, **attributes):
        self.interface_class = interface_class
        self.time_source = FakeTimeSource()
        self.rovers = []
        vars(self).update(attributes)

    def make_interface(self):
        self.rovers.append(super().make_interface())
        return self.rovers[-1]

    def run(self, test):
        with contextlib.suppress(AssertionError, unittest.SkipTest):
            getattr(self, test)()


def test_only_the_given_actions_are_sent():
    garage = Garage(Rover, make_actions=lambda space: [one(0.125), one(0.0625)])
    for test in TESTS:
        garage.run(test)
    assert {speed for rover in garage.rovers for speed in rover.sent} == {0.0, 0.125, 0.0625, SAFE}


def raising_at(method, error, call):
    """Return a rover that raises in the given call to a method."""
    calls = itertools.count(1)

    def run(self, *args, **kwargs):
        if next(calls) == call:
            raise error
        return getattr(Rover, method)(self, *args, **kwargs)

    return broken(**{method: run})


@pytest.mark.parametrize("call", [1, 2])
@pytest.mark.parametrize("method", ["get_action_space", "get_default_action", "reset", CAPTURE, "send_control"])
def test_an_interface_that_raises_is_stopped_and_closed(method, call):
    for test in TESTS:
        garage = Garage(raising_at(method, RuntimeError("no robot"), call))
        garage.run(test)
        assert garage.rovers, test
        assert all(rover.closed for rover in garage.rovers), test
        assert all(rover.sent[-1] == SAFE for rover in garage.rovers if rover.sent), test


def test_an_interface_whose_safe_action_fails_is_closed_and_that_is_told():
    garage = Garage(broken(get_safe_action=raises))
    with pytest.raises(AssertionError, match="get_safe_action"):
        garage.test_send_control_is_quick()
    assert garage.rovers[0].closed


def test_an_interrupt_of_the_user_stops_the_robot():
    garage = Garage(raising_at("send_control", KeyboardInterrupt(), call=3))
    with pytest.raises(KeyboardInterrupt):
        garage.test_send_control_takes_every_action()
    assert garage.rovers[0].sent[-1] == SAFE
    assert garage.rovers[0].closed


def test_the_error_of_the_interface_is_not_hidden_by_its_end():
    garage = Garage(broken(send_control=raises, close=raises))
    with pytest.raises(AssertionError, match=r"send_control\(\) raised RuntimeError") as failure:
        garage.test_send_control_is_quick()
    assert isinstance(failure.value.__cause__, RuntimeError)


def test_what_is_not_an_interface_is_refused():
    with pytest.raises(AssertionError, match=r"make_interface\(\) must return a RealTimeGymInterface, got 7"):
        its_tests(Rover, make_interface=lambda self: 7).test_get_action_space_returns_a_space()
    with pytest.raises(NotImplementedError, match=r"InterfaceTests needs a method make_interface\(\)"):
        InterfaceTests().test_get_action_space_returns_a_space()


# --- test runners ---


def test_pytest_leaves_the_base_alone(request):
    collected = {item.cls for item in request.session.items}
    assert TestRover in collected
    assert not collected & {InterfaceTests, RoverTests, Garage}


def test_unittest_runs_it():
    case = type("RoverCase", (RoverTests, unittest.TestCase), {})
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    assert result.testsRun == len(TESTS)
    assert (result.errors, result.failures) == ([], [])
    assert result.skipped == []


def test_its_import_needs_neither_pytest_nor_ros():
    program = "import sys, rtgym_ros.testing; assert not {'pytest', '_pytest', 'rclpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
