"""TorchRL wraps, checks, collects from and learns on real-time environments."""

import gymnasium
import numpy as np
import pytest

pytest.importorskip("torchrl")

import torch
from line_robot import TIME_KEYS, make
from tensordict.nn import TensorDictModule
from torchrl.collectors import Collector
from torchrl.data import LazyTensorStorage, ReplayBuffer
from torchrl.envs import GymWrapper, ParallelEnv, SerialEnv
from torchrl.envs.utils import check_env_specs

from rtgym_ros.wrappers import NumericInfo


def wrapped(form="box"):
    return GymWrapper(make(form), device="cpu")


def wrapped_with_info(env):
    return GymWrapper(NumericInfo(env), device="cpu").auto_register_info_dict()


@pytest.mark.parametrize("form", ["box", "dict"])
def test_its_checker_passes(form):
    env = wrapped(form)
    check_env_specs(env)
    env.close()


def test_infos_are_recorded():
    env = wrapped_with_info(make())
    rollout = env.rollout(30)
    for key in TIME_KEYS | {"goal"}:
        assert key in rollout["next"], key
    indices = rollout["next", "time_step_index"].flatten()
    assert (np.diff(indices.numpy()) == 1).all()
    assert torch.isnan(rollout["time_step_index"].flatten()[0]), "of the reset"
    env.close()


def test_it_learns_from_what_it_collects(tmp_path):
    env = wrapped()
    network = torch.nn.Sequential(torch.nn.Linear(3, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1), torch.nn.Tanh())
    policy = TensorDictModule(network, in_keys=["observation"], out_keys=["action"])
    value = torch.nn.Linear(4, 1)
    optimizer = torch.optim.Adam([*policy.parameters(), *value.parameters()])
    buffer = ReplayBuffer(storage=LazyTensorStorage(100), batch_size=16)
    collector = Collector(env, policy, frames_per_batch=20, total_frames=60)
    for batch in collector:
        buffer.extend(batch.reshape(-1).detach())
        sample = buffer.sample()
        predicted = value(torch.cat([sample["observation"], sample["action"]], -1))
        loss = (predicted - sample["next", "reward"]).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    collector.shutdown()
    torch.save(policy.state_dict(), tmp_path / "policy.pt")
    policy.load_state_dict(torch.load(tmp_path / "policy.pt"))


@pytest.mark.parametrize("start_method", [None, "fork", "spawn"])
def test_vectors(start_method):
    made_by_processes = start_method is not None
    envs = ParallelEnv(2, wrapped, mp_start_method=start_method) if made_by_processes else SerialEnv(2, wrapped)
    try:
        assert envs.rollout(25, break_when_any_done=False).shape == (2, 25)
    finally:
        envs.close()


def test_over_ros(drone_namespace):
    env = gymnasium.make("rtgym_ros/Drone-v0", namespace=drone_namespace, config={"time_step_timeout_factor": 1e6})
    env = wrapped_with_info(gymnasium.wrappers.FlattenObservation(env))
    rollout = env.rollout(20)
    for key in TIME_KEYS | {"ros_capture_time", "age.pose"}:
        assert key in rollout["next"], key
    env.close()


def test_the_program_of_the_page(run_as_documented):
    run_as_documented("learn_torchrl.py")
