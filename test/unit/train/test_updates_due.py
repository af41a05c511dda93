"""updates_due: exact arithmetic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtgym_ros.train.trainer.training import updates_due


def test_it_waits_for_the_start():
    assert updates_due(0, 99, 99, 100, 1.0) == 0
    assert updates_due(0, 100, 100, 100, 1.0) == 100
    assert updates_due(0, 0, 0, 0, 1.0) == 0


def test_once_begun_a_memory_that_is_shorter_than_the_start_is_enough():
    assert updates_due(5, 200, 50, 100, 1.0) == 195


@pytest.mark.parametrize(("ratio", "transitions", "due"), [(0.1, 30, 3), (0.1, 29, 2), (0.7, 10, 7), (4.0, 3, 12)])
def test_the_ratio_is_the_decimal_number_that_is_written(ratio: float, transitions: int, due: int):
    assert updates_due(0, transitions, transitions, 1, ratio) == due


@given(st.integers(0, 10**7), st.integers(1, 10**7), st.floats(1e-3, 100))
def test_the_cap_is_reached_and_never_passed(updates: int, transitions: int, ratio: float):
    due = updates_due(updates, transitions, transitions, 0, ratio)
    assert due == 0 or (updates + due) <= ratio * transitions * (1 + 1e-12)
    assert updates_due(updates + due, transitions, transitions, 0, ratio) == 0
