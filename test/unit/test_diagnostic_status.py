"""What `/diagnostics` says, from counts alone."""

from math import inf, nan

import pytest

from rtgym_ros.core.elastic_clock import TimeStep
from rtgym_ros.ros.diagnostics.status import (
    Level,
    Rates,
    TimeStepStatus,
    TopicFacts,
    actions_status,
    alarm_status,
    graph_status,
    recorder_status,
    topic_status,
)

S = 1_000_000_000


def time_step(lateness_ns=0, overrun=False, timed_out=False):
    return TimeStep(0, 0, 0, 0, 0, lateness_ns, overrun, timed_out)


def test_time_steps_are_told_as_a_rate_and_late_ones_as_a_warning():
    rates, steps = Rates(), TimeStepStatus()
    rates.next(5 * S)
    assert steps.status(rates, 0)[1:3] == (Level.OK, "none: nobody steps")
    for _ in range(20):
        steps.add(time_step())
    steps.add(time_step(3_000_000, overrun=True))
    rates.next(7 * S)
    status = steps.status(rates, 2)
    assert status[:3] == ("time-steps", Level.OK, "10.5 Hz")
    assert status.values["overruns"] == 1
    assert status.values["longest lateness since the last message (ms)"] == "3.00"
    assert status.values["safe actions, for failures and absent agents"] == 2
    steps.add(time_step(80_000_000, timed_out=True))
    steps.add(time_step())
    rates.next(8 * S)
    status = steps.status(rates, 2)
    assert status[1:3] == (Level.WARN, "2.0 Hz; 1 of 2 timed out: their actions came late")
    rates.next(9 * S)
    assert steps.status(rates, 2).level is Level.OK, "of the last second"
    assert steps.status(rates, 2).values["timeouts, for late actions"] == 1


@pytest.mark.parametrize(
    ("changes", "is_observed", "level", "message"),
    [
        ({}, True, Level.OK, "10.0 Hz"),
        ({"publishers": 0}, True, Level.ERROR, "nobody publishes"),
        ({"publishers": 0}, False, Level.ERROR, "nobody publishes"),
        ({"taken": 0}, True, Level.STALE, "silent"),
        ({"taken": 0, "age": nan}, True, Level.STALE, "silent"),
        ({"taken": 0, "is_latched": True}, True, Level.OK, "latched"),
        ({"taken": 0}, False, Level.OK, "not looked at: nobody steps"),
        ({"age": 0.6}, True, Level.WARN, "0.6 s old, max_age is 0.5 s"),
        ({"age": 600.0, "max_age": inf}, True, Level.OK, "10.0 Hz"),
    ],
)
def test_a_topic(changes, is_observed, level, message):
    rates = Rates()
    rates.next(S)
    rates.since("/pose", 7)
    rates.next(3 * S)
    facts = TopicFacts("/pose", 27, 1, 0.01, 0.5)
    facts = facts._replace(**{**changes, "taken": 7 + changes.get("taken", 20)})
    status = topic_status(facts, rates, is_observed)
    assert status[:3] == ("topic /pose", level, message)
    assert status.values["publishers"] == facts.publishers


def test_actions_graph_buffer_and_recording():
    assert actions_status({"/cmd": 1}, {"clipped": 3})[1:] == (
        Level.OK,
        "sent",
        {"clipped": 3, "subscribers of /cmd": 1},
    )
    assert actions_status({"/cmd": 1}, {}, "joystick").message == "replaced: joystick commands the robot"
    assert actions_status({"/cmd": 0, "/other": 1}, {})[1:3] == (Level.ERROR, "nobody subscribes to /cmd")
    assert graph_status([])[1:3] == (Level.OK, "topics match")
    assert graph_status(["first", "second"])[1:] == (Level.WARN, "first", {"problem 1": "first", "problem 2": "second"})
    rates = Rates()
    for now, alarms, level in ((1, 0, Level.OK), (2, 4, Level.WARN), (3, 4, Level.OK)):
        rates.next(now * S)
        assert alarm_status(alarms, rates).level is level
        assert recorder_status(10, alarms, "", rates).level is level
    assert recorder_status(10, 4, "the disk is full", rates)[1:3] == (Level.ERROR, "the disk is full")
