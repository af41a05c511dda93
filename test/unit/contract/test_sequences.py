"""Sequences on stepped time: exact times of every call, message and error."""

import pickle

import pytest

from rtgym_ros.contract.grammar.source import Source
from rtgym_ros.contract.records.gate import Condition, Gate
from rtgym_ros.contract.records.step import CallStep, GoalStep, PublishStep, SendStep, SleepStep, UntilStep
from rtgym_ros.contract.sequences.periodic import Periodic
from rtgym_ros.contract.sequences.port import Reading
from rtgym_ros.contract.sequences.runner import SequenceRunner, StepError, StepTimeoutError
from rtgym_ros.core.errors import InterfaceTimeoutError

READY = Gate(name="ready", topic="robot_ready", field="data", equals=True, timeout=2.0)
SOURCE = Source("robot.yaml", {("start",): 7, ("start", 0): 8, ("start", 1): 9, ("gates", "ready"): 4})


class Answer:
    """The response to a call: comes at a time, with fields."""

    def __init__(self, port, at, fields):
        self.port, self.at, self.fields, self.cancelled = port, at, fields, False

    def done(self):
        return self.port.seconds >= self.at

    def field(self, path):
        if path not in self.fields:
            raise LookupError(f"the response has no field {path}")
        return self.fields[path]

    def cancel(self):
        self.cancelled = True


class GoalAnswer:
    """A goal that is accepted, then ends."""

    def __init__(self, port, accepted_at, ends_at, accepted=True, succeeded=True):
        self.port, self.accepted_at, self.ends_at = port, accepted_at, ends_at
        self.results = accepted, succeeded

    def accepted(self):
        return self.results[0] if self.port.seconds >= self.accepted_at else None

    def succeeded(self):
        return self.results[1] if self.port.seconds >= self.ends_at else None

    def status(self):
        return "executing" if self.succeeded() is None else "succeeded" if self.results[1] else "aborted"

    def cancel(self):
        self.port.note("cancel goal")


class SteppedPort:
    """A graph in which time passes only while somebody waits; writes down ``(ms, what)``."""

    def __init__(self, server_at=0.0, answers=(), readings=(), rate=1.0, arrives=3, gone_at=float("inf")):
        self.seconds = 0.0
        self.gone_at = gone_at
        self.log = []
        self.server_at = server_at
        self.answers = list(answers)  # (delay, fields), one a call
        self.readings = dict(readings)  # topic: function of the time
        self.rate = rate  # of the clock of the time-steps
        self.arrives = arrives
        self.made = []

    def note(self, what):
        self.log.append((round(self.seconds * 1000), what))

    def now(self):
        return self.seconds

    def time(self):
        return self.seconds * self.rate

    def wait(self, seconds):
        assert seconds >= 0
        assert seconds < 60, "unbounded"
        self.seconds += max(seconds, 1e-9)

    def server_ready(self, step):
        return self.server_at <= self.seconds < self.gone_at

    def call(self, step):
        self.note(f"call {step.call}")
        delay, fields = self.answers.pop(0)
        self.made.append(Answer(self, self.seconds + delay, fields))
        return self.made[-1]

    def send_goal(self, step):
        self.note(f"goal {step.goal}")
        return self.answers.pop(0)(self)

    def publish(self, step):
        self.note(f"publish {step.publish}")

    def read(self, condition):
        return self.readings[condition.topic](self.seconds)

    def move(self, targets):
        self.note(f"move {dict(targets)}")
        self.arrives -= 1
        return self.arrives <= 0

    def command_period(self):
        return 0.05


def true_from(seconds):
    return lambda now: Reading(now >= seconds, 0.0, 1)


def run(port, *steps, **more):
    SequenceRunner(port, {"ready": READY}, SOURCE, **more).run("start", steps)
    return port.log


def test_a_call_waits_for_its_server_and_its_response():
    port = SteppedPort(server_at=0.5, answers=[(0.25, {"success": True, "message": ""})])
    assert run(port, CallStep(call="arm")) == [(500, "call arm")]
    assert port.seconds == pytest.approx(0.75, abs=0.011)
    assert port.made[0].cancelled


@pytest.mark.parametrize(
    ("expect", "fields", "refusal"),
    [
        (None, {"success": True}, None),
        (None, {"value": 3}, None),
        (None, {"success": False, "message": "not armed"}, "success is false (not armed)"),
        ({"code": 0}, {"success": False, "code": 0}, None),
        ({"code": 0}, {"code": 4}, "code is 4, and not 0"),
        ({"code": 0}, {"success": True}, "the response has no field code"),
    ],
)
def test_what_a_response_must_say(expect, fields, refusal):
    port = SteppedPort(answers=[(0.0, fields)])
    step = CallStep(call="arm", expect=expect)
    if refusal is None:
        run(port, step)
        return
    with pytest.raises(StepError) as caught:
        run(port, step)
    assert str(caught.value).startswith("robot.yaml:8: start[0]: call arm: ")
    assert refusal in str(caught.value)
    assert not isinstance(caught.value, TimeoutError)


def test_a_refused_call_is_repeated_with_every():
    no, yes = (0.0, {"success": False}), (0.0, {"success": True})
    port = SteppedPort(answers=[no, no, yes])
    assert run(port, CallStep(call="arm", every=0.4)) == [(0, "call arm"), (400, "call arm"), (800, "call arm")]


@pytest.mark.parametrize(
    ("port", "step", "why"),
    [
        (SteppedPort(server_at=9), CallStep(call="arm"), "call arm: is not over after 5 s: service arm has no server"),
        (SteppedPort(answers=[(9, {})]), CallStep(call="arm", timeout=2), "2 s: service arm has not responded"),
        (
            SteppedPort(answers=[(0, {"success": False})] * 9),
            CallStep(call="arm", every=1.0, timeout=2.5),
            "2.5 s: service arm refused: success is false",
        ),
        (SteppedPort(server_at=9), GoalStep(goal="fly"), "action fly has no server"),
        (
            SteppedPort(readings={"robot_ready": lambda now: Reading(False, 0.0, 1)}),
            UntilStep(until="ready"),
            "until ready: is not over after 5 s: data of robot_ready is False, and not True",
        ),
        (
            SteppedPort(readings={"robot_ready": lambda now: Reading()}),
            PublishStep(publish="mode", every=0.5, until="ready"),
            "publish mode: is not over after 5 s: robot_ready has no publisher",
        ),
        (SteppedPort(rate=0.0), SleepStep(sleep=1.0, timeout=3), "sleep 1: is not over after 3 s: 1 s of the clock"),
        (SteppedPort(arrives=1000), SendStep(send={"arm": 0.0}), "send arm: is not over after 5 s: the commands are"),
    ],
)
def test_a_step_that_takes_too_long_says_why(port, step, why):
    with pytest.raises(StepTimeoutError) as caught:
        run(port, step)
    assert isinstance(caught.value, TimeoutError)
    assert str(caught.value).startswith("robot.yaml:8: start[0]: ")
    assert why in str(caught.value)
    assert port.seconds == pytest.approx(step.timeout)
    assert (caught.value.sequence, caught.value.index) == ("start", 0)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize(
    ("port", "step", "seconds", "why"),
    [
        (SteppedPort(gone_at=0.0), CallStep(call="disarm"), 0.5, "service disarm has no server"),
        (SteppedPort(gone_at=0.0), GoalStep(goal="land"), 0.5, "action land has no server"),
        (
            SteppedPort(answers=[(9, {})], gone_at=0.25),
            CallStep(call="disarm"),
            1.25,
            "service disarm has gone and has not responded",
        ),
        (
            SteppedPort(answers=[lambda port: GoalAnswer(port, 9, 9)], gone_at=0.25),
            GoalStep(goal="land"),
            1.25,
            "action land has gone and has not answered the goal",
        ),
    ],
)
def test_a_server_that_has_gone_is_not_waited_for(port, step, seconds, why):
    with pytest.raises(StepError, match=why) as caught:
        run(port, step, patience=0.5)
    assert not isinstance(caught.value, TimeoutError)
    assert port.seconds == pytest.approx(seconds, abs=0.011)


def test_publish_once_and_until():
    port = SteppedPort(readings={"robot_ready": true_from(1.2)})
    steps = PublishStep(publish="hello"), PublishStep(publish="mode", every=0.5, until="ready")
    assert run(port, *steps) == [
        (0, "publish hello"),
        (0, "publish mode"),
        (500, "publish mode"),
        (1000, "publish mode"),
    ]
    assert port.seconds == pytest.approx(1.2, abs=0.011)


def test_until_an_inline_condition():
    port = SteppedPort(readings={"altitude": lambda now: Reading(now, 0.0, 1)})
    run(port, UntilStep(until=Condition(topic="altitude", field="data", min=0.4)))
    assert port.seconds == pytest.approx(0.4, abs=0.011)


def test_goals():
    port = SteppedPort(answers=[lambda port: GoalAnswer(port, 0.1, 9.0)])
    assert run(port, GoalStep(goal="grip")) == [(0, "goal grip")]  # accepted is enough
    assert port.seconds == pytest.approx(0.1, abs=0.011)
    port = SteppedPort(answers=[lambda port: GoalAnswer(port, 0.1, 2.0)])
    run(port, GoalStep(goal="fly", wait=True))
    assert port.seconds == pytest.approx(2.0, abs=0.011)


@pytest.mark.parametrize(
    ("goal", "why", "cancelled"),
    [
        (lambda port: GoalAnswer(port, 0.0, 1.0, accepted=False), "action fly refused the goal", False),
        (lambda port: GoalAnswer(port, 0.0, 1.0, succeeded=False), "the goal of fly is aborted", False),
        (lambda port: GoalAnswer(port, 0.0, 99.0), "is not over after 5 s: the goal of fly is executing", True),
        (lambda port: GoalAnswer(port, 99.0, 99.0), "has not answered the goal", True),
    ],
)
def test_goals_that_fail_and_goals_that_are_given_up(goal, why, cancelled):
    port = SteppedPort(answers=[goal])
    with pytest.raises(StepError, match=why):
        run(port, GoalStep(goal="fly", wait=True))
    assert any(what == "cancel goal" for _, what in port.log) == cancelled


@pytest.mark.parametrize(("rate", "wall"), [(1.0, 1.0), (4.0, 0.25), (0.5, 2.0)])
def test_sleep_is_in_the_clock_of_the_time_steps(rate, wall):
    port = SteppedPort(rate=rate)
    run(port, SleepStep(sleep=1.0))
    assert port.seconds == pytest.approx(wall, abs=0.011)


def test_send_moves_at_the_rate_of_the_commands_until_they_arrived():
    port = SteppedPort(arrives=3)
    move = "move {'arm': (0.0, 1.0)}"
    assert run(port, SendStep(send={"arm": (0.0, 1.0)})) == [(0, move), (50, move), (100, move)]


def test_send_until_a_condition_goes_on_after_the_commands_arrived():
    port = SteppedPort(arrives=1, readings={"robot_ready": true_from(0.2)})
    run(port, SendStep(send={"arm": 0.0}, until="ready"))
    assert [ms for ms, _ in port.log] == [0, 50, 100, 150, 200]


def test_heartbeats_and_commands_go_on_during_steps():
    port = SteppedPort(readings={"robot_ready": true_from(0.35)}, arrives=3)
    heartbeat = Periodic(0.1, lambda: port.note("beat"))
    commands = Periodic(0.15, lambda: port.note("safe"))
    run(port, UntilStep(until="ready"), SendStep(send={"a": 0.0}), heartbeats=[heartbeat], commands=commands)
    beats = [ms for ms, what in port.log if what == "beat"]
    assert beats == [0, 100, 200, 300, 400]
    safe = [ms for ms, what in port.log if what == "safe"]
    moves = [ms for ms, what in port.log if what.startswith("move")]
    assert safe == [0, 150, 300]
    assert min(moves) > max(safe)  # one of the two at a time


def test_the_first_failure_ends_a_sequence_but_not_stop():
    steps = CallStep(call="a"), PublishStep(publish="b"), CallStep(call="c")
    answers = [(0, {"success": False}), (0, {"success": False})]
    port = SteppedPort(answers=list(answers))
    with pytest.raises(StepError, match="call a"):
        run(port, *steps)
    assert [what for _, what in port.log] == ["call a"]
    port = SteppedPort(answers=list(answers))
    with pytest.raises(StepError, match="call a") as caught:
        SequenceRunner(port, {}, SOURCE).run("stop", steps, keep_going=True)
    assert [what for _, what in port.log] == ["call a", "publish b", "call c"]
    assert caught.value.index == 0


def test_waiting_for_gates():
    port = SteppedPort(readings={"robot_ready": true_from(1.5)})
    beats = Periodic(0.5, lambda: port.note("beat"))
    SequenceRunner(port, {"ready": READY}, SOURCE, heartbeats=[beats]).wait_for_gates()
    assert port.seconds == pytest.approx(1.5, abs=0.011)
    assert [ms for ms, _ in port.log] == [0, 500, 1000, 1500]


def test_a_gate_that_never_holds():
    port = SteppedPort(readings={"robot_ready": lambda now: Reading(None, None, 1)})
    with pytest.raises(InterfaceTimeoutError) as caught:
        SequenceRunner(port, {"ready": READY}, SOURCE).wait_for_gates()
    assert str(caught.value) == (
        "robot.yaml:4: gates.ready: does not hold after 2 s: no message has come on robot_ready (1 publishers)"
    )
    assert port.seconds == pytest.approx(2.0)


def test_a_wait_that_raises_ends_the_sequence_and_cancels_its_goal():
    port = SteppedPort(answers=[lambda port: GoalAnswer(port, 99.0, 99.0)])

    def wait(seconds):
        raise KeyboardInterrupt

    port.wait = wait
    with pytest.raises(KeyboardInterrupt):
        run(port, GoalStep(goal="fly", wait=True))
    assert port.log == [(0, "goal fly"), (0, "cancel goal")]


def test_periods_that_were_missed_are_left_out():
    calls = []
    periodic = Periodic(1.0, lambda: calls.append(1))
    for now, count in [(0.0, 1), (0.5, 1), (1.0, 2), (1.9, 2), (5.5, 3), (6.0, 3), (6.5, 4)]:
        periodic.run(now)
        assert len(calls) == count, now
    assert periodic.due(6.6) == 7.5
