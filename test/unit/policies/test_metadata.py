"""The metadata block: what it says comes back, what is wrong in it is one line."""

import json

import numpy as np
import pytest
from gymnasium import spaces
from policy_files import ACTION, PARTS, Env

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.policies import PartEntry, PolicyMetadata, describe_policy, write_metadata
from rtgym_ros.policies.metadata_file import read_metadata

FULL = PolicyMetadata(
    observation=(PartEntry("position", (2,), (0.1, 0.2), (1.0, 2.0), 5.0, "state"), PartEntry("target")),
    size=2,
    range=(-1.0, 1.0),
    low=(-2.0, 0.0),
    high=1.0,
    chunk=8,
    execute=4,
    output="action",
    history=3,
    history_begin="zero",
    time_step_duration=0.05,
)


def test_a_block_comes_back_as_it_went():
    assert PolicyMetadata.from_json(FULL.to_json()) == FULL
    least = PolicyMetadata(observation=(PartEntry("position"),), size=2)
    assert json.loads(least.to_json()) == {
        "rtgym_ros_policy": 1,
        "observation": [{"name": "position"}],
        "action": {"size": 2},
    }
    assert PolicyMetadata.from_json(least.to_json()) == least


def block(**changes):
    made = {"rtgym_ros_policy": 1, "observation": [{"name": "position"}], "action": {"size": 2}, **changes}
    return json.dumps(made)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "no JSON"),
        ("[]", "rtgym_ros_policy"),
        (block(rtgym_ros_policy=2), r'must say {"rtgym_ros_policy": 1}, got 2'),
        (block(histroy=2), r"histroy is no entry .*did you mean 'history'.*allowed: rtgym_ros_policy, observation"),
        (block(observation=[]), "observation must be a list of parts"),
        (block(observation={"name": "x"}), "observation must be a list of parts"),
        (block(observation=[{"shape": [2]}]), r"observation\[0\].name"),
        (block(observation=[{"name": "x"}, {"name": "x"}]), "each part once"),
        (block(observation=[{"name": "x", "scale": 2}]), r"observation\[0\].scale is no entry"),
        (block(observation=[{"name": "x", "std": [1, 0]}]), r"observation\[0\].std .*not 0"),
        (block(observation=[{"name": "x", "mean": "0"}]), r"observation\[0\].mean of the metadata block is '0'"),
        (block(observation=[{"name": "x", "clip": 0}]), r"observation\[0\].clip"),
        (block(observation=[{"name": "x", "shape": [0]}]), r"observation\[0\].shape"),
        (block(action={}), r"action.size .* None"),
        (block(action=2), "action must be an object"),
        (block(action={"size": 2, "chunk": True}), "action.chunk"),
        (block(action={"size": 2, "range": [1, 1]}), "action.range"),
        (block(action={"size": 2, "range": "bounds"}), "action.range"),
        (block(action={"size": 2, "execute": 2}), "action.execute .* at most action.chunk, 1"),
        (block(action={"size": 2, "low": [float("nan"), 0]}), "action.low"),
        (block(history=0), "history"),
        (block(history_begin="last"), "history_begin"),
        (block(time_step_duration=0), "time_step_duration"),
    ],
)
def test_what_is_wrong_is_named(text, said):
    with pytest.raises(ConfigError, match=said) as caught:
        PolicyMetadata.from_json(text)
    assert "\n" not in str(caught.value)


def test_it_is_beside_the_policy_or_in_it(tmp_path):
    policy = tmp_path / "policy.onnx"
    assert read_metadata(policy, None) is None
    assert read_metadata(policy, FULL.to_json()) == FULL
    assert write_metadata(policy, FULL) == tmp_path / "policy.onnx.json"
    assert read_metadata(policy, None) == FULL
    assert read_metadata(policy, FULL.to_json()) == FULL
    with pytest.raises(ConfigError, match=r"policy.onnx.json differ: remove one"):
        read_metadata(policy, PolicyMetadata(observation=(PartEntry("position"),), size=2).to_json())
    (tmp_path / "policy.onnx.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"^policy.onnx.json: the metadata block must say"):
        read_metadata(policy, None)


def test_an_environment_describes_what_its_policy_takes():
    described = describe_policy(Env())
    assert [(part.name, part.shape) for part in described.observation] == [
        ("action_buffer", (3, 2)),
        ("position", (2,)),
        ("target", (2,)),
    ]
    flat = spaces.flatten_space(spaces.Dict(PARTS))
    assert sum(np.prod(part.shape) for part in described.observation) == flat.shape[0]
    assert (described.size, described.low, described.high) == (2, (-2.0, 0.0), (2.0, 1.0))
    assert described.time_step_duration == 0.05
    chosen = describe_policy(Env(), ["target", "position"], mean=[1, 2, 3, 4], std=0.5, clip=10, range=(-1, 1))
    assert chosen.observation == (
        PartEntry("target", (2,), (1.0, 2.0), 0.5, 10),
        PartEntry("position", (2,), (3.0, 4.0), 0.5, 10),
    )
    assert chosen.range == (-1, 1)
    assert PolicyMetadata.from_json(chosen.to_json()) == chosen
    with pytest.raises(ConfigError, match=r"no part 'goal'.*position \(2,\), target"):
        describe_policy(Env(), ["goal"])
    with pytest.raises(ConfigError, match="mean has 3 values, and the joined observation 4"):
        describe_policy(Env(), ["target", "position"], mean=[1, 2, 3])
    with pytest.raises(ConfigError, match="have no names"):
        describe_policy(Env(spaces.Box(-1.0, 1.0, (4,)), ACTION))


def test_wrappers_that_the_block_cannot_stand_for_are_refused():
    class Wrapped(Env):
        unwrapped = Env()

    joined = spaces.flatten_space(spaces.Dict(PARTS))
    described = describe_policy(Wrapped(joined))
    assert [part.name for part in described.observation] == ["action_buffer", "position", "target"]
    with pytest.raises(ConfigError, match="observes 10 values, and the block says 2"):
        describe_policy(Wrapped(joined), ["position"])
    rescaled = Wrapped(joined, spaces.Box(-1.0, 1.0, (2,), np.float32))
    with pytest.raises(ConfigError, match=r"range must say .* such as \(-1, 1\)"):
        describe_policy(rescaled)
    assert describe_policy(rescaled, range=(-1, 1)).low == (-2.0, 0.0)
