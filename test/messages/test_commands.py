"""The action of a contract taken apart: in each form of the agent's space, and what is no element of it."""

import numpy as np
import pytest
from ros_messages import layout

from rtgym_ros.contract.grammar.reader import parse_contract
from rtgym_ros.contract.resolution.commands import resolve_command
from rtgym_ros.core.errors import ActionError
from rtgym_ros.ros.contract.commands import Commands, TopicCommand

CONTRACT = """
contract: 1
robot: drive
spaces: {{action: {form}}}
action:
  speed: {{topic: cmd_vel, type: geometry_msgs/msg/TwistStamped, fields: [twist.linear.x, twist.linear.y], low: -2,
           high: 2, quantity: velocity}}
  turn: {{topic: cmd_vel, type: geometry_msgs/msg/TwistStamped, fields: [twist.angular.z], low: -1, high: 1,
          agent_range: [-10, 10], quantity: velocity}}
observation:
  point: {{topic: point, type: geometry_msgs/msg/PointStamped, fields: [point.x], low: -1, high: 1}}
"""
SPEED, TURN = np.float32([0.5, -0.25]), np.float32([5.0])
ELEMENTS = {
    "dict": {"speed": SPEED, "turn": TURN},
    "tuple": (SPEED, TURN),
    "flat": np.concatenate([SPEED, TURN]),
}


class Sink(list):
    """Writes down what is sent."""

    def publish(self, message):
        twist = message.twist
        self.append((twist.linear.x, twist.linear.y, twist.angular.z))


def make(form):
    contract = parse_contract(CONTRACT.format(form=form), "drive.yaml")
    resolved = resolve_command(contract, ["speed", "turn"], layout("geometry_msgs/TwistStamped"), 0.1)
    sink = Sink()
    return Commands(contract, [TopicCommand(resolved, sink, 0.1, False, lambda: 1_000_000_000)], None), sink


@pytest.mark.parametrize("form", ELEMENTS)
def test_an_action_in_every_form(form):
    commands, sent = make(form)
    assert commands.agent.form.space.contains(ELEMENTS[form])
    commands.send_action(ELEMENTS[form])
    assert sent == [(0.5, -0.25, 0.5)]
    back = commands.executed_action()
    for name, values in ELEMENTS["dict"].items():
        place = commands.agent.form.places[name]
        np.testing.assert_array_equal(back[place], values)
        assert back[place].dtype == np.float32


@pytest.mark.parametrize(
    ("form", "element"),
    [
        ("dict", {"speed": SPEED}),
        ("dict", {"speed": SPEED, "spin": TURN}),
        ("dict", {**ELEMENTS["dict"], "more": TURN}),
        ("dict", {"speed": TURN, "turn": TURN}),
        ("dict", 3),
        ("tuple", (SPEED,)),
        ("tuple", (SPEED, TURN, TURN)),
        ("tuple", (TURN, SPEED)),
        ("flat", np.zeros(2)),
        ("flat", np.zeros(4)),
        ("flat", np.zeros((3, 1))),
        ("flat", np.float32(1.0)),
        ("flat", None),
    ],
)
def test_what_is_no_element_is_not_sent(form, element):
    commands, sent = make(form)
    with pytest.raises(ActionError, match="is needed, got"):
        commands.send_action(element)
    assert sent == []


def test_what_is_not_finite_is_not_sent():
    commands, sent = make("flat")
    with pytest.raises(ActionError, match="not finite"):
        commands.send_action(np.float32([0.0, np.nan, 0.0]))
    assert sent == []
