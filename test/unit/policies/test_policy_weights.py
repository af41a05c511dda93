"""Policies as files, and what a robot does with them."""

import numpy as np
import pytest
from gymnasium import spaces

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.policies.mlp_model import KIND
from rtgym_ros.policies.policy import make_policy
from rtgym_ros.policies.weights import PolicyWeights, WeightsError

OBSERVATION = spaces.Tuple([spaces.Box(-1.0, 1.0, (1,), np.float32), spaces.Box(-1.0, 1.0, (2,), np.float32)])
ACTION = spaces.Box(np.array([-2.0, 0.0], np.float32), np.array([2.0, 1.0], np.float32))


def weights(rng, version=3, hidden=8, inputs=3, outputs=2, **details):
    arrays = {
        "layer.0.weight": rng.normal(size=(hidden, inputs)).astype(np.float32),
        "layer.0.bias": rng.normal(size=hidden).astype(np.float32),
        "mean.weight": rng.normal(size=(outputs, hidden)).astype(np.float32),
        "mean.bias": rng.normal(size=outputs).astype(np.float32),
        "log_std.weight": np.zeros((outputs, hidden), np.float32),
        "log_std.bias": np.full(outputs, -1.0, np.float32),
    }
    return PolicyWeights(KIND, version, arrays, {"activation": "relu", **details})


@pytest.fixture
def rng():
    return np.random.default_rng(1)


@pytest.fixture
def policy(rng):
    return make_policy(KIND, OBSERVATION, ACTION, rng)


def test_a_file_comes_back_as_it_went(rng, tmp_path):
    before = weights(rng)
    before.save(tmp_path / "policy.safetensors")
    after = PolicyWeights.load(tmp_path / "policy.safetensors")
    assert (after.kind, after.version, after.details) == (before.kind, before.version, before.details)
    assert after.arrays.keys() == before.arrays.keys()
    assert all(np.array_equal(after.arrays[name], array) for name, array in before.arrays.items())
    assert [file.name for file in tmp_path.iterdir()] == ["policy.safetensors"]


def test_a_torn_file_is_refused_at_every_length(rng):
    data = weights(rng, hidden=2).to_bytes()
    for length in range(len(data)):
        with pytest.raises(WeightsError, match="not a policy file"):
            PolicyWeights.from_bytes(data[:length])


def test_without_weights_actions_are_drawn_from_the_space(policy, rng):
    actions = np.array([policy.act(OBSERVATION.sample(), deterministic=True) for _ in range(2000)])
    assert policy.version == -1
    assert ACTION.contains(actions[0])
    assert np.allclose(actions.mean(axis=0), [0.0, 0.5], atol=0.1)


def test_the_mean_is_the_network_written_out(policy, rng):
    given = weights(rng)
    policy.adopt(given)
    observation = OBSERVATION.sample()
    a, x = given.arrays, np.concatenate([np.ravel(leaf) for leaf in observation])
    hidden = np.maximum(a["layer.0.weight"] @ x + a["layer.0.bias"], 0)
    squashed = np.tanh(a["mean.weight"] @ hidden + a["mean.bias"])
    expected = np.array([2 * squashed[0], (squashed[1] + 1) / 2])
    assert policy.version == 3
    assert np.allclose(policy.act(observation, deterministic=True), expected, atol=1e-6)


def test_exploration_has_the_standard_deviation_of_the_weights(policy, rng):
    policy.adopt(weights(rng))
    observation = OBSERVATION.sample()
    mean = np.arctanh(policy.act(observation, deterministic=True)[0] / 2)
    drawn = np.array([np.arctanh(policy.act(observation, deterministic=False)[0] / 2) for _ in range(4000)])
    assert drawn.std() == pytest.approx(np.exp(-1.0), rel=0.1)
    assert drawn.mean() == pytest.approx(mean, abs=0.05)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"inputs": 4}, r"the model takes \{'vector': \(4,\)\}, and an observation has \{'vector': \(3,\)\}"),
        ({"outputs": 3}, r"'mean': 3, .* and mean, or mean and log_std, of 2 is needed"),
        ({"activation": "sine"}, "unknown activation 'sine'"),
    ],
)
def test_weights_that_do_not_fit_leave_the_old_ones(policy, rng, change, said):
    policy.adopt(weights(rng))
    observation = OBSERVATION.sample()
    before = policy.act(observation, deterministic=True)
    with pytest.raises(WeightsError, match=said):
        policy.adopt(weights(rng, version=4, **change))
    assert policy.version == 3
    assert np.array_equal(policy.act(observation, deterministic=True), before)


@pytest.mark.parametrize(
    ("array", "value", "said"),
    [
        ("mean.bias", np.array([0.0, np.nan], np.float32), "mean is not finite"),
        ("mean.weight", np.zeros((2, 7), np.float32), r"mean: weight \(2, 7\) .* \(2, 8\) is needed here"),
        ("layer.0.bias", np.zeros(7, np.float32), r"layer.0: weight \(8, 3\) and bias \(7,\), and \(7, 3\) is needed"),
        ("layer.0.weight", np.zeros(8, np.float32), r"layer.0: weight \(8,\)"),
        ("log_std.bias", np.zeros(3, np.float32), r"log_std: .* \(2, 8\) is needed here"),
        ("log_std.bias", None, "weights without 'log_std.bias'"),
    ],
)
def test_weights_that_make_no_network_are_refused(policy, rng, array, value, said):
    bad = weights(rng)
    bad.arrays.pop(array)
    bad.arrays.update({} if value is None else {array: value})
    with pytest.raises(WeightsError, match=said):
        policy.adopt(bad)


def test_actions_stay_in_the_space_whatever_the_weights(policy, rng):
    wild = weights(rng)
    wild.arrays["mean.bias"][:] = 1e30
    policy.adopt(wild)
    assert ACTION.contains(policy.act(OBSERVATION.sample(), deterministic=False))


def test_spaces_that_a_flat_policy_cannot_use_are_named(rng):
    with pytest.raises(ConfigError, match="observation 1 is a Discrete"):
        make_policy(KIND, spaces.Tuple([ACTION, spaces.Discrete(3)]), ACTION, rng)
    with pytest.raises(ConfigError, match="bounded Box"):
        make_policy(KIND, OBSERVATION, spaces.Discrete(2), rng)


def test_a_policy_of_ones_own_is_found_by_its_name(rng):
    name = "rtgym_ros.policies.squashed_gaussian:SquashedGaussianMlp"
    assert make_policy(name, OBSERVATION, ACTION, rng).version == -1
    with pytest.raises(ConfigError, match=r"worker.policy 'json:Nothing'"):
        make_policy("json:Nothing", OBSERVATION, ACTION, rng)
    with pytest.raises(ConfigError, match=r"must be written 'package.module:name'"):
        make_policy("sac", OBSERVATION, ACTION, rng)
