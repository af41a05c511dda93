"""What a calibration leads to: lines of a report, values of the contract, files for simulators."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from rtgym_ros.cli.calibration_hints import hint_lines
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.core.config import RealTimeConfig
from rtgym_ros.core.errors import ConfigError
from rtgym_ros.delays.calibration import Calibration
from rtgym_ros.delays.recommendations import Recommendations
from rtgym_ros.delays.recorded_delays import RecordedDelays
from rtgym_ros.delays.report import report_text

WRITTEN = ("act_buf_len", "start_obs_capture", "max_age", "phase", "time_step_duration")
"""What is written into a contract."""
_MAX_AGE = 1.5
"""Of the oldest that was seen: as :mod:`rtgym_ros.delays.recommendations` has it."""


def report_lines(contract: Contract, calibration: Calibration, recommendations: Recommendations) -> Iterator[str]:
    """Yield the report."""
    servo = calibration.responses[0].servo if calibration.responses else None
    yield from report_text(recommendations, servo).splitlines()
    for name, age in calibration.oldest.items():
        yield f"  observation.{name}.max_age: {_max_age(age):g}"
        yield f"    {_MAX_AGE:g} x the oldest seen, {1e3 * age:.4g} ms"
    for name, period in calibration.periods.items():
        yield f"  time.phase: {name}"
        yield f"    it comes every {1e3 * period:.4g} ms: in phase, it would be up to that much younger when captured"
    if calibration.predictable is not None:
        yield f"  the next observation follows from the last {calibration.predictable.elbow} actions, and no more"
    yield from hint_lines(contract, calibration, recommendations)


def contract_values(
    contract: Contract, calibration: Calibration, recommendations: Recommendations, wanted: set[str]
) -> dict[tuple[str, ...], float | int | str]:
    """Return what to write into the contract: path of keys: value, of what was measured and is ``wanted``.

    Args:
        contract: to write to.
        calibration: what was measured.
        recommendations: what follows.
        wanted: of :data:`WRITTEN`.

    Raises:
        ConfigError: there is nothing to write.
    """
    values: dict[tuple[str, ...], float | int | str] = {}
    duration = recommendations.time_step_duration
    if "time_step_duration" in wanted and duration != contract.time.get(
        "time_step_duration", RealTimeConfig.time_step_duration
    ):
        values["time", "time_step_duration"] = duration
    if "phase" in wanted and "phase" not in contract.time:
        # The first part is the one whose delays are measured and told.
        for name in contract.observation:
            if name in calibration.periods:
                values["time", "phase"] = name
                break
    if "act_buf_len" in wanted and recommendations.act_buf_len is not None:
        values["time", "act_buf_len"] = recommendations.act_buf_len
    start = recommendations.start_obs_capture
    if "start_obs_capture" in wanted and not math.isnan(start):
        values["time", "start_obs_capture"] = math.floor(start * 1e4) / 1e4
    if "max_age" in wanted:
        for name, age in calibration.oldest.items():
            if name in contract.observation:
                values["observation", name, "max_age"] = _max_age(age)
    if not values:
        raise ConfigError("nothing was measured that could be written into the contract")
    return values


def export_delays(name: Path, calibration: Calibration) -> Iterator[str]:
    """Write ``NAME_action.json`` and ``NAME_observation.json``, and yield how a simulator is given these delays.

    Raises:
        OSError: a file cannot be written.
        ConfigError: no observation delays were measured.
    """
    measured = calibration.measured
    given = []
    for kind, delays in (("action", measured.action_delays), ("observation", measured.observation_delays)):
        finite = _finite(delays)
        if not len(finite):
            continue
        file = name.with_name(f"{name.name}_{kind}.json")
        RecordedDelays(tuple(np.maximum(finite, 0.0).tolist())).save(file)
        yield f"delays: {file} ({len(finite)})"
        given.append(f"{kind}_delay=RecordedDelays.load(Path({str(file)!r}))")
    if not given:
        raise ConfigError("no delays were measured that could be exported")
    yield "from rtgym_ros.delays.recorded_delays import RecordedDelays; from rtgym_ros.wrappers import ArtificialDelays"
    yield f"env = ArtificialDelays(env, {', '.join(given)}, time_step_duration={calibration.time_step_duration:g})"


def _finite(values: ArrayLike) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    x = np.asarray(values, dtype=np.float64).ravel()
    return x[np.isfinite(x)]


def _max_age(oldest: float) -> float:
    return math.ceil(_MAX_AGE * oldest * 1e3) / 1e3
