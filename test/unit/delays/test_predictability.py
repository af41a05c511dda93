import numpy as np
import pytest

from rtgym_ros.delays.predictability import predictability


def flight(delay, steps=3000, seed=0, spread=0):
    """A point whose velocity is the action of ``delay`` time-steps before; returns observations and actions."""
    rng = np.random.default_rng(seed)
    actions = np.clip(np.cumsum(rng.normal(0, 0.3, (steps, 2)), axis=0) * 0.2 + rng.normal(0, 0.5, (steps, 2)), -1, 1)
    position, positions = np.zeros(2), np.zeros((steps, 2))
    for k in range(steps):
        late = delay + (int(rng.integers(spread + 1)) if spread else 0)
        if k >= late:
            position = position + 0.05 * actions[k - late]
        positions[k] = position
    return positions + rng.normal(0, 0.002, positions.shape), actions


@pytest.mark.parametrize("delay", [1, 2, 3, 4, 5])
def test_the_elbow_is_at_the_true_delay(delay):
    found = predictability(*flight(delay))
    assert found.lengths == tuple(range(7))
    assert found.elbow == delay
    assert found.scores[delay] > 0.95
    assert found.scores[delay - 1] < found.scores[delay] - 0.1


def test_random_delays_need_the_longest():
    assert predictability(*flight(2, spread=2)).elbow == 4


def test_no_change_crosses_the_start_of_an_episode():
    observations, actions = flight(2)
    starts = np.zeros(len(observations), bool)
    starts[::100] = True
    observations = observations + 50.0 * np.cumsum(starts)[:, None]
    assert predictability(observations, actions, starts).scores[2] > 0.95
    assert predictability(observations, actions).scores[2] < 0.5


def test_what_stands_still_is_not_predicted_and_does_not_divide_by_zero():
    found = predictability(np.zeros((500, 1)), np.random.default_rng(0).normal(size=(500, 1)))
    assert found.scores == (0.0,) * 7
    assert found.elbow == 0


def test_series_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="series of one length"):
        predictability(np.zeros(100), np.zeros(99))
    with pytest.raises(ValueError, match="too little to learn from"):
        predictability(np.zeros(20), np.zeros(20))
