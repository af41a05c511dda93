"""What ``/diagnostics`` says, before it is a message: statuses of time-steps, topics and commands. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple

from rtgym_ros.core.elastic_clock import TimeStep
from rtgym_ros.core.time_source import to_s


class Level(IntEnum):
    """How bad it is, with the numbers of ``diagnostic_msgs/DiagnosticStatus``."""

    OK = 0
    WARN = 1
    ERROR = 2
    STALE = 3


class Status(NamedTuple):
    """One status.

    Attributes:
        name: of what, within its node.
        level: how bad.
        message: in a few words.
        values: more of it, by name.
    """

    name: str
    level: Level
    message: str
    values: Mapping[str, object]


class Rates:
    """Counts become rates between two calls of :meth:`next`."""

    def __init__(self) -> None:
        self._now_ns: int | None = None
        self._passed = 0.0
        self._counts: dict[str, int] = {}

    def next(self, now_ns: int) -> None:
        """Begin the next message, at ``now_ns`` (ns of any clock, always the same)."""
        self._passed = 0.0 if self._now_ns is None else max(to_s(now_ns - self._now_ns), 0.0)
        self._now_ns = now_ns

    def since(self, name: str, count: int) -> int:
        """Return how much a count has grown since the last message."""
        grown = count - self._counts.get(name, 0)
        self._counts[name] = count
        return grown

    def per_second(self, grown: int) -> float:
        """Return what has grown so much since the last message in 1/s; 0 in the first."""
        return grown / self._passed if self._passed else 0.0


class TimeStepStatus:
    """Counts time-steps, in the clock thread, and says how they were, in any other."""

    def __init__(self) -> None:
        self._time_steps = self._overruns = self._timeouts = 0
        self._latest_ns = 0

    @property
    def time_steps(self) -> int:
        """How many have begun."""
        return self._time_steps

    def add(self, time_step: TimeStep) -> None:
        """Note that a time-step has begun."""
        self._time_steps += 1
        self._overruns += time_step.overrun
        self._timeouts += time_step.timed_out
        self._latest_ns = max(self._latest_ns, time_step.lateness_ns)

    def status(self, rates: Rates, safe_actions: int) -> Status:
        """Return the status since the last message.

        Args:
            rates: of the node, after :meth:`Rates.next`.
            safe_actions: how often the environment has sent the safe action of its own accord.
        """
        begun = rates.since("time-steps", self._time_steps)
        timeouts, overruns = rates.since("timeouts", self._timeouts), rates.since("overruns", self._overruns)
        worst_ns, self._latest_ns = self._latest_ns, 0
        rate = rates.per_second(begun)
        level, message = Level.OK, f"{rate:.1f} Hz" if begun else "none: nobody steps"
        if timeouts:
            level, message = Level.WARN, f"{message}; {timeouts} of {begun} timed out: their actions came late"
        values = {
            "rate (Hz)": f"{rate:.1f}",
            "time-steps": self._time_steps,
            "overruns": self._overruns,
            "timeouts, for late actions": self._timeouts,
            "overruns since the last message": overruns,
            "longest lateness since the last message (ms)": f"{worst_ns / 1e6:.2f}",
            "safe actions, for failures and absent agents": safe_actions,
        }
        return Status("time-steps", level, message, values)


class TopicFacts(NamedTuple):
    """A topic of the observation, as it is now.

    Attributes:
        topic: its full name.
        taken: how many messages were taken from it so far.
        publishers: how many it has.
        age: of the newest message (s); NaN before the first.
        max_age: the oldest that it may be (s); infinite for any.
        is_latched: whether its last message stays true.
        more: what else there is to tell.
    """

    topic: str
    taken: int
    publishers: int
    age: float
    max_age: float
    is_latched: bool = False
    more: Mapping[str, object] = {}


def topic_status(facts: TopicFacts, rates: Rates, is_observed: bool) -> Status:
    """Return the status of a topic of the observation.

    Args:
        facts: of the topic.
        rates: of the node, after :meth:`Rates.next`.
        is_observed: whether captures were made since the last message: without, nothing is taken.
    """
    taken = rates.since(facts.topic, facts.taken)
    rate = rates.per_second(taken)
    level, message = Level.OK, f"{rate:.1f} Hz" if taken else "latched"
    if not facts.publishers:
        level, message = Level.ERROR, "nobody publishes"
    elif not is_observed:
        message = "not looked at: nobody steps"
    elif not taken and not facts.is_latched:
        level, message = Level.STALE, "silent"
    elif facts.age > facts.max_age:
        level, message = Level.WARN, f"{facts.age:.3g} s old, max_age is {facts.max_age:g} s"
    values = {
        "rate taken (Hz)": f"{rate:.1f}",
        "age (s)": f"{facts.age:.4f}",
        "messages taken": facts.taken,
        "publishers": facts.publishers,
        **facts.more,
    }
    return Status(f"topic {facts.topic}", level, message, values)


def actions_status(subscribers: Mapping[str, int], counts: Mapping[str, int], source: str | None = None) -> Status:
    """Return the status of what is sent.

    Args:
        subscribers: of each topic of commands.
        counts: of actions, by what became of them.
        source: who commands the robot in place of the environment; None: it does.
    """
    lonely = [topic for topic, count in subscribers.items() if not count]
    level, message = Level.OK, "sent"
    if source is not None:
        message = f"replaced: {source} commands the robot"
    if lonely:
        level, message = Level.ERROR, f"nobody subscribes to {', '.join(lonely)}"
    values = {**counts, **{f"subscribers of {topic}": count for topic, count in subscribers.items()}}
    return Status("actions", level, message, values)


def graph_status(problems: Sequence[str]) -> Status:
    """Return the status of QoS, types and nodes that are in the way, one line each."""
    level, message = (Level.WARN, problems[0]) if problems else (Level.OK, "topics match")
    values = {f"problem {number}": line for number, line in enumerate(problems, start=1)}
    return Status("topics", level, message, values)


def alarm_status(alarms: int, rates: Rates) -> Status:
    """Return the status of the action buffer: ``alarms`` observations so far were not Markovian without more of it."""
    grown = rates.since("delay alarms", alarms)
    level, message = Level.OK, "long enough"
    if grown:
        level, message = Level.WARN, f"too short for the delays of {grown} observations since the last message"
    return Status("action buffer", level, message, {"observations with delays beyond act_buf_len": alarms})


def recorder_status(written: int, dropped: int, error: str, rates: Rates) -> Status:
    """Return the status of a recording; ``error`` is why nothing is being written, empty while all is well."""
    grown = rates.since("dropped", dropped)
    level, message = (Level.WARN, f"{grown} dropped since the last message") if grown else (Level.OK, "keeps up")
    if error:
        level, message = Level.ERROR, error
    return Status("recording", level, message, {"written": written, "dropped": dropped})
