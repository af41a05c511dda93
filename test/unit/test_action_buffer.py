import numpy as np
import pytest

from rtgym_ros.core.action_buffer import ActionBuffer


def values(buffer):
    return [float(np.asarray(action).item()) for action in buffer.snapshot()]


def test_it_holds_the_last_actions_oldest_first():
    buffer = ActionBuffer(3)
    for value in range(5):
        buffer.append(np.array([value]))
        assert len(buffer) == min(value + 1, 3)
    assert values(buffer) == [2, 3, 4]
    assert buffer.newest == [4]


def test_fill_makes_every_entry_the_action():
    buffer = ActionBuffer(3)
    buffer.append(np.array([7]))
    buffer.fill(np.array([1]))
    assert values(buffer) == [1, 1, 1]
    first, second, _ = buffer.snapshot()
    assert first is not second


def test_replace_newest_leaves_the_others():
    buffer = ActionBuffer(3)
    for value in range(3):
        buffer.append(np.array([value]))
    buffer.replace_newest(np.array([9]))
    assert values(buffer) == [0, 1, 9]


def test_replace_newest_of_an_empty_buffer_adds_nothing():
    buffer = ActionBuffer(3)
    buffer.replace_newest(np.array([9]))
    assert len(buffer) == 0


@pytest.mark.parametrize("put", [ActionBuffer.append, ActionBuffer.fill, ActionBuffer.replace_newest])
def test_what_goes_in_is_copied(put):
    buffer = ActionBuffer(1)
    buffer.append(np.array([0.0]))
    action = np.array([1.0])
    put(buffer, action)
    action[0] = 5.0
    assert values(buffer) == [1.0]


def test_what_comes_out_is_copied():
    buffer = ActionBuffer(2)
    buffer.fill(np.array([1.0]))
    buffer.snapshot()[0][0] = 5.0
    buffer.newest[0] = 5.0
    assert values(buffer) == [1.0, 1.0]


def test_a_length_of_zero_keeps_none():
    buffer = ActionBuffer(0)
    buffer.fill(np.array([1.0]))
    buffer.append(np.array([2.0]))
    buffer.replace_newest(np.array([3.0]))
    assert len(buffer) == 0
    assert buffer.snapshot() == ()
    with pytest.raises(IndexError):
        buffer.newest  # noqa: B018


def test_it_takes_actions_of_a_discrete_space():
    buffer = ActionBuffer(2)
    buffer.fill(0)
    buffer.append(np.int64(3))
    assert buffer.snapshot() == (0, 3)
