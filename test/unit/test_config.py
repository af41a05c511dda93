import math
import os
import re
import warnings
from copy import deepcopy
from dataclasses import FrozenInstanceError, fields
from fractions import Fraction
from types import MappingProxyType

import gymnasium
import numpy as np
import pytest

import rtgym_ros
from rtgym_ros import DEFAULT_CONFIG_DICT, RealTimeEnv, RealTimeGymInterface
from rtgym_ros.core.config import RealTimeConfig
from rtgym_ros.core.elastic_clock import NEVER_NS
from rtgym_ros.core.errors import ConfigError, ConfigWarning, RtgymError, nearest

GOOD = {
    "interface": [RealTimeGymInterface, lambda: None],
    "interface_args": [(), (1, 2), [3]],
    "interface_kwargs": [{}, {"a": 1}, MappingProxyType({"b": 2})],
    "time_step_duration": [1e-6, 0.05, 1, np.float32(0.1), Fraction(1, 20)],
    "start_obs_capture": [0, 0.0, 0.04, 2],
    "time_step_timeout_factor": [0, 0.5, 1, math.inf],
    "ep_max_length": [1, 100, 100.0, np.int64(5), math.inf],
    "act_in_obs": [True, False],
    "act_buf_len": [1, 4, np.int64(2)],
    "reset_act_buf": [True, False],
    "benchmark": [True, False],
    "benchmark_polyak": [1e-9, 0.2, 1],
    "benchmark_type": ["polyak", "trace"],
    "wait_on_done": [True, False],
    "last_act_on_reset": [True, False],
    "act_prepro_func": [None, abs],
    "obs_prepro_func": [None, tuple],
    "action_check": ["raise", "warn"],
    "out_of_bounds_action": ["clip", "send", "raise"],
    "observation_check": ["raise", "warn", "off"],
    "observation_arrays": ["fresh", "reused"],
    "delays": ["info", "observed"],
    "time_in_info": [True, False],
    "interface_timeout": [1e-3, 60],
    "send_control_timeout": [1e-3, 60],
    "get_obs_timeout": [1e-3, 60],
    "agent_timeout": [1e-3, 60, math.inf],
    "spin": [True, False],
    "switch_interval": [None, 1e-6, 5e-3, 1],
    "realtime_priority": [None, 1, 99, np.int64(50)],
    "cpu_affinity": [None, [0], (0, 1)],
    "lock_memory": [True, False],
    "garbage_collection": ["on", "freeze", "slack"],
}
BAD = {
    "interface": ("a RealTimeGymInterface class, or its name as 'module:Class'", [None, "Drone", "Drone:", 3]),
    "interface_args": ("a tuple or a list", [None, 3, "ab", {"a": 1}]),
    "interface_kwargs": ("a dictionary with text keys", [None, (), [("a", 1)], {1: 2}]),
    "time_step_duration": (
        "a number of seconds from 1e-6 up",
        [0, 0.0, 9e-7, -0.05, math.nan, math.inf, True, "0.05", None],
    ),
    "start_obs_capture": ("a number of seconds >= 0", [-1e-9, math.nan, math.inf, False, "0", None]),
    "time_step_timeout_factor": ("a number of time-steps >= 0", [-0.1, math.nan, -math.inf, True, "inf", None]),
    "ep_max_length": (
        "a whole number of time-steps >= 1, or inf",
        [0, -1, 1.5, math.nan, -math.inf, True, "100", None],
    ),
    "act_in_obs": ("True or False", [1, 0, None, "True"]),
    "act_buf_len": ("a whole number >= 0", [-1, 1.0, math.inf, True, "1", None]),
    "reset_act_buf": ("True or False", [1, None]),
    "benchmark": ("True or False", [1, None]),
    "benchmark_polyak": ("a number in (0, 1]", [0, 1.0001, -0.1, math.nan, True, None]),
    "benchmark_type": ("'polyak' or 'trace'", ["mean", "", None, 1]),
    "wait_on_done": ("True or False", [1, None]),
    "last_act_on_reset": ("True or False", [1, None]),
    "act_prepro_func": ("a function or None", [1, "abs", False]),
    "obs_prepro_func": ("a function or None", [1, "tuple", False]),
    "action_check": ("'raise' or 'warn'", [True, None, "off"]),
    "out_of_bounds_action": ("'clip', 'send' or 'raise'", ["wrap", True, None]),
    "observation_check": ("'raise', 'warn' or 'off'", [True, None, "clip"]),
    "observation_arrays": ("'fresh' or 'reused'", ["copied", True, None]),
    "delays": ("'info' or 'observed'", ["seen", True, None]),
    "time_in_info": ("True or False", [1, None]),
    "interface_timeout": ("a number of seconds > 0", [0, -1, math.nan, math.inf, True, "60", None]),
    "send_control_timeout": ("a number of seconds > 0", [0, -1, math.nan, math.inf, True, "60", None]),
    "get_obs_timeout": ("a number of seconds > 0", [0, -1, math.nan, math.inf, True, "60", None]),
    "agent_timeout": ("a number of seconds > 0, or inf", [0, -1.0, math.nan, True, "1", None]),
    "spin": ("True or False", [1, None]),
    "switch_interval": ("a number of seconds from 1e-6 to 1, or None", [0, 9e-7, 1.1, math.nan, True, "1e-4"]),
    "realtime_priority": ("a whole number from 1 to 99, or None", [0, 100, 1.0, True, "50"]),
    "cpu_affinity": ("a list of numbers of CPUs, or None", [[], 0, [-1], [0.0], [True], "0", {0}]),
    "lock_memory": ("True or False", [1, None]),
    "garbage_collection": ("'on', 'freeze' or 'slack'", ["off", True, None]),
}
ENTRIES = [entry.name for entry in fields(RealTimeConfig)]


def config_of(**entries):
    return RealTimeConfig.from_mapping({"interface": RealTimeGymInterface, **entries})


def test_every_entry_is_tested_here():
    assert list(GOOD) == list(BAD) == ENTRIES


@pytest.mark.filterwarnings("ignore::rtgym_ros.core.errors.ConfigWarning")  # tried one by one
@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in GOOD.items() for value in values])
def test_good_values_are_kept(key, value):
    kept = getattr(config_of(**{key: value}), key)
    assert kept == (tuple(value) if isinstance(value, list) else value)


@pytest.mark.parametrize(
    ("key", "allowed", "value"), [(key, allowed, v) for key, (allowed, values) in BAD.items() for v in values]
)
def test_bad_values_are_refused_with_key_value_and_what_is_allowed(key, allowed, value):
    with pytest.raises(ConfigError) as error:
        config_of(**{key: value})
    assert str(error.value) == f"config[{key!r}] must be {allowed}, got {value!r}"
    assert isinstance(error.value, RtgymError)
    assert isinstance(error.value, ValueError)


@pytest.mark.parametrize("key", ["time_step_duraton", "timestep_duration", "time_steps_duration"])
def test_an_unknown_entry_is_refused_with_the_nearest_known(key):
    with pytest.raises(ConfigError, match=f"config has no entry '{key}' \\(did you mean 'time_step_duration'\\?\\)"):
        config_of(**{key: 0.05})


@pytest.mark.parametrize("key", ["zzz", 3])
def test_an_entry_like_no_other_is_refused_without_a_guess(key):
    with pytest.raises(ConfigError) as error:
        RealTimeConfig.from_mapping({"interface": RealTimeGymInterface, key: 1})
    assert str(error.value) == f"config has no entry {key!r}"


def test_nearest():
    assert nearest("benchmrk", ["benchmark", "interface"]) == " (did you mean 'benchmark'?)"
    assert nearest("qqq", iter(["benchmark"])) == ""


def test_a_missing_interface_is_named():
    with pytest.raises(ConfigError, match=r"config\['interface'\] is missing: set it to your RealTime.* class"):
        RealTimeConfig.from_mapping({"time_step_duration": 0.05})


@pytest.mark.parametrize("config", [None, [("interface", 1)], "interface", RealTimeGymInterface])
def test_what_is_not_a_dictionary_is_refused(config):
    with pytest.raises(ConfigError, match="config must be a dictionary, got "):
        RealTimeConfig.from_mapping(config)


def test_an_action_buffer_of_none_cannot_be_in_the_observation():
    with pytest.raises(ConfigError, match=r"config\['act_buf_len'\] must be at least 1 where .*'act_in_obs'\] is True"):
        config_of(act_buf_len=0)
    assert config_of(act_buf_len=0, act_in_obs=False).act_buf_len == 0


def test_a_missing_capture_is_at_the_end_of_the_time_step():
    assert config_of(time_step_duration=0.2).start_obs_capture == 0.2
    assert config_of(time_step_duration=0.2, start_obs_capture=0.1).start_obs_capture == 0.1
    default = config_of()
    assert default.start_obs_capture == default.time_step_duration == 0.05


def test_it_is_frozen_and_its_containers_are_copies():
    args, kwargs = [1], {"a": 1}
    config = config_of(interface_args=args, interface_kwargs=kwargs)
    args.append(2)
    kwargs["b"] = 2
    assert config.interface_args == (1,)
    assert config.interface_kwargs == {"a": 1}
    with pytest.raises(FrozenInstanceError):
        config.time_step_duration = 1.0
    with pytest.raises(TypeError):
        config.interface_kwargs["c"] = 3


def test_the_default_dictionary_names_every_entry_with_its_default():
    assert list(DEFAULT_CONFIG_DICT) == ENTRIES
    assert DEFAULT_CONFIG_DICT["interface"] is RealTimeGymInterface
    assert RealTimeConfig.from_mapping(DEFAULT_CONFIG_DICT) == RealTimeConfig(interface=RealTimeGymInterface)


def test_the_default_dictionary_is_never_written(make_env):
    before = deepcopy(DEFAULT_CONFIG_DICT)
    with pytest.raises(ConfigError, match=r"config\['interface'\] is still RealTimeGymInterface: set it to your own"):
        RealTimeEnv()
    with pytest.raises(ConfigError, match="is still RealTimeGymInterface"):
        gymnasium.make("real-time-gym-v1")
    env = make_env(**{key: value for key, value in DEFAULT_CONFIG_DICT.items() if not key.startswith("interface")})
    env.reset()
    env.set_time_step_duration(0.1)
    env.set_ep_max_length(3)
    assert before == DEFAULT_CONFIG_DICT
    assert rtgym_ros.DEFAULT_CONFIG_DICT is DEFAULT_CONFIG_DICT


def test_the_dictionary_of_the_user_is_not_written_and_may_change_afterwards(make_env):
    config = {"time_step_duration": 0.02, "act_buf_len": 2}
    before = dict(config)
    env = make_env(**config)
    config["act_buf_len"] = 7
    assert len(env.reset()[0]) == 3
    assert {**config, "act_buf_len": 2} == before


@pytest.mark.parametrize("made", [object(), None])
def test_what_makes_no_interface_is_refused(made):
    with pytest.raises(ConfigError, match=r"config\['interface'\] must make a RealTimeGymInterface, it made "):
        RealTimeEnv({"interface": lambda: made})


def timing(duration, start_obs_capture, timeout_factor):
    config = RealTimeConfig(
        interface=object,
        time_step_duration=duration,
        start_obs_capture=start_obs_capture,
        time_step_timeout_factor=timeout_factor,
    )
    return config.clock_timing()


def test_timing_in_nanoseconds():
    assert timing(0.05, 0.04, 1.0) == (50_000_000, 40_000_000, 50_000_000, 2_500_000)
    assert timing(0.05, 0.0, 0.5)[2] == 25_000_000
    assert timing(0.05, 0.0, math.inf)[2] == NEVER_NS
    assert timing(0.05, 0.0, 1e300)[2] == NEVER_NS


def test_the_clock_has_the_timing_of_the_configuration():
    clock = config_of(time_step_duration=0.1, start_obs_capture=0.08, time_step_timeout_factor=0.5).make_clock()
    time_step = clock.begin(0)
    assert (time_step.capture_ns, time_step.end_ns) == (80_000_000, 100_000_000)
    assert not clock.begin(100_000_000 + 49_999_999).timed_out
    assert clock.begin(200_000_000 + 50_000_000).timed_out


# --- older generations, and entries that hardly go together ---


@pytest.mark.parametrize("value", [True, False])
@pytest.mark.parametrize("key", ["real_time", "async_threading"])
def test_an_obsolete_entry_says_what_it_means_now(key, value):
    with pytest.warns(DeprecationWarning, match=rf"config\['{key}'\] is ignored.*always.*; remove it") as warned:
        RealTimeConfig.from_mapping({"interface": RealTimeGymInterface, key: value})
    assert ("though it was False" in str(warned[0].message)) == (not value)
    assert warned[0].filename == __file__, "it points at the user's line"


def test_a_renamed_entry_keeps_its_value():
    with pytest.warns(
        DeprecationWarning, match=r"'running_average_factor'\] is now called config\['benchmark_polyak'\]"
    ):
        config = RealTimeConfig.from_mapping({"interface": RealTimeGymInterface, "running_average_factor": 0.3})
    assert config.benchmark_polyak == 0.3


DOUBTS = [
    ({"wait_on_done": True, "reset_act_buf": False}, "set config['reset_act_buf'] to True"),
    ({"last_act_on_reset": True}, "config['last_act_on_reset'] has no effect"),
    ({"start_obs_capture": 0.1}, "a time-step times out after 0.1 s: every time-step will"),
    (
        {"observation_arrays": "reused", "observation_check": "off"},
        "config['observation_arrays'] = 'reused' has no effect",
    ),
    ({"time_step_timeout_factor": 0.0}, "a time-step times out after 0.05 s: every time-step will"),
]


def test_one_cpu_for_a_thread_that_spins_with_a_priority_is_told(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0}, raising=False)
    with pytest.warns(ConfigWarning, match="there is one CPU: nothing else runs on it"):
        config_of(realtime_priority=50)
    config_of(realtime_priority=50, spin=False)


@pytest.mark.parametrize(("entries", "message"), DOUBTS)
def test_entries_that_hardly_go_together_are_told(entries, message):
    with pytest.warns(ConfigWarning, match=re.escape(message)) as warned:
        RealTimeConfig.from_mapping({"interface": RealTimeGymInterface, **entries})
    assert [warning.filename for warning in warned] == [__file__]


@pytest.mark.parametrize(
    "entries",
    [
        {"wait_on_done": True},
        {"reset_act_buf": False},
        {"last_act_on_reset": True, "reset_act_buf": False},
        {"start_obs_capture": 0.0999},
        {"time_step_timeout_factor": 0.0, "start_obs_capture": 0.0499},
    ],
)
def test_entries_that_go_together_are_taken_silently(entries):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        RealTimeConfig.from_mapping({"interface": RealTimeGymInterface, **entries})
