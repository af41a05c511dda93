"""The delays of every time-step, from the stamps of commands, samples and echoes. No clock is read here.

Time-step ``k`` begins when action ``k`` is sent. The observation that ``step()`` returns with action ``k`` as the
newest of the action buffer was sampled by the robot some time before. Counted in actions, from the newest (0) back:

- ``alpha``: actions sent since the sample was taken, without the newest: by so many time-steps the observation is late.
- ``alpha + beta``: position in the action buffer of the action that was applied up to the sample: the last one that can
  have influenced it.
- ``alpha + kappa``: position of the action that was applied from the sample on.

They are those of Bouteiller et al., "Reinforcement Learning with Random Delays" (arXiv 2010.02966), in whose
implementation an observation is sampled exactly when an action is sent. There ``beta`` is at least 1 and ``kappa`` at
least 0; here too, where the clocks of both sides are one.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable

from rtgym_ros.delays.echo_log import NO_COMMAND, EchoLog
from rtgym_ros.delays.time_step_delays import TimeStepDelays

ToOurs = Callable[[int, int], "tuple[int, int] | None"]
"""Of a stamp of the robot's clock, and now: our time and its uncertainty, all in ns; see ``ClockOffset.to_ours``."""


_new = tuple.__new__  # half the cost of the constructor of a named tuple


class DelayLedger:
    """Keeps the books: which action was sent when, and under which one each observation was taken. Not thread-safe.

    Commands that are repeated within a time-step, with renewed stamps, need not be told: they are its action.

    Args:
        to_ours: brings stamps of the robot's clock into ours; None where both clocks are one.
        resolution_ns: of the stamps that the robot echoes (ns): 1000 if it keeps microseconds.
        capacity: how many actions, and twice as many echoes at least, are kept.

    Attributes:
        to_ours: as given; it may be changed.
    """

    def __init__(self, to_ours: ToOurs | None = None, resolution_ns: int = 1, capacity: int = 1024) -> None:
        self.echoes = EchoLog(2 * capacity)
        self.echo = self.echoes.add
        """Notes an echo: :meth:`EchoLog.add <rtgym_ros.delays.echo_log.EchoLog.add>` itself, called often."""
        self.to_ours = to_ours
        self._slack_ns = resolution_ns - 1
        self._capacity = capacity
        self._stamps: list[int] = []
        self._forgotten = 0
        self._open: deque[tuple[int, int, int]] = deque(maxlen=capacity)
        """(time-step, sample, capture) of observations whose echo has not come."""

    @property
    def time_steps(self) -> int:
        """How many actions were sent."""
        return self._forgotten + len(self._stamps)

    def sent(self, stamp_ns: int) -> None:
        """Note that the next action was sent, with this stamp (ns, our clock).

        Raises:
            ValueError: the stamp is not newer than that of the action before.
        """
        stamps = self._stamps
        if stamps and stamp_ns <= stamps[-1]:
            raise ValueError(
                f"action {self.time_steps} was stamped {stamp_ns}, not after the one before ({stamps[-1]})"
            )
        stamps.append(stamp_ns)
        if len(stamps) > 2 * self._capacity:
            del stamps[: self._capacity]
            self._forgotten += self._capacity

    def observed(self, sample_ns: int, capture_ns: int, sent_already: bool = False) -> TimeStepDelays:
        """Return the delays of what was captured.

        Args:
            sample_ns: stamp of the observation (ns, the robot's clock).
            capture_ns: when it was captured (ns, our clock).
            sent_already: whether the action that is returned with it as the newest of the buffer has been noted, so
                that its send need not wait for this.
        """
        stamps = self._stamps
        end = len(stamps) - sent_already
        time_step = self._forgotten + end
        if self.to_ours is None:  # the common case, without a detour
            command_ns = self.echoes.command(sample_ns)
            if command_ns and (at := bisect_right(stamps, command_ns + self._slack_ns)):
                total = kappa = end - at + 1
                if self.echoes.tells_next and (next_ns := self.echoes.next_command(sample_ns)) != command_ns:
                    kappa = self._position(next_ns, end)  # type: ignore[assignment, arg-type]
                alpha = 0 if sample_ns > stamps[end - 1] else end - bisect_left(stamps, sample_ns)
                late, least, action = self._action_delay(command_ns, at - 1, capture_ns)
                age_ns = capture_ns - sample_ns
                return _new(
                    TimeStepDelays,
                    (time_step, age_ns, 0, late, least, alpha, alpha, alpha, total, total, kappa, action),
                )
        delays = self._delays(time_step, sample_ns, capture_ns)
        if delays.total is None and len(self.echoes):
            self._open.append((time_step, sample_ns, capture_ns))
        return delays

    def settled(self) -> list[TimeStepDelays]:
        """Return the delays of earlier time-steps that echoes have settled since; each time-step comes once.

        An echo may come after its observation, or the echoes before and after a lost one may be of the same command.
        """
        found, still_open = [], []
        for time_step, sample_ns, capture_ns in self._open:
            delays = self._delays(time_step, sample_ns, capture_ns)
            if delays.total is None:
                still_open.append((time_step, sample_ns, capture_ns))
            else:
                found.append(delays)
        self._open.clear()
        self._open.extend(still_open)
        return found

    def restart(self) -> None:
        """Forget all stamps: a clock was set. Time-steps are counted on."""
        self._forgotten += len(self._stamps)
        self._stamps.clear()
        self._open.clear()
        self.echoes.clear()

    def _delays(self, time_step: int, sample_ns: int, capture_ns: int) -> TimeStepDelays:
        stamps, end = self._stamps, time_step - self._forgotten
        ours_ns: int | None = sample_ns
        uncertainty_ns = 0
        if self.to_ours is not None:
            ours_ns, uncertainty_ns = self.to_ours(sample_ns, capture_ns) or (None, 0)
        if ours_ns is None:
            age_ns = alpha = low = high = None
        else:
            age_ns = capture_ns - ours_ns
            alpha = low = high = max(end - bisect_left(stamps, ours_ns), 0)
            if uncertainty_ns:
                low = max(end - bisect_left(stamps, min(ours_ns + uncertainty_ns, capture_ns)), 0)
                high = max(end - bisect_left(stamps, ours_ns - uncertainty_ns), 0)
        command_ns = self.echoes.command(sample_ns)
        next_ns = command_ns
        if command_ns is None:
            before_ns, after_ns = self.echoes.around(sample_ns)
            if before_ns is not None and before_ns == after_ns:
                command_ns = next_ns = before_ns
            else:
                most = None if before_ns is None else self._position(before_ns, end)
                return TimeStepDelays(
                    time_step, age_ns, uncertainty_ns, None, None, alpha, low, high, None, most, None, None
                )
        else:
            next_ns = self.echoes.next_command(sample_ns)
        total = self._position(command_ns, end)
        kappa_total = total if next_ns is command_ns or next_ns is None else self._position(next_ns, end)
        late, least, action = _NOTHING if total is None else self._action_delay(command_ns, end - total, capture_ns)
        return TimeStepDelays(
            time_step, age_ns, uncertainty_ns, late, least, alpha, low, high, total, total, kappa_total, action
        )

    def _position(self, command_ns: int, end: int) -> int | None:
        """Return the position in the buffer of the action with this stamp, None where it is none of ours or too old."""
        if command_ns == NO_COMMAND:
            return None
        at = bisect_right(self._stamps, command_ns + self._slack_ns) - 1
        return end - at if at >= 0 else None

    def _action_delay(self, command_ns: int, at: int, capture_ns: int) -> tuple[int | None, int | None, int | None]:
        """Return the action delay, the least that it can be, and of which action: this one, or one shortly before it.

        Where the first sample under a command was lost or is still under way, its application is not known to within a
        sampling period, and that of the action before it tells more.
        """
        application = self.echoes.application(command_ns)
        tried = 0
        while application is None or application[0] is None or application[1] - application[0] > self.echoes.usual_ns:
            tried += 1
            if tried > min(_LOOKED_BACK, at):
                return _NOTHING
            command_ns = self._stamps[at - tried]
            application = self.echoes.application(command_ns)
        after_ns, by_ns = application
        assert after_ns is not None, "the loop looks for one"
        if self.to_ours is not None:
            by, after = self.to_ours(by_ns, capture_ns), self.to_ours(after_ns, capture_ns)
            if by is None or after is None:
                return _NOTHING
            by_ns, after_ns = by[0], after[0]
        return by_ns - command_ns, max(after_ns - command_ns, 0), self._forgotten + at - tried


_LOOKED_BACK = 4
"""Actions before that of the sample."""

_NOTHING = (None, None, None)
