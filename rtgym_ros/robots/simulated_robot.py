"""What every simulated robot has in common: a body that is sampled periodically, behind a link in both directions.

It is a sequence of events on a clock that the caller reads, so the same seed and the same commands give the same run,
whenever and however often somebody looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np

from rtgym_ros.core.time_source import NS_PER_S, to_ns, to_s
from rtgym_ros.delays.named_profile import make_profile
from rtgym_ros.robots.delay_line import DelayLine, lossy
from rtgym_ros.robots.truth_log import TruthSink, Values

Reading = TypeVar("Reading")
Reading_co = TypeVar("Reading_co", covariant=True)

LONGEST_HOLD_NS = NS_PER_S
"""A command is held for its stamp for at most this long (ns): a stamp further ahead is of a clock that is wrong."""


@dataclass(frozen=True)
class RobotParameters:
    """What is the same for every robot: its link and its sampling. The delays are those of Real-Time Gym's tutorial.

    Attributes:
        command_delay_min: shortest delay of a command (s).
        command_delay_max: longest delay of a command (s).
        observation_delay_min: shortest delay of an observation (s).
        observation_delay_max: longest delay of an observation (s).
        sampling_period: from one sample to the next (s); commands are applied, and the motion is integrated, with it.
        command_timeout: without an accepted command for this long (s) the robot applies none; ``inf``: it goes on.
        command_delay_profile: how the delays of commands are distributed, a name of
            :func:`~rtgym_ros.delays.named_profile.make_profile`, for which the two above are ``low`` and ``high``.
        observation_delay_profile: the same of observations.
        command_loss: probability that a command is lost, in [0, 1].
        observation_loss: probability that an observation is lost, in [0, 1].
        apply_at_stamp: apply a command at its stamp instead of its arrival, which makes its delay constant; one that
            arrives after its stamp, or is stamped more than :data:`LONGEST_HOLD_NS` ahead, is applied at once.
    """

    command_delay_min: float = 0.02
    command_delay_max: float = 0.05
    observation_delay_min: float = 0.02
    observation_delay_max: float = 0.05
    sampling_period: float = 0.01
    command_timeout: float = float("inf")
    command_delay_profile: str = "uniform"
    observation_delay_profile: str = "uniform"
    command_loss: float = 0.0
    observation_loss: float = 0.0
    apply_at_stamp: bool = False


@dataclass(frozen=True)
class Sample(Generic[Reading]):
    """What the robot measured, once it has come through the link.

    Attributes:
        stamp_ns: when it was measured (ns).
        reading: what was measured.
        command_stamp_ns: the stamp of the command being applied then (ns); None while there is none.
    """

    stamp_ns: int
    reading: Reading
    command_stamp_ns: int | None


class Body(Protocol[Reading_co]):
    """The mechanics of a robot: what commands do to it, without link and clock."""

    @property
    def state(self) -> Values:
        """The true state, for the truth log."""

    def read(self) -> Reading_co:
        """Return what its sensors measure now; called once a sampling period."""

    def move(self, command: Values | None, duration: float) -> None:
        """Move for ``duration`` (s) under ``command``; None: there is none, so stop as this robot does."""

    def halt(self) -> None:
        """Stop as by an emergency stop: at once."""


class SimulatedRobot(Generic[Reading]):
    """A body behind its link. Times are in ns on one clock and must not go back.

    Not thread-safe: whoever calls it from several threads holds a lock.

    Args:
        body: the mechanics.
        parameters: of link and sampling.
        rng: the source of the link's delays.
        start_ns: the time of the first sample (ns).
        truth: is notified of every event.

    Raises:
        ConfigError: a delay profile is unknown, or its delays are negative or in the wrong order.

    Attributes:
        accepts: whether commands have an effect; while false, those that arrive are dropped.
    """

    def __init__(
        self,
        body: Body[Reading],
        parameters: RobotParameters,
        rng: np.random.Generator,
        start_ns: int,
        truth: TruthSink | None = None,
    ) -> None:
        p = parameters
        self.body = body
        self.accepts = True
        self._truth = truth or TruthSink()
        self._period_ns = to_ns(p.sampling_period)
        self._timeout_ns = None if np.isinf(p.command_timeout) else to_ns(p.command_timeout)
        self._apply_at_stamp = p.apply_at_stamp
        # A generator each: the delays do not depend on when somebody looks.
        up, down = (np.random.default_rng(seed) for seed in rng.integers(2**63, size=2))
        commands = make_profile(p.command_delay_profile, p.command_delay_min, p.command_delay_max)
        observations = make_profile(p.observation_delay_profile, p.observation_delay_min, p.observation_delay_max)
        self._uplink: DelayLine[tuple[int, Values]] = DelayLine(lossy(commands.draws_ns(up), p.command_loss, up))
        self._downlink: DelayLine[Sample[Reading]] = DelayLine(
            lossy(observations.draws_ns(down), p.observation_loss, down)
        )
        self._held: list[tuple[int, Values]] = []
        self._next_sample_ns = start_ns
        self._command: tuple[int, Values] | None = None
        self._accepted_ns = start_ns

    @property
    def next_event_ns(self) -> int:
        """When something happens next (ns): a sample is taken, or one arrives."""
        arrival_ns = self._downlink.next_arrival_ns
        return self._next_sample_ns if arrival_ns is None else min(self._next_sample_ns, arrival_ns)

    def command(self, now_ns: int, stamp_ns: int, values: Values) -> None:
        """Send a command to the robot at ``now_ns``; the newest ``stamp_ns`` (ns) will win."""
        self._truth.received(now_ns, stamp_ns, values)
        self._uplink.send(now_ns, (stamp_ns, values))

    def advance(self, now_ns: int) -> list[Sample[Reading]]:
        """Let time pass until ``now_ns`` and return what arrived at the observer, in the order of its arrival."""
        while self._next_sample_ns <= now_ns:
            self._tick(self._next_sample_ns)
            self._next_sample_ns += self._period_ns
        return list(self._downlink.arrivals(now_ns))

    def halt(self) -> None:
        """Stop the body at once and accept no more commands, until :attr:`accepts` is set."""
        self.accepts = False
        self.body.halt()

    def _tick(self, now_ns: int) -> None:
        self._receive(now_ns)
        stamp_ns, command = self._command or (None, None)
        self._truth.sample(now_ns, stamp_ns, self.body.state)
        self._downlink.send(now_ns, Sample(now_ns, self.body.read(), stamp_ns))
        self.body.move(command, to_s(self._period_ns))

    def _receive(self, now_ns: int) -> None:
        for stamp_ns, values in self._due(now_ns):
            if not self.accepts:
                self._truth.dropped(now_ns, stamp_ns, "the robot does not accept commands")
            elif self._command is not None and stamp_ns <= self._command[0]:
                self._truth.dropped(now_ns, stamp_ns, "a newer one is applied")
            else:
                self._command = (stamp_ns, values)
                self._accepted_ns = now_ns
                self._truth.applied(now_ns, stamp_ns, values)
        timed_out = self._timeout_ns is not None and now_ns - self._accepted_ns >= self._timeout_ns
        if self._command is not None and (timed_out or not self.accepts):
            self._command = None  # and whoever commands next is believed, whatever its clock says
            self._truth.applied(now_ns, None, None)

    def _due(self, now_ns: int) -> list[tuple[int, Values]]:
        """Return the commands that are to take effect at ``now_ns``."""
        arrived = [*self._held, *self._uplink.arrivals(now_ns)]
        if not (self._apply_at_stamp and self.accepts):
            self._held = []
            return arrived
        self._held = [command for command in arrived if 0 < command[0] - now_ns <= LONGEST_HOLD_NS]
        return [command for command in arrived if not 0 < command[0] - now_ns <= LONGEST_HOLD_NS]
