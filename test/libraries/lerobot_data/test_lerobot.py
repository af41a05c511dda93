"""What LeRobotDataset loads is what flew."""

import numpy as np
import pytest

pytest.importorskip("lerobot.datasets")

from lerobot.datasets.lerobot_dataset import LeRobotDataset

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.record.exports.lerobot_dataset import export_lerobot


def state_of(observation):
    """The parts that are no images, flat and in order."""
    if isinstance(observation, dict):
        return np.concatenate([np.ravel(value) for value in observation.values() if value.dtype != np.uint8])
    return np.concatenate([np.ravel(value) for value in observation]) if isinstance(observation, tuple) else observation


def test_lerobot_loads_what_flew(flight, tmp_path):
    root = tmp_path / "lerobot"
    with pytest.raises(ConfigError, match="give fps"):
        export_lerobot(flight.folder, root, "me/arm")
    exported = export_lerobot(flight.folder, root, "me/arm", task="reach", fps=20)
    assert (exported.episodes, exported.steps) == (3, 12)
    data_set = LeRobotDataset("me/arm", root=root)
    assert (data_set.num_episodes, data_set.num_frames, data_set.fps) == (3, 12, 20)
    assert data_set.meta.features["ages"]["names"] == ["camera"]
    frames = iter([data_set[number] for number in range(12)])
    for number, (seen, done, rewards, *_) in enumerate(flight.episodes):
        for step, (observation, action, reward) in enumerate(zip(seen[:-1], done, rewards, strict=True)):
            frame = next(frames)
            assert frame["episode_index"] == number
            assert frame["task"] == "reach"
            np.testing.assert_array_equal(frame["observation.state"], state_of(observation))
            np.testing.assert_array_equal(frame["action"], action)
            assert frame["next.reward"] == reward
            last = step == len(done) - 1
            assert bool(frame["next.done"]) == last
            assert bool(frame["next.success"]) == (last and number == 0)
            assert float(frame["capture_time"]) == pytest.approx(0.051 * step, abs=1e-6)  # it loads float32
            if isinstance(observation, dict):
                image = (frame["observation.images.camera"].permute(1, 2, 0) * 255).round().numpy().astype(np.uint8)
                np.testing.assert_array_equal(image, observation["camera"])
            if step:
                assert frame["delays"].reshape(-1).tolist() == [1.0]
