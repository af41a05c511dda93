"""The one place that says what differs between Real-Time Gym 0.16 and this package on purpose.

``docs/migrating.md`` shows these rows (``test/docs/test_differences.py``), and what the differential test finds has to
be explained by one of them.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass
class Found:
    """One thing that is not the same.

    Attributes:
        config: entries of the flight's configuration, as text.
        traits: what its robot was like.
        event: what was called.
        path: where in the answer.
        theirs: what is there on Real-Time Gym.
        ours: what is there here.
        before: the events before it.
    """

    config: dict[str, str]
    traits: dict[str, Any]
    event: str
    path: tuple[Any, ...]
    theirs: Any
    ours: Any
    before: list[str]

    @property
    def keeps_buffer(self) -> bool:
        """Whether the action buffer outlives a reset."""
        return self.config.get("reset_act_buf") in ("False", "0")

    @property
    def in_buffer(self) -> bool:
        """Whether it is in the action buffer, or in the action of a reset, which may come out of it."""
        if self.event == "attributes":
            return self.path[0] == "act_buf"
        if self.event == "sent":
            return self.config.get("last_act_on_reset") in ("True", "1")
        elements = 2 if self.config.get("obs_prepro_func") == "shortened" else 3
        return (
            self.path[:1] == (1,) and len(self.path) > 1 and isinstance(self.path[1], int) and self.path[1] > elements
        )


@dataclass(frozen=True)
class Difference:
    """A difference on purpose.

    Attributes:
        topic: what it is about.
        rtgym: how Real-Time Gym is.
        rtgym_ros: how this package is.
        compat: how this package is under ``python -m rtgym_ros.compat``, where that is yet another way.
        explains: whether it explains what the differential test has found; None where that cannot find it.
    """

    topic: str
    rtgym: str
    rtgym_ros: str
    compat: str = ""
    explains: Callable[[Found], bool] | None = None


def _after(event: str) -> Callable[[Found], bool]:
    """Return whether something in the action buffer differs after an event that leaves a mark there."""
    return lambda found: found.in_buffer and found.keeps_buffer and event in found.before


def _stepped_without_episode(found: Found) -> bool:
    since_reset = found.before[max((i for i, e in enumerate(found.before) if e.startswith("reset")), default=0) :]
    if found.event == "attributes" and found.path == ("current_step",):
        return value_of(found.theirs) - value_of(found.ours) == since_reset.count("step_without_episode") > 0
    return found.in_buffer and "step_without_episode" in (found.before if found.keeps_buffer else since_reset)


def _prepro_saw_buffer(found: Found) -> bool:
    # The last action is taken away in place of the last element of the observation: the third, after the type.
    in_observation = found.path[:1] == (1,) and len(found.path) > 1 and found.path[1] >= 3
    is_seen = found.config.get("obs_prepro_func") == "shortened" and found.config.get("act_in_obs") in ("True", "1")
    return found.event.startswith("reset") and is_seen and in_observation


def _no_deltas_yet(found: Found) -> bool:
    if found.event != "benchmarks" or found.path or not isinstance(found.ours, dict):
        return False
    return found.theirs == {name: part for name, part in found.ours.items() if name != "deltas"}


def _info_is_none(found: Found) -> bool:
    return (
        found.theirs == "NoneType(None)" and found.ours == {} and found.path[-1] == (5 if found.event == "step" else 2)
    )


def _wrote_into_control(found: Found) -> bool:
    holds_actions = found.in_buffer or found.event == "sent" or found.path == ("default_action",)
    if not (found.traits["writes_into_control"] and holds_actions):
        return False
    match = _ARRAY.fullmatch(str(found.theirs))
    return match is not None and set(re.findall(r"[\d.]+", match[2])) == {"0.5"}


def _is_no_tuple(found: Found) -> bool:
    if found.event not in ("reset", "step", "reset_in_episode") or found.path != (1,):
        return False
    if found.traits["space"] == "dict":
        return isinstance(found.ours, dict) and found.theirs == ["tuple", *(f"str({key!r})" for key in found.ours)]
    match = _ARRAY.fullmatch(str(found.ours))
    if found.traits["space"] != "box" or match is None:
        return False
    return found.theirs == ["tuple", *(f"{match[1]}({number!r})" for number in ast.literal_eval(match[2]))]


def _nearest_value(found: Found) -> bool:
    if found.event != "attributes" or len(found.path) != 1 or found.path[0] not in _NEAREST:
        return False
    theirs, ours = value_of(found.theirs), value_of(found.ours)
    becomes_flag = isinstance(ours, bool) and not isinstance(theirs, bool)
    return ours == _NEAREST[found.path[0]](theirs) and (becomes_flag or ours != theirs)


def value_of(text: str) -> Any:
    """Return the number or the flag that the program has written down with its type."""
    kind, _, value = text.partition("(")
    value = value.removesuffix(")")
    return value == "True" if kind == "bool" else float(value) if kind.startswith("float") else int(value)


_ARRAY = re.compile(r"array\((\w+), \(.*\), (\[.*\])\)")
_AT_LEAST_0 = ("start_obs_capture", "time_step_timeout_factor", "time_step_timeout")
_FLAGS = ("act_in_obs", "reset_act_buf", "wait_on_done", "last_act_on_reset", "benchmark")
_NEAREST: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_AT_LEAST_0, lambda value: max(value, 0.0)),
    **dict.fromkeys(_FLAGS, bool),
    "ep_max_length": lambda value: max(math.ceil(value), 1),
}
"""What an entry that is out of range is taken as."""

DIFFERENCES = (
    Difference(
        "after a pause (`wait()`) longer than a time-step",
        "a large elasticity catches up all of it, with time-steps of no length",
        "the grid restarts",
    ),
    Difference(
        "`reset()` in mid-episode, with `reset_act_buf` False",
        "the newest action of the buffer is overwritten, though it was sent",
        "the action of the reset is appended",
        explains=_after("reset_in_episode"),
    ),
    Difference(
        "`step()` when no episode is under way",
        "counts it and puts the action into the buffer, then raises `RuntimeError`",
        "raises `RuntimeError`, nothing else",
        explains=_stepped_without_episode,
    ),
    Difference(
        "`obs_prepro_func`",
        "sees the action buffer after `reset()`, not after `step()`",
        "never sees it",
        explains=_prepro_saw_buffer,
    ),
    Difference(
        "an observation whose space is no Tuple (`act_in_obs` False)",
        "becomes a tuple: of the keys of a Dict, of the numbers of a Box",
        "is an element of its space",
        explains=_is_no_tuple,
    ),
    Difference(
        "`benchmark_type`", 'anything but `"polyak"` is `"trace"`', "another word is refused", "as Real-Time Gym"
    ),
    Difference(
        "`benchmarks()` of the type `trace` before the second time-step",
        "has no `deltas`",
        "has empty arrays as `deltas`",
        explains=_no_deltas_yet,
    ),
    Difference("`time_step_duration` left out", "0 s", "0.05 s"),
    Difference("`start_obs_capture` left out", "1 s", "the end of the time-step"),
    Difference(
        "an entry out of range: a negative or fractional number, 0 and 1 for flags",
        "is taken as it comes",
        "is refused, with what is allowed",
        "the nearest that means the same, with a warning",
        _nearest_value,
    ),
    Difference(
        "an unknown entry of the configuration",
        "is ignored",
        "is refused, with the nearest known key",
        "is ignored, with a warning",
    ),
    Difference(
        "an action that is not in its space: another shape, `None`, out of bounds",
        "is sent",
        "is refused; out of bounds it is clipped (`out_of_bounds_action`)",
        "is sent, and is in the buffer, with one warning",
    ),
    Difference("an action with NaN or infinity", "is sent", "is refused", "is refused"),
    Difference(
        "an action, a number or an array of another type",
        "is handed on as it is",
        "is made an array of the action space",
        "is handed on as it is",
    ),
    Difference(
        "an observation that is not in its space",
        "is returned",
        "is refused; a number for an array of one element, and another type, are converted",
        "is returned, with one warning",
    ),
    Difference(
        "a reward that is no finite number, `terminated` that is no flag",
        "is returned",
        "is refused; arrays of one element are taken",
        "is returned",
    ),
    Difference("an info that is `None`", "is returned", "is refused", "is returned as `{}`", explains=_info_is_none),
    Difference(
        "an interface that does not derive from `RealTimeGymInterface`, or lacks a method",
        "is taken; a method that is missing fails when it is called",
        "is refused when the environment is made",
        "as Real-Time Gym",
    ),
    Difference(
        "an action, default action or buffer that your program or interface writes into",
        "changes the environment's",
        "is a copy",
        "is a copy",
        _wrote_into_control,
    ),
    Difference(
        "attributes of `env.unwrapped` (`act_buf`, `current_step`, `time_step_duration`, ...)",
        "are there, and may be written",
        "are in `env.unwrapped.config` and its methods",
        "are there, read-only",
    ),
    Difference(
        "an exception in the interface", "is printed by a thread, and `step()` waits for ever", "comes out of `step()`"
    ),
    Difference(
        "an interface that blocks",
        "`step()` waits for ever",
        "`InterfaceTimeoutError`",
        "the same, after an hour",
    ),
    Difference(
        "a program that stops calling",
        "the last action is applied for ever",
        "the safe action is sent after `agent_timeout`",
        "as Real-Time Gym",
    ),
    Difference("`close()`", "does nothing", "sends the safe action, closes the interface, ends the threads"),
    Difference(
        "`info`",
        "what the interface returns",
        "has the [times of the time-step](methods.md#time-in-info) too, unless `time_in_info` is False",
        "as Real-Time Gym",
    ),
    Difference(
        "`env.metadata`", "names no render modes", "has the `render_modes`, and the rate of the clock as `render_fps`"
    ),
    Difference("`env.spec.max_episode_steps`", "None", "`ep_max_length` where that is finite"),
    Difference(
        "the thread that calls the interface",
        "the caller's for `__init__`, `reset`, `wait` and `render`, others for the rest; in `-ts-v1` one thread",
        "one thread, the clock thread, in both; a window that insists on the main thread belongs in the program",
    ),
)
"""As the table of docs/migrating.md shows them."""


def table() -> list[str]:
    """Return the lines of the table in docs/migrating.md."""
    rows = [(d.topic, d.rtgym, d.rtgym_ros, d.compat or "the same") for d in DIFFERENCES]
    head = ("", "Real-Time Gym 0.16", "rtgym_ros", "under compat")
    return [f"| {' | '.join(cells)} |".replace("|  |", "| |") for cells in (head, ("---",) * 4, *rows)]


if __name__ == "__main__":
    print(*table(), sep="\n")
