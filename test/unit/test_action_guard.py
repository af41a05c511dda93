import warnings

import numpy as np
import pytest
from gymnasium import spaces

from rtgym_ros.core.errors import ActionError, ActionWarning
from rtgym_ros.envs.actions import ActionGuard

BOX = spaces.Box(np.array([-1, -2], dtype=np.float32), np.array([1, 2], dtype=np.float32))


@pytest.fixture
def clipping():
    return ActionGuard(BOX)


@pytest.fixture
def strict():
    return ActionGuard(BOX, out_of_bounds="raise")


@pytest.mark.parametrize("clip", [True, False])
@pytest.mark.parametrize(
    "action", [[0.5, -1.5], (0.5, -1.5), np.array([0.5, -1.5]), np.array([0.5, -1.5], dtype=np.float32)]
)
def test_numbers_of_the_right_shape_become_elements(clip, action):
    admitted = ActionGuard(BOX, clip).admit(action)
    assert admitted.dtype == np.float32
    assert BOX.contains(admitted)
    np.testing.assert_array_equal(admitted, [0.5, -1.5])


@pytest.mark.parametrize("clip", [True, False])
def test_what_is_admitted_is_a_copy(clip):
    action = np.zeros(2, dtype=np.float32)
    admitted = ActionGuard(BOX, clip).admit(action)
    action[0] = 1.0
    np.testing.assert_array_equal(admitted, [0, 0])


@pytest.mark.parametrize("clip", [True, False])
@pytest.mark.parametrize(
    ("action", "message"),
    [
        ([0.0], r"action must have shape \(2,\), got \(1,\)"),
        ([[0.0, 0.0]], r"action must have shape \(2,\), got \(1, 2\)"),
        (0.0, r"action must have shape \(2,\), got \(\)"),
        (None, r"action must .*\(2,\), got "),
        ([0.0, [1.0, 2.0]], r"action must be numbers of shape \(2,\), got \[0.0, \[1.0, 2.0\]\]"),
        ("left", r"action must be numbers of shape \(2,\), got 'left'"),
        ({"x": 1}, r"action must be numbers of shape \(2,\), got \{'x': 1\}"),
        ([0.0, np.nan], r"action must be finite, got \[0.0, nan\]"),
        ([-np.inf, 0.0], r"action must be finite, got \[-inf, 0.0\]"),
    ],
)
def test_what_is_no_action_is_refused(clip, action, message):
    with pytest.raises(ActionError, match=message) as error:
        ActionGuard(BOX, clip).admit(action)
    assert isinstance(error.value, ValueError)


def test_out_of_bounds_is_clipped(clipping):
    np.testing.assert_array_equal(clipping.admit([-5.0, 5.0]), [-1.0, 2.0])
    assert clipping.admit([-5.0, 5.0]).dtype == np.float32


@pytest.mark.parametrize("action", [[1.001, 0.0], [0.0, -2.001]])
def test_out_of_bounds_is_refused_with_the_bounds(strict, action):
    with pytest.raises(ActionError, match=r"must lie in \[\[-1.0, -2.0\], \[1.0, 2.0\]\], got .* = 'clip'"):
        strict.admit(action)


@pytest.mark.parametrize("bound", [BOX.low, BOX.high])
def test_the_bounds_are_in_bounds(strict, clipping, bound):
    np.testing.assert_array_equal(strict.admit(bound), bound)
    np.testing.assert_array_equal(clipping.admit(bound), bound)


def test_the_error_names_the_source(strict):
    with pytest.raises(ActionError, match=r"^get_safe_action\(\) must be finite"):
        strict.admit([np.nan, 0.0], "get_safe_action()")


@pytest.mark.parametrize("clip", [True, False])
def test_an_action_without_dimensions_stays_an_array(clip):
    box = spaces.Box(-1.0, 1.0, ())
    admitted = ActionGuard(box, clip).admit(0.5)
    assert isinstance(admitted, np.ndarray)
    assert admitted == np.float32(0.5)


@pytest.mark.parametrize("clip", [True, False])
@pytest.mark.parametrize("action", [[np.nan], np.array([np.nan]), np.array([np.inf])])
def test_integers_are_finite_too(clip, action):
    with pytest.raises(ActionError):
        ActionGuard(spaces.Box(-5, 5, (1,), np.int64), clip).admit(action)


@pytest.mark.parametrize("action", [[300], [-1], np.array([300]), np.array([-1])])
def test_integers_do_not_wrap_around(action):
    box = spaces.Box(10, 250, (1,), np.uint8)
    admitted = ActionGuard(box).admit(action)
    assert admitted == [250 if action[0] == 300 else 10]
    assert admitted.dtype == np.uint8
    with pytest.raises(ActionError):
        ActionGuard(box, out_of_bounds="raise").admit(action)


@pytest.mark.parametrize("clip", [True, False])
@pytest.mark.parametrize(
    ("box", "action", "message"),
    [
        (spaces.Box(-5, 5, (1,), np.int64), [0.7], "action must be of type int64, got float64"),
        (BOX, [1j, 0.0], "action must be of type float32, got complex128"),
    ],
)
def test_what_a_cast_would_falsify_is_refused(clip, box, action, message):
    with pytest.raises(ActionError, match=message):
        ActionGuard(box, clip).admit(action)


def test_discrete_actions():
    guard = ActionGuard(spaces.Discrete(3))
    assert guard.admit(2) == 2
    assert guard.admit(np.int64(1)) == 1
    for action in (3, -1, 0.5, None, np.array([0])):
        with pytest.raises(ActionError, match=r"action must be an element of Discrete\(3\), got "):
            guard.admit(action)


def test_arrays_of_other_spaces_are_copied():
    action = np.array([1, 2])
    admitted = ActionGuard(spaces.MultiDiscrete([3, 3])).admit(action)
    action[0] = 0
    np.testing.assert_array_equal(admitted, [1, 2])


def test_actions_of_several_parts_are_copied():
    action = {"arm": np.zeros(1, dtype=np.float32), "hand": 0}
    admitted = ActionGuard(spaces.Dict(arm=spaces.Box(-1, 1, (1,)), hand=spaces.Discrete(2))).admit(action)
    action["arm"][0] = 1.0
    action["hand"] = 1
    assert admitted == {"arm": [0.0], "hand": 0}


# --- let pass, as Real-Time Gym does ---


def test_what_is_not_in_the_space_may_be_let_pass_and_is_told_once():
    guard = ActionGuard(spaces.Box(-1.0, 1.0, (3,)), check="warn")
    with pytest.warns(ActionWarning, match=r"action must have shape \(3,\), got \(2,\); it is sent as it is"):
        assert guard.admit(np.ones(2)).tolist() == [1, 1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert guard.admit(None) is None
        assert guard.admit([5.0, 0.5, -5.0]).tolist() == [1, 0.5, -1], "what can be checked still is"


@pytest.mark.parametrize("action", [[np.nan, 0, 0], [np.inf, 0, 0], np.array([np.nan]), np.nan])
def test_what_is_not_finite_is_never_let_pass(action):
    guard = ActionGuard(spaces.Box(-1.0, 1.0, (3,)), check="warn")
    with pytest.raises(ActionError):
        guard.admit(action)


def test_what_is_let_pass_is_a_copy():
    guard = ActionGuard(spaces.Box(-1.0, 1.0, (3,)), check="warn")
    action = np.ones(2)
    with pytest.warns(ActionWarning):
        admitted = guard.admit(action)
    action[:] = 0
    assert admitted.tolist() == [1, 1]


def test_a_bound_that_only_the_wider_type_exceeds_is_kept():
    guard = ActionGuard(spaces.Box(-0.7, 0.7, (1,)), out_of_bounds="raise")
    assert guard.admit([0.7]) == np.float32(0.7)


def test_what_is_too_large_for_the_type_is_clipped_silently():
    guard = ActionGuard(spaces.Box(-0.7, 0.7, (1,)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert guard.admit([1e300]) == np.float32(0.7)


def test_what_is_clipped_is_counted(clipping):
    clipping.admit(np.zeros(2, np.float32))
    assert clipping.clipped == 0
    clipping.admit(np.array([3.0, 0.0], np.float32))
    clipping.admit([0.0, -9.0])
    assert clipping.clipped == 2
