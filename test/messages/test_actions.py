"""From the agent's actions to the values of commands, and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ros_messages import layout

from rtgym_ros.contract.actions.action_map import ActionMap
from rtgym_ros.contract.actions.between import between
from rtgym_ros.contract.actions.command_values import CommandValues
from rtgym_ros.contract.actions.part_command import PartCommand
from rtgym_ros.contract.conversions.chain import ConversionChain
from rtgym_ros.contract.conversions.converter import ConversionError
from rtgym_ros.contract.messages.selection import select
from rtgym_ros.contract.records import conversion as records
from rtgym_ros.contract.records.action_part import ActionPart, FillCommand, Limits
from rtgym_ros.core.errors import StateError

ZERO = np.zeros(3)


def chain(*convert):
    kind = layout("geometry_msgs/Vector3")
    return ConversionChain(kind, [select(kind, path) for path in "xyz"], convert)


def part_command(duration=0.1, convert=(), **entries):
    entries = {"low": -1.0, "high": 1.0, "quantity": "velocity", **entries}
    return PartCommand(ActionPart(name="part", topic="t", fields=("x", "y", "z"), **entries), chain(*convert), duration)


def test_without_a_range_the_agent_sees_the_message():
    mapped = ActionMap(chain(), -2.0, (1.0, 2.0, 3.0))
    np.testing.assert_array_equal(mapped.low, [-2, -2, -2])
    np.testing.assert_array_equal(mapped.high, [1, 2, 3])
    np.testing.assert_array_equal(mapped.to_message(np.array([5, 1, -1.0]), ZERO), [1, 1, -1])


def test_a_range_is_mapped_to_the_bounds():
    mapped = ActionMap(chain(), (-1.0, 0.0, 2.0), (1.0, 4.0, 3.0), ((-1.0, 1.0), (-1.0, 1.0), (0.0, 10.0)))
    np.testing.assert_allclose(mapped.to_message(np.array([0.5, 0.0, 10.0]), ZERO), [0.5, 2, 3])
    np.testing.assert_allclose(mapped.to_agent(np.array([0.5, 2.0, 3.0]), ZERO), [0.5, 0, 10])


def test_the_sides_swap_with_negative_scales_and_axes():
    convert = records.Axes(axes=("y", "x", "-z")), records.Scale(scale=(1.0, -10.0, 1.0))
    mapped = ActionMap(chain(*convert), (0.0, 1.0, -5.0), (2.0, 3.0, 1.0))
    np.testing.assert_array_equal(mapped.low, [1, -20, -1])
    np.testing.assert_array_equal(mapped.high, [3, 0, 5])
    np.testing.assert_array_equal(mapped.to_message(np.array([1.0, -20.0, 5.0]), ZERO), [2, 1, -5])


@given(
    st.lists(st.floats(-1, 1), min_size=3, max_size=3),
    st.lists(st.floats(0.1, 5) | st.floats(-5, -0.1), min_size=3, max_size=3),
    st.booleans(),
)
def test_property_there_and_back(action, scale, relative):
    convert = records.Scale(scale=tuple(scale)), records.Axes(axes=("z", "-x", "y")), records.Offset(offset=0.5)
    mapped = ActionMap(chain(*convert), -50.0, 50.0, (-1.0, 1.0), 0.25 if relative else None)
    last = np.array([1.0, -2.0, 0.5])
    values = mapped.to_message(np.array(action), last)
    assert not relative or (abs(values - last) <= 0.25 + 1e-12).all()
    np.testing.assert_allclose(mapped.to_agent(values, last), action, atol=1e-9)


def test_relative_actions_are_added_and_clipped():
    mapped = ActionMap(chain(), -1.0, 1.0, (-1.0, 1.0), 0.5)
    np.testing.assert_allclose(mapped.to_message(np.array([1.0, -1.0, 0.5]), np.array([0.0, 0.2, 0.9])), [0.5, -0.3, 1])
    np.testing.assert_allclose(mapped.to_agent(np.array([0.5, -0.3, 1.0]), np.array([0.0, 0.2, 0.9])), [1, -1, 0.2])


def test_a_range_needs_finite_bounds():
    with pytest.raises(ConversionError, match="must be finite"):
        ActionMap(chain(), -np.inf, 1.0, (-1.0, 1.0))
    with pytest.raises(ConversionError, match="low: 2 numbers for 3 values"):
        ActionMap(chain(), (1.0, 2.0), 1.0)
    with pytest.raises(ConversionError, match="agent_range: 2 pairs for 3 values"):
        ActionMap(chain(), -1.0, 1.0, ((-1.0, 1.0), (-1.0, 1.0)))


def test_default_and_safe():
    last, measured = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0])
    np.testing.assert_array_equal(CommandValues(0.5, 3, "safe").values(last, None), [0.5] * 3)
    np.testing.assert_array_equal(CommandValues("last", 3, "safe").values(last, None), last)
    mixed = CommandValues((0.0, "last", "measured"), 3, "safe")
    np.testing.assert_array_equal(mixed.values(last, measured), [0, 2, 6])
    with pytest.raises(StateError, match="safe: it is `measured`, and nothing has come from first_from yet"):
        mixed.values(last, None)
    damped = CommandValues(FillCommand(fill={"kp": 0.0}), 3, "safe")
    assert damped.fill == {"kp": 0.0}
    np.testing.assert_array_equal(damped.values(last, None), last)
    with pytest.raises(ConversionError, match="default: 2 values for 3"):
        CommandValues((1.0, 2.0), 3, "default")


def test_the_executed_action_is_what_was_sent_in_the_units_of_the_agent():
    part = part_command(agent_range=(-10.0, 10.0), limits=Limits(max_acceleration=2.0))
    part.aim(np.array([10.0, -10.0, 1.0]))
    np.testing.assert_allclose(part.next(0.1), [0.2, -0.2, 0.1])
    np.testing.assert_allclose(part.executed, [2, -2, 1])
    part.aim(np.array([10.0, 10.0, 1.0]))
    np.testing.assert_allclose(part.next(0.1), [0.4, 0, 0.1])  # counted from what was sent


def test_a_relative_action_counts_from_the_last_command():
    part = part_command(relative=True, max_step=0.5, agent_range=(-1.0, 1.0), limits=Limits(max_acceleration=2.0))
    part.aim(np.array([1.0, 0.5, 0.0]))
    np.testing.assert_allclose(part.next(0.1), [0.2, 0.2, 0])
    np.testing.assert_allclose(part.executed, [0.4, 0.4, 0])
    part.aim(np.array([0.4, 0.0, 0.0]))
    np.testing.assert_allclose(part.next(0.1), [0.4, 0.2, 0])


def test_the_first_command_is_limited_from_what_is_measured():
    part = part_command(quantity="position", safe="measured", default="measured", limits=Limits(max_velocity=1.0))
    part.start(np.array([0.5, -0.5, 0.0]))
    part.aim_default()
    np.testing.assert_allclose(part.next(0.1), [0.5, -0.5, 0])
    part.aim(np.array([1.0, 1.0, 1.0]))
    np.testing.assert_allclose(part.next(0.1), [0.6, -0.4, 0.1])
    part.observe(np.array([0.55, -0.45, 0.0]))
    np.testing.assert_allclose(part.next_safe(0.1), [0.55, -0.45, 0])


def test_commands_between_time_steps():
    part = part_command(rate=20.0, between="linear", limits=Limits(max_acceleration=100.0))
    part.aim(np.array([1.0, 0.0, 0.0]))
    assert [part.next(0.05, elapsed)[0] for elapsed in (0.0, 0.05)] == [0, 0.5]
    part.aim(np.array([0.0, 0.0, 0.0]))
    assert [part.next(0.05, elapsed)[0] for elapsed in (0.0, 0.05, 0.1, 0.15)] == [1, 0.5, 0, 0]
    one, other = np.array([0.0]), np.array([4.0])
    assert between(one, other, -1.0, 0.1, "linear") == 0
    assert between(one, other, 0.025, 0.1, "linear") == 1
    assert between(one, other, 0.0, 0.1, "hold") == 4


def test_the_default_and_the_safe_action():
    part = part_command(default=0.1, safe=0.0, limits=Limits(max_acceleration=1.0, max_deceleration=2.0))
    part.aim(np.array([1.0, 1.0, 1.0]))
    np.testing.assert_allclose(part.next(0.1), [0.2] * 3)
    np.testing.assert_allclose(part.next_safe(0.05), [0.1] * 3)
    part.start(None)
    np.testing.assert_allclose(part.command, [0.1] * 3)


def test_what_is_limited_is_counted():
    part = part_command(limits=Limits(max_acceleration=1.0))
    part.aim(np.array([0.05, 0.0, 0.0]))
    part.next(0.1)
    assert part.limited == 0
    part.aim(np.array([1.0, 0.0, 0.0]))
    part.next(0.1)
    part.next(0.1)
    assert part.limited == 2
