"""What a contract sends in place of an action that comes late, on stepped time: when, how often, how it is counted."""

from types import SimpleNamespace

import pytest

from rtgym_ros.contract.grammar.reader import read_contract
from rtgym_ros.ros.contract.robot_flow import Flow, RobotFlow

DURATION, ELASTICITY = 0.05, 0.025
CONTRACT = """
contract: 1
robot: stepped
time: {{time_step_duration: 0.05{late_action}}}
action:
  wheels: {{topic: cmd, type: std_msgs/msg/Float64, fields: [data], low: -1, high: 1, quantity: velocity, default: 0}}
observation:
  pose: {{topic: pose, type: std_msgs/msg/Float64, fields: [data], low: -1, high: 1}}
"""


class SteppedRobot:
    """A robot on stepped time, and the commands that it was sent: ``(ms, what)``."""

    def __init__(self):
        self.ms = 0
        self.sent = []
        self.topics = [SimpleNamespace(period=DURATION, is_due=self._is_due, parts=["wheels"])]

    def time(self):
        return self.ms / 1e3

    def now_ns(self):
        return self.ms * 1_000_000

    def send_safe(self):
        self.sent.append((self.ms, "safe"))

    def send_default(self):
        self.sent.append((self.ms, "default"))

    def send_action(self):
        self.sent.append((self.ms, "action"))

    def executed_values(self):
        return {"wheels": 0.5}

    def move(self, targets):
        assert targets == {"wheels": 0.5}
        self.sent.append((self.ms, "repeat"))

    def repeat(self, now_ns, elapsed):
        """Nothing here has a rate."""

    def _is_due(self, now_ns):
        return now_ns / 1e9 - self.sent[-1][0] / 1e3 > self.topics[0].period - 1e-9


@pytest.fixture
def make_flow(tmp_path):
    def make(late_action=""):
        file = tmp_path / "robot.yaml"
        file.write_text(CONTRACT.format(late_action=late_action and f", late_action: {late_action}"))
        robot = SteppedRobot()
        steps = SimpleNamespace(heartbeats=[], gates={}, sequences={"reset": []})
        contract = read_contract(file)
        flow = RobotFlow(contract, steps, robot, robot, robot.now_ns, (DURATION, ELASTICITY))
        flow.has_begun = True
        return robot, flow

    return make


def act(robot, flow):
    flow.begin_time_step()
    robot.send_action()


def let_pass(robot, flow, ms):
    for _ in range(ms):
        robot.ms += 1
        flow.let_flow()


@pytest.mark.parametrize("late_action", ["safe", "default", "repeat"])
def test_from_the_end_of_the_elasticity_on_it_flows_at_the_rate_of_the_commands(late_action, make_flow):
    robot, flow = make_flow(late_action)
    act(robot, flow)
    let_pass(robot, flow, 75)
    assert robot.sent == [(0, "action")], "not before time-step and elasticity have passed"
    let_pass(robot, flow, 110)
    assert robot.sent == [(0, "action"), (76, late_action), (126, late_action), (176, late_action)]
    assert flow.flow is Flow.AGENT
    act(robot, flow)
    assert flow.late_actions == 1
    let_pass(robot, flow, 50)
    act(robot, flow)
    assert robot.sent[4:] == [(185, "action"), (235, "action")]
    assert flow.late_actions == 1


def test_without_the_key_nothing_is_sent_and_it_is_counted(make_flow):
    robot, flow = make_flow()
    act(robot, flow)
    let_pass(robot, flow, 200)
    act(robot, flow)
    assert robot.sent == [(0, "action"), (200, "action")]
    assert flow.late_actions == 1


def test_another_timing_moves_the_threshold(make_flow):
    robot, flow = make_flow("safe")
    flow.retime(0.1, 0.05)
    act(robot, flow)
    let_pass(robot, flow, 150)
    assert robot.sent == [(0, "action")]
    let_pass(robot, flow, 101)
    assert robot.sent[1:] == [(151, "safe"), (251, "safe")], "at the rate of the time-steps"
    act(robot, flow)
    assert flow.late_actions == 1
    flow.retime(0.02, 0.0)
    let_pass(robot, flow, 21)
    act(robot, flow)
    assert flow.late_actions == 2


def test_with_an_endless_elasticity_no_action_is_late(make_flow):
    robot, flow = make_flow("safe")
    flow.retime(0.05, float("inf"))
    act(robot, flow)
    let_pass(robot, flow, 5000)
    act(robot, flow)
    assert robot.sent == [(0, "action"), (5000, "action")]
    assert flow.late_actions == 0
