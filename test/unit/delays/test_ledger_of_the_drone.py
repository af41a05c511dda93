"""The ledger against the project's simulated drone: what its truth log and its flight say."""

from dataclasses import replace

import numpy as np
import pytest

from rtgym_ros.delays.ledger import DelayLedger
from rtgym_ros.robots.drone.simulated_drone import DroneParameters, SimulatedDrone
from rtgym_ros.robots.truth_log import TruthSink

MS = 1_000_000
T = 50 * MS


class Truth(TruthSink):
    """What the drone applied when, and under which command each sample was taken."""

    def __init__(self):
        self.applied_ns, self.sampled_under, self.state = {}, {}, {}

    def applied(self, time_ns, stamp_ns, values):
        self.applied_ns[stamp_ns] = time_ns

    def sample(self, time_ns, stamp_ns, state):
        self.sampled_under[time_ns] = stamp_ns
        self.state[time_ns] = state


@pytest.mark.parametrize("profile", ["uniform", "wifi"])
@pytest.mark.parametrize("lost", [0.0, 0.01, 0.05])
def test_10000_time_steps_of_the_drone(lost, profile):
    parameters = replace(
        DroneParameters(world_size=1e9),
        command_loss=lost,
        observation_loss=lost,
        command_delay_profile=profile,
        observation_delay_profile=profile,
    )
    truth, ledger, newest = Truth(), DelayLedger(), None
    drone = SimulatedDrone(parameters, np.random.default_rng(0), MS, truth)
    speeds = np.random.default_rng(1).uniform(-1, 1, 10_000).tolist()
    errors, told = [], 0
    for number, speed in enumerate(speeds):
        now = T * (number + 1)
        ledger.sent(now)
        drone.command(now, now, (speed, 0.0))
        for sample in drone.advance(now + T):
            if sample.command_stamp_ns is not None:
                ledger.echo(sample.stamp_ns, sample.command_stamp_ns)
                newest = sample.stamp_ns if newest is None else max(newest, sample.stamp_ns)
        if newest is None:
            continue
        told += 1
        delays = ledger.observed(newest, now + T)
        applied = delays.time_step - delays.total
        assert T * (applied + 1) == truth.sampled_under[newest]
        assert delays.alpha == delays.time_step - -(-newest // T) + 1
        if newest + 10 * MS in truth.state:
            flown = (truth.state[newest + 10 * MS][0] - truth.state[newest][0]) / 0.01
            assert flown == pytest.approx(speeds[applied], abs=1e-6)
        if delays.action_delay_ns is not None:
            stamp = T * (delays.action + 1)
            errors.append(delays.action_delay_ns - (truth.applied_ns[stamp] - stamp))
    assert told > 9990
    assert len(errors) > 9900
    assert np.abs(errors).max() == 0
