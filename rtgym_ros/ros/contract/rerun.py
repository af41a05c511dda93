"""From the recorded messages to the observations once more: do converters, ages and stale rules give the same bits?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from struct import unpack_from
from typing import Any, NamedTuple

import numpy as np

from rtgym_ros.contract.freshness.outcome import Outcome
from rtgym_ros.contract.grammar.reader import parse_contract, read_contract
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.core.time_source import NS_PER_S, to_s
from rtgym_ros.record.cdr_reader import decode
from rtgym_ros.record.errors import RecordError
from rtgym_ros.record.messages import StoredMessage, read_messages, read_types
from rtgym_ros.record.reading import Run, read_runs, recorded_files
from rtgym_ros.record.recorded_topic import AT_RESET, CAPTURE, SUBSCRIPTION, TIME_STEP
from rtgym_ros.record.time_step import RecordedTimeStep
from rtgym_ros.ros.contract.contract_topic import Arrived
from rtgym_ros.ros.contract.recorded_observations import RecordedObservations

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class MadeAgain:
    """An observation that was made again.

    Attributes:
        run: it belongs to.
        step: as it was recorded.
        values: the parts, made again.
        ages: of the parts (s), made again.
        outcome: of the stale rules and bounds.
        differences: to what was recorded, a line each; none where all bits are the same.
    """

    run: Run
    step: RecordedTimeStep
    values: dict[str, Array]
    ages: dict[str, float]
    outcome: Outcome
    differences: tuple[str, ...] = field(default=())


def rerun(paths: str | Path | Iterable[str | Path], contract: str | Path | None = None) -> Iterator[MadeAgain]:
    """Yield each recorded observation with what its messages give now.

    Args:
        paths: recordings with ``topics="all"``, from the beginning of each run on. With ``topics="captured"`` ages may
            differ where stamps have a clock of their own.
        contract: a file in place of the recorded contract: to see what a change of it would have given.

    Raises:
        RecordError: a file is damaged, no messages were recorded, or some are missing.
        ContractError: the contract does not fit the messages.
    """
    runs: dict[str, _Rerun] = {}
    for file in recorded_files(paths):
        for run_id, run in read_runs(file).items():
            if run_id not in runs:
                runs[run_id] = _Rerun(run, contract, read_types(file))
        for message in read_messages(file):
            again = runs.get(message.facts.get("run", ""))
            if again is not None and (made := again.take(message)) is not None:
                yield made
    for again in runs.values():
        again.finish()


def recorded_values(contract: Contract, step: RecordedTimeStep, like: Mapping[str, Array]) -> dict[str, Array]:
    """Return the parts of a recorded observation, whatever form the contract gives it.

    Args:
        contract: under which it was recorded.
        step: that holds it.
        like: the parts with their shapes and types, in order.
    """
    recorded = dict(step.observation)
    if contract.spaces.observation == "dict":
        return {name: recorded[name] for name in like}
    if contract.spaces.observation == "tuple":
        return {name: recorded[str(number)] for number, name in enumerate(like)}
    values, begin = {}, 0
    for name, value in like.items():
        values[name] = recorded[""][begin : begin + value.size].reshape(value.shape).astype(value.dtype)
        begin += value.size
    return values


class _Capture(NamedTuple):
    values: dict[str, Array]
    ages: dict[str, float]
    outcome: Outcome


class _Rerun:
    """One run, message by message."""

    def __init__(self, run: Run, contract: str | Path | None, types: Mapping[str, str]) -> None:
        self._run = run
        text = run.facts.get("contract", "")
        if "topics" not in run.facts:
            raise RecordError(f"run {run.id[:6]}: it is not of an environment under a contract")
        self._names: dict[str, str] = json.loads(run.facts["topics"])
        self._contract = parse_contract(text, "recorded contract") if contract is None else read_contract(contract)
        self._is_recorded = contract is None
        duration = float(run.config["time_step_duration"])
        self._again = RecordedObservations(self._contract, duration, self._resolve, types)
        self._batch: list[Arrived] = []
        self._batch_of: tuple[int, int] | None = None
        self._sequences: dict[int, int] = {}
        self._captures: dict[float, _Capture] = {}
        self._steps = self._made = 0

    def take(self, message: StoredMessage) -> MadeAgain | None:
        """Take the next message of the run; return an observation where one is complete."""
        if SUBSCRIPTION in message.facts:
            self._arrive(message, int(message.facts[SUBSCRIPTION]))
            return None
        self._hand_over()
        if message.topic == CAPTURE.name:
            sec, nanosec, _ = unpack_from("<iII", message.data, 4)
            now_ns = sec * NS_PER_S + nanosec
            values, ages, outcome, _ = self._again.capture(now_ns, message.data[16:-1] == AT_RESET.encode())
            self._captures[to_s(now_ns)] = _Capture(values, ages, outcome)
        elif message.topic == TIME_STEP.name:
            self._steps += 1
            step = decode(message.data)
            capture = self._captures.pop(step.info.get("capture_ros_time", 0.0), None)
            if capture is not None:
                self._made += 1
                differences = tuple(self._differences(step, capture)) if self._is_recorded else ()
                return MadeAgain(self._run, step, *capture, differences)
        return None

    def finish(self) -> None:
        """Refuse a run of which nothing could be made again."""
        if self._steps and not self._made:
            raise RecordError(
                f"run {self._run.id[:6]}: no messages are in it: record with topics='all', and name its files "
                "from the first on"
            )

    def _arrive(self, message: StoredMessage, number: int) -> None:
        expected = self._sequences.get(number, 0)
        if message.sequence != expected & 0xFFFFFFFF:
            raise RecordError(
                f"run {self._run.id[:6]}: messages {expected} to {message.sequence - 1} of {message.topic} are "
                "missing: name all files of the run, in order; what was dropped cannot be made again"
            )
        self._sequences[number] = expected + 1
        if self._batch_of != (number, message.log_time_ns):
            self._hand_over()
            self._batch_of = (number, message.log_time_ns)
        self._batch.append(Arrived(message.data, message.publish_time_ns))

    def _hand_over(self) -> None:
        """Hand on what came in one pull."""
        batch, self._batch = self._batch, []
        if batch and self._batch_of is not None and self._batch_of[0] < len(self._again.topics):
            self._again.topics[self._batch_of[0]].receive(batch)
        self._batch_of = None

    def _resolve(self, name: str) -> str:
        return self._names.get(name, name)

    def _differences(self, step: RecordedTimeStep, capture: _Capture) -> Iterator[str]:
        where = f"episode {step.episode}, time-step {step.episode_step}"
        for name, recorded in recorded_values(self._contract, step, capture.values).items():
            made = capture.values[name]
            if recorded.dtype != made.dtype or recorded.shape != made.shape or recorded.tobytes() != made.tobytes():
                yield f"{where}: {name}: recorded {recorded}, made again {made}"
        for name, age in capture.ages.items():
            if step.ages.get(name) != age:
                yield f"{where}: age of {name}: recorded {step.ages.get(name)}, made again {age}"
        if capture.outcome is Outcome.TRUNCATE and step.episode_step and not step.truncated and not step.terminated:
            yield f"{where}: made again it ends the episode, and recorded it did not"
