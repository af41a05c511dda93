"""The agent's spaces: dict, tuple, flat; and values on the way there and back."""

import numpy as np
import pytest
from gymnasium import spaces

from rtgym_ros.contract.forms import SpaceForm, observation_part_space
from rtgym_ros.contract.records.observation_part import ObservationPart
from rtgym_ros.core.errors import ConfigError

BOXES = {
    "pose": spaces.Box(np.float32([-1, -2, -3]), np.float32([1, 2, 3])),
    "image": spaces.Box(0, 255, (2, 2, 1), np.uint8),
    "past": spaces.Box(-5, 5, (4, 2), np.float32),
}


def part(**more):
    return ObservationPart(name="p", topic="t", fields=("x",), **more)


def test_bounds_of_a_part():
    space = observation_part_space(part(low=(-1.0, -2.0), high=3.0), (2,))
    assert space == spaces.Box(np.float32([-1, -2]), np.float32([3, 3]))
    assert observation_part_space(part(), (2,)) == spaces.Box(-np.inf, np.inf, (2,), np.float32)
    assert observation_part_space(part(low=0.0, high=1.0, dtype="float64"), (1,)).dtype == np.float64
    assert observation_part_space(part(dtype="uint8"), (4, 3, 1)) == spaces.Box(0, 255, (4, 3, 1), np.uint8)
    assert observation_part_space(part(dtype="int64"), (1,)).low[0] == np.iinfo(np.int64).min


def test_history_is_a_first_dimension():
    space = observation_part_space(part(low=(-1.0, -2.0), high=3.0, history=4), (2,))
    assert space.shape == (4, 2)
    assert space.low.tolist() == [[-1, -2]] * 4
    assert observation_part_space(part(low=0.0, high=1.0, history=1), (2,)).shape == (1, 2)


def test_a_list_of_another_length():
    with pytest.raises(ConfigError, match=r"observation.p.low has 3 values, and the part has shape \(2,\)"):
        observation_part_space(part(low=(0.0, 0.0, 0.0)), (2,))


@pytest.mark.parametrize("form", ["dict", "tuple", "flat"])
def test_there_and_back(form):
    of_parts = SpaceForm(form, BOXES)
    values = {name: space.sample() for name, space in BOXES.items()}
    element = of_parts.arrange(values)
    assert of_parts.space.contains(element)
    assert list(of_parts.places) == list(BOXES)
    for name, value in values.items():
        np.testing.assert_array_equal(np.reshape(element[of_parts.places[name]], value.shape), value)


def test_what_the_forms_look_like():
    assert set(SpaceForm("dict", BOXES).space.spaces) == set(BOXES)
    assert SpaceForm("tuple", BOXES).space.spaces == tuple(BOXES.values())
    flat = SpaceForm("flat", BOXES).space
    assert flat.shape == (3 + 4 + 8,)
    assert flat.dtype == np.float32
    assert flat.low.tolist() == [-1, -2, -3] + [0] * 4 + [-5] * 8


def test_one_part_alone_is_flat_as_itself():
    form = SpaceForm("flat", {"velocity": spaces.Box(-1, 1, (2,), np.float32)})
    assert form.space == spaces.Box(-1, 1, (2,), np.float32)
    assert [0.5, -0.5][form.places["velocity"]] == [0.5, -0.5]
