"""The delays of one observation, and their entries in ``info``."""

from __future__ import annotations

from typing import NamedTuple

NAN = float("nan")


class TimeStepDelays(NamedTuple):
    """The delays of one observation. What is not known is None.

    Attributes:
        time_step: how many actions had been sent when it was captured: the number of the action sent next.
        observation_delay_ns: its age at capture (ns).
        uncertainty_ns: of that (ns); 0 where both clocks are one.
        action_delay_ns: from sending an action to its application (ns), at the latest: of the action under which the
            sample was taken, or of the last one before it whose application is known to within a sampling period.
        action_delay_least_ns: the same at the earliest (ns): between two samples of the robot nothing is known.
        alpha: observation delay in time-steps; from the other machine's clock it is the likeliest value.
        alpha_low: least value of alpha within the uncertainty of the clocks.
        alpha_high: its largest value.
        total: ``alpha + beta``: which action of the buffer it was taken under. It comes from stamps of our own clock
            alone, so that it is exact whatever the robot's clock shows.
        total_high: the most it can be, where the echo of this sample has not come: from the echoes before it.
        kappa_total: ``alpha + kappa``, exact as ``total`` is.
        action: the number of the action that ``action_delay_ns`` is of.
    """

    time_step: int
    observation_delay_ns: int | None
    uncertainty_ns: int
    action_delay_ns: int | None
    action_delay_least_ns: int | None
    alpha: int | None
    alpha_low: int | None
    alpha_high: int | None
    total: int | None
    total_high: int | None
    kappa_total: int | None
    action: int | None

    @property
    def beta(self) -> int | None:
        """Action delay in time-steps, of the action applied up to the sample. As certain as alpha is."""
        return None if self.total is None or self.alpha is None else self.total - self.alpha

    @property
    def kappa(self) -> int | None:
        """Action delay in time-steps, of the action applied from the sample on. As certain as alpha is."""
        return None if self.kappa_total is None or self.alpha is None else self.kappa_total - self.alpha

    def info(self) -> dict[str, float]:
        """Return the entries of ``info``: floats, NaN where not known; delays in s, the others in time-steps."""
        if None not in self:
            observation_delay_ns, action_delay_ns, alpha = self[1], self[3], self[5]
            return {
                "observation_delay": observation_delay_ns / 1e9,  # type: ignore[operator]
                "action_delay": action_delay_ns / 1e9,  # type: ignore[operator]
                "alpha": float(alpha),  # type: ignore[arg-type]
                "kappa": float(self[10] - alpha),  # type: ignore[operator]
                "beta": float(self[8] - alpha),  # type: ignore[operator]
                "total_delay": float(self[8]),  # type: ignore[arg-type]
            }
        return {
            "observation_delay": NAN if self.observation_delay_ns is None else self.observation_delay_ns / 1e9,
            "action_delay": NAN if self.action_delay_ns is None else self.action_delay_ns / 1e9,
            "alpha": NAN if self.alpha is None else float(self.alpha),
            "kappa": NAN if self.kappa_total is None or self.alpha is None else float(self.kappa_total - self.alpha),
            "beta": NAN if self.total is None or self.alpha is None else float(self.total - self.alpha),
            "total_delay": NAN if self.total is None else float(self.total),
        }


INFO_KEYS = ("observation_delay", "action_delay", "alpha", "kappa", "beta", "total_delay")
"""The keys of :meth:`TimeStepDelays.info`."""
