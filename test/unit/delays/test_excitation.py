"""Motion from which delays can be told: within its share of the bounds, and back."""

import numpy as np
import pytest

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.delays.excitation import Excitation


def motion(low=(-1.0, 0.0), high=(1.0, 4.0), middle=(0.0, 1.0), amplitude=0.5, seed=0, **lengths):
    excitation = Excitation(low, high, middle, amplitude, np.random.default_rng(seed), **lengths)
    return np.array([excitation.next() for _ in range(2000)])


def test_it_stays_within_its_share_of_the_way_to_the_nearer_bound():
    actions = motion()
    reach = np.abs(actions - [0.0, 1.0]).max(axis=0)
    assert (reach <= 0.5).all()
    assert (reach > 0.45).all()


def test_what_integrates_it_comes_back():
    way = np.cumsum(motion() - [0.0, 1.0], axis=0)
    assert np.abs(way).max() <= 0.5 * 8, "the longest step"


def test_steps_last_as_long_as_they_shall():
    first = motion(shortest=3, longest=5)[:, 0]
    lengths = np.diff(np.flatnonzero(np.diff(first)))
    assert set(lengths.tolist()) == {3, 4, 5}


def test_at_the_edge_of_its_range_a_value_goes_inside_and_back():
    actions = motion(low=(0.0,), high=(2.0,), middle=(0.0,), amplitude=0.3)
    assert actions.min() == 0.0
    assert 0.5 < actions.max() <= 0.6
    assert motion(low=(0.0,), high=(2.0,), middle=(2.0,), amplitude=0.3).min() >= 1.4


def test_the_same_seed_is_the_same_motion():
    assert (motion(seed=3) == motion(seed=3)).all()
    assert (motion(seed=3) != motion(seed=4)).any()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"high": (np.inf, 4.0)}, "has no bounds"),
        ({"middle": (0.0, 5.0)}, "is not inside"),
        ({"amplitude": 0.0}, "amplitude must be above 0"),
        ({"amplitude": float("nan")}, "amplitude must be above 0"),
        ({"shortest": 0}, "steps must last"),
    ],
)
def test_what_cannot_be_is_refused(wrong, says):
    with pytest.raises(ConfigError, match=says):
        motion(**wrong)
