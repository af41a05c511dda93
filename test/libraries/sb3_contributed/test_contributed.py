"""The algorithms of sb3-contrib learn on real-time environments."""

import gymnasium
import numpy as np
import pytest

pytest.importorskip("sb3_contrib")

from line_robot import make
from sb3_contrib import ARS, TQC, TRPO, RecurrentPPO
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv

from rtgym_ros.libraries.stable_baselines3 import WaitWhileLearning


def test_tqc(tmp_path):
    with make() as env:
        model = TQC("MlpPolicy", env, device="cpu", learning_starts=10, batch_size=8)
        model.learn(40, callback=WaitWhileLearning())
        assert env.unwrapped.interface.waits == 0
        model.save(tmp_path / "model")
        observation, _ = env.reset()
        action, _ = model.predict(observation, deterministic=True)
        again, _ = TQC.load(tmp_path / "model", device="cpu").predict(observation, deterministic=True)
        np.testing.assert_array_equal(action, again)


@pytest.mark.parametrize(
    ("algorithm", "policy"),
    [(TRPO, "MlpPolicy"), (RecurrentPPO, "MlpLstmPolicy"), (RecurrentPPO, "MultiInputLstmPolicy")],
)
def test_on_policy(algorithm, policy):
    with make("dict" if "Multi" in policy else "box") as env:
        small = {"n_epochs": 1, "policy_kwargs": {"lstm_hidden_size": 8}} if algorithm is RecurrentPPO else {}
        model = algorithm(policy, env, n_steps=32, batch_size=16, device="cpu", **small)
        model.learn(64, callback=WaitWhileLearning())
        assert env.unwrapped.interface.waits == 2


def test_ars():
    with make() as env:
        ARS("LinearPolicy", env, n_delta=2, n_eval_episodes=1, device="cpu").learn(80)


@pytest.mark.parametrize("start_method", [None, "fork", "spawn"])
def test_vectors(start_method):
    makers = [make, make]
    envs = DummyVecEnv(makers) if start_method is None else SubprocVecEnv(makers, start_method=start_method)
    try:
        TRPO("MlpPolicy", envs, n_steps=16, batch_size=16, device="cpu").learn(32, callback=WaitWhileLearning())
    finally:
        envs.close()


def test_over_ros(drone_namespace):
    env = gymnasium.make("rtgym_ros/Drone-v0", namespace=drone_namespace, config={"time_step_timeout_factor": 1e6})
    with gymnasium.wrappers.FlattenObservation(env) as env:
        TQC("MlpPolicy", env, device="cpu", learning_starts=10, batch_size=8).learn(30)
