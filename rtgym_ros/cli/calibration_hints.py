"""What a calibration suggests beside values: quality of service, and how the clock thread is scheduled."""

from __future__ import annotations

from collections.abc import Iterator

from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.contract.records.topic import Qos
from rtgym_ros.delays.calibration import Calibration
from rtgym_ros.delays.recommendations import Recommendations

_UNSTEADY = 4.0
"""A 99th percentile of so many medians is the scheduler's doing, not that of the work."""
_NOTABLE = 0.02
"""Share of a time-step below which nothing is worth a hint."""


def hint_lines(contract: Contract, calibration: Calibration, recommendations: Recommendations) -> Iterator[str]:
    """Yield the hints, each a line with the key that it is about and a line with the reason.

    Args:
        contract: of the robot.
        calibration: what was measured.
        recommendations: what follows.
    """
    yield from _quality_of_service(contract, calibration)
    yield from _scheduling(contract, calibration, recommendations)


def _quality_of_service(contract: Contract, calibration: Calibration) -> Iterator[str]:
    for name, part in contract.observation.items():
        qos = part.qos
        if name in calibration.oldest and qos and _is_reliable(qos, otherwise=False) and not _is_latched(qos):
            yield f"  observation.{name}.qos: sensor"
            yield "    reliable: what was lost is sent again, and newer messages wait behind it; only the newest counts"
    for name, action in contract.action.items():
        if action.qos is not None and not _is_reliable(action.qos, otherwise=True):
            yield f"  action.{name}.qos: command"
            yield "    best effort: each command that is lost makes act_buf_len one longer"


def _scheduling(contract: Contract, calibration: Calibration, recommendations: Recommendations) -> Iterator[str]:
    reasons = []
    if calibration.timeouts:
        reasons.append(f"{calibration.timeouts} of {calibration.time_steps} time-steps timed out")
    for what in ("capture", "send"):
        found = recommendations.distributions[f"{what}_durations"]
        least = max(_UNSTEADY * found.p50.value, _NOTABLE * recommendations.time_step_duration)
        if found.count and found.p99.value > least:
            reasons.append(f"p99 of {what} is {found.p99.value / max(found.p50.value, 1e-9):.0f} times its median")
    if not reasons:
        return
    if contract.time.get("realtime_priority") is None:
        yield "  time.realtime_priority: 40"
    else:
        yield "  scheduling: other work is more urgent than the clock thread, in spite of its priority"
    yield f"    {'; '.join(reasons)}: `rtgym_ros doctor` says what this machine can hold"


def _is_reliable(qos: Qos, otherwise: bool) -> bool:
    if qos.reliability is not None:
        return qos.reliability == "reliable"
    return otherwise if qos.profile is None else qos.profile != "sensor"


def _is_latched(qos: Qos) -> bool:
    return qos.profile == "latched" or qos.durability == "transient_local"
