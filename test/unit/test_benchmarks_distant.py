"""What `python -m benchmarks.distant` flies: every time-step is in the trace, with what info tells of it."""

import numpy as np
import pytest

pytest.importorskip("msgspec")

from benchmarks.distant.drone import BOOTS, SERIALS, TRACE, Traced, make_drone
from benchmarks.distant.trace import read_traces


def test_every_time_step_is_in_the_trace(tmp_path, monkeypatch):
    monkeypatch.setenv(TRACE, str(tmp_path))
    marks = []
    for boot in range(2):
        env = Traced(make_drone(rate_hz=100.0, image_bytes=10, steps=3))
        observation, _ = env.reset()
        for _ in range(3):
            marks.append(observation[-1])
            observation, _, _, truncated, _ = env.step(np.zeros(2, np.float32))
        assert truncated
        assert env.observation_space.contains(observation)
        env.close()
        assert [round(float(mark[0] * BOOTS)) for mark in marks] == [boot] * 3
        assert [round(float(mark[1] * SERIALS)) for mark in marks] == [0, 1, 2]
        marks.clear()
    for records in read_traces(tmp_path):
        assert records["serial"].tolist() == [0, 1, 2, 3]
        assert records["ended"].tolist() == [0, 0, 0, 1]
        assert (records["lateness_ns"] >= 0).tolist() == [False, True, True, True]
        assert (records["after_ns"][1:] > 0).all()
