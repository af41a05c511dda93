"""Environments in forked and spawned processes."""

import os
import sys
import threading

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv

from rtgym_ros import RealTimeEnv, RealTimeEnvTS, RealTimeGymInterface
from rtgym_ros.core.benchmark import DURATIONS
from rtgym_ros.core.errors import StateError

IDS = ["real-time-gym-v1", "real-time-gym-ts-v1"]


class Counter(RealTimeGymInterface):
    """Observes how often it was observed, and in which process."""

    def __init__(self):
        self.captures = 0

    def get_observation_space(self):
        return spaces.Tuple((spaces.Box(0.0, 1e6, (1,)), spaces.Box(0, 2**31, (1,), np.int64)))

    def get_action_space(self):
        return spaces.Box(-1.0, 1.0, (1,))

    def get_default_action(self):
        return np.zeros(1, dtype=np.float32)

    def reset(self, seed=None, options=None):
        self.captures = 0
        return self._observe(), {}

    def get_obs_rew_terminated_info(self):
        self.captures += 1
        return self._observe(), 1.0, False, {}

    def _observe(self):
        return [np.array([self.captures], dtype=np.float32), np.array([os.getpid()])]

    def send_control(self, control):
        pass


def make(env_id):
    """Return a function that makes an environment, importable by a spawned process."""
    return CounterMaker(env_id)


class CounterMaker:
    def __init__(self, env_id):
        self.env_id = env_id

    def __call__(self):
        import rtgym_ros  # noqa: F401 (a spawned process has to import what registers the environments)

        config = {"interface": Counter, "time_step_duration": 0.01, "ep_max_length": 3, "time_step_timeout_factor": 1e6}
        return gymnasium.make(self.env_id, config={**config, "benchmark": True})


@pytest.mark.parametrize("context", ["fork", "spawn"])
@pytest.mark.parametrize("env_id", IDS)
def test_a_vector_of_two_processes(env_id, context):
    envs = AsyncVectorEnv([make(env_id)] * 2, context=context, autoreset_mode=AutoresetMode.SAME_STEP)
    try:
        observation, _ = envs.reset(seed=1)
        pids = set(observation[1].ravel().tolist())
        assert len(pids) == 2
        assert os.getpid() not in pids
        truncations = []
        for _ in range(6):
            observation, rewards, terminated, truncated, infos = envs.step(envs.action_space.sample())
            truncations.append(truncated.tolist())
            assert rewards.tolist() == [1.0, 1.0]
            assert not terminated.any()
        assert truncations == [[step % 3 == 2] * 2 for step in range(6)]
        assert infos["final_info"]["time_step_index"].tolist() == [5, 5]  # of the reset, 1 and 2; again 3, 4 and 5
        assert [sorted(durations) for durations in envs.call("benchmarks")] == [sorted(DURATIONS)] * 2
        envs.call("set_ep_max_length", 5)
        assert not any(envs.step(envs.action_space.sample())[3].any() for _ in range(4))
    finally:
        envs.close()


@pytest.mark.parametrize("env_id", IDS)
def test_a_vector_in_this_process(env_id):
    envs = SyncVectorEnv([make(env_id)] * 2)
    envs.reset(seed=1)
    for _ in range(4):
        envs.step(envs.action_space.sample())
    envs.close()
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("rtgym_ros")] == []


def in_a_fork(function):
    """Run ``function`` in a forked process that ends as a program does; return its exit code."""
    pid = os.fork()
    if pid == 0:
        try:
            function()
            sys.stdout.flush()
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.filterwarnings("ignore::rtgym_ros.core.errors.TimeStepTimeoutWarning")
@pytest.mark.parametrize("env_class", [RealTimeEnv, RealTimeEnvTS])
def test_an_environment_is_closed_in_a_forked_process_and_goes_on_in_its_own(make_env, env_class):
    env = make_env(env_class, None, time_step_duration=0.01)
    env.reset()

    def child():
        for call in (env.reset, lambda: env.step([0.5]), env.wait, env.render):
            with pytest.raises(StateError, match=r"\(\) in a forked process: make a new environment"):
                call()
        env.close()
        assert env._abandoned.peek() is None, "its end would send the safe action"
        with env_class({"interface": Counter, "time_step_duration": 0.01}) as own:
            own.reset()
            own.step([0.5])

    assert in_a_fork(child) == 0
    env.step([0.25])
    assert env.interface.log[-1][1:] == ("send", 0.25)


def test_a_fork_while_another_thread_is_in_the_environment(make_env):
    env = make_env(RealTimeEnvTS, None, time_step_duration=0.05, time_step_timeout_factor=1e6)
    env.reset()
    stop = threading.Event()

    def step():
        while not stop.is_set():
            env.step([0.5])

    stepping = threading.Thread(target=step)
    stepping.start()
    try:
        assert in_a_fork(env.close) == 0
    finally:
        stop.set()
        stepping.join(30)
