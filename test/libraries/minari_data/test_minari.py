"""What Minari loads is what flew."""

import numpy as np
import pytest

pytest.importorskip("minari.data_collector")

import minari

from rtgym_ros.record.exports.minari_dataset import export_minari


def same(stacked, index, value):
    if isinstance(value, dict):
        return stacked.keys() == value.keys() and all(same(stacked[key], index, value[key]) for key in value)
    if isinstance(value, tuple):
        return len(stacked) == len(value) and all(same(*pair) for pair in zip(stacked, [index] * len(value), value))  # noqa: B905
    return stacked.dtype == value.dtype and np.array_equal(stacked[index], value)


def test_minari_loads_what_flew(flight, tmp_path, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "minari"))
    exported = export_minari(flight.folder, "arm/reach-v0")
    assert (exported.episodes, exported.steps) == (3, 12)
    assert exported.skipped == ["episode 3: it ends before the first step()"]
    data_set = minari.load_dataset("arm/reach-v0")
    assert (data_set.total_episodes, data_set.total_steps) == (3, 12)
    loaded = list(data_set.iterate_episodes())
    for episode, (seen, done, rewards, terminated, truncated) in zip(loaded, flight.episodes, strict=True):
        for index, observation in enumerate(seen):
            assert same(episode.observations, index, observation)
        for index, action in enumerate(done):
            assert same(episode.actions, index, action)
        assert episode.rewards.tolist() == rewards
        assert episode.terminations.tolist() == [False] * (len(done) - 1) + [terminated]
        assert episode.truncations.tolist() == [False] * (len(done) - 1) + [truncated]
        assert episode.infos["ages.camera"][1:].tolist() == [0.03] * len(done)
        assert np.isnan(episode.infos["kappa"][0])
    with pytest.raises(ValueError, match="arm/reach-v0"):
        export_minari(flight.folder, "arm/reach-v0")
