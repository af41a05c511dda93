"""States, failures and the end of an environment."""

import subprocess
import sys
import textwrap
import traceback
import warnings
from pathlib import Path

import numpy as np
import pytest

from rtgym_ros.core.errors import InterfaceError, StateError
from rtgym_ros.envs.real_time_env import RealTimeEnv, RealTimeEnvTS
from rtgym_ros.envs.state import State

MS = 1_000_000
ROOT = Path(__file__).parents[2]


class RobotError(Exception):
    """What a test breaks the interface with."""


def break_once(env, method, error=RobotError):
    """Let the interface's method raise the next time it is called."""

    def robot_fault(*args):
        del env.interface.do[method]
        raise error(f"{method} broke")

    env.interface.do[method] = robot_fault


def sent(env):
    return [entry[2] for entry in env.interface.log if entry[1] == "send"]


# --- states ---


def test_the_states_of_a_life(make_env):
    env = make_env(ep_max_length=1)
    states = [env.state]
    for call in (env.reset, lambda: env.step([0.0]), env.reset, env.close):
        call()
        states.append(env.state)
    assert states == [State.CREATED, State.RUNNING, State.DONE, State.RUNNING, State.CLOSED]


def test_step_before_reset(env):
    with pytest.raises(StateError, match=r"step\(\) while CREATED: no episode is under way, call reset\(\) first"):
        env.step([0.0])


def test_step_after_the_episode(make_env):
    env = make_env(ep_max_length=1)
    env.reset()
    env.step([0.0])
    for _ in range(2):
        with pytest.raises(StateError, match=r"step\(\) while DONE: .* call reset\(\) first"):
            env.step([0.0])
    assert env.interface.captures == 1


def test_step_after_a_failure(env):
    env.reset()
    break_once(env, "get_obs_rew_terminated_info")
    with pytest.raises(RobotError):
        env.step([0.0])
    with pytest.raises(StateError, match=r"step\(\) while FAILED: .* call reset\(\) first") as error:
        env.step([0.0])
    assert isinstance(error.value, RuntimeError)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("step", lambda env: env.step([0.0])),
        ("reset", lambda env: env.reset()),
        ("wait", lambda env: env.wait()),
        ("render", lambda env: env.render()),
    ],
)
def test_calls_after_close(env, name, call):
    env.reset()
    env.close()
    with pytest.raises(StateError, match=rf"{name}\(\) after close\(\): make a new environment"):
        call(env)


# --- the end ---


def test_close_sends_the_safe_action_then_closes_the_interface_once(env):
    env.reset()
    env.close()
    env.close()
    assert env.interface.log[2:] == [(0, "send", -1.0), (0, "close")]


def test_an_environment_that_never_acted_sends_nothing_at_its_end(env):
    env.close()
    assert env.interface.log == [(0, "close")]


def test_with_closes(make_env):
    with make_env() as env:
        env.reset()
    assert env.state is State.CLOSED
    assert env.interface.log[-2:] == [(0, "send", -1.0), (0, "close")]


def test_with_closes_after_an_error(make_env):
    env = make_env()

    def fly():
        with env:
            env.reset()
            raise RobotError

    with pytest.raises(RobotError):
        fly()
    assert env.interface.log[-2:] == [(0, "send", -1.0), (0, "close")]


def test_the_safe_action_that_fails_does_not_keep_the_interface_open(env, caplog):
    env.reset()
    break_once(env, "send_control")
    env.close()
    assert env.interface.log[-1] == (0, "close")
    assert "the safe action could not be sent: send_control broke" in caplog.text


@pytest.mark.parametrize("env_class", [RealTimeEnv, RealTimeEnvTS])
def test_an_interface_that_fails_to_close_says_so_once(make_env, env_class):
    env = make_env(env_class, time_source=None)
    break_once(env, "close")
    with pytest.raises(RobotError, match="close broke"):
        env.close()
    env.close()
    assert env.state is State.CLOSED


@pytest.mark.parametrize("env_class", [RealTimeEnv, RealTimeEnvTS])
@pytest.mark.parametrize("method", ["__init__", "get_action_space", "get_observation_space", "get_default_action"])
def test_an_interface_that_cannot_be_made_leaves_no_thread(make_env, env_class, method):
    def robot_fault():
        raise RobotError(method)

    with pytest.raises(RobotError, match=method):
        make_env(env_class, do={method: robot_fault})


AT_EXIT = """
    import sys
    import numpy as np
    from gymnasium import spaces
    import rtgym_ros
    from rtgym_ros.envs.real_time_env import RealTimeEnv, RealTimeEnvTS

    class Robot(rtgym_ros.RealTimeGymInterface):
        def get_observation_space(self): return spaces.Tuple((spaces.Discrete(1),))
        def get_action_space(self): return spaces.Box(-1, 1, (1,))
        def get_default_action(self): return np.ones(1)
        def get_safe_action(self): return np.zeros(1)
        def reset(self, seed=None, options=None): return [0], {}
        def get_obs_rew_terminated_info(self): return [0], 0.0, False, {}
        def send_control(self, control): print("send", float(control[0]), flush=True)
        def close(self): print("close", flush=True)

    def fly(env_class):
        env = env_class({"interface": Robot, "time_step_duration": 0.01})
        env.reset()
        env.step([0.5])
        return env
"""


def run_python(program):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(AT_EXIT) + textwrap.dedent(program)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("env_class", ["RealTimeEnv", "RealTimeEnvTS"])
@pytest.mark.parametrize(("end", "code"), [("", 0), ("sys.exit(3)", 3), ("raise OSError", 1)])
def test_an_environment_left_open_is_closed_when_the_program_ends(env_class, end, code):
    ended = run_python(f"env = fly({env_class})\n{end}")
    assert ended.stdout.split("\n") == ["send 1.0", "send 0.5", "send 0.0", "close", ""]
    assert ended.returncode == code


@pytest.mark.parametrize("env_class", ["RealTimeEnv", "RealTimeEnvTS"])
def test_an_environment_dropped_without_closing_does_not_leave_its_robot_moving(env_class):
    ended = run_python(f"import gc\nfly({env_class})\ngc.collect()")
    assert ended.stdout.split("\n") == ["send 1.0", "send 0.5", "send 0.0", "close", ""]
    assert (ended.returncode, ended.stderr) == (0, "")


def test_an_environment_closed_before_is_not_closed_again_at_the_end():
    ended = run_python("env = fly(RealTimeEnv)\nenv.close()\nprint('end')")
    assert ended.stdout.split("\n")[2:] == ["send 0.0", "close", "end", ""]
    assert (ended.returncode, ended.stderr) == (0, "")


# --- failures ---

PLACES = {
    "reset": lambda env: env.reset(),
    "send_control": lambda env: env.step([0.5]),
    "get_obs_rew_terminated_info": lambda env: env.step([0.5]),
    "wait": lambda env: env.wait(),
}


@pytest.mark.parametrize("method", PLACES)
def test_an_error_comes_out_with_its_traceback_after_the_safe_action(env, method):
    env.reset()
    env.step([0.1])
    break_once(env, method)
    with pytest.raises(RobotError, match=f"{method} broke") as error:
        PLACES[method](env)
    assert "robot_fault" in [frame.name for frame in traceback.extract_tb(error.value.__traceback__)]
    assert sent(env)[-1] == -1
    assert env.state is State.FAILED


@pytest.mark.parametrize("late_ms", [0, 30, 1000])
@pytest.mark.parametrize("method", PLACES)
def test_reset_begins_again_after_an_error(make_env, clock, method, late_ms):
    env = make_env(act_buf_len=2, start_obs_capture=0.01)
    env.reset()
    env.step([0.1])
    break_once(env, method)
    with pytest.raises(RobotError):
        PLACES[method](env)
    clock.advance_ns(late_ms * MS)
    begun_ns = clock.now_ns()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        observation, _ = env.reset()
        captured = env.interface.captures
        after = env.step([0.2])[0]
    assert env.state is State.RUNNING
    assert observation[0] == [-1]
    assert after[0] == [captured + 1], "nothing of the time-step that failed is left"
    assert env.clock.timeouts == 0
    log = env.interface.log[-4:]
    assert log == [
        (begun_ns / MS, "reset"),
        (begun_ns / MS, "send", 0.0),
        (begun_ns / MS + 10, "capture"),
        (begun_ns / MS + 50, "send", 0.2),
    ], "the clock starts afresh"
    assert env.clock.overruns == 0


def test_an_error_in_the_first_reset_sends_nothing(env):
    break_once(env, "reset")
    with pytest.raises(RobotError):
        env.reset()
    assert env.interface.log == [(0, "reset")]
    assert env.state is State.FAILED
    env.reset()
    assert env.state is State.RUNNING


def test_an_error_while_waiting_at_the_end_of_an_episode(make_env):
    env = make_env(ep_max_length=1, wait_on_done=True)
    env.reset()
    break_once(env, "wait")
    with pytest.raises(RobotError):
        env.step([0.1])
    assert (env.state, sent(env)) == (State.FAILED, [0, -1])


def test_an_error_in_on_time_step(env):
    env.reset()

    def fault(time_step):
        raise RobotError

    env.interface.do["on_time_step"] = fault
    with pytest.raises(RobotError):
        env.step([0.1])
    assert (env.state, sent(env)) == (State.FAILED, [0, 0.1, -1])


def test_an_error_in_on_timing(env):
    env.reset()

    def fault(*timing):
        raise RobotError

    env.interface.do["on_timing"] = fault
    with pytest.raises(RobotError):
        env.set_time_step_duration(0.1)
    assert (env.state, sent(env)) == (State.FAILED, [0, -1])


def test_the_first_error_is_the_one_that_comes_out(env, caplog):
    env.reset()

    def fault(*args):
        raise RobotError("first" if len(env.interface.log) < 4 else "second")

    env.interface.do["get_obs_rew_terminated_info"] = fault
    env.interface.do["send_control"] = fault
    with pytest.raises(RobotError, match="first"):
        env.step([0.1])
    assert "could not be sent: second" in caplog.text


OBSERVATION = [np.zeros(1, dtype=np.float32)]


@pytest.mark.parametrize("answer", [(OBSERVATION, 0.0, False), (OBSERVATION, 0.0, False, False, {}), 7])
def test_a_capture_of_the_wrong_arity(env, answer):
    env.reset()
    env.interface.do["get_obs_rew_terminated_info"] = lambda: answer
    with pytest.raises(InterfaceError, match=r"must return \(observation, reward, terminated, info\), got "):
        env.step([0.0])
    assert (env.state, sent(env)) == (State.FAILED, [0, -1])


@pytest.mark.parametrize("reward", [np.nan, np.inf, -np.inf, np.float32("nan"), None, "1", [1.0, 2.0], [1.0, [2.0]]])
def test_a_reward_that_is_no_finite_number(env, reward):
    env.reset()
    env.interface.do["get_obs_rew_terminated_info"] = lambda: (OBSERVATION, reward, False, {})
    with pytest.raises(InterfaceError, match=r"must return a finite number as its reward, got "):
        env.step([0.0])
    assert (env.state, sent(env)) == (State.FAILED, [0, -1])


@pytest.mark.parametrize("answer", [OBSERVATION, (OBSERVATION, {}, 1), 7])
def test_a_reset_of_the_wrong_arity(env, answer):
    env.interface.do["reset"] = lambda seed, options: answer
    with pytest.raises(InterfaceError, match=r"reset\(\) must return \(observation, info\), got "):
        env.reset()
    assert env.state is State.FAILED


# --- interrupts ---


def test_an_interrupt_in_a_capture_leaves_the_environment_usable(env):
    env.reset()
    break_once(env, "get_obs_rew_terminated_info", KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        env.step([0.1])
    assert (env.state, sent(env)) == (State.RUNNING, [0])
    observation = env.step([0.2])[0]
    assert [float(part[0]) for part in observation] == [2, 0, np.float32(0.2)]
    assert env.interface.log[2:] == [(50, "capture"), (50, "capture"), (50, "send", 0.2)]
    env.step([0.3])
    assert env.clock.timeouts == 0


def test_an_interrupt_while_the_time_step_ends_counts_nothing_twice(make_env, clock):
    env = make_env(act_buf_len=2, start_obs_capture=0.04, ep_max_length=3)
    env.reset()
    sleep = clock.sleep_until_ns
    waits = []

    def interrupt_the_second_wait(deadline_ns):
        waits.append(deadline_ns)
        if len(waits) == 2:
            raise KeyboardInterrupt
        sleep(deadline_ns)

    clock.sleep_until_ns = interrupt_the_second_wait
    with pytest.raises(KeyboardInterrupt):
        env.step([0.1])
    assert waits == [40 * MS, 50 * MS]
    assert sent(env) == [0]
    observation, _, _, truncated, _ = env.step([0.2])
    assert [float(part[0]) for part in observation] == [1, 0, np.float32(0.2)], "0.1 was never sent"
    assert [truncated, env.step([0.2])[3], env.step([0.2])[3]] == [False, False, True]


@pytest.mark.parametrize("method", ["send_control", "on_time_step"])
def test_an_interrupt_while_sending_counts_nothing_twice(make_env, method):
    """What has not begun is begun by the next step(); what has begun is over by then."""
    env = make_env(act_buf_len=3, ep_max_length=4)
    env.reset()
    env.step([0.1])
    break_once(env, method, KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        env.step([0.2])
    assert env.state is State.RUNNING
    has_begun = method == "on_time_step"
    observation, _, _, truncated, info = env.step([0.3])
    number, actions = float(observation[0][0]), [round(float(action[0]), 3) for action in observation[1:]]
    if has_begun:
        assert (number, actions, info["time_step_index"]) == (3, [0.1, 0.2, 0.3], 2)
    else:
        assert (number, actions, info["time_step_index"]) == (2, [0, 0.1, 0.3], 1)
    assert [truncated, env.step([0.4])[3]] == [False, has_begun]
    assert env.clock.timeouts == 0


def test_an_interrupt_in_a_reset_leaves_the_episode_that_was(env):
    env.reset()
    env.step([0.1])
    break_once(env, "reset", KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        env.reset()
    observation = env.step([0.2])[0]
    assert [round(float(part[0]), 3) for part in observation] == [2, 0.1, 0.2]
    env.reset()
    assert env.step([0.3])[0][0] == [4], "the third capture was that of the time-step which reset() let end"


def test_close_after_an_interrupt_stops_the_robot(env):
    env.reset()
    break_once(env, "get_obs_rew_terminated_info", KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt), env:
        env.step([0.1])
    assert env.interface.log[-2:] == [(50, "send", -1.0), (50, "close")]
