"""From a file and an environment to actions: order, normalisation, history, range; and what does not fit."""

import numpy as np
import pytest
from gymnasium import spaces
from policy_files import ACTION, PARTS, Env, affine

from rtgym_ros.core.errors import ActionError, ConfigError
from rtgym_ros.policies import PartEntry, PolicyMetadata, describe_policy, load_policy, write_metadata

RNG = np.random.default_rng(3)
WEIGHT, BIAS = RNG.normal(size=(4, 2)).astype(np.float32), RNG.normal(size=2).astype(np.float32)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "policy.onnx"


def observe(seed=0):
    space = spaces.Dict(PARTS)
    space.seed(seed)
    return space.sample()


def expected(x, weight=WEIGHT, bias=BIAS):
    return np.clip(x @ weight + bias, ACTION.low, ACTION.high)


def test_parts_go_in_the_order_of_the_block(file):
    for order in (["position", "target"], ["target", "position"]):
        affine(file, WEIGHT, BIAS)
        write_metadata(file, describe_policy(Env(), order))
        with load_policy(file, Env()) as policy:
            policy.reset()
            for seed in range(20):
                seen = observe(seed)
                action = policy.act(seen)
                assert ACTION.contains(action)
                assert action == pytest.approx(expected(np.concatenate([seen[name] for name in order])), abs=1e-5)


def test_the_block_may_be_in_the_file(file):
    affine(file, WEIGHT, BIAS, metadata=describe_policy(Env(), ["position", "target"]))
    with load_policy(file, Env()) as policy:
        seen = observe()
        assert policy.act(seen) == pytest.approx(expected(np.concatenate([seen["position"], seen["target"]])), abs=1e-5)


def test_normalisation_is_that_of_vecnormalize(file):
    affine(file, WEIGHT, BIAS)
    mean, std = np.array([0.5, -0.5, 0.1, 0.0]), np.array([0.1, 2.0, 0.01, 1.0])
    write_metadata(file, describe_policy(Env(), ["position", "target"], mean=mean, std=std, clip=5.0))
    with load_policy(file, Env()) as policy:
        for seed in range(20):
            seen = observe(seed)
            x = np.clip((np.concatenate([seen["position"], seen["target"]]) - mean) / std, -5.0, 5.0)
            assert policy.act(seen) == pytest.approx(expected(x), abs=1e-4)


@pytest.mark.parametrize("begin", ["first", "zero"])
@pytest.mark.parametrize("stacked", [False, True])
def test_history_is_joined_oldest_first(file, begin, stacked):
    weight = RNG.normal(size=(6, 2)).astype(np.float32)
    affine(file, weight, BIAS, shape={"observation": (3, 2) if stacked else (6,)})
    write_metadata(file, describe_policy(Env(), ["position"], history=3, history_begin=begin))
    with load_policy(file, Env()) as policy:
        for _episode in range(2):
            policy.reset()
            rows = [observe(seed)["position"] for seed in range(5)]
            before = [np.zeros(2) if begin == "zero" else rows[0]] * 2
            for step in range(5):
                x = np.concatenate([*before, *rows][step : step + 3])
                assert policy.act(observe(step)) == pytest.approx(expected(x, weight), abs=1e-5)


def test_each_part_may_have_an_input_of_its_own(file):
    env = Env(spaces.Dict({**PARTS, "image": spaces.Box(0, 255, (4, 3, 1), np.uint8)}))
    weight = RNG.normal(size=(12, 2)).astype(np.float32)
    affine(file, weight, BIAS, inputs=("image",), shape={"image": (4, 3, 1)}, dtype="UINT8")
    write_metadata(file, describe_policy(env, ["image"]))
    env.observation_space.seed(1)
    seen = env.observation_space.sample()
    with load_policy(file, env) as policy:
        assert policy.act(seen) == pytest.approx(expected(seen["image"].ravel(), weight), abs=1e-2)
    affine(file, WEIGHT, BIAS, inputs=("target", "position"), shape={"position": (2,), "target": (2,)})
    write_metadata(file, describe_policy(env, ["position", "target"]))
    with load_policy(file, env) as policy:
        x = np.concatenate([seen["target"], seen["position"]])
        assert policy.act(seen) == pytest.approx(expected(x), abs=1e-5)
    write_metadata(file, describe_policy(env, ["position"]))
    with pytest.raises(ConfigError, match="no part of the observation goes to the policy's input 'target'"):
        load_policy(file, env)
    write_metadata(file, describe_policy(env, ["position", "target", "image"]))
    with pytest.raises(ConfigError, match=r"names no input for 'image'.*target, position"):
        load_policy(file, env)
    write_metadata(file, describe_policy(env, ["position", "target"], inputs={"position": "positoin"}))
    with pytest.raises(ConfigError, match=r"'positoin'.*did you mean 'position'"):
        load_policy(file, env)


def test_the_range_of_the_output_is_mapped_to_the_action_space(file):
    affine(file, np.zeros((4, 2)), [0.5, -0.5])
    write_metadata(file, describe_policy(Env(), ["position", "target"], range=(-1, 1)))
    with load_policy(file, Env()) as policy:
        assert policy.act(observe()).tolist() == [1.0, 0.25]
    affine(file, np.zeros((4, 2)), [3.0, -1.5])
    with load_policy(file, Env()) as policy:
        assert policy.act(observe()).tolist() == [2.0, 0.0], "kept inside"


def test_an_answer_that_is_no_number_is_an_error(file):
    affine(file, np.zeros((4, 2)), [np.nan, 0.0])
    write_metadata(file, describe_policy(Env(), ["position", "target"]))
    with load_policy(file, Env()) as policy, pytest.raises(ActionError, match="not finite"):
        policy.act(observe())


def test_spaces_of_other_forms(file):
    class Interface:
        observation_parts = {name: PARTS[name] for name in ("position", "target")}  # noqa: RUF012

    seen = observe()
    buffer = seen["action_buffer"]
    flat = Env(spaces.Box(-np.inf, np.inf, (10,)), ACTION, Interface())
    several = Env(spaces.Tuple([PARTS["position"], PARTS["target"], *[ACTION] * 3]), ACTION, Interface())
    weight = RNG.normal(size=(10, 2)).astype(np.float32)
    x = np.concatenate([buffer.ravel(), seen["target"], seen["position"]])
    for env, observation in (
        (Env(), seen),
        (flat, np.concatenate([seen["position"], seen["target"], buffer.ravel()])),
        (several, (seen["position"], seen["target"], *buffer)),
    ):
        affine(file, weight, BIAS)
        write_metadata(file, describe_policy(env, ["action_buffer", "target", "position"]))
        with load_policy(file, env) as policy:
            assert policy.act(observation) == pytest.approx(expected(x, weight), abs=1e-5)
    box = spaces.Box(-1.0, 1.0, (1,))
    parts = Env(spaces.Dict(PARTS), spaces.Dict({"b": box, "a": box}))
    affine(file, np.zeros((4, 2)), [0.25, 0.5])
    write_metadata(file, describe_policy(parts, ["position", "target"]))
    with load_policy(file, parts) as policy:
        assert policy.act(seen) == {"a": [0.25], "b": [0.5]}, "in the order of the space"


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        (PolicyMetadata((PartEntry("goal"),), 2), r"takes the part 'goal'.*the environment has .*position \(2,\)"),
        (
            PolicyMetadata((PartEntry("position", (3,)),), 2),
            r"shape \(3,\) in the policy and \(2,\) in the environment",
        ),
        (PolicyMetadata((PartEntry("position"),), 2), r"takes shape \(4,\), and .* position \(2,\) = 2 values"),
        (PolicyMetadata((PartEntry("position", mean=(1, 2, 3)), PartEntry("target")), 2), "mean .* has 3 values"),
        (PolicyMetadata((PartEntry("position"), PartEntry("target")), 3), "policy have 3 values .* environment 2"),
        (PolicyMetadata((PartEntry("position"), PartEntry("target")), 2, chunk=4), "has 2 values, .* 4 actions of 2"),
        (
            PolicyMetadata((PartEntry("position"), PartEntry("target")), 2, low=(-1.0, 0.0)),
            r"low of the action is \[-1.0, 0.0\] in the policy and \[-2.0, 0.0\] in the environment",
        ),
        (
            PolicyMetadata((PartEntry("position"), PartEntry("target")), 2, time_step_duration=0.1),
            "time_step_duration is 0.1 s in the policy and 0.05 s in the environment",
        ),
        (PolicyMetadata((PartEntry("position"), PartEntry("target")), 2, output="value"), "'value', .* has action"),
        (PolicyMetadata((PartEntry("position"), PartEntry("target")), 2, history=2), r"\(4,\).* 2 observations"),
    ],
)
def test_what_does_not_fit_is_refused_naming_both_sides(file, metadata, said):
    affine(file, WEIGHT, BIAS)
    write_metadata(file, metadata)
    with pytest.raises(ConfigError, match=said) as caught:
        load_policy(file, Env())
    assert str(caught.value).startswith(f"{file}: ")
    assert "\n" not in str(caught.value)


def test_files_that_are_no_policies(file, tmp_path):
    pytest.importorskip("onnxruntime")
    with pytest.raises(ConfigError, match="no such file"):
        load_policy(file, Env())
    file.write_bytes(b"nonsense")
    with pytest.raises(ConfigError, match="onnxruntime cannot use it"):
        load_policy(file, Env())
    affine(file, WEIGHT, BIAS)
    with pytest.raises(ConfigError, match=r"no metadata block in it.*no file policy.onnx.json"):
        load_policy(file, Env())
    write_metadata(file, describe_policy(Env(), ["position", "target"]))
    with pytest.raises(ConfigError, match=r"no provider 'NoSuch' here; allowed: .*CPUExecutionProvider"):
        load_policy(file, Env(), provider="NoSuch")
    with pytest.raises(ConfigError, match=r"\.onnx or \.safetensors"):
        load_policy(tmp_path / "policy.pt", Env())


def numpy_file(path, inputs=10, outputs=2, **details):
    pytest.importorskip("safetensors")
    from rtgym_ros.policies.weights import PolicyWeights

    arrays = {
        "layer.0.weight": RNG.normal(size=(8, inputs)).astype(np.float32),
        "layer.0.bias": RNG.normal(size=8).astype(np.float32),
        "mean.weight": RNG.normal(size=(outputs, 8)).astype(np.float32),
        "mean.bias": RNG.normal(size=outputs).astype(np.float32),
    }
    PolicyWeights("squashed_gaussian_mlp", 5, arrays, {"activation": "tanh", **details}).save(path)
    return arrays


def squashed(arrays, x):
    hidden = np.tanh(arrays["layer.0.weight"] @ x + arrays["layer.0.bias"])
    return np.tanh(arrays["mean.weight"] @ hidden + arrays["mean.bias"])


def test_a_numpy_policy_takes_the_whole_observation(tmp_path):
    file = tmp_path / "policy.safetensors"
    arrays = numpy_file(file)
    with load_policy(file, Env()) as policy:
        seen = observe()
        answer = squashed(arrays, spaces.flatten(spaces.Dict(PARTS), seen))
        assert policy.act(seen) == pytest.approx(np.array([2 * answer[0], (answer[1] + 1) / 2]), abs=1e-5)
    numpy_file(file, inputs=9)
    with pytest.raises(ConfigError, match=r"takes shape \(9,\), and .* = 10 values"):
        load_policy(file, Env())
    numpy_file(file, outputs=3)
    with pytest.raises(ConfigError, match=r"policy have 3 values .* environment 2"):
        load_policy(file, Env())
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(ConfigError, match="not a policy file"):
        load_policy(file, Env())


def test_a_numpy_policy_with_a_block(tmp_path):
    file = tmp_path / "policy.safetensors"
    block = describe_policy(Env(), ["target", "position"], range=(-1, 1), history=2)
    arrays = numpy_file(file, inputs=8, rtgym_ros=block.to_json())
    with load_policy(file, Env()) as policy:
        seen = observe()
        joined = np.concatenate([seen["target"], seen["position"]])
        answer = squashed(arrays, np.concatenate([joined, joined]))
        assert policy.act(seen) == pytest.approx(np.array([2 * answer[0], (answer[1] + 1) / 2]), abs=1e-5)
