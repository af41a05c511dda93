"""The ledger against the simulated drone: what it says was applied must be what the drone flew."""

import numpy as np

from rtgym_ros.delays.ledger import DelayLedger
from rtgym_ros.robots.drone.simulated_drone import DroneParameters, SimulatedDrone

MS = 1_000_000
T = 50 * MS


def test_the_drone_flew_the_action_that_the_ledger_names():
    drone = SimulatedDrone(DroneParameters(world_size=1e9), np.random.default_rng(0), MS)
    ledger, positions, newest, named = DelayLedger(), {}, None, {}
    speeds = np.random.default_rng(1).uniform(-1, 1, 3000)
    for number, speed in enumerate(speeds):
        now = T * (number + 1)
        ledger.sent(now)
        drone.command(now, now, (float(speed), 0.0))
        for sample in drone.advance(now + T):
            positions[sample.stamp_ns] = sample.position[0]
            if sample.command_stamp_ns is not None:
                ledger.echo(sample.stamp_ns, sample.command_stamp_ns)
                if newest is None or sample.stamp_ns > newest:
                    newest = sample.stamp_ns
        if newest is not None:
            delays = ledger.observed(newest, now + T)
            assert delays.total is not None
            assert 1 <= delays.total <= 4
            named[newest] = delays.time_step - delays.total
    compared = 0
    for stamp, command in named.items():
        if stamp + 10 * MS in positions:
            flown = (positions[stamp + 10 * MS] - positions[stamp]) / 0.01
            np.testing.assert_allclose(flown, speeds[command], atol=1e-6)
            compared += 1
    assert compared > 2900
