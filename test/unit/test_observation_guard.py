import numpy as np
import pytest
from gymnasium import spaces

from rtgym_ros.core.errors import InterfaceError
from rtgym_ros.envs.observations import ObservationGuard

IMAGE = spaces.Box(0, 255, (2, 2, 3), np.uint8)
POSE = spaces.Box(-1.0, 1.0, (2,), np.float32)
SPACE = spaces.Tuple(
    (
        POSE,
        IMAGE,
        spaces.Discrete(3),
        spaces.Dict({"a": POSE, "b": spaces.Tuple((POSE, spaces.MultiBinary(2)))}),
    )
)


def good():
    nested = {"a": np.zeros(2), "b": ([0, 1], np.array([0, 1], dtype=np.int8))}
    return [np.array([0.5, -1.0]), np.full((2, 2, 3), 7, np.uint8), 2, nested]


@pytest.fixture
def guard():
    return ObservationGuard(SPACE, "raise")


def test_what_is_handed_out_is_in_the_space(guard):
    admitted = guard.admit(good(), "reset")
    assert SPACE.contains(admitted)
    assert admitted[0].tolist() == [0.5, -1.0]


def test_it_shares_nothing_with_what_came(guard):
    given = good()
    given[0] = given[0].astype(np.float32)
    given[3]["b"][0][0] = 0.25
    admitted = guard.admit(given, "reset")
    given[0][:] = given[1][:] = 1
    given[3]["a"][:] = given[3]["b"][1][:] = 1
    given[3]["b"][0][0] = 0.5
    assert admitted[0].tolist() == [0.5, -1.0]
    assert admitted[1].max() == 7
    assert admitted[3]["a"].tolist() == [0, 0]
    assert admitted[3]["b"][0].tolist() == [0.25, 1]
    assert admitted[3]["b"][1].tolist() == [0, 1]


def test_a_bound_that_only_the_wider_type_exceeds_is_kept(guard):
    given = good()
    given[0] = np.array([1.0 + 1e-12, -1.0 - 1e-12])
    assert SPACE.contains(guard.admit(given, "reset"))


def replaced(index, value):
    observation = good()
    observation[index] = value
    return observation


@pytest.mark.parametrize(
    ("observation", "message"),
    [
        (replaced(0, np.array([0.0, 1.1])), r"\[0\] must lie in [-1.0, 1.0] at [1], got 1.1"),
        (replaced(1, np.full((2, 2, 3), 256)), "[1] must lie in [0, 255] at [0, 0, 0], got 256"),
        (replaced(1, np.zeros((2, 2, 3))), "[1] must be of type uint8, got float64"),
        (replaced(2, 3), "[2] must be in Discrete(3), got 3"),
        (replaced(3, {"a": np.zeros(2)}), "[3] it must have the keys ['a', 'b'], got ['a']"),
        (replaced(3, None), "[3] it must have the keys ['a', 'b'], got None"),
        (replaced(3, {"a": np.zeros(3), "b": None}), "[3] ['a'] must have shape (2,), got (3,)"),
        (replaced(3, {"a": np.zeros(2), "b": None}), "[3] ['b'] it must have 2 elements, got None"),
        (replaced(0, ["x" * 200, "y"]), "[0] must be of type float32, got <U200"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(guard, observation, message):
    with pytest.raises(InterfaceError) as error:
        guard.admit(observation, "reset")
    assert str(error.value).startswith("reset() must return an observation in its space: ")
    assert message.replace("\\", "") in str(error.value)
    assert "config['observation_check'] = 'warn'" in str(error.value)


def test_bytes_are_in_the_space_of_all_bytes_and_not_in_a_smaller_one():
    small = ObservationGuard(spaces.Tuple((spaces.Box(0, 200, (1,), np.uint8),)), "raise")
    with pytest.raises(InterfaceError, match=r"must lie in \[0, 200\] at \[0\], got 201"):
        small.admit([np.array([201], np.uint8)], "reset")


def test_off_hands_out_what_comes():
    given = replaced(0, "anything")
    assert ObservationGuard(SPACE, "off").admit(given, "reset") == tuple(given)
