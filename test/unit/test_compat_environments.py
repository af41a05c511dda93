"""What programs for Real-Time Gym get under compat: interfaces, entries and attributes that the strict form refuses."""

import math
import pickle
import warnings

import numpy as np
import pytest
from gymnasium import spaces

import rtgym_ros
from rtgym_ros.compat import environments, lenient_config
from rtgym_ros.compat.alias import AS_REAL_TIME_GYM
from rtgym_ros.compat.plain_interface import PlainRealTimeGymInterface
from rtgym_ros.core.errors import ActionError, ActionWarning, ConfigError, ConfigWarning


class Meta(type):
    """Of a class that brings its own, as Qt's do."""


class Foreign(metaclass=Meta):
    pass


class Robot(Foreign):
    """It has the methods, and derives from nothing of ours."""

    answers = (0.5, False, {})

    def __init__(self):
        self.sent = []
        self.closed = False

    def get_observation_space(self):
        return spaces.Tuple((spaces.Box(-1.0, 1.0, (1,)),))

    def get_action_space(self):
        return spaces.Box(-1.0, 1.0, (1,))

    def get_default_action(self):
        return np.zeros(1, np.float32)

    def send_control(self, control):
        self.sent.append(control)

    def reset(self, seed=None, options=None):
        return [np.zeros(1, np.float32)], {"seed": seed}

    def get_obs_rew_terminated_info(self):
        return [np.ones(1, np.float32)], *self.answers

    def close(self):
        self.closed = True


class DerivedRobot(Robot, PlainRealTimeGymInterface, metaclass=Meta):
    """From the class that is rtgym.RealTimeGymInterface under compat: no conflict of metaclasses."""


@pytest.fixture
def make():
    envs = []

    def make(interface=Robot, env_class=environments.RealTimeEnv, **config):
        times = {"time_step_duration": 0.002, "time_step_timeout_factor": math.inf}
        envs.append(env_class({**AS_REAL_TIME_GYM, "interface": interface, **times, **config}))
        return envs[-1]

    yield make
    for env in envs:
        env.close()


@pytest.mark.parametrize("interface", [Robot, DerivedRobot, lambda: Robot()])
def test_an_interface_needs_no_base_class(make, interface):
    env = make(interface)
    env.reset(seed=3)
    observation, reward, terminated, truncated, info = env.step(np.full(1, 0.5, np.float32))
    assert [element.tolist() for element in observation] == [[1.0], [0.5]]
    assert (reward, terminated, truncated, info) == (0.5, False, False, {})
    robot = env.interface
    assert isinstance(robot, Robot)
    env.close()
    assert robot.closed
    assert [control.item() for control in robot.sent] == [0.0, 0.5, 0.0], "the last one is the safe action"


@pytest.mark.parametrize("base", [PlainRealTimeGymInterface, rtgym_ros.RealTimeGymInterface])
def test_the_base_class_is_no_interface(make, base):
    with pytest.raises(ConfigError, match="set it to your own interface class"):
        make(base)


def test_the_strict_form_insists_on_the_base_class():
    with pytest.raises(ConfigError, match="must make a RealTimeGymInterface"):
        rtgym_ros.RealTimeEnv({"interface": Robot})


@pytest.mark.parametrize(
    ("reward", "terminated", "info"),
    [
        (np.array([7.875]), np.array([False]), None),
        ([1.0], 0, {}),
        (None, None, {}),
        (math.nan, 0.0, {"a": 1}),
        (3, np.bool_(False), {}),
    ],
)
def test_answers_are_handed_out_as_they_come(make, reward, terminated, info):
    class Odd(Robot):
        answers = (reward, terminated, info)

    env = make(Odd)
    env.reset()
    _, got_reward, got_terminated, truncated, got_info = env.step(np.zeros(1, np.float32))
    assert got_reward is reward
    assert got_terminated is terminated
    assert truncated is False
    assert got_info == (info or {})


@pytest.mark.parametrize("terminated", [1, 1.0, np.bool_(True), np.array([True])])
def test_whatever_is_true_ends_the_episode(make, terminated):
    class Over(Robot):
        answers = (0.0, terminated, {})

    env = make(Over)
    env.reset()
    assert env.step(np.zeros(1, np.float32))[2] is terminated
    assert not env.running
    with pytest.raises(RuntimeError):
        env.step(np.zeros(1, np.float32))


@pytest.mark.parametrize("action", [np.array([3.0], np.float32), np.array([3.0]), [0.5], 0.5, None, 1])
def test_actions_are_sent_and_kept_as_they_are(make, action):
    env = make()
    env.reset()
    env.step(action)
    env.stop()
    assert env.interface.sent[-1] is action or np.array_equal(env.interface.sent[-1], action)
    assert type(env.interface.sent[-1]) is type(env.act_buf[-1]) is type(action)


def test_one_warning_of_actions_out_of_bounds(make):
    env = make()
    env.reset()
    with pytest.warns(ActionWarning, match=r"must lie in .* it is sent as it is"):
        env.step(np.full(1, 3.0, np.float32))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        observation, *_ = env.step(np.full(1, 3.0, np.float32))
    assert observation[-1].tolist() == [3.0]


def test_what_is_not_finite_is_not_sent(make):
    env = make()
    env.reset()
    with pytest.raises(ActionError, match="finite"):
        env.step(np.array([math.nan], np.float32))


@pytest.mark.parametrize(
    ("name", "given", "taken"),
    [
        ("ep_max_length", 428.57, 429),
        ("ep_max_length", 0, 1),
        ("ep_max_length", math.nan, math.inf),
        ("act_in_obs", 0, False),
        ("wait_on_done", np.bool_(True), True),
        ("start_obs_capture", -0.01, 0.0),
        ("time_step_timeout_factor", -1, 0.0),
        ("benchmark_type", "histogram", "trace"),
        ("obs_prepro_func", False, None),
        ("interface_args", range(0), ()),
    ],
)
def test_the_nearest_entry_is_taken_with_a_warning(make, name, given, taken):
    with pytest.warns(ConfigWarning, match=rf"config\['{name}'\] = .* is taken as"):
        env = make(**{name: given})
    assert getattr(env.config, name) == taken
    assert type(getattr(env.config, name)) is type(taken)


def test_what_is_near_nothing_is_refused():
    assert lenient_config.lenient({"time_step_duration": "fast"}) == {"time_step_duration": "fast"}
    with pytest.raises(ConfigError, match="time_step_duration"):
        environments.RealTimeEnv({"interface": Robot, "time_step_duration": "fast"})


def test_lengths_may_be_changed_to_fractions(make):
    env = make()
    env.reset()
    with pytest.warns(ConfigWarning):
        env.set_ep_max_length(1.5)
    truncations = [env.step(np.zeros(1, np.float32))[3] for _ in range(2)]
    assert truncations == [False, True]


@pytest.mark.parametrize("space", [spaces.Dict({"a": spaces.Box(-1, 1, (2,))}), spaces.Box(0, 255, (2, 2), np.uint8)])
def test_any_space_without_the_action_buffer(make, space):
    class Other(Robot):
        def get_observation_space(self):
            return space

        def reset(self, seed=None, options=None):
            return space.sample(), {}

        def get_obs_rew_terminated_info(self):
            return space.sample(), 0.0, False, {}

    env = make(Other, act_in_obs=False)
    assert env.observation_space == space
    assert space.contains(env.reset()[0])
    assert space.contains(env.step(np.zeros(1, np.float32))[0])


# fmt: off
PUBLIC = (
    "interface", "is_waiting", "wait_on_done", "last_act_on_reset", "act_prepro_func", "obs_prepro_func",
    "ep_max_length", "time_step_duration", "time_step_timeout_factor", "start_obs_capture",
    "time_step_timeout", "benchmark", "benchmark_polyak", "bench", "act_in_obs", "act_buf_len", "act_buf",
    "reset_act_buf", "current_step", "time_initialized", "running", "default_action", "seed", "options",
)
OF_TS = (
    "interface_cls", "interface_args", "interface_kwargs", "interface_action_space",
    "interface_observation_space",
)
# fmt: on


@pytest.mark.parametrize(
    ("env_class", "names"),
    [(environments.RealTimeEnv, PUBLIC), (environments.RealTimeEnvTS, PUBLIC + OF_TS)],
)
def test_the_attributes_are_there_and_read_only(make, env_class, names):
    env = make(env_class=env_class)
    for name in names:
        getattr(env, name)
        with pytest.raises(AttributeError):
            setattr(env, name, None)


def test_the_attributes_follow_the_episode(make):
    env = make(act_buf_len=2, ep_max_length=2)
    assert (env.current_step, env.running, env.time_initialized, env.is_waiting) == (0, False, False, False)
    env.reset(seed=5, options={"a": 1})
    assert (env.seed, env.options, env.time_initialized) == (5, {"a": 1}, True)
    env.step(np.full(1, 0.25, np.float32))
    env.wait()
    assert (env.current_step, env.running, env.is_waiting) == (1, True, True)
    env.step(np.full(1, 0.5, np.float32))
    assert (env.current_step, env.running) == (2, False)
    assert [action.item() for action in env.act_buf] == [0.25, 0.5]
    env.act_buf[-1][0] = 9.0
    assert [action.item() for action in env.act_buf] == [0.25, 0.5]


def test_the_configuration_pickles(make):
    """Row 12: what a worker of a vector of environments is asked for."""
    env = rtgym_ros.RealTimeEnv({"interface": "test_compat_environments:Typed"})
    try:
        assert pickle.loads(pickle.dumps(env.config)) == env.config
    finally:
        env.close()


class Typed(rtgym_ros.RealTimeGymInterface):
    get_observation_space, get_action_space = Robot.get_observation_space, Robot.get_action_space
    get_default_action, reset = Robot.get_default_action, Robot.reset
    get_obs_rew_terminated_info, answers = Robot.get_obs_rew_terminated_info, Robot.answers

    def send_control(self, control):
        pass
