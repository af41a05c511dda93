"""What robots act by is what was trained: NumPy against torch."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("stable_baselines3")
torch = pytest.importorskip("torch")

from gymnasium import spaces  # noqa: E402
from trainer_helpers import ACTION, OBSERVATION, schema_of  # noqa: E402

from rtgym_ros.core.errors import ConfigError  # noqa: E402
from rtgym_ros.policies.squashed_gaussian import SquashedGaussianMlp  # noqa: E402
from rtgym_ros.policies.weights import PolicyWeights  # noqa: E402
from rtgym_ros.train.config import TrainerConfig  # noqa: E402
from rtgym_ros.train.export import export_actor, export_gaussian  # noqa: E402
from rtgym_ros.train.trainer.sb3_agent import Sb3Agent  # noqa: E402

NETWORKS = [
    ("sac", "relu", [256, 256]),
    ("sac", "tanh", [64]),
    ("sac", "elu", [32, 16, 8]),
    ("tqc", "relu", [64, 64]),
    ("sac", "relu", []),
]


def make(agent: str, activation: str, sizes: list[int], seed: int):
    if agent == "tqc":
        pytest.importorskip("sb3_contrib")
    policy = {"net_arch": sizes, "activation_fn": activation}
    config = TrainerConfig(agent=agent, agent_kwargs={"policy_kwargs": policy}, memory_size=10, seed=seed, device="cpu")
    made = Sb3Agent(schema_of(), config)
    with torch.no_grad():
        for parameter in made._model.actor.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))  # not only the small weights of the beginning
    weights = PolicyWeights.from_bytes(made.export().to_bytes())
    numpy_policy = SquashedGaussianMlp(OBSERVATION, ACTION, np.random.default_rng(seed))
    numpy_policy.adopt(weights)
    return made._model, numpy_policy


def flat(observation) -> np.ndarray:
    return np.concatenate(observation)


@pytest.mark.parametrize(("agent", "activation", "sizes"), NETWORKS)
@pytest.mark.parametrize("seed", range(3))
def test_the_numpy_policy_acts_as_torch_does(agent, activation, sizes, seed):
    model, policy = make(agent, activation, sizes, seed)
    OBSERVATION.seed(seed)
    for _ in range(50):
        observation = OBSERVATION.sample()
        expected, _ = model.predict(flat(observation), deterministic=True)
        assert policy.act(observation, deterministic=True) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("agent", "activation", "sizes"), NETWORKS)
def test_it_explores_with_the_same_mean_and_deviation(agent, activation, sizes):
    model, policy = make(agent, activation, sizes, 1)
    observation = OBSERVATION.sample()
    with torch.no_grad():
        mean, log_std, _ = model.actor.get_action_dist_params(torch.as_tensor(flat(observation))[None])
    ones, policy._rng = np.ones(2, np.float32), None

    class Noise:
        sign = 0.0

        def standard_normal(self, size, dtype):
            return self.sign * ones

    policy._rng = Noise()
    for Noise.sign in (0.0, 1.0, -1.0):
        expected = model.policy.unscale_action(torch.tanh(mean + Noise.sign * log_std.exp()).numpy())
        assert policy.act(observation, deterministic=False) == pytest.approx(expected[0], abs=2e-5)


def test_a_network_that_numpy_does_not_know_is_refused():
    model, _ = make("sac", "relu", [8], 0)
    model.actor.latent_pi[1] = torch.nn.GELU()
    with pytest.raises(ConfigError, match=r"GELU.*relu, tanh, elu"):
        export_actor(model.actor)
    model.actor.latent_pi[1] = torch.nn.ELU(alpha=0.5)
    with pytest.raises(ConfigError, match=r"ELU"):
        export_actor(model.actor)
    model.actor.latent_pi[1] = torch.nn.Linear(8, 8)
    with pytest.raises(ConfigError, match=r"only linear layers"):
        export_actor(model.actor)


def test_the_action_space_needs_no_bounds_beyond_the_schema():
    action = spaces.Box(-np.float32(np.pi), np.float32(np.pi), (2,), np.float32)
    agent = Sb3Agent(schema_of(action), TrainerConfig(memory_size=10, device="cpu"))
    assert (agent._model.action_space.high == action.high).all()


@pytest.mark.parametrize("activation", [torch.nn.ReLU, torch.nn.Tanh])
@pytest.mark.parametrize("together", [True, False])
def test_a_network_of_ones_own_flies_as_it_is(activation, together):
    torch.manual_seed(1)
    body = [torch.nn.Linear(3, 8), activation(), torch.nn.Linear(8, 4, bias=False), activation()]
    head = torch.nn.Linear(4, 4)
    network = torch.nn.Sequential(*body, head)
    if together:
        weights = export_gaussian(network)
    else:
        mean, log_std = torch.nn.Linear(4, 2), torch.nn.Linear(4, 2)
        for layer, part in ((mean, slice(0, 2)), (log_std, slice(2, 4))):
            layer.weight.data, layer.bias.data = head.weight.data[part], head.bias.data[part]
        weights = export_gaussian(body, mean, log_std)
    policy = SquashedGaussianMlp(OBSERVATION, ACTION, np.random.default_rng(1))
    policy.adopt(PolicyWeights.from_bytes(weights.to_bytes()))
    observation = OBSERVATION.sample()
    expected = network(torch.as_tensor(flat(observation)))[:2].tanh().detach().numpy() * [1.0, 2.5] + [0.0, 0.5]
    assert policy.act(observation, deterministic=True) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("layers", "message"), [
    ([torch.nn.Linear(3, 4), torch.nn.GELU(), torch.nn.Linear(4, 4)], "a policy with GELU"),
    ([torch.nn.Linear(3, 4), torch.nn.Linear(4, 4)], "only linear layers with an activation behind each"),
    ([torch.nn.Linear(3, 4), torch.nn.ReLU()], "a ReLU cannot be exported where a linear layer"),
    ([], "a NoneType cannot be exported"),
])  # fmt: skip
def test_another_network_is_refused_in_a_line(layers, message):
    with pytest.raises(ConfigError, match=message):
        export_gaussian(layers)
