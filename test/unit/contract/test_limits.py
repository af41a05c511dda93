"""No command breaks a limit, from any start and with time-steps of any length; targets within limits stay as they are.

``python test/unit/contract/test_limits.py 1000000`` makes a million random actions, for the judged run.
"""

import math
import random
import sys

import numpy as np
import pytest

from rtgym_ros.contract.limits.limiter import Limiter, make_value_limiter
from rtgym_ros.contract.records.action_part import Limits
from rtgym_ros.core.errors import ActionError

INF = math.inf


def spread(rng, low, high):
    """Return a number whose logarithm is evenly distributed."""
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def random_limits(rng):
    """Return a quantity, bounds, and some of the limits that there are above it; None where it has none."""
    low, high = -spread(rng, 0.1, 5), spread(rng, 0.1, 5)
    some = {
        "velocity": spread(rng, 0.1, 5),
        "acceleration": spread(rng, 0.1, 50),
        "deceleration": spread(rng, 0.1, 50),
        "jerk": spread(rng, 0.5, 1000),
    }
    quantity = rng.choice(["position"] * 3 + ["velocity"] * 2 + ["acceleration", "effort"])
    allowed = {
        "position": list(some),
        "velocity": list(some)[1:],
        "acceleration": ["jerk"],
        "effort": ["deceleration", "jerk"],
    }[quantity]
    return quantity, low, high, {name: some[name] for name in allowed if rng.random() < 0.7}


class Judge:
    """Differentiates commands, and holds the derivatives against the limits, in its own words."""

    def __init__(self, quantity, low, high, limits, start):
        above = {"position": 0, "velocity": 1, "acceleration": 2, "effort": 2}[quantity]
        velocity, acceleration, jerk = (limits.get(name, INF) for name in ("velocity", "acceleration", "jerk"))
        self.low, self.high = low, high
        self.limits = [velocity, acceleration, jerk][above:]
        self.deceleration = limits.get("deceleration", acceleration)
        self.order_of_acceleration = 1 - above
        if quantity == "effort":  # how fast it changes, and how fast it comes to zero
            self.order_of_acceleration, self.deceleration = 0, min(jerk, limits.get("deceleration", INF))
        self.state = [start, 0.0, 0.0, 0.0]

    def check(self, command, dt):
        assert self.low <= command <= self.high
        new = [command]
        # What rounding the commands comes to in a difference quotient.
        rounding = 4e-16 * max(abs(self.low), abs(self.high)) * 8
        for order, limit in enumerate(self.limits):
            rounding /= dt
            change = new[order] - self.state[order]
            if order == self.order_of_acceleration:
                slower = abs(new[order]) < abs(self.state[order]) and new[order] * self.state[order] >= 0
                limit = self.deceleration if slower else limit
                if new[order] * self.state[order] < 0:
                    limit = max(limit, self.deceleration)
            assert abs(change / dt) <= limit * (1 + 1e-9) + rounding, (order, change / dt, limit)
            new.append(change / dt)
        self.state = new + [0.0] * (4 - len(new))


def targets(rng, low, high, count):
    """Yield targets of one kind: jumping, at the bounds, held, walking."""
    kind, target = rng.choice("jbhw"), 0.0
    for _ in range(count):
        match kind:
            case "j":
                target = rng.uniform(low - 1, high + 1)
            case "b" if rng.random() < 0.1:
                target = rng.choice([low - 1, high + 1])
            case "h" if rng.random() < 0.05:
                target = rng.uniform(low, high)
            case "w":
                target += rng.gauss(0, 0.05)
        yield target


def fly(rng, count):
    quantity, low, high, limits = random_limits(rng)
    limiter = make_value_limiter(low, high, quantity, *_arguments(limits))
    start = rng.uniform(low, high)
    limiter.reset(start)
    judge = Judge(quantity, low, high, limits, start)
    period, varying = spread(rng, 0.001, 0.1), rng.random() < 0.5
    for target in targets(rng, low, high, count):
        dt = period * rng.uniform(0.2, 2) if varying else period
        judge.check(limiter.limit(target, dt), dt)
    assert limiter.broken == 0


def _arguments(limits):
    acceleration = limits.get("acceleration", INF)
    return limits.get("velocity", INF), acceleration, limits.get("deceleration", acceleration), limits.get("jerk", INF)


@pytest.mark.parametrize("seed", range(60))
def test_no_command_breaks_a_limit(seed):
    fly(random.Random(seed), 300)


FULL = {"velocity": 1.0, "acceleration": 4.0, "deceleration": 4.0, "jerk": 60.0}


@pytest.mark.parametrize(
    "drop", [[], ["jerk"], ["jerk", "acceleration", "deceleration"], ["acceleration", "deceleration"]]
)
def test_a_target_within_the_limits_is_the_command(drop):
    limits = {name: value for name, value in FULL.items() if name not in drop}
    limiter = make_value_limiter(-2, 2, "position", *_arguments(limits))
    for step in range(2000):
        target = 0.5 * (1 - math.cos(1.5 * step * 0.02)) if step * 0.02 * 1.5 < 4 * math.pi else 0.0
        assert limiter.limit(target, 0.02) == pytest.approx(target, abs=0.02 * 0.02 * 2)
    # The first of a movement has a jump in its acceleration; a movement that has begun is followed to the bit.
    limiter.reset(0.5)
    limiter.limit(0.5, 0.02)
    for step in range(1, 20):
        target = 0.5 + 0.2 * (step * 0.02) ** 3
        assert limiter.limit(target, 0.02) == target


@pytest.mark.parametrize("drop", [[], ["jerk"], ["jerk", "acceleration", "deceleration"], ["velocity"]])
def test_a_target_that_stays_is_reached_and_not_passed(drop):
    limits = {name: value for name, value in FULL.items() if name not in drop}
    limiter = make_value_limiter(-2, 2, "position", *_arguments(limits))
    commands = [limiter.limit(1.3, 0.02) for _ in range(400)]
    assert commands[-1] == pytest.approx(1.3, abs=1e-9)
    assert max(commands) <= 1.3 + 1e-3


@pytest.mark.parametrize("jerk", [INF, 100.0])
def test_brakes_ahead_of_a_bound(jerk):
    limiter = make_value_limiter(-1, 1, "position", 5.0, 2.0, 2.0, jerk)
    before = speed = 0.0
    for step in range(300):  # an agent that always wants to go further and jumps, so that nothing is approached
        command = limiter.limit(100.0 + step % 2, 0.02)
        assert (command - before) / 0.02 >= speed - 2.0 * 0.02 - 1e-9
        before, speed = command, (command - before) / 0.02
    assert before == pytest.approx(1.0, abs=1e-3)


def test_bounds_win_then_velocity_then_acceleration():
    limiter = make_value_limiter(-1, 1, "position", 1.0, 2.0, 2.0)
    limiter.reset(3.0)
    assert limiter.limit(5.0, 0.1) == 1.0  # within the bounds at once, although that is 20 units a second
    assert limiter.broken == 1
    assert limiter.limit(-1.0, 0.1) == pytest.approx(
        0.9
    )  # from that speed, the velocity is kept and not the acceleration
    assert limiter.broken == 2
    limiter.limit(-1.0, 0.1)
    assert limiter.broken == 2


@pytest.mark.parametrize("jerk", [INF, 50.0])
def test_no_bounds(jerk):
    limiter = make_value_limiter(-INF, INF, "position", INF, 2.0, 2.0, jerk)
    for _ in range(100):
        limiter.limit(1e6, 0.1)
    assert 10 < limiter.command < 1000
    assert limiter.broken == 0


def test_acceleration_and_deceleration_of_a_velocity():
    limiter = make_value_limiter(-1, 1, "velocity", acceleration=1.0, deceleration=4.0)
    commands = [limiter.limit(target, 0.1) for target in [1, 1, 1, 1, 1, 0, -1, -1]]
    np.testing.assert_allclose(commands, [0.1, 0.2, 0.3, 0.4, 0.5, 0.1, 0, -0.1], atol=1e-12)


def test_a_part_of_several_values():
    limits = Limits(max_velocity=(1.0, 2.0), max_acceleration=10.0)
    limiter = Limiter([-1, -1], [1, 1], ["position", "position"], limits)
    limiter.reset([0.5, -0.5])
    for _ in range(10):
        limiter.limit([1, 1], 0.02)
    np.testing.assert_allclose(limiter.command, [0.65, -0.28], atol=0.05)
    with pytest.raises(ActionError, match="not finite"):
        limiter.limit([0, math.nan], 0.02)
    with pytest.raises(ActionError, match="time-step of 0 s"):
        limiter.limit([0, 0], 0)


def test_the_safe_action():
    limits = Limits(max_acceleration=1.0, max_deceleration=2.0)
    limiter = Limiter([-1, -1], [1, 1], ["velocity", "position"], limits)
    limiter.reset([1.0, 0.0])
    np.testing.assert_allclose(limiter.limit_safe([0, 1], 0.1), [0.8, 0.01], atol=0.01)
    # Without max_deceleration a velocity is not limited, a position always is.
    limiter = Limiter([-1, -1], [1, 1], ["velocity", "position"], Limits(max_acceleration=1.0))
    limiter.reset([1.0, 0.0])
    command = limiter.limit_safe([0, 1], 0.1)
    assert command[0] == 0
    assert command[1] < 0.02


def test_efforts():
    """`max_jerk` is how fast they change; `max_deceleration` how fast they come to zero, in the safe action too."""
    limiter = Limiter([-10], [10], ["effort"], Limits(max_deceleration=20.0, max_jerk=50.0))
    assert [float(limiter.limit([10], 0.1)[0]) for _ in range(3)] == [5.0, 10.0, 10.0]
    assert float(limiter.limit([0], 0.1)[0]) == 8.0
    assert float(limiter.limit_safe([0], 0.1)[0]) == 6.0
    limiter = Limiter([-10], [10], ["effort"], Limits(max_jerk=50.0))
    limiter.reset([10])
    assert float(limiter.limit_safe([0], 0.1)[0]) == 0.0, "without max_deceleration the safe action is at once"


def test_the_limit_of_a_velocity_is_none_of_the_effort_beside_it():
    limiter = Limiter([-10, -10], [10, 10], ["velocity", "effort"], Limits(max_acceleration=1.0))
    limiter.reset([5, 5])
    np.testing.assert_allclose(limiter.limit([0, 0], 0.1), [4.9, 0.0])


if __name__ == "__main__":
    generator, left = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 0), int(sys.argv[1])
    while left > 0:
        fly(generator, min(left, 500))
        left -= 500
    print(f"{sys.argv[1]} random actions: no limit was broken")
