"""What all simulated robots share, exactly, on the smallest of them: a body that counts what happens to it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.robots.simulated_robot import LONGEST_HOLD_NS, RobotParameters, SimulatedRobot
from rtgym_ros.robots.truth_log import TruthEvent, TruthLog, TruthSink, read_truth_log

MS = 1_000_000
AT_ONCE = RobotParameters(0.0, 0.0, 0.0, 0.0)


class Integrator:
    """Adds its command up once a sampling period."""

    def __init__(self):
        self.total = 0.0
        self.halts = 0

    @property
    def state(self):
        return (self.total,)

    def read(self):
        return self.total

    def move(self, command, duration):
        self.total += command[0] if command is not None else 0.0

    def halt(self):
        self.halts += 1


class Memory(TruthSink):
    """Keeps the events as a reader of the file would see them."""

    def __init__(self):
        self.events = []

    def received(self, time_ns, stamp_ns, values):
        self.events.append(TruthEvent("received", time_ns, stamp_ns, values))

    def applied(self, time_ns, stamp_ns, values):
        self.events.append(TruthEvent("applied", time_ns, stamp_ns, values or ()))

    def dropped(self, time_ns, stamp_ns, reason):
        self.events.append(TruthEvent("dropped", time_ns, stamp_ns, (), reason))

    def sample(self, time_ns, stamp_ns, state):
        self.events.append(TruthEvent("sample", time_ns, stamp_ns, state))

    def of(self, event):
        return [(e.time_ns // MS, e.stamp_ns) for e in self.events if e.event == event]


def robot_of(parameters=AT_ONCE, truth=None, seed=0):
    return SimulatedRobot(Integrator(), parameters, np.random.default_rng(seed), 0, truth)


def test_the_truth_of_a_command_from_arrival_to_effect():
    truth = Memory()
    robot = robot_of(replace(AT_ONCE, command_delay_min=0.025, command_delay_max=0.025, command_timeout=0.05), truth)
    robot.command(3 * MS, 1, (2.0,))
    robot.advance(90 * MS)
    assert truth.of("received") == [(3, 1)]
    assert truth.of("applied") == [(30, 1), (80, None)], "at the sampling after 28 ms, until the timeout"
    assert truth.of("sample") == [(t, 1 if 30 <= t < 80 else None) for t in range(0, 100, 10)]
    states = [event.values[0] for event in truth.events if event.event == "sample"]
    assert states == [0, 0, 0, 0, 2, 4, 6, 8, 10, 10]


def test_an_older_command_is_dropped_and_says_why():
    truth = Memory()
    robot = robot_of(truth=truth)
    robot.command(0, 7, (1.0,))
    robot.command(0, 6, (5.0,))
    robot.advance(0)
    assert truth.of("dropped") == [(0, 6)]
    assert truth.events[-2].reason == "a newer one is applied"


# --- stopping ---


def test_a_halted_robot_drops_what_comes_until_it_accepts_again():
    truth = Memory()
    robot = robot_of(truth=truth)
    robot.command(0, 1, (1.0,))
    robot.advance(0)
    robot.halt()
    robot.command(1 * MS, 2, (1.0,))
    samples = robot.advance(20 * MS)
    assert robot.body.halts == 1
    assert [(sample.reading, sample.command_stamp_ns) for sample in samples] == [(1.0, None), (1.0, None)]
    assert truth.of("dropped") == [(10, 2)]
    robot.accepts = True
    robot.command(21 * MS, 2, (1.0,))
    assert robot.advance(30 * MS)[-1].command_stamp_ns == 2
    assert truth.of("applied") == [(0, 1), (10, None), (30, 2)]


def test_what_is_held_for_its_stamp_is_dropped_by_a_halt():
    truth = Memory()
    robot = robot_of(replace(AT_ONCE, apply_at_stamp=True), truth)
    robot.command(0, 100 * MS, (1.0,))
    robot.advance(10 * MS)
    robot.halt()
    robot.advance(20 * MS)
    robot.accepts = True
    assert {sample.reading for sample in robot.advance(200 * MS)} == {0.0}
    assert truth.of("dropped") == [(20, 100 * MS)]


# --- commands that say when ---


@pytest.mark.parametrize(("stamp_ms", "applied_ms"), [(40, 40), (41, 50), (25, 30), (10, 30), (0, 30)])
def test_a_command_is_applied_at_its_stamp_or_when_it_arrives_too_late(stamp_ms, applied_ms):
    truth = Memory()
    link = replace(AT_ONCE, command_delay_min=0.022, command_delay_max=0.022, apply_at_stamp=True)
    robot = robot_of(link, truth)
    robot.command(0, stamp_ms * MS, (1.0,))
    robot.advance(100 * MS)
    assert truth.of("applied") == [(applied_ms, stamp_ms * MS)]


def test_a_stamp_too_far_ahead_is_not_waited_for():
    truth = Memory()
    robot = robot_of(replace(AT_ONCE, apply_at_stamp=True), truth)
    robot.command(0, LONGEST_HOLD_NS, (1.0,))
    robot.command(0, LONGEST_HOLD_NS + 1, (1.0,))
    robot.advance(0)
    assert truth.of("applied") == [(0, LONGEST_HOLD_NS + 1)]


@given(st.integers(0, 1000))
def test_random_delays_become_constant_when_the_stamp_lies_beyond_the_longest(seed):
    truth = Memory()
    robot = robot_of(replace(RobotParameters(), apply_at_stamp=True), truth, seed)
    for now_ms in range(0, 1000, 20):  # a send on each second sampling, to be applied 60 ms later
        robot.advance(now_ms * MS)
        robot.command(now_ms * MS, (now_ms + 60) * MS, (1.0,))
    robot.advance(1100 * MS)
    assert truth.of("applied") == [(now_ms + 60, (now_ms + 60) * MS) for now_ms in range(0, 1000, 20)]
    assert truth.of("dropped") == []


def test_without_the_option_a_stamp_ahead_is_only_a_stamp():
    truth = Memory()
    robot = robot_of(truth=truth)
    robot.command(0, 40 * MS, (1.0,))
    robot.advance(0)
    assert truth.of("applied") == [(0, 40 * MS)]


# --- the link ---


def test_each_direction_has_a_profile_by_name():
    parameters = RobotParameters(command_delay_profile="constant", observation_delay_profile="wifi")
    truth = Memory()
    robot = robot_of(parameters, truth)
    robot.command(0, 1, (1.0,))
    seen = [(now_ms, sample.stamp_ns) for now_ms in range(500) for sample in robot.advance(now_ms * MS)]
    assert truth.of("applied") == [(50, 1)], "constant: command_delay_max"
    assert len({now_ms - stamp_ns // MS for now_ms, stamp_ns in seen}) > 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"command_delay_profile": "unifrm"}, r"unknown delay profile 'unifrm': .*did you mean 'uniform'"),
        ({"observation_delay_min": 0.06}, r"low must be at most high \(0\.05\), got 0\.06"),
    ],
)
def test_a_bad_link_is_named(changes, message):
    with pytest.raises(ConfigError, match=message):
        robot_of(replace(RobotParameters(), **changes))


def test_lost_observations_do_not_change_the_robot():
    whole, lossy = robot_of(RobotParameters()), robot_of(replace(RobotParameters(), observation_loss=0.3))
    for robot in (whole, lossy):
        robot.command(0, 1, (1.0,))
    complete = {sample.stamp_ns: sample.reading for sample in whole.advance(10_000 * MS)}
    received = {sample.stamp_ns: sample.reading for sample in lossy.advance(10_000 * MS)}
    assert 0.6 * len(complete) < len(received) < 0.8 * len(complete)
    assert received == {stamp: complete.get(stamp, received[stamp]) for stamp in received}


# --- the file ---


def test_what_is_written_is_read_again(tmp_path):
    path, memory = tmp_path / "truth.jsonl", Memory()
    log = TruthLog(path)

    def run(truth):
        truth.received(1, 2, (0.1, float("inf"), float("-inf")))
        truth.applied(3, 2, (0.1, -1e-300))
        truth.applied(4, None, None)
        truth.dropped(5, 6, "a newer one is applied")
        truth.sample(7, None, (1.0,))

    run(log)
    run(memory)
    assert list(read_truth_log(path)) == memory.events, "while it is being written"
    log.close()
    assert list(read_truth_log(path)) == memory.events


def test_a_log_is_continued_and_a_line_without_its_end_is_left_out(tmp_path):
    path = tmp_path / "truth.jsonl"
    for number in range(2):
        log = TruthLog(path)
        log.sample(number, None, ())
        log.close()
    with path.open("a") as file:
        file.write('{"event":"sample","time":2')
    assert [event.time_ns for event in read_truth_log(path)] == [0, 1]


@pytest.mark.parametrize("line", ["{}", "7", "[1]", '{"event":"sample","time":"now","stamp":null}', "hello"])
def test_a_line_of_another_file_is_named(tmp_path, line):
    path = tmp_path / "truth.jsonl"
    path.write_text(f'{{"event":"sample","time":1,"stamp":null,"state":[]}}\n{line}\n')
    with pytest.raises(ValueError, match=r"truth\.jsonl:2: not a line of a truth log"):
        list(read_truth_log(path))


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"truth log '.*nowhere/truth\.jsonl' cannot be written: No such file"):
        TruthLog(tmp_path / "nowhere" / "truth.jsonl")
