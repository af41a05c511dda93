"""The table that pandas reads holds what flew."""

import numpy as np
import pytest

pandas = pytest.importorskip("pandas")
pytest.importorskip("pyarrow.parquet")

from rtgym_ros.record.exports.parquet_file import export_parquet  # noqa: E402


def parts_of(observation):
    if isinstance(observation, dict):
        return {f"observation/{name}": value for name, value in observation.items()}
    if isinstance(observation, tuple):
        return {f"observation/{number}": value for number, value in enumerate(observation)}
    return {"observation": observation}


def test_pandas_reads_what_flew(flight, tmp_path):
    exported = export_parquet(flight.folder, tmp_path / "flight.parquet")
    assert (exported.episodes, exported.steps) == (3, 12)
    table = pandas.read_parquet(tmp_path / "flight.parquet")
    assert len(table) == 15
    for number, (seen, done, rewards, terminated, truncated) in enumerate(flight.episodes):
        rows = table[table.episode == number].reset_index()
        assert rows.episode_step.tolist() == list(range(len(seen)))
        for step, observation in enumerate(seen):
            for name, value in parts_of(observation).items():
                assert rows[name][step].dtype == value.dtype
                np.testing.assert_array_equal(rows[name][step], value.ravel())
        assert rows.action[0] is None
        for step, action in enumerate(done, 1):
            np.testing.assert_array_equal(rows.action[step], action)
        assert rows.reward.tolist() == [0.0, *rewards]
        assert (rows.terminated.iloc[-1], rows.truncated.iloc[-1]) == (terminated, truncated)
        assert rows["info/ages/camera"].tolist()[1:] == [0.03] * len(done)
