"""Stable-Baselines3 learns on real-time environments, in process and over ROS 2."""

import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

import gymnasium
from line_robot import TIME_KEYS, make
from stable_baselines3 import A2C, DDPG, PPO, SAC, TD3
from stable_baselines3.common.callbacks import EvalCallback
from stable_baselines3.common.env_checker import check_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecMonitor

from rtgym_ros.core.config import RealTimeConfig
from rtgym_ros.libraries.stable_baselines3 import WaitWhileLearning


@pytest.mark.parametrize("form", ["box", "dict"])
def test_its_checker_passes(form):
    with make(form) as env:
        check_env(env, warn=True)


@pytest.mark.parametrize("algorithm", [A2C, PPO])
@pytest.mark.parametrize("form", ["box", "dict"])
def test_on_policy(algorithm, form, tmp_path):
    kwargs = {"n_steps": 32} | ({"batch_size": 16, "n_epochs": 2} if algorithm is PPO else {})
    policy = "MlpPolicy" if form == "box" else "MultiInputPolicy"
    with make(form) as env:
        model = algorithm(policy, env, device="cpu", **kwargs)
        model.learn(64, callback=WaitWhileLearning())
        assert env.unwrapped.interface.waits == 2, "once an update"
        model.save(tmp_path / "model")
        observation, _ = env.reset(seed=1)
        action, _ = model.predict(observation, deterministic=True)
        again, _ = algorithm.load(tmp_path / "model", env=env, device="cpu").predict(observation, deterministic=True)
        np.testing.assert_array_equal(action, again)
        evaluate_policy(model, Monitor(env), n_eval_episodes=2)


@pytest.mark.parametrize("algorithm", [DDPG, SAC, TD3])
def test_off_policy_between_time_steps(algorithm):
    with make() as env:
        model = algorithm("MlpPolicy", env, device="cpu", learning_starts=10, batch_size=8)
        model.learn(50, callback=WaitWhileLearning())
        assert env.unwrapped.interface.waits == 0, "the flight goes on"
        assert model.replay_buffer.pos == 50


def test_off_policy_after_episodes():
    with make() as env:
        model = SAC("MlpPolicy", env, device="cpu", learning_starts=10, batch_size=8, train_freq=(1, "episode"))
        model.learn(60, callback=WaitWhileLearning())
        assert env.unwrapped.interface.waits == 3


def test_evaluation_on_an_environment_of_its_own(tmp_path):
    with make() as env, make() as evaluated:
        model = SAC("MlpPolicy", env, device="cpu", learning_starts=10, batch_size=8)
        model.learn(60, callback=EvalCallback(Monitor(evaluated), n_eval_episodes=1, eval_freq=30, verbose=0))


@pytest.mark.parametrize("start_method", [None, "fork", "spawn", "forkserver"])
def test_vectors(start_method):
    makers = [make, make]
    envs = DummyVecEnv(makers) if start_method is None else SubprocVecEnv(makers, start_method=start_method)
    envs = VecMonitor(envs, info_keywords=("goal", "time_step_lateness"))
    try:
        envs.reset()
        for _ in range(25):
            _, rewards, _, infos = envs.step(np.stack([envs.action_space.sample()] * 2))
        assert np.isfinite(rewards).all()
        assert all(info.keys() >= TIME_KEYS for info in infos)
        (first, _) = envs.get_attr("config")
        assert isinstance(first, RealTimeConfig)
        PPO("MlpPolicy", envs, n_steps=16, batch_size=16, device="cpu").learn(64, callback=WaitWhileLearning())
    finally:
        envs.close()


def test_infos_are_recorded(tmp_path):
    env = Monitor(make(), str(tmp_path / "flight"), info_keywords=("time_step_index", "capture_time", "goal"))
    SAC("MlpPolicy", env, device="cpu", learning_starts=10, batch_size=8).learn(45)
    env.close()
    _, names, *episodes = (tmp_path / "flight.monitor.csv").read_text().splitlines()
    assert names.endswith("time_step_index,capture_time,goal")
    assert len(episodes) == 2


def test_over_ros(drone_namespace):
    env = gymnasium.make("rtgym_ros/Drone-v0", namespace=drone_namespace, config={"time_step_timeout_factor": 1e6})
    with gymnasium.wrappers.FlattenObservation(env) as env:
        model = SAC("MlpPolicy", env, device="cpu", learning_starts=10, batch_size=8)
        model.learn(30)
        model = PPO("MlpPolicy", env, n_steps=16, batch_size=16, device="cpu")
        model.learn(32, callback=WaitWhileLearning())
        assert "ros_capture_time" in env.unwrapped.reset()[1]


def test_the_program_of_the_page(run_as_documented):
    run_as_documented("learn_sb3.py")
