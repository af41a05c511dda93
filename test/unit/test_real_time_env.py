"""The environment on a fake clock: what is sent and captured when, to the nanosecond."""

import copy
import math
import pickle
import threading
import warnings
from dataclasses import replace

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from rtgym_ros import RealTimeGymInterface
from rtgym_ros.core.errors import ActionError, ConfigError, InterfaceError, StateError, TimeStepTimeoutWarning
from rtgym_ros.core.time_source import FakeTimeSource
from rtgym_ros.envs.real_time_env import RealTimeEnv, RealTimeEnvTS
from rtgym_ros.envs.state import State
from rtgym_ros.envs.step_info import KEYS, ROS_KEYS

MS = 1_000_000


def buffer_of(observation):
    """Return what follows the one element of the interface."""
    return [round(float(action[0]), 3) for action in observation[1:]]


def sent(env):
    return [entry[2] for entry in env.interface.log if entry[1] == "send"]


def terminate_at(env, capture):
    """Let the interface end its episode at that capture."""

    def observe():
        number = env.interface.captures
        return ([np.array([number], dtype=np.float32)], float(number), number == capture, {"capture": number})

    env.interface.do["get_obs_rew_terminated_info"] = observe


# --- the schedule ---


def test_the_schedule_of_an_episode(make_env, clock):
    env = make_env(start_obs_capture=0.04)
    env.reset()
    for action in (0.1, 0.2, 0.3):
        clock.advance_ns(30 * MS)  # the policy thinks
        env.step([action])
        assert clock.now_ns() % (50 * MS) == 0
    assert env.interface.log == [
        (0, "reset"),
        (0, "send", 0.0),
        (40, "capture"),
        (50, "send", 0.1),
        (90, "capture"),
        (100, "send", 0.2),
        (140, "capture"),
        (150, "send", 0.3),
    ]
    assert (env.clock.time_steps, env.clock.overruns, env.clock.timeouts) == (4, 0, 0)


def test_the_schedule_across_episodes(make_env):
    env = make_env(start_obs_capture=0.04, ep_max_length=2)
    for _ in range(2):
        env.reset()
        assert env.step([0.1])[3] is False
        assert env.step([0.2])[3] is True
    assert env.interface.log == [
        (0, "reset"),
        (0, "send", 0.0),
        (40, "capture"),
        (50, "send", 0.1),
        (90, "capture"),
        (100, "reset"),
        (100, "send", 0.0),
        (140, "capture"),
        (150, "send", 0.1),
        (190, "capture"),
    ], "the last action of an episode is not sent, and the time-steps go on without a gap"
    assert env.clock.timeouts == 0


def test_a_reset_in_the_middle_of_an_episode_lets_the_time_step_end(env):
    env.reset()
    env.step([0.1])
    env.reset()
    assert env.interface.log[4:] == [(100, "capture"), (100, "reset"), (100, "send", 0.0)]


@pytest.mark.parametrize(
    ("capture", "schedule"),
    [
        (0.0, [(0, "capture"), (50, "send", 0.1), (50, "capture"), (100, "send", 0.2), (100, "capture")]),
        (0.05, [(50, "capture"), (50, "send", 0.1), (100, "capture"), (100, "send", 0.2)]),
        (0.07, [(70, "capture"), (70, "send", 0.1), (120, "capture"), (120, "send", 0.2)]),
    ],
)
def test_captures_at_the_start_at_the_end_and_after_the_end(make_env, capture, schedule):
    env = make_env(start_obs_capture=capture)
    env.reset()
    env.step([0.1])
    env.step([0.2])
    assert env.interface.log[2:] == schedule
    assert env.clock.timeouts == 0


def test_a_capture_at_the_start_waits_for_no_call(make_env, clock):
    env = make_env(start_obs_capture=0.0)
    env.reset()
    clock.advance_ns(30 * MS)  # the policy thinks
    info = env.step([0.1])[-1]
    assert (info["capture_time"], info["time_step_start"]) == (0.0, 0.0)
    clock.advance_ns(70 * MS)
    info = env.step([0.2])[-1]
    assert (info["capture_time"], info["time_step_start"]) == (0.05, 0.05)
    assert env.interface.log == [
        (0, "reset"),
        (0, "send", 0.0),
        (0, "capture"),
        (50, "send", 0.1),
        (50, "capture"),
        (120, "send", 0.2),
        (120, "capture"),
    ]


def test_an_error_in_a_capture_at_the_start_comes_out_of_the_next_call(make_env):
    def robot_fault():
        raise OSError("no link")

    env = make_env(start_obs_capture=0.0, do={"get_obs_rew_terminated_info": robot_fault})
    env.reset()
    assert env.state is State.FAILED
    assert env.interface.log[-1] == (0, "send", -1.0), "the robot was stopped at once"
    with pytest.raises(OSError, match="no link"):
        env.step([0.1])


def test_an_overrun_shortens_the_next_time_step(make_env, clock):
    env = make_env(start_obs_capture=0.04)
    env.reset()
    clock.advance_ns(70 * MS)
    env.step([0.1])
    env.step([0.2])
    assert env.interface.log[2:] == [(70, "capture"), (70, "send", 0.1), (90, "capture"), (100, "send", 0.2)]
    assert (env.clock.overruns, env.clock.timeouts) == (1, 0)


def test_being_late_by_less_than_a_twentieth_is_no_overrun(env, clock):
    env.reset()
    clock.advance_ns(52_500_000)
    env.step([0.1])
    assert env.clock.current.lateness_ns == 2_500_000
    assert env.clock.overruns == 0


def test_being_too_late_restarts_the_clock_and_warns(env, clock):
    env.reset()
    clock.advance_ns(100 * MS)  # the end, and the elasticity
    with pytest.warns(TimeStepTimeoutWarning, match=r"time-step 1 timed out: it began 0\.050000 s late") as warned:
        env.step([0.1])
    assert len(warned) == 1
    env.step([0.2])
    assert env.interface.log[2:] == [(100, "capture"), (100, "send", 0.1), (150, "capture"), (150, "send", 0.2)]
    assert env.clock.timeouts == 1


def test_a_nanosecond_less_late_is_an_overrun(env, clock):
    env.reset()
    clock.advance_ns(100 * MS - 1)
    env.step([0.1])
    assert (env.clock.overruns, env.clock.timeouts) == (1, 0)


def test_an_infinite_elasticity_never_times_out(make_env, clock):
    env = make_env(time_step_timeout_factor=math.inf)
    env.reset()
    clock.advance_ns(10**15)
    env.step([0.1])
    assert (env.clock.current.start_ns, env.clock.timeouts) == (50 * MS, 0)


def test_oversleeping_does_not_add_up(make_env):
    late_ns = iter(range(1, 1000))
    env = make_env(time_source=FakeTimeSource(overshoot_ns=lambda: next(late_ns)))
    env.reset()
    for number in range(1, 101):
        env.step([0.1])
        assert env.clock.current.start_ns == number * 50 * MS
    assert env.clock.overruns == 0


def test_the_interface_hears_of_every_time_step(env):
    heard = []
    env.interface.do["on_time_step"] = lambda time_step: heard.append((time_step, env.interface.log[-1]))
    env.reset()
    env.step([0.1])
    assert heard[-1] == (env.clock.current, (50, "send", 0.1))
    assert [time_step.index for time_step, _ in heard] == [0, 1]


def test_the_interface_hears_of_another_timing(env):
    heard = []
    env.interface.do["on_timing"] = lambda *timing: heard.append(timing)
    env.reset()
    env.set_time_step_duration(0.1, 0.5)
    env.set_time_step_duration(0.02, float("inf"))
    assert heard == [(0.1, 0.05), (0.02, float("inf"))]


# --- what comes out ---


def test_reset_and_step_return_what_the_interface_says(env):
    observation, info = env.reset(seed=3, options={"slowly": True})
    assert observation[0] == [-1]
    assert {key: info[key] for key in ("seed", "options")} == {"seed": 3, "options": {"slowly": True}}
    observation, reward, terminated, truncated, info = env.step([0.1])
    assert (observation[0], reward, terminated, truncated, info["capture"]) == ([1], 1.0, False, False, 1)


@pytest.mark.filterwarnings("ignore::rtgym_ros.core.errors.TimeStepTimeoutWarning")
def test_the_info_tells_when_the_time_step_was(make_env, clock):
    env = make_env(start_obs_capture=0.04, time_step_timeout_factor=0.5)
    first = time_info(env.reset()[1])
    assert first.pop("capture_time") == 0
    assert np.isnan(list(first.values())).all(), "no time-step led to its observation"
    seen = []
    for late_ms in (0, 60, 0, 100, 0):
        clock.advance_ns(late_ms * MS)
        seen.append(tuple(time_info(env.step([0.1])[-1]).values()))
    assert seen == [  # index, nominal start, start, lateness, overrun, timed out, capture
        (0, 0, 0, 0, 0, 0, 0.04),
        # The caller came 10 ms late: this one was captured when it came, the next began late, on the grid.
        (1, 0.05, 0.05, 0, 0, 0, 0.11),
        (2, 0.1, 0.11, 0.01, 1, 0, 0.14),
        (3, 0.15, 0.15, 0, 0, 0, 0.25),
        (4, 0.25, 0.25, 0.05, 0, 1, 0.29),
    ]
    assert all(type(value) is np.float64 for values in seen for value in values), "a float with a dtype"


def test_the_info_of_an_interface_on_ros_tells_ros_time_too(make_env, clock, monkeypatch):
    env = make_env(start_obs_capture=0.04)
    monkeypatch.setattr(env.interface, "get_ros_time_offset_ns", lambda: 1_700_000_000 * 1_000_000_000 + 7 * MS)
    info = env.reset()[1]
    assert list(info)[: len(KEYS) + 2] == [*KEYS, *ROS_KEYS]
    assert np.isnan(info["ros_time_step_start"])
    assert info["ros_capture_time"] == 1_700_000_000.007
    for index in range(3):
        clock.advance_ns(5 * MS)
        info = env.step([0.1])[-1]
        assert info["ros_time_step_start"] == (1_700_000_000_007 + 50 * index) / 1000
        assert info["ros_capture_time"] == (1_700_000_000_047 + 50 * index) / 1000
    assert {type(info[key]) for key in ROS_KEYS} == {np.float64}


def time_info(info):
    """Return what the environment adds to an info, in order."""
    return {key: info[key] for key in KEYS}


def test_the_info_of_the_interface_is_neither_written_nor_overwritten(env):
    mine = {"time_step_index": "mine"}
    env.interface.do["get_obs_rew_terminated_info"] = lambda: ([np.zeros(1, dtype=np.float32)], 0.0, False, mine)
    env.reset()
    assert env.step([0.1])[-1]["time_step_index"] == "mine"
    mine.clear()
    assert set(env.step([0.1])[-1]) == set(KEYS)
    assert mine == {}


def test_the_info_tells_no_time_where_it_is_not_to(make_env):
    env = make_env(time_in_info=False)
    env.reset()
    assert env.step([0.1])[-1] == {"capture": 1}


def test_the_interface_draws_from_the_generator_of_the_environment(env):
    drawn = []
    env.interface.do["reset"] = lambda seed, options: drawn.append(env.interface.np_random.random())
    for seed in (5, 5, None):
        env.reset(seed=seed)
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize(("length", "in_obs", "parts"), [(1, True, 2), (3, True, 4), (3, False, 1), (0, False, 1)])
def test_observations_are_elements_of_the_observation_space(make_env, length, in_obs, parts):
    env = make_env(act_buf_len=length, act_in_obs=in_obs)
    assert isinstance(env.observation_space, spaces.Tuple)
    assert len(env.observation_space) == parts
    assert list(env.observation_space)[1:] == [env.action_space] * (parts - 1)
    assert env.observation_space.contains(env.reset()[0])
    assert env.observation_space.contains(env.step([0.5])[0])


def test_without_the_buffer_in_the_observation_actions_are_sent_all_the_same(make_env):
    env = make_env(act_in_obs=False, act_buf_len=0, last_act_on_reset=True, reset_act_buf=False)
    env.reset()
    env.step([0.5])
    env.reset()
    assert sent(env) == [0.0, 0.5, 0.5]


def test_the_action_joins_the_observation_as_the_newest(env):
    assert buffer_of(env.reset()[0]) == [0, 0]
    assert buffer_of(env.step([0.1])[0]) == [0, 0.1]
    assert buffer_of(env.step([0.2])[0]) == [0.1, 0.2]
    assert buffer_of(env.step([0.3])[0]) == [0.2, 0.3]


@pytest.mark.filterwarnings("ignore::rtgym_ros.core.errors.ConfigWarning")
@pytest.mark.parametrize(
    ("reset_act_buf", "last_act_on_reset", "buffer", "first"),
    [
        (True, False, [0, 0, 0], 0),
        (True, True, [0, 0, 0], 0),
        (False, False, [0.1, 0.2, 0], 0),
        (False, True, [0.1, 0.2, 0.3], 0.3),
    ],
)
def test_the_action_buffer_across_episodes(make_env, reset_act_buf, last_act_on_reset, buffer, first):
    env = make_env(act_buf_len=3, ep_max_length=3, reset_act_buf=reset_act_buf, last_act_on_reset=last_act_on_reset)
    assert buffer_of(env.reset()[0]) == [0, 0, 0]
    assert sent(env) == [0]
    for action in (0.1, 0.2, 0.3):
        observation = env.step([action])[0]
    assert buffer_of(observation) == [0.1, 0.2, 0.3]
    observation = env.reset()[0]
    assert buffer_of(observation) == buffer
    assert sent(env) == [0, 0.1, 0.2, first]
    assert buffer_of(env.step([0.4])[0]) == [*buffer[1:], 0.4]


def test_observations_share_no_array_with_the_environment(env):
    observation, _ = env.reset()
    for action in observation[1:]:
        action[:] = 2.0
    action = np.array([0.1], dtype=np.float32)
    observation = env.step(action)[0]
    action[:] = 2.0
    observation[-1][:] = 2.0
    assert buffer_of(env.step([0.2])[0]) == [0.1, 0.2]
    assert buffer_of(env.reset()[0]) == [0, 0]


def test_an_interface_that_writes_into_its_action_harms_nobody(make_env):
    def spoil(control):
        control += 1.0

    env = make_env(do={"send_control": spoil}, last_act_on_reset=True, reset_act_buf=False)
    assert buffer_of(env.reset()[0]) == [0]
    assert buffer_of(env.step([0.5])[0]) == [0.5]
    assert buffer_of(env.reset()[0]) == [0.5]
    assert sent(env) == [0, 0.5, 0.5]
    env.set_default_action([0.25])
    assert env.default_action == [0.25]
    env.close()
    assert sent(env)[-1] == -1


def test_an_interface_that_writes_into_the_default_action_does_not_change_it(make_env):
    def spoil(control):
        control += 1.0

    env = make_env(do={"send_control": spoil})
    for _ in range(3):
        env.reset()
    assert sent(env) == [0, 0, 0]
    assert env.default_action == [0]


# --- the end of an episode ---


def test_an_episode_is_truncated_at_its_greatest_length(make_env):
    env = make_env(ep_max_length=3)
    for _ in range(2):
        env.reset()
        assert [env.step([0.0])[2:4] for _ in range(3)] == [(False, False), (False, False), (False, True)]


def test_terminated_wins_over_truncated(make_env):
    env = make_env(ep_max_length=2)
    terminate_at(env, capture=2)
    env.reset()
    env.step([0.1])
    assert env.step([0.2])[2:4] == (True, False)
    assert env.state is State.DONE
    assert sent(env) == [0, 0.1]


def test_wait_on_done_waits_after_the_time_step_and_excuses_the_next(make_env, clock):
    env = make_env(start_obs_capture=0.04, wait_on_done=True)
    terminate_at(env, capture=1)
    env.reset()
    env.step([0.1])
    assert env.interface.log[2:] == [(40, "capture"), (50, "wait")]
    clock.advance_ns(10**12)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env.reset()
    assert env.clock.current.start_ns == clock.now_ns()
    assert env.clock.timeouts == 0


def test_the_interface_does_not_wait_unless_asked(make_env):
    env = make_env(ep_max_length=1)
    env.reset()
    env.step([0.1])
    assert "wait" not in [entry[1] for entry in env.interface.log]


def test_wait_in_an_episode_keeps_the_observation_for_the_next_step(make_env, clock):
    env = make_env(start_obs_capture=0.04)
    env.reset()
    env.wait()
    assert env.interface.log[2:] == [(40, "capture"), (50, "wait")]
    clock.advance_ns(10**12)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        observation = env.step([0.1])[0]
    assert observation[0] == [1]
    assert env.interface.log[4:] == [(50 + 10**6, "send", 0.1)]
    assert env.clock.timeouts == 0
    clock.advance_ns(10**12)
    with pytest.warns(TimeStepTimeoutWarning):
        env.step([0.2])


def test_wait_before_the_first_episode(env):
    env.wait()
    env.reset()
    assert env.interface.log == [(0, "wait"), (0, "reset"), (0, "send", 0.0)]


def test_stop_waits_for_the_running_time_step(env, clock):
    env.stop()
    env.reset()
    env.stop()
    assert clock.now_ns() == 50 * MS
    env.stop()
    assert env.interface.log[2:] == [(50, "capture")]


# --- preprocessing ---


def test_observations_are_preprocessed_alike_in_reset_and_step(make_env):
    seen = []

    def double(observation):
        seen.append(len(observation))
        return [2 * observation[0] + 1]

    env = make_env(obs_prepro_func=double, act_buf_len=2)
    assert env.reset()[0][0] == [-1]
    assert env.step([0.1])[0][0] == [3]
    assert seen == [1, 1], "without the action buffer, both times"


def test_actions_are_preprocessed_when_sent_and_not_in_the_buffer(make_env):
    env = make_env(act_prepro_func=lambda action: 2 * action + 0.5)
    assert buffer_of(env.reset()[0]) == [0]
    assert buffer_of(env.step([0.25])[0]) == [0.25]
    env.close()
    assert sent(env) == [0.5, 1.0, -1.5], "default, stepped and safe"


# --- actions ---


def test_a_bad_action_is_refused_and_the_time_step_goes_on(make_env, clock):
    env = make_env(start_obs_capture=0.04)
    env.reset()
    for action in ([np.nan], [0.0, 0.0], "left"):
        with pytest.raises(ActionError):
            env.step(action)
    assert (clock.now_ns(), env.state, sent(env)) == (0, State.RUNNING, [0])
    observation = env.step([0.1])[0]
    assert observation[0] == [1]
    assert buffer_of(observation) == [0.1]


def test_out_of_bounds_actions_are_clipped_or_refused(make_env):
    clipping, strict = make_env(), make_env(out_of_bounds_action="raise")
    clipping.reset()
    assert buffer_of(clipping.step([9.0])[0]) == [2.0]
    assert sent(clipping) == [0, 2]
    strict.reset()
    with pytest.raises(ActionError, match="must lie in"):
        strict.step([9.0])
    assert sent(strict) == [0]


@pytest.mark.parametrize("method", ["get_default_action", "get_safe_action"])
def test_a_bad_action_of_the_interface_is_named_when_the_environment_is_made(make_env, method):
    with pytest.raises(ActionError, match=rf"{method}\(\) must be finite"):
        make_env(do={method: lambda: np.array([np.nan])})


def test_discrete_actions_fly_too(make_env):
    do = {
        "get_action_space": lambda: spaces.Discrete(3),
        "get_default_action": lambda: np.int64(1),
        "get_safe_action": lambda: np.int64(1),
    }
    env = make_env(do=do, act_buf_len=2, act_prepro_func=lambda action: [action])
    assert env.reset()[0][1:] == (1, 1)
    observation = env.step(2)[0]
    assert observation[1:] == (1, 2)
    assert env.observation_space.contains(observation)
    with pytest.raises(ActionError):
        env.step(3)


# --- settings ---


def test_a_new_default_action_is_sent_by_the_next_reset(env):
    env.reset()
    env.set_default_action([0.7])
    assert env.default_action == np.float32(0.7)
    env.step([0.1])
    assert buffer_of(env.reset()[0]) == [0.7, 0.7]
    assert sent(env) == [0, 0.1, 0.7]


def test_a_new_default_action_is_checked_and_copied(env):
    action = np.array([0.5], dtype=np.float32)
    env.set_default_action(action)
    action[0] = 1.0
    env.default_action[0] = 1.0
    with pytest.raises(ActionError, match="default_action must be finite"):
        env.set_default_action([np.nan])
    assert env.default_action == [0.5]


def test_a_new_duration_counts_from_the_next_time_step(env):
    env.reset()
    env.set_start_obs_capture(0.02)
    env.set_time_step_duration(0.02)
    env.step([0.1])
    env.step([0.2])
    env.step([0.3])
    times = [entry[0] for entry in env.interface.log if entry[1] == "send"]
    assert times == [0, 50, 70, 90]


@pytest.mark.filterwarnings("ignore::rtgym_ros.core.errors.TimeStepTimeoutWarning")
def test_a_new_duration_keeps_the_elasticity_in_time_steps_unless_told(env, clock):
    def a_lateness_of_60_ms_times_out():
        previous_ns, timeouts = env.clock.current.end_ns, env.clock.timeouts
        clock.advance_ns(previous_ns - clock.now_ns() + 60 * MS)
        env.step([0.0])
        return env.clock.timeouts > timeouts

    env.reset()
    assert a_lateness_of_60_ms_times_out()
    env.set_time_step_duration(0.1)
    assert not a_lateness_of_60_ms_times_out()
    env.set_time_step_duration(0.1, 0.5)
    assert a_lateness_of_60_ms_times_out()
    env.set_start_obs_capture(0.1)
    assert a_lateness_of_60_ms_times_out(), "the factor stays"
    env.set_time_step_duration(0.1, math.inf)
    assert not a_lateness_of_60_ms_times_out()


def test_timeouts_are_warned_of_once_a_second_with_their_number(env, clock):
    env.reset()

    def warnings_of(late_ms):
        clock.advance_ns(late_ms * MS)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("default")
            env.step([0.0])
        return [str(warning.message) for warning in caught]

    assert len(warnings_of(200)) == 1
    assert [warnings_of(200) for _ in range(3)] == [[], [], []]
    assert warnings_of(600)[0].endswith("the clock restarts from now (and 3 more since the last warning)")
    assert "__warningregistry__" not in globals(), "nothing is kept of them"


def test_a_warning_is_never_an_error_of_the_time_step(env, clock, caplog):
    env.reset()
    clock.advance_ns(200 * MS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        observation = env.step([0.5])[0]
    assert observation[0] == [1]
    assert "timed out" in caplog.text


def test_a_new_capture_time_counts_from_the_next_time_step(env):
    env.reset()
    env.set_start_obs_capture(0.01)
    env.step([0.1])
    env.step([0.2])
    assert [entry[0] for entry in env.interface.log if entry[1] == "capture"] == [50, 60]


def test_a_new_episode_length_counts_from_the_next_step(env):
    env.reset()
    for _ in range(3):
        assert env.step([0.0])[3] is False
    env.set_ep_max_length(5)
    assert [env.step([0.0])[3] for _ in range(2)] == [False, True]
    env.reset()
    env.step([0.0])
    env.step([0.0])
    env.set_ep_max_length(1)
    assert env.step([0.0])[3] is True


@pytest.mark.parametrize(
    ("setter", "value", "key"),
    [
        ("set_time_step_duration", 0.0, "time_step_duration"),
        ("set_start_obs_capture", -1.0, "start_obs_capture"),
        ("set_ep_max_length", 0, "ep_max_length"),
    ],
)
def test_bad_settings_are_refused_and_change_nothing(env, setter, value, key):
    env.reset()
    with pytest.raises(ConfigError, match=f"config\\['{key}'\\] must be .*, got {value}"):
        getattr(env, setter)(value)
    with pytest.raises(ConfigError, match="time_step_timeout_factor"):
        env.set_time_step_duration(0.02, -1)
    assert env.step([0.1])[3] is False
    env.step([0.2])
    assert [entry[0] for entry in env.interface.log if entry[1] == "send"] == [0, 50, 100]


# --- benchmarks ---


def test_the_trace_of_the_durations(make_env, clock):
    env = make_env(benchmark=True, benchmark_type="trace", start_obs_capture=0.04, ep_max_length=3)
    env.interface.do["send_control"] = lambda control: clock.advance_ns(1 * MS)
    env.interface.do["get_obs_rew_terminated_info"] = lambda: clock.advance_ns(2 * MS)
    env.reset()
    for think_ms in (10, 20, 15):
        clock.advance_ns(think_ms * MS)
        env.step([0.1])
    trace = env.benchmarks()
    ms = {name: np.round(1e3 * values, 6).tolist() for name, values in (trace["deltas"] | trace["clock"]).items()}
    assert ms == {
        "start_step": [0, 11, 71, 116],  # of the reset, and of the steps
        "end_step_join": [0, 50, 100, 150],
        "end_step": [1, 51, 101, 150],
        "start_send_control": [0, 50, 100],
        "end_send_control": [1, 51, 101],
        "start_get_obs": [40, 90, 140],
        "end_get_obs": [42, 92, 142],
        "time_step_duration": [11, 60, 45],
        "step_duration": [1, 40, 30, 34],
        "join_duration": [0, 39, 29, 34],
        "inference_duration": [10, 20, 15],
        "send_control_duration": [1, 1, 1],
        "get_obs_duration": [2, 2, 2],
    }


@pytest.mark.filterwarnings("ignore::rtgym_ros.core.errors.TimeStepTimeoutWarning")
@pytest.mark.parametrize("kind", ["polyak", "trace"])
def test_statistics_of_the_durations(make_env, clock, kind):
    env = make_env(benchmark=True, benchmark_type=kind, time_step_timeout_factor=0.5)
    env.reset()
    for think_ms in (10, 60, 90):
        clock.advance_ns(think_ms * MS)
        env.step([0.1])
    statistics = env.benchmark_statistics()
    assert [statistics.pop(name) for name in ("time_steps", "overruns", "timeouts")] == [4, 1, 1]
    assert {name: values["count"] for name, values in statistics.items()} == {
        "time_step_duration": 3,
        "step_duration": 3,
        "join_duration": 3,
        "inference_duration": 2,
        "send_control_duration": 4,
        "get_obs_duration": 3,
    }
    assert statistics["inference_duration"]["max"] == 0.09
    assert statistics["time_step_duration"]["mean"] == pytest.approx((50 + 60 + 90) / 3e3)


def test_the_trace_is_written_to_a_file(make_env, tmp_path):
    env = make_env(benchmark=True, benchmark_type="trace")
    env.reset()
    env.step([0.1])
    env.export_benchmark_trace(str(tmp_path / "trace.csv"))
    assert (tmp_path / "trace.csv").read_text().startswith("event,start,end,duration\n")


@pytest.mark.parametrize("config", [{}, {"benchmark": True}])
def test_without_a_trace_there_is_nothing_to_write(make_env, tmp_path, config):
    with pytest.raises(
        StateError, match=r"needs config\['benchmark'\] = True and config\['benchmark_type'\] = 'trace'"
    ):
        make_env(**config).export_benchmark_trace(tmp_path / "trace.csv")


def test_averages_of_the_durations(make_env, clock):
    env = make_env(benchmark=True, benchmark_polyak=0.5)
    env.reset()
    for think_ms in (10, 20, 30):
        clock.advance_ns(think_ms * MS)
        env.step([0.1])
    averages = env.benchmarks()
    assert averages["time_step_duration"] == pytest.approx((0.05, 0.0))
    assert averages["inference_duration"] == pytest.approx((0.025, 0.005))


def test_without_the_option_there_are_no_benchmarks(env):
    with pytest.raises(StateError, match=r"benchmarks\(\) needs config\['benchmark'\] = True"):
        env.benchmarks()
    with pytest.raises(StateError, match=r"benchmark_statistics\(\) needs config\['benchmark'\] = True"):
        env.benchmark_statistics()


# --- rendering ---


def test_render_returns_what_the_interface_draws(make_env):
    env = make_env(render_mode="rgb_array")
    env.reset()
    env.step([0.1])
    assert env.interface.render_mode == "rgb_array"
    assert env.render().max() == 1


def test_rendering_waits_for_the_time_step_if_asked(env, clock):
    env.reset()
    env.render("human")
    assert clock.now_ns() == 0
    env.render(mode="human", join_thread=True)
    assert clock.now_ns() == 50 * MS


def test_a_render_mode_of_the_interface_is_left_to_it(make_env):
    class Drawing(type(make_env().interface)):
        render_mode = "its own"

    assert make_env(interface=Drawing).interface.render_mode == "its own"
    assert make_env(interface=Drawing, render_mode="rgb_array").interface.render_mode == "rgb_array"


def test_human_rendering_shows_every_time_step(make_env):
    shown = []
    env = make_env(render_mode="human")
    env.interface.do["render"] = lambda: shown.append(env.interface.log[-1])
    env.reset()
    env.step([0.1])
    assert shown == [(0, "send", 0.0), (50, "send", 0.1)]


def test_an_unknown_render_mode_is_refused(make_env):
    with pytest.raises(ConfigError, match="render_mode must be None, 'human' or 'rgb_array', got 'ansi'"):
        make_env(render_mode="ansi")


@pytest.mark.parametrize(("duration", "fps"), [(0.05, 20), (0.01, 100), (10.0, 1)])
def test_render_fps_is_the_rate_of_the_clock(make_env, duration, fps):
    assert make_env(time_step_duration=duration).metadata["render_fps"] == fps


def test_an_observation_space_that_is_no_tuple_is_refused(make_env):
    with pytest.raises(InterfaceError, match=r"get_observation_space\(\) must return a .*Tuple, got Discrete\(2\)"):
        make_env(do={"get_observation_space": lambda: spaces.Discrete(2)})


def test_the_optional_methods_of_an_interface(env):
    bare = RealTimeGymInterface
    assert (bare.wait(env.interface), bare.render(env.interface), bare.close(env.interface)) == (None, None, None)
    assert bare.get_safe_action(env.interface) == env.default_action
    assert bare.get_time_source(env.interface).passes_by_itself


@pytest.mark.parametrize(("last_act_on_reset", "sent_by_reset"), [(False, 0.0), (True, 0.2)])
def test_a_reset_in_mid_episode_forgets_no_action_that_was_sent(make_env, last_act_on_reset, sent_by_reset):
    env = make_env(act_buf_len=3, reset_act_buf=False, last_act_on_reset=last_act_on_reset)
    env.reset()
    env.step([0.1])
    env.step([0.2])
    observation, _ = env.reset()
    buffered = [float(action[0]) for action in observation[-3:]]
    assert buffered == pytest.approx([0.1, 0.2, sent_by_reset])


def test_an_error_while_showing_is_a_failure_too(make_env):
    def fail():
        raise OSError("the window is gone")

    env = make_env(render_mode="human")
    env.reset()
    env.interface.do["render"] = fail
    with pytest.raises(OSError, match="the window is gone"):
        env.step([0.1])
    assert env.state is State.FAILED
    assert env.interface.log[-1][1:] == ("send", -1.0)


@pytest.mark.parametrize("env_class", [RealTimeEnv, RealTimeEnvTS])
def test_on_a_clock_that_stands_still_everything_happens_in_the_callers_thread(make_env, env_class):
    env = make_env(env_class)
    env.reset()
    env.step([0.5])
    assert set.union(*env.interface.threads.values()) == {threading.get_ident()}


# --- other observation spaces ---


def observing(space, value):
    return {
        "get_observation_space": lambda: space,
        "reset": lambda seed, options: (value, {}),
        "get_obs_rew_terminated_info": lambda: (value, 0.0, False, {}),
    }


def test_the_action_buffer_stands_under_a_key_of_its_own_in_a_dict(make_env):
    space = spaces.Dict({"x": spaces.Box(-1, 1, (2,)), "mode": spaces.Discrete(3)})
    env = make_env(do=observing(space, {"x": np.ones(2, np.float32), "mode": 1}), act_buf_len=3)
    assert env.observation_space["action_buffer"] == spaces.Box(-2.0, 2.0, (3, 1))
    env.reset()
    env.step([0.5])
    observation = env.step([1.5])[0]
    assert env.observation_space.contains(observation)
    assert observation["action_buffer"].tolist() == [[0], [0.5], [1.5]]
    assert set(observation) == {"x", "mode", "action_buffer"}


def test_the_action_buffer_extends_a_box(make_env):
    env = make_env(do=observing(spaces.Box(-1, 1, (2,)), np.ones(2, np.float32)), act_buf_len=2)
    env.reset()
    observation = env.step([0.5])[0]
    assert env.observation_space == spaces.Box(np.float32([-1, -1, -2, -2]), np.float32([1, 1, 2, 2]))
    assert env.observation_space.contains(observation)
    assert observation.tolist() == [1, 1, 0, 0.5]


def test_a_dict_may_not_use_the_key_of_the_action_buffer(make_env):
    space = spaces.Dict({"action_buffer": spaces.Discrete(2)})
    with pytest.raises(InterfaceError, match="'action_buffer': it is reserved"):
        make_env(do=observing(space, {"action_buffer": 0}))


def test_sampling_one_space_changes_no_other(env):
    assert env.observation_space.spaces[-1] is not env.action_space
    env.observation_space.seed(1)
    env.action_space.seed(7)
    first = env.action_space.sample()
    env.action_space.seed(7)
    env.observation_space.sample()
    assert env.action_space.sample() == first


# --- what the interface may say beside its observations ---


def test_the_action_that_was_really_sent_stands_in_the_buffer(make_env, monkeypatch):
    env = make_env(act_buf_len=2)
    env.reset()
    monkeypatch.setattr(env.interface, "get_executed_action", lambda: np.float32([0.5]))
    assert [float(part[0]) for part in env.step([1.0])[0][1:]] == [0, 0.5]


def test_an_interface_may_end_the_episode(env, monkeypatch):
    env.reset()
    monkeypatch.setattr(env.interface, "get_truncation", lambda: "pose is 0.3 s old")
    _, _, terminated, truncated, info = env.step([1.0])
    assert (terminated, truncated, info["truncation"]) == (False, True, "pose is 0.3 s old")
    assert env.interface.log[-1][1] == "capture", "the action is not sent"


def test_the_safe_action_between_two_episodes(make_env, monkeypatch):
    env = make_env(ep_max_length=1, act_buf_len=2, reset_act_buf=False)
    monkeypatch.setattr(type(env.interface), "safe_action_between_episodes", True)
    env.reset()
    env.step([1.0])
    assert env.interface.log[-1] == (50, "send", -1)
    assert [float(part[0]) for part in env.reset()[0][1:]] == [-1, 0], "1.0 was never sent"


def test_the_safe_action_is_repeated_until_it_is_acknowledged(env, monkeypatch):
    env.reset()
    answers = iter([False, False, True])
    monkeypatch.setattr(env.interface, "wait_for_acknowledgement", lambda timeout: next(answers))
    env.close()
    assert [entry[1:] for entry in env.interface.log[-4:]] == [("send", -1.0)] * 3 + [("close",)]


# --- copies ---


def test_an_environment_cannot_be_copied_and_its_configuration_can(env):
    with pytest.raises(TypeError, match="holds a robot and a thread"):
        pickle.dumps(env)
    with pytest.raises(TypeError, match="holds a robot and a thread"):
        copy.deepcopy(env)
    config = replace(env.config, interface=dict, interface_args=())
    assert pickle.loads(pickle.dumps(config)) == config


def test_the_specification_names_the_length_of_an_episode():
    config = {"interface": "unit_robots:Still", "ep_max_length": 7}
    env = gymnasium.make("rtgym_ros/RealTime-v1", config=config)
    assert env.spec.max_episode_steps == 7
    assert isinstance(env.unwrapped, RealTimeEnv)
    assert not any(isinstance(wrapper, gymnasium.wrappers.TimeLimit) for wrapper in wrappers_of(env))
    assert "unit_robots:Still" in env.spec.to_json()
    env.close()


def wrappers_of(env):
    while env is not env.unwrapped:
        yield env
        env = env.env


def test_an_interface_by_a_name_that_leads_nowhere():
    with pytest.raises(ConfigError, match="'nowhere:Robot' cannot be imported: No module named 'nowhere'"):
        RealTimeEnv({"interface": "nowhere:Robot"})
