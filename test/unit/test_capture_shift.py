"""An interface that moves the captures; on stepped time, exactly."""

import numpy as np
import pytest
from unit_recorder import Recorder

from rtgym_ros.core.errors import InterfaceError
from rtgym_ros.delays.learned_phase import LearnedPhase

MS = 1_000_000
ACTION = np.zeros(1, np.float32)


class Shifting(Recorder):
    """Shifts each capture by what ``do["shift"]`` returns."""

    def get_capture_shift(self, next_capture_ns):
        return self.do["shift"](next_capture_ns) if "shift" in self.do else 0


def captures(env):
    return [entry[0] for entry in env.unwrapped.interface.log if entry[1] == "capture"]


def test_the_next_capture_is_shifted_and_the_grid_with_it(make_env, clock):
    shifts, asked = iter([0, 1 * MS, -2 * MS, 0, 0]), []

    def shift(next_capture_ns):
        asked.append(next_capture_ns / MS)
        return next(shifts)

    env = make_env(interface=Shifting, do={"shift": shift}, start_obs_capture=0.04)
    start_ms = clock.now_ns() / MS
    env.reset()
    for _ in range(5):
        *_, info = env.step(ACTION)
    assert [at - start_ms for at in captures(env)] == [40, 90, 141, 189, 239]
    assert [at - start_ms for at in asked] == [90, 140, 191, 239, 289]
    assert info["time_step_lateness"] == info["time_step_overrun"] == 0


@pytest.mark.parametrize("wrong", [30 * MS, "soon", None])
def test_a_shift_that_is_none_stops_the_robot(make_env, wrong):
    env = make_env(interface=Shifting, do={"shift": lambda _: wrong})
    env.reset()
    with pytest.raises(InterfaceError, match=r"get_capture_shift\(\) returned"):
        env.step(ACTION)
    assert env.interface.log[-1][1:] == ("send", -1.0), "the safe action"


@pytest.mark.parametrize("ppm", [0, 50, -50])
def test_ages_fall_to_the_transport_delay(make_env, clock, ppm):
    """A pose every 10 ms, 12 ms under way, under a clock that drifts; for ten minutes."""
    period, transport = 10 * MS * (1 + ppm / 1e6), 12 * MS
    begin, number = clock.now_ns() + 3.3 * MS, 0
    phase = LearnedPhase(50 * MS, pytest.fail)

    def shift(next_capture_ns):
        nonlocal number
        while (arrival := begin + number * period + transport) <= clock.now_ns():
            phase.arrived(round(arrival))
            number += 1
        ages.append((clock.now_ns() - (begin + (number - 1) * period)) / MS)
        return phase.shift_ns(next_capture_ns)

    ages = []
    env = make_env(interface=Shifting, do={"shift": shift})
    env.reset()
    for _ in range(12_000):
        *_, info = env.step(ACTION)
        assert info["time_step_timed_out"] == 0
    assert np.mean(ages[2:20]) > 14
    assert max(ages[200:]) == pytest.approx(12.2, abs=0.1)
