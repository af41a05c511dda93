"""RLlib's new stack learns on real-time environments, in this process and in workers of Ray."""

import gymnasium
import pytest

pytest.importorskip("ray.rllib")

import ray
from line_robot import ENV_ID, config
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.algorithms.sac import SACConfig


def algorithm_of(base, runners, envs=1, **training):
    return (
        base.environment(ENV_ID, env_config={"config": config()})
        .env_runners(num_env_runners=runners, num_envs_per_env_runner=envs, rollout_fragment_length=16)
        .training(train_batch_size_per_learner=32, **training)
        .build_algo()
    )


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("runners", "envs"), [(0, 1), (0, 2), (1, 1)])
def test_ppo(runners, envs, tmp_path):
    algorithm = algorithm_of(PPOConfig(), runners, envs, minibatch_size=16, num_epochs=1)
    try:
        result = algorithm.train()
        assert result["env_runners"]["num_env_steps_sampled_lifetime"] >= 32
        algorithm.save_to_path(str(tmp_path / "checkpoint"))
        algorithm.restore_from_path(str(tmp_path / "checkpoint"))
        algorithm.train()
    finally:
        algorithm.stop()


@pytest.mark.timeout(300)
def test_sac():
    algorithm = algorithm_of(SACConfig(), 0, num_steps_sampled_before_learning_starts=16)
    try:
        algorithm.train()
    finally:
        algorithm.stop()


@pytest.mark.timeout(300)
def test_over_ros(drone_namespace):
    def make(_):
        env = gymnasium.make(
            "rtgym_ros:rtgym_ros/Drone-v0", namespace=drone_namespace, config={"time_step_timeout_factor": 1e6}
        )
        return gymnasium.wrappers.FlattenObservation(env)

    ray.tune.register_env("drone", make)
    base = PPOConfig().environment("drone").env_runners(num_env_runners=1, rollout_fragment_length=16)
    algorithm = base.training(train_batch_size_per_learner=32, minibatch_size=16, num_epochs=1).build_algo()
    try:
        algorithm.train()
    finally:
        algorithm.stop()


@pytest.mark.timeout(300)
def test_the_program_of_the_page(run_as_documented):
    run_as_documented("learn_rllib.py")
