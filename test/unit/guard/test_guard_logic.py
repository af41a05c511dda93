import math

import numpy as np
import pytest
from guards import MS, PERIOD, TIMEOUT, agent, command, guard, run, say
from hypothesis import given, settings
from hypothesis import strategies as st

from rtgym_ros.contract.guard.guard_logic import GuardState
from rtgym_ros.contract.guard.lock import Lock
from rtgym_ros.contract.records.action_part import FillCommand, Limits

ACCELERATION = {"limits": Limits(max_acceleration=2.0)}
"""0.1 a period."""


def test_nothing_is_sent_before_the_first_command():
    logic = guard()
    assert run(logic, 0, 1000 * MS) == []
    assert logic.state is GuardState.STANDS_BY


def test_a_command_is_forwarded_once_and_at_once():
    logic = guard()
    say(logic.inputs[0], 0.5, 10 * MS)
    assert run(logic, 10 * MS, 100 * MS) == [(10, "agent", 0.5)]
    assert (logic.state, logic.source) == (GuardState.FORWARDS, logic.inputs[0])


def test_on_silence_the_safe_action_comes_at_the_command_rate_until_an_input_is_live_again():
    logic = guard()
    say(logic.inputs[0], 0.5, 0)
    assert run(logic, 0, 400 * MS) == [(0, "agent", 0.5), *((time, None, 0.0) for time in (200, 250, 300, 350))]
    assert logic.state is GuardState.SAFE
    say(logic.inputs[0], -0.5, 410 * MS)
    assert run(logic, 410 * MS, 500 * MS) == [(410, "agent", -0.5)]
    assert logic.commands[0].safe == 4


def test_the_safe_action_keeps_its_grid_whatever_the_loop_does():
    logic = guard()
    say(logic.inputs[0], 0.5, 0)
    run(logic, 0, 190 * MS)
    assert [time for time, *_ in run(logic, 203 * MS, 460 * MS, 7 * MS)] == [203, 259, 308, 357, 406, 455]


def test_of_the_live_inputs_the_one_with_the_highest_priority_commands():
    slow, fast = agent("agent", 10), agent("joystick", 100)
    logic = guard(inputs=[slow, fast])
    sent = []
    for now in range(600):
        if now % 50 == 0:
            say(slow, 0.1, now * MS)
        if now % 50 == 20 and 100 <= now < 200:
            say(fast, -0.2, now * MS)
        sent += run(logic, now * MS, (now + 1) * MS)
    # The joystick speaks at 120 and 170; 200 ms later the agent's newest command counts at once.
    assert [one for one in sent if one[1] == "joystick"] == [(120, "joystick", -0.2), (170, "joystick", -0.2)]
    assert [time for time, source, _ in sent if source == "agent"] == [0, 50, 100, 370, 400, 450, 500, 550]
    assert all(source is not None for _, source, _ in sent)
    assert logic.changes == 3


def test_of_two_equal_inputs_the_first_commands():
    first, second = agent("a"), agent("b")
    logic = guard(inputs=[first, second])
    say(second, 0.2, 0)
    say(first, 0.1, 0)
    assert run(logic, 0, MS) == [(0, "a", 0.1)]


def test_hand_over_is_within_the_limits():
    one, other = agent("agent", 10), agent("joystick", 100)
    logic = guard([command(ACCELERATION)], [one, other])
    values = [0.0]
    for now in range(0, 3000, 50):
        say(one, 1.0, now * MS)
        if 800 <= now < 1400:
            say(other, -1.0, now * MS)
        values += [value for _, _, value in run(logic, now * MS, (now + 50) * MS)]
    assert max(np.abs(np.diff(values))) <= 0.1 + 1e-12
    assert min(values) < 0.0 < 0.9 < max(values)


def test_the_safe_action_of_velocities_is_not_limited_unless_the_contract_says_so():
    for limits, expected in ((Limits(max_acceleration=2.0), 0.0), (Limits(max_deceleration=2.0), 0.7)):
        logic = guard([command({"limits": limits})])
        for now in range(0, 1000, 50):
            say(logic.inputs[0], 0.8, now * MS)
            run(logic, now * MS, (now + 50) * MS)
        last = 950 + TIMEOUT // MS
        assert run(logic, 1000 * MS, (last + 1) * MS) == [(last, None, pytest.approx(expected))]


def test_commands_beyond_the_bounds_are_clipped_and_counted():
    logic = guard()
    say(logic.inputs[0], 7.0, 0)
    assert run(logic, 0, MS) == [(0, "agent", 1.0)]
    assert logic.commands[0].limited == 1


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_has_not_come(bad):
    logic = guard()
    assert not say(logic.inputs[0], bad, 0)
    assert run(logic, 0, 300 * MS) == []
    assert logic.inputs[0].refused == 1
    say(logic.inputs[0], 0.5, 300 * MS)
    say(logic.inputs[0], bad, 450 * MS)
    assert run(logic, 300 * MS, 501 * MS) == [(300, "agent", 0.5), (500, None, 0.0)]


def test_the_lock_engages_when_true_when_silent_and_from_the_beginning():
    logic = guard(lock=Lock(TIMEOUT))
    states = []
    for now in range(900):
        if now % 50 == 0:
            say(logic.inputs[0], 0.5, now * MS)
        if now in (100, 200):
            logic.lock.receive(now == 200, now * MS)
        if now in (300, 400):
            logic.lock.receive(False, now * MS)
        states += [(now, state) for _, state, _ in run(logic, now * MS, (now + 1) * MS)]
    safe = [now for now, source in states if source is None]
    assert safe == [0, 50, 200, 250, 600, 650, 700, 750, 800, 850]
    assert [now for now, source in states if source] == [100, 150, 300, 350, 400, 450, 500, 550]
    assert logic.state is GuardState.LOCKED


def test_an_input_is_live_only_while_all_its_topics_are():
    both = agent(streams=(("velocity",), ("arm",)))
    logic = guard([command(), command(index=1, name="arm")], [both])
    say(both, 0.5, 0)
    assert run(logic, 0, 100 * MS) == []
    say(both, 0.2, 100 * MS, part="arm", stream=1)
    assert run(logic, 100 * MS, 101 * MS) == [(100, "agent", 0.5), (100, "agent", 0.2)]
    for now in range(150, 400, 50):
        say(both, 0.2, now * MS, part="arm", stream=1)
    assert run(logic, 200 * MS, 201 * MS) == [(200, None, 0.0), (200, None, 0.0)]


def test_parts_that_an_input_does_not_carry_have_the_safe_action():
    driver = agent("joystick")
    logic = guard([command(), command(index=1, name="arm")], [driver])
    say(driver, 0.5, 0)
    assert run(logic, 0, 100 * MS) == [(0, "joystick", 0.5), (0, None, 0.0), (50, None, 0.0)]


def test_repeated_commands_keep_their_rate_and_lead_to_the_next():
    repeated = command({"between": "linear", "rate": 100.0}, period=10 * MS, repeats=True, is_linear=True)
    logic = guard([repeated])
    say(logic.inputs[0], 0.5, 0)
    sent = run(logic, 0, 60 * MS)
    assert [time for time, *_ in sent] == [0, 10, 20, 30, 40, 50]
    assert [value for *_, value in sent] == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
    assert logic.commands[0].limited == 0


def test_nothing_is_sent_before_first_from_has_shown_where_the_robot_is():
    position = {"quantity": "position", "limits": Limits(max_velocity=1.0), "safe": "last", "first_from": "joints"}
    logic = guard([command(position, measured_parts=("velocity",))])
    say(logic.inputs[0], 0.9, 0)
    assert run(logic, 0, 100 * MS) == []
    logic.commands[0].observe("velocity", np.array([0.4]))
    assert run(logic, 100 * MS, 101 * MS) == [(100, "agent", pytest.approx(0.45))]
    sent = run(logic, 101 * MS, 400 * MS)
    assert [time for time, *_ in sent] == [200, 250, 300, 350]
    assert [value for *_, value in sent] == pytest.approx([0.45] * 4), "safe: last"
    logic.commands[0].observe("velocity", np.array([0.0]))  # pushed by hand meanwhile
    say(logic.inputs[0], 0.9, 400 * MS)
    assert run(logic, 400 * MS, 401 * MS) == [(400, "agent", pytest.approx(0.05))]


def test_stand_by_is_silence_until_the_next_command():
    logic = guard()
    say(logic.inputs[0], 0.5, 0)
    run(logic, 0, 10 * MS)
    logic.stand_by()
    assert run(logic, 10 * MS, 900 * MS) == []
    say(logic.inputs[0], 0.5, 900 * MS)
    assert run(logic, 900 * MS, 901 * MS) == [(900, "agent", 0.5)]


def test_a_clock_that_is_set_back_makes_every_input_silent():
    logic = guard()
    say(logic.inputs[0], 0.5, 1000 * MS)
    run(logic, 1000 * MS, 1010 * MS)
    assert run(logic, 5 * MS, 6 * MS) == [(5, None, 0.0)]
    say(logic.inputs[0], 0.5, 20 * MS)
    assert run(logic, 20 * MS, 21 * MS) == [(20, "agent", 0.5)]


def test_at_the_end_the_safe_action_is_sent_whoever_is_live():
    logic = guard([command({"limits": Limits(max_deceleration=2.0)})])
    for now in range(0, 1000, 50):
        say(logic.inputs[0], 0.2, now * MS)
        run(logic, now * MS, (now + 50) * MS)
    values = [float(sent.values[0]) for now in range(1000, 1500) for sent in logic.make_safe(now * MS)]
    assert values[:3] == pytest.approx([0.1, 0.0, 0.0])
    assert logic.is_at_rest


def test_safe_with_other_constants_repeats_the_last_values():
    logic = guard([command({"safe": FillCommand(fill={"mode": 3})})])
    say(logic.inputs[0], 0.5, 0)
    assert run(logic, 0, 260 * MS)[1:] == [(200, None, 0.5), (250, None, 0.5)]


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 90), st.sampled_from(["agent", "joystick", "lock"]), st.floats(-3, 3)), max_size=60
    )
)
def test_whoever_says_what_and_when_commands_keep_bounds_and_acceleration(events):
    """In any second the commands change by no more than the limits allow in it and a quarter of a period."""
    inputs = [agent("agent", 10), agent("joystick", 100)]
    deceleration = Limits(max_acceleration=2.0, max_deceleration=2.0)
    logic = guard([command({"limits": deceleration})], inputs, Lock(TIMEOUT))
    now, sent = 0, []
    for wait, who, value in events:
        sent += run(logic, now * MS, (now + wait) * MS)
        now += wait
        if who == "lock":
            logic.lock.receive(value > 1.5, now * MS)
        else:
            say(inputs[who == "joystick"], value, now * MS)
    sent += run(logic, now * MS, (now + 500) * MS)
    allowed = 2.0 * PERIOD / 1e9 * 1.25
    for index, (time, _, value) in enumerate(sent):
        assert -1.0 <= value <= 1.0
        for later, _, other in sent[index + 1 :]:
            # A state change sends the safe action at once, for which a millisecond is reckoned at least.
            slack = 0.002 * sum(1 for at, source, _ in sent if source is None and time <= at <= later)
            assert abs(other - value) <= 2.0 * (later - time) / 1e3 + allowed + slack + 1e-9
    if sent:
        assert logic.state in (GuardState.SAFE, GuardState.LOCKED)
        assert sent[-1][1] is None
