"""Interfaces of the older generation, on a fake clock, and its tutorial in a real run."""

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

import rtgym_ros
from rtgym_ros import GymRealTimeInterface, RealTimeGymInterface
from rtgym_ros.compat.older_generation import OlderGenerationEnv
from rtgym_ros.core.errors import ConfigError, InterfaceError, ObservationWarning
from rtgym_ros.envs.step_info import KEYS

MS = 1_000_000


class Body:
    """What all of these robots do; ``log`` holds (time in ms, method, action)."""

    def __init__(self, clock, done_at=None):
        self.clock = clock
        self.done_at = done_at
        self.log = []
        self.captures = 0

    def note(self, *what):
        self.log.append((self.clock.now_ns() / MS, *what))

    def get_observation_space(self):
        return spaces.Tuple((spaces.Box(-1, 1e6, (1,)),))

    def get_action_space(self):
        return spaces.Box(-2.0, 2.0, (1,))

    def get_default_action(self):
        return np.array([0.5], dtype=np.float32)

    def send_control(self, control):
        self.note("send", round(float(control[0]), 3))

    def reset(self):
        self.note("reset")
        return [np.array([-1], dtype=np.float32)]

    def capture(self):
        self.captures += 1
        self.note("capture")
        return [np.array([self.captures], dtype=np.float32)], float(self.captures), self.captures == self.done_at


class Cart(Body):
    """A robot of that generation by its methods alone."""

    def get_obs_rew_done(self):
        return self.capture()


class InheritingCart(Cart, GymRealTimeInterface):
    """The same by inheritance: ``wait``, ``render`` and ``close`` are the base's."""

    def wait(self):
        GymRealTimeInterface.wait(self)


class InfoCart(Body, RealTimeGymInterface):
    """As rtgym 0.4 to 0.6 had it: a RealTimeGymInterface whose capture has an info."""

    def get_obs_rew_done_info(self):
        return (*self.capture(), {"capture": self.captures})


class HalfwayCart(Body, RealTimeGymInterface):
    """As rtgym 0.7 had it: today's capture, and a ``reset`` that returns an info but takes no seed."""

    def reset(self):
        return super().reset(), {"of": "reset"}

    def get_obs_rew_terminated_info(self):
        return (*self.capture(), {"capture": self.captures})


@pytest.fixture
def make(clock):
    """Return a function that makes an environment of 50 ms time-steps; all are closed at the end."""
    envs = []

    def make(interface, *args, **config):
        config = {"interface": interface, "interface_args": (clock, *args), "time_step_duration": 0.05, **config}
        envs.append(OlderGenerationEnv(config, time_source=clock))
        return envs[-1]

    yield make
    for env in envs:
        env.close()


@pytest.mark.parametrize("interface", [Cart, InheritingCart])
def test_it_runs_with_todays_values(make, interface):
    env = make(interface, 3, act_buf_len=2)
    observation, info = env.reset(seed=1, options={"where": "here"})
    assert ([part.tolist() for part in observation], set(info)) == ([[-1], [0.5], [0.5]], set(KEYS))
    observation, reward, terminated, truncated, info = env.step(np.array([1.0], dtype=np.float32))
    assert ([part.tolist() for part in observation], reward) == ([[1], [0.5], [1.0]], 1.0)
    assert (terminated, truncated) == (False, False)
    env.step(np.array([1.5], dtype=np.float32))
    assert env.step(np.array([0.0], dtype=np.float32))[2] is True
    assert env.interface.log == [
        (0, "reset"),
        (0, "send", 0.5),
        (50, "capture"),
        (50, "send", 1.0),
        (100, "capture"),
        (100, "send", 1.5),
        (150, "capture"),
    ]


def test_its_episodes_are_truncated(make):
    env = make(Cart, ep_max_length=2)
    env.reset()
    assert env.step([0.0])[2:4] == (False, False)
    assert env.step([0.0])[2:4] == (False, True)


@pytest.mark.parametrize("interface", [Cart, InheritingCart, InfoCart, HalfwayCart])
def test_wait_sends_the_default_action(make, interface):
    env = make(interface, wait_on_done=True, ep_max_length=1)
    env.reset()
    env.step([1.0])
    assert [entry[1:] for entry in env.interface.log] == [("reset",), ("send", 0.5), ("capture",), ("send", 0.5)]


def test_its_own_wait_is_called(make):
    class Lander(InheritingCart):
        def wait(self):
            self.note("land")

    env = make(Lander)
    env.reset()
    env.wait()
    assert env.interface.log[-1] == (50, "land")


def test_render_and_close_are_optional(make):
    class Shown(Cart):
        def render(self):
            return "a picture"

        def close(self):
            self.note("close")

    assert make(Cart).render() is None
    assert make(InheritingCart).render() is None
    env = make(Shown)
    assert env.render() == "a picture"
    env.reset()
    env.close()
    assert env.interface.log[-2:] == [(0, "send", 0.5), (0, "close")]


def test_a_safe_action_is_sent_where_it_has_one(make):
    class Careful(Cart):
        def get_safe_action(self):
            return np.array([-2.0])

    env = make(Careful)
    env.reset()
    env.close()
    assert env.interface.log[-1] == (0, "send", -2.0)


def test_rtgym_0_4_to_0_6_had_an_info(make):
    env = make(InfoCart)
    assert set(env.reset()[1]) == set(KEYS)
    assert env.step([1.0])[4]["capture"] == 1


def test_rtgym_0_7_had_an_info_at_reset_too(make):
    env = make(HalfwayCart)
    assert env.reset(seed=1)[1].items() >= {"of": "reset"}.items()
    assert env.step([1.0])[4]["capture"] == 1


def test_a_reset_that_takes_a_seed_gets_it(make):
    class Seeded(HalfwayCart):
        def reset(self, seed=None, options=None):
            return super().reset()[0], {"seed": seed, "options": options}

    info = make(Seeded).reset(seed=3, options={"a": 1})[1]
    assert info.items() >= {"seed": 3, "options": {"a": 1}}.items()


class Numbers(Cart):
    """Numbers where the spaces have arrays of one element, as in that generation's own test."""

    def get_default_action(self):
        return -1.0

    def reset(self):
        return [-1.0]

    def get_obs_rew_done(self):
        return [2.5], 0.0, False


def test_numbers_stand_for_arrays_of_one_element(make):
    env = make(Numbers, observation_check="off")
    observation, _ = env.reset()
    assert (observation[0], observation[1].tolist()) == (-1.0, [-1.0])
    observation, *_ = env.step(0.25)
    assert (observation[0], observation[1].tolist()) == (2.5, [0.25])
    assert [entry[1:] for entry in env.interface.log] == [("send", -1.0), ("send", 0.25)]


class Outside(Numbers):
    """Its first observation is outside of its space."""

    def reset(self):
        return [-1.0, 0.0]


def test_an_observation_outside_of_its_space_is_warned_about_once(make):
    env = make(Outside, observation_check="raise")
    with pytest.warns(ObservationWarning, match="must have 1 elements, got 2"):
        env.reset()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env.step(0.0)


@pytest.mark.parametrize("answer", [([1.0], 0.0, False, {}), ([1.0], 0.0), None])
def test_a_capture_of_another_number_of_values_is_refused(make, answer):
    class Wrong(Cart):
        def get_obs_rew_done(self):
            return answer

    env = make(Wrong)
    env.reset()
    with pytest.raises(InterfaceError, match=r"get_obs_rew_done\(\) must return \(observation, reward, done\), got"):
        env.step([0.0])


@pytest.mark.parametrize("interface", [GymRealTimeInterface, RealTimeGymInterface])
def test_the_base_class_is_no_interface(make, interface):
    with pytest.raises(ConfigError, match=f"still {interface.__name__}: set it to your own interface class"):
        make(interface)


def test_what_has_no_capture_is_refused(make):
    with pytest.raises(ConfigError, match=r"with get_obs_rew_done\(\), it made <object"):
        make(lambda clock: object())


@pytest.mark.parametrize("missing", [{}, {"interface": None}, {"interface": Cart, "ep_max_lenght": 3}])
def test_the_configuration_is_checked_like_any(missing):
    with pytest.raises(ConfigError, match="config"):
        OlderGenerationEnv(missing)


def test_an_incomplete_interface_names_what_is_missing():
    class Incomplete(GymRealTimeInterface):
        def send_control(self, control):
            pass

    with pytest.raises(TypeError, match="get_obs_rew_done"):
        OlderGenerationEnv({"interface": Incomplete})


def test_its_configuration_dictionary_is_understood(make):
    every_key = {
        "interface_kwargs": {},
        "start_obs_capture": 0.05,
        "time_step_timeout_factor": 1.0,
        "ep_max_length": 1000,
        "real_time": True,
        "async_threading": True,
        "act_in_obs": True,
        "act_buf_len": 1,
        "reset_act_buf": True,
        "benchmark": True,
        "running_average_factor": 0.2,
        "wait_on_done": False,
    }
    with pytest.warns(DeprecationWarning, match="is ignored|is now called"):
        env = make(Cart, **every_key)
    assert (env.config.ep_max_length, env.config.benchmark_polyak) == (1000, 0.2)


# --- its tutorial, in a real run ---


class Pilot(GymRealTimeInterface):
    """Flies the drone to a target, as that generation would have written it."""

    def __init__(self):
        self.drone = None  # started by the first reset
        self.goal = np.zeros(2, dtype=np.float32)

    def get_observation_space(self):
        world, half = spaces.Box(-1.0, 1.0, shape=(1,)), spaces.Box(-0.5, 0.5, shape=(1,))
        return spaces.Tuple((world, world, half, half))

    def get_action_space(self):
        return spaces.Box(-2.0, 2.0, shape=(2,))

    def get_default_action(self):
        return np.zeros(2, dtype="float32")

    def send_control(self, control):
        self.drone.send_control(control[0], control[1])

    def observe(self):
        return [*self.drone.get_observation(), *self.goal]

    def reset(self):
        if self.drone is None:
            self.drone = rtgym_ros.DummyRCDrone(seed=1)
        self.goal[:] = 0.1, -0.1
        return self.observe()

    def get_obs_rew_done(self):
        observation = self.observe()
        distance = np.hypot(observation[0] - self.goal[0], observation[1] - self.goal[1])
        return observation, -distance, distance < 0.02

    def close(self):
        if self.drone is not None:
            self.drone.close()


def test_its_tutorial_flies():
    config = rtgym_ros.DEFAULT_CONFIG_DICT.copy()
    config["interface"] = Pilot
    config["time_step_duration"] = 0.05
    config["ep_max_length"] = 100
    config["act_buf_len"] = 3
    config["reset_act_buf"] = False
    with gymnasium.make("rtgym_ros/gym-rt-v0", config=config) as env:
        observation, _ = env.reset()
        terminated = truncated = False
        while not (terminated or truncated):
            x, y, goal_x, goal_y = observation[:4]
            action = np.array([goal_x - x, goal_y - y], dtype=np.float32) * 4.0
            observation, reward, terminated, truncated, _ = env.step(action)
    assert terminated, observation
    assert reward > -0.02
    assert len(observation) == 4 + 3
