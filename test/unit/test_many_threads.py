"""Eight threads at one environment: nothing is lost, nothing hangs, nothing is mixed up."""

import random
import threading
import time

import pytest

from rtgym_ros.envs.real_time_env import RealTimeEnv, RealTimeEnvTS
from rtgym_ros.envs.state import State

HAMMERING_S = 10.0


@pytest.mark.timeout(90)
@pytest.mark.parametrize("env_class", [RealTimeEnvTS, RealTimeEnv])
def test_eight_threads_hammer_an_environment(make_env, env_class):
    env = make_env(
        env_class,
        None,
        time_step_duration=0.002,
        time_step_timeout_factor=1e9,
        benchmark=True,
        render_mode="rgb_array",
    )
    env.reset()
    end = time.monotonic() + (HAMMERING_S if env_class is RealTimeEnvTS else HAMMERING_S / 10)
    observed, errors = [], []

    def step():
        observation, reward, _, _, info = env.step([0.5])
        observed.append((float(observation[0][0]), reward, info["time_step_index"]))

    calls = {
        step: 10,
        env.render: 5,
        env.benchmarks: 5,
        env.benchmark_statistics: 1,
        env.wait: 1,
        lambda: env.set_time_step_duration(0.002): 1,
    }

    def hammer(seed):
        chosen = random.Random(seed)
        try:
            while time.monotonic() < end:
                chosen.choices(list(calls), list(calls.values()))[0]()
        except BaseException as error:
            errors.append(error)

    hammering = [threading.Thread(target=hammer, args=(seed,)) for seed in range(8)]
    for thread in hammering:
        thread.start()
    for thread in hammering:
        thread.join(60)
    assert errors == []
    assert not any(thread.is_alive() for thread in hammering)
    assert env.state is State.RUNNING
    numbers, rewards, indices = zip(*sorted(observed), strict=True)
    # Every capture came out of exactly one step(), whole, and belongs to the time-step that the info tells.
    assert list(numbers) == list(range(1, len(observed) + 1))
    assert numbers == rewards
    assert list(indices) == list(range(len(observed)))
    assert env.clock.time_steps == len(observed) + 1
    assert env.benchmark_statistics()["step_duration"]["count"] == len(observed)
    if env_class is RealTimeEnvTS:
        callers = set.union(*(env.interface.threads[method] for method in ("send_control", "wait", "render")))
        assert len(callers) == 1, "one background thread makes every call"
