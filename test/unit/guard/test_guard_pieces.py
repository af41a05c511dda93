import numpy as np
import pytest
from guards import MS, PERIOD

from rtgym_ros.contract.conversions.converter import ConversionError
from rtgym_ros.contract.guard.command_stamps import CommandStamps
from rtgym_ros.contract.guard.joystick import JoystickMap
from rtgym_ros.contract.guard.limit_time import LimitTime


def test_a_command_that_comes_a_little_early_has_a_whole_period():
    time = LimitTime(PERIOD)
    assert [time.spend(now * MS) for now in (0, 49, 101, 148, 200)] == [0.05] * 5


def test_what_was_missing_is_owed():
    time = LimitTime(PERIOD)
    taken = [time.spend(now * MS) for now in range(0, 2000, 40)]
    assert taken[0] == 0.05
    assert sum(taken[1:]) <= 1.96 + 0.0125 + 1e-9
    assert taken[-1] == pytest.approx(0.04)


def test_a_flood_has_no_more_time_than_passes():
    time = LimitTime(PERIOD)
    taken = [time.spend(now * 1000) for now in range(0, 1_000_000, 100) if time.is_enough(now * 1000)]
    assert sum(taken[1:]) <= 1.0 + 0.0125 + 1e-9
    assert min(taken) >= 0.001


def test_late_commands_save_nothing_up():
    time = LimitTime(PERIOD)
    time.spend(0)
    assert [time.spend(1000 * MS), time.spend(1010 * MS)] == [0.05, pytest.approx(0.0225)]


def test_stamps_that_can_be_trusted_stay():
    stamps = CommandStamps(200 * MS)
    assert stamps.next_ns(1000 * MS, 990 * MS) == 990 * MS
    assert stamps.next_ns(1001 * MS, 990 * MS) == 1001 * MS, "not newer than the one before"
    assert stamps.next_ns(1100 * MS, 500 * MS) == 1100 * MS, "too old"
    assert stamps.next_ns(1200 * MS, 9000 * MS) == 1200 * MS, "of the future"
    assert stamps.next_ns(1200 * MS, None) == 1200 * MS + 1
    assert stamps.next_ns(5 * MS, None) == 5 * MS, "the clock was set back"


def test_an_axis_at_rest_is_zero_of_velocities_and_the_middle_of_positions():
    joystick = JoystickMap(np.array([-1.0, 0.0]), np.array([3.0, 2.0]), ["velocity", "position"])
    expected = {-2.0: [-1.0, 0.0], -1.0: [-1.0, 0.0], 0.0: [0.0, 1.0], 0.5: [1.5, 1.5], 1.0: [3.0, 2.0]}
    for axis, values in expected.items():
        assert joystick.values(np.array([axis, axis])).tolist() == values
    with pytest.raises(ConversionError, match="must be finite"):
        JoystickMap(np.array([-np.inf]), np.array([1.0]), ["velocity"])
