"""Images: one frame a sample, stacked by robot and learner alike; a network that runs without PyTorch."""

from __future__ import annotations

import zlib

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

pytest.importorskip("stable_baselines3")
pytest.importorskip("onnxruntime")
pytest.importorskip("torch")

from trainer_helpers import transitions_in

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.policies.space_leaves import leaf_values
from rtgym_ros.policies.squashed_gaussian import OnnxPolicy
from rtgym_ros.policies.vector_and_images import VectorAndImages
from rtgym_ros.policies.weights import PolicyWeights, WeightsError
from rtgym_ros.train.config import EnvironmentConfig, TrainerConfig, WorkerConfig
from rtgym_ros.train.protocol.schema import make_schema
from rtgym_ros.train.trainer.agent import make_agent
from rtgym_ros.train.trainer.transitions import TransitionAssembler
from rtgym_ros.train.worker.ring_folder import RingFolder
from rtgym_ros.train.worker.rollout_worker import RolloutWorker
from rtgym_ros.train.worker.sample_layout import SampleLayout
from rtgym_ros.train.worker.sample_ring import RingReader

SPACE = spaces.Dict(
    {
        "camera": spaces.Box(0, 255, (40, 44, 3), np.uint8),
        "depth": spaces.Box(0.0, 255.0, (36, 36), np.float32),
        "speed": spaces.Box(-1.0, 1.0, (2,), np.float64),
    }
)
ACTION = spaces.Box(np.array([-1.0, 0.0], np.float32), np.array([1.0, 3.0], np.float32))


class Camera(gymnasium.Env):
    """Every frame is unlike every other; an episode has seven time-steps."""

    observation_space, action_space = SPACE, ACTION

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.left = 7
        return self.observation_space.sample(), {}

    def step(self, action):
        self.left -= 1
        return self.observation_space.sample(), float(action[0]), self.left == 0, False, {}


class Checked(OnnxPolicy):
    """Tells a checksum of what its network saw, of 24 bits, which a float32 holds."""

    extra_shapes = {"seen": ()}  # noqa: RUF012

    def inputs(self, observation):
        inputs = super().inputs(observation)
        self.extras = {"seen": checksum(inputs)}
        return inputs


def checksum(parts) -> float:
    return float(zlib.crc32(b"".join(np.ascontiguousarray(parts[name]).tobytes() for name in sorted(parts))) & 0xFFFFFF)


def agent_of(frames=3, memory_size=200, batch_size=4, schema=None, **trainer):
    config = TrainerConfig(
        agent_kwargs={"policy_kwargs": {"net_arch": [16]}}, frames=frames, memory_size=memory_size,
        batch_size=batch_size, seed=1, device="cpu", **trainer,
    )  # fmt: skip
    return make_agent(schema or make_schema(SPACE, ACTION), config)


@pytest.fixture
def fly(tmp_path):
    """Return samples of a worker with a policy, through a ring."""
    opened = []

    def fly(policy, episodes, compressor=None):
        config = EnvironmentConfig(id="camera", sample_compressor=compressor)
        env = Camera()
        layout = SampleLayout(config, env.observation_space, env.action_space, policy.extra_shapes)
        ring = RingFolder(tmp_path).create(layout.schema, 100)
        opened.append((ring, RingReader.open(RingFolder(tmp_path).paths()[-1])))
        RolloutWorker(env, policy, ring, layout, WorkerConfig()).run(episodes)
        return layout.schema, opened[-1][1].read(100)[1].copy()

    yield fly
    for ring, reader in opened:
        ring.close()
        reader.close()


@pytest.mark.parametrize("compressor", [None, "rtgym_ros.train.worker.sample_compressor:CompactCompressor"])
def test_the_learner_stacks_what_the_robot_saw_to_the_last_bit(fly, compressor):
    policy = Checked(SPACE, ACTION, np.random.default_rng(0))
    policy.adopt(agent_of(frames=3).export())
    schema, records = fly(policy, 5, compressor)
    agent = agent_of(frames=3, schema=schema)
    assembler = TransitionAssembler()
    pairs = [assembler.add("robot", "boot", part)[0] for part in np.array_split(records, 7)]
    for pair in pairs:
        agent.add(pair)
    memory = agent._memory
    held = transitions_in(memory)
    assert len(held["rewards"]) == 35
    seen = np.concatenate([pair.after["extra/seen"] for pair in pairs])
    for at in range(35):
        shown = {name[1:]: held[name][at : at + 1] for name in held if name[0] == "<"}
        assert shown["image0"].shape == (1, 9, 40, 44)
        assert checksum(shown) == seen[at]
    stored = sum(values.nbytes for values in memory._of_sample.values())
    assert stored < 200 * (40 * 44 * 3 + 36 * 36 + 100), "a frame is kept once"


def test_the_exported_network_acts_as_torch_does_and_it_learns():
    agent = agent_of(frames=2)
    schema = make_schema(SPACE, ACTION)
    rng = np.random.default_rng(3)
    records = np.zeros(40, schema.dtype)
    records["step"], records["stamp_ns"] = np.arange(40), np.arange(40)
    for name in ("camera", "depth"):
        records[f"observation/{name}"] = rng.integers(0, 255, records[f"observation/{name}"].shape)
    records["executed"] = rng.uniform(ACTION.low, ACTION.high, (40, 2))
    agent.add(TransitionAssembler().add("w", "b", records)[0])
    before = agent.export().arrays["model"].copy()
    assert {"actor_loss", "critic_loss"} <= agent.train(2).keys()
    weights = PolicyWeights.from_bytes(agent.export().to_bytes())
    assert weights.arrays["model"].tobytes() != before.tobytes()
    policy = OnnxPolicy(SPACE, ACTION, rng)
    policy.adopt(weights)
    for _ in range(3):
        observation = SPACE.sample()
        policy.reset()
        action = policy.act(observation, True)
        policy.reset()
        shown = {name: value[0] for name, value in policy.inputs(observation).items()}
        expected, _ = agent._model.predict(shown, deterministic=True)
        assert action == pytest.approx(expected, abs=1e-4)
        assert ACTION.contains(policy.act(observation, False))


def test_without_weights_it_draws_and_what_does_not_fit_is_refused():
    policy = OnnxPolicy(SPACE, ACTION, np.random.default_rng(0))
    assert ACTION.contains(policy.act(SPACE.sample(), True))
    weights = agent_of(frames=2).export()
    policy.adopt(weights)
    vector = spaces.Box(-1, 1, (4,))
    for wrong, match in (
        (PolicyWeights("onnx", 1, {"model": np.zeros(9, np.uint8)}, {}), "cannot be used"),
        (PolicyWeights("other", 1, {}, {}), "weights of a 'other'"),
        (PolicyWeights("onnx", 1, weights.arrays, {"frames": "5"}), "the model takes"),
    ):
        with pytest.raises(WeightsError, match=match):
            policy.adopt(wrong)
    with pytest.raises(ConfigError, match="frames is 4, and the observation has no image"):
        VectorAndImages(vector, 4)
    with pytest.raises(ConfigError, match="observation is a Discrete"):
        VectorAndImages(spaces.Discrete(3))


def test_parts_are_those_of_the_space():
    for frames in (1, 4):
        parts = VectorAndImages(SPACE, frames)
        leaves = (np.asarray(value)[None] for value in leaf_values(SPACE, SPACE.sample()))
        shapes = {name: value.shape[1:] for name, value in parts.of(leaves).items()}
        assert shapes == {"vector": (2,), "image0": (3, 40, 44), "image1": (1, 36, 36)}
        assert parts.space["image0"].shape == (3 * frames, 40, 44)
