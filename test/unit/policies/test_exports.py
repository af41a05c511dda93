"""What Stable-Baselines3 and PyTorch export flies as it was learned."""

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from policy_files import ACTION, PARTS, Config

pytest.importorskip("stable_baselines3")
pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")
torch = pytest.importorskip("torch")

import stable_baselines3  # noqa: E402
from stable_baselines3.common.vec_env import DummyVecEnv, VecFrameStack, VecNormalize  # noqa: E402

from rtgym_ros.core.errors import ConfigError  # noqa: E402
from rtgym_ros.libraries.stable_baselines3_onnx import export_onnx  # noqa: E402
from rtgym_ros.policies import describe_policy, load_policy, write_metadata  # noqa: E402


class Robot(gymnasium.Env):
    """An environment whose observations are drawn."""

    config = Config()
    observation_space = spaces.Dict(PARTS)
    action_space = ACTION

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.observation_space.sample(), {}

    def step(self, action):
        return self.observation_space.sample(), 0.0, False, False, {}


@pytest.mark.parametrize("algorithm", ["PPO", "SAC", "TD3"])
def test_an_exported_policy_acts_as_its_model_predicts(algorithm, tmp_path):
    base = Robot()
    flat = gymnasium.wrappers.FlattenObservation(base)
    model = getattr(stable_baselines3, algorithm)("MlpPolicy", flat, device="cpu", seed=1)
    with torch.no_grad():
        for parameter in model.policy.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))  # not only the small weights of the beginning
    export_onnx(model, tmp_path / "policy.onnx", flat)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["policy.onnx", "policy.onnx.json"]
    with load_policy(tmp_path / "policy.onnx", base) as policy:
        for _ in range(20):
            seen = base.observation_space.sample()
            wanted, _ = model.predict(spaces.flatten(base.observation_space, seen), deterministic=True)
            assert policy.act(seen) == pytest.approx(wanted, abs=1e-4)


def test_normalisation_and_stacked_frames_go_with_it(tmp_path):
    base = Robot()
    flat = gymnasium.wrappers.FlattenObservation(base)
    venv = VecFrameStack(DummyVecEnv([lambda: flat]), 3)
    model = stable_baselines3.PPO("MlpPolicy", venv, device="cpu", seed=1)
    export_onnx(model, tmp_path / "policy.onnx", flat, history=3)
    stacked = np.zeros((3, 10), np.float32)
    with load_policy(tmp_path / "policy.onnx", base) as policy:
        policy.reset()
        for _ in range(5):
            seen = base.observation_space.sample()
            stacked = np.vstack([stacked[1:], spaces.flatten(base.observation_space, seen)])
            wanted, _ = model.predict(stacked.ravel(), deterministic=True)
            assert policy.act(seen) == pytest.approx(wanted, abs=1e-4)
    with pytest.raises(ConfigError, match="observes 10 values"):
        describe_policy(flat, ["position"])

    normalised = VecNormalize(DummyVecEnv([lambda: flat]), clip_obs=2.0)
    normalised.reset()
    for _ in range(50):
        normalised.step([ACTION.sample()])
    model = stable_baselines3.SAC("MlpPolicy", normalised, device="cpu", seed=1)
    export_onnx(model, tmp_path / "policy.onnx", flat)
    with load_policy(tmp_path / "policy.onnx", base) as policy:
        for _ in range(20):
            seen = base.observation_space.sample()
            observation = normalised.normalize_obs(spaces.flatten(base.observation_space, seen))
            wanted, _ = model.predict(observation, deterministic=True)
            assert policy.act(seen) == pytest.approx(wanted, abs=1e-4)


def test_what_cannot_be_exported_is_refused(tmp_path):
    model = stable_baselines3.DQN("MlpPolicy", "CartPole-v1", device="cpu")
    with pytest.raises(ConfigError, match="DQNPolicy"):
        export_onnx(model, tmp_path / "policy.onnx", Robot())
    model = stable_baselines3.PPO("MultiInputPolicy", Robot(), device="cpu")
    with pytest.raises(ConfigError, match="flat observations"):
        export_onnx(model, tmp_path / "policy.onnx", Robot())


def test_plain_pytorch_with_chunks_and_several_inputs(tmp_path):
    class Planner(torch.nn.Module):
        """Half of the way to the target in each of four actions."""

        def forward(self, position, target):
            way = target - position
            return torch.stack([way * 0.5**step for step in range(4)], dim=1)

    file = tmp_path / "planner.onnx"
    example = (torch.zeros(1, 2), torch.zeros(1, 2))
    torch.onnx.export(
        Planner().eval(), example, str(file), input_names=["position", "target"], external_data=False, verbose=False
    )
    base = Robot()
    write_metadata(file, describe_policy(base, ["position", "target"], chunk=4, execute=4))
    seen = {**base.observation_space.sample(), "position": np.array([0.5, -0.5]), "target": np.array([0.0, 0.5])}
    with load_policy(file, base) as policy:
        policy.reset()
        policy.begin(seen)
        for step in range(4):
            wanted = np.clip(np.array([-0.5, 1.0]) * 0.5**step, ACTION.low, ACTION.high)
            assert policy.act(seen) == pytest.approx(wanted)
