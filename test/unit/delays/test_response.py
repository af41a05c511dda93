"""Which measured value follows which command: simulated servos among other values."""

import numpy as np
import pytest

from rtgym_ros.delays.excitation import Excitation
from rtgym_ros.delays.response import find_responses

STEP, FINE = 0.05, 0.001


def simulate(dead_times, constants, integrates=False, seconds=20.0, seed=0):
    """Return commands every 50 ms and responses every 20 ms, of one servo a value."""
    rng, count = np.random.default_rng(seed), len(dead_times)
    motion = Excitation(-np.ones(count), np.ones(count), np.zeros(count), 0.3, rng)
    sent = np.arange(0.0, seconds, STEP)
    commands = np.array([motion.next() for _ in sent])
    state, place = np.zeros(count), np.zeros(count)
    states = []
    for now in np.arange(0.0, seconds, FINE):
        states.append(place if integrates else state)
        at = np.maximum(np.searchsorted(sent, now - np.asarray(dead_times), "right") - 1, 0)
        state = state + FINE / np.asarray(constants) * (commands[at, np.arange(count)] - state)
        place = place + FINE * state
    return sent, commands, np.arange(0.0, seconds, FINE)[::20], np.array(states)[::20]


@pytest.mark.parametrize("integrates", [False, True])
def test_each_command_finds_its_response_among_others(integrates):
    sent, commands, sampled, states = simulate([0.03, 0.06], [0.08, 0.05], integrates)
    noise = np.random.default_rng(5).normal(size=(len(sampled), 1))
    still = np.zeros((len(sampled), 1))
    measured = np.hstack([noise, states[:, 1:], still, -2 * states[:, :1]])
    found = {response.command: response for response in find_responses(sent, commands, sampled, measured)}
    assert (found[0].column, found[1].column) == (3, 1)
    assert found[0].integrates is found[1].integrates is integrates
    assert found[0].servo.lag == pytest.approx(0.11, abs=0.01)
    assert found[1].servo.lag == pytest.approx(0.11, abs=0.01)
    assert found[0].servo.gain == pytest.approx(-2.0, abs=0.05)


def test_no_response_is_made_up():
    sent, commands, sampled, _ = simulate([0.03], [0.08])
    noise = np.random.default_rng(5).normal(size=(len(sampled), 3))
    assert find_responses(sent, commands, sampled, noise) == []
    assert find_responses(sent, np.zeros_like(commands), sampled, noise) == []
    assert find_responses(sent[:5], commands[:5], sampled, noise) == []
