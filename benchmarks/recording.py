"""What recording costs the clock: ``python -m benchmarks.recording``, best under ``chrt -f 40`` beside other work.

One environment is stepped without and with :class:`rtgym_ros.wrappers.Record`, turn and turn about, and the p99 of how
far the intervals between sends are from the period is compared.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from time import monotonic, perf_counter_ns
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros import DEFAULT_CONFIG_DICT, RealTimeEnv, RealTimeGymInterface
from rtgym_ros.core.errors import TimeStepTimeoutWarning
from rtgym_ros.wrappers import Record

_CASES = {"numbers at 1 kHz": (0.001, (8,), np.float32), "640x480 images at 30 Hz": (1 / 30, (480, 640, 3), np.uint8)}
_WARM_UP = 0.1
"""Share of the intervals of a turn that do not count: of the first ones."""


class _Stamping(RealTimeGymInterface):
    """Notes when actions are sent; observes random values that are made before."""

    def __init__(self, shape: tuple[int, ...], dtype: Any, sends: list[int]) -> None:
        self._sends = sends
        rng = np.random.default_rng(0)
        self._space = spaces.Box(0, 255, shape, dtype)
        self._values = [rng.integers(0, 255, shape).astype(dtype) for _ in range(8)]

    def get_observation_space(self) -> Any:
        return spaces.Tuple((self._space,))

    def get_action_space(self) -> Any:
        return spaces.Box(-1.0, 1.0, (2,))

    def get_default_action(self) -> Any:
        return np.zeros(2, np.float32)

    def send_control(self, control: Any) -> None:
        self._sends.append(perf_counter_ns())

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        return [self._values[0]], {}

    def get_obs_rew_terminated_info(self) -> tuple[Any, float, bool, dict[str, Any]]:
        return [self._values[len(self._sends) % 8]], 0.0, False, {}

    def wait(self) -> None:
        pass


def turn(case: str, seconds: float, folder: str | None) -> tuple[np.ndarray[Any, Any], int]:
    """Step for some time; return the deviations of the intervals from the period (us), and what was dropped."""
    period, shape, dtype = _CASES[case]
    sends: list[int] = []
    config = {
        **DEFAULT_CONFIG_DICT,
        "interface": _Stamping,
        "interface_args": (shape, dtype, sends),
        "time_step_duration": period,
        "start_obs_capture": period,
        "ep_max_length": float("inf"),
    }
    env: Any = RealTimeEnv(config)
    if folder is not None:
        env = Record(env, folder, split=1 << 30)
    action = np.zeros(2, np.float32)
    env.reset()
    end = monotonic() + seconds
    while monotonic() < end:
        env.step(action)
    env.close()
    dropped = env.recorder.state.dropped if folder is not None else 0
    intervals = np.diff(sends)[int(_WARM_UP * len(sends)) : -2]
    return np.abs(intervals - 1e9 * period) / 1e3, dropped


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser("benchmarks.recording", description=__doc__)
    parser.add_argument("--turns", type=int, default=6, help="without and with recording each (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of a turn (default %(default)s)")
    parser.add_argument("--case", choices=_CASES, action="append", help="this one alone; may be given again")
    options = parser.parse_args()
    warnings.simplefilter("ignore", TimeStepTimeoutWarning)
    for case in options.case or _CASES:
        without, recorded, dropped = [], [], 0
        for _ in range(options.turns):
            without.append(turn(case, options.seconds, None)[0])
            with tempfile.TemporaryDirectory() as folder:
                deviations, lost = turn(case, options.seconds, folder)
            recorded.append(deviations)
            dropped += lost
        for name, percentile in (("median", 50), ("p99", 99), ("p99.9", 99.9)):
            off, on = (float(np.percentile(np.concatenate(all_of), percentile)) for all_of in (without, recorded))
            ratios = [
                np.percentile(on_one, percentile) / np.percentile(off_one, percentile)
                for off_one, on_one in zip(without, recorded, strict=True)
            ]
            sys.stdout.write(
                f"{case}: {name} {off:.1f} us without, {on:.1f} us with, ratio {on / off:.2f} "
                f"(turns: median {np.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f})\n"
            )
        steps = sum(map(len, recorded))
        sys.stdout.write(f"{case}: {steps} recorded intervals, {dropped} time-steps dropped\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
