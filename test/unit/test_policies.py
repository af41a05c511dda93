import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtgym_ros.robots.drone.policies import Predictor, hover, make_p_controller, make_random
from rtgym_ros.robots.drone.task import MAX_SPEED, REACHED_WITHIN, TARGET_RANGE, draw_target, score


def observation_of(position, target, actions=()):
    parts = [np.array([value], dtype=np.float32) for value in (*position, *target)]
    return (*parts, *(np.array(action, dtype=np.float32) for action in actions))


def is_action(action):
    return action.dtype == np.float32 and action.shape == (2,) and np.abs(action).max() <= MAX_SPEED


def test_hover_stays():
    action = hover(observation_of((1, 1), (0, 0)))
    assert is_action(action)
    assert not action.any()


def test_random_draws_from_the_whole_action_space_by_its_seed():
    policy, twin, other = make_random(1), make_random(1), make_random(2)
    actions = np.array([policy(()) for _ in range(500)])
    assert all(is_action(action) for action in actions)
    assert actions.min() < -0.95 * MAX_SPEED
    assert actions.max() > 0.95 * MAX_SPEED
    np.testing.assert_array_equal(actions[0], twin(()))
    assert (actions[0] != other(())).any()


@pytest.mark.parametrize(
    ("position", "target", "action"),
    [
        ((0.0, 0.0), (0.1, -0.2), (0.5, -1.0)),
        ((0.1, 0.1), (0.1, 0.1), (0.0, 0.0)),
        ((-0.5, 0.5), (0.5, -0.5), (MAX_SPEED, -MAX_SPEED)),
    ],
)
def test_the_p_controller_is_gain_times_error_clipped(position, target, action):
    commanded = make_p_controller(5.0)(observation_of(position, target))
    assert is_action(commanded)
    np.testing.assert_allclose(commanded, action, atol=1e-6)


def test_the_predictor_rolls_forward_what_is_under_way():
    """By hand, in units of 10 ms: seen 4 ago, applied 3 after sending, time-steps of 5, so it decides for 8 from now.

    Sent at 0: applied from 3 to 8, all of it, 5. Sent at -5: from -2 to 3, 5. Sent at -10: from -7 to -2, of which the
    position has not seen the last 2.
    """
    predictor = Predictor(gain=1.0, observation_delay=0.04, action_delay=0.03, time_step_duration=0.05)
    observation = observation_of((0.1, 0.2), (0.0, 0.0), [(0.0, 1.0), (1.0, 0.0), (0.0, -0.5)])
    np.testing.assert_allclose(predictor.predict(observation), [0.1 + 0.05, 0.2 + 0.02 - 0.025], atol=1e-7)
    np.testing.assert_allclose(predictor(observation), [-0.15, -0.195], atol=1e-6)


def test_the_predictor_leaves_out_what_the_position_has_seen():
    predictor = Predictor(observation_delay=0.04, action_delay=0.03)
    seen = observation_of((0.0, 0.0), (0.0, 0.0), [(1.0, 1.0), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0)])
    np.testing.assert_array_equal(predictor.predict(seen), [0.0, 0.0])


def test_the_predictor_limits_the_speed_as_the_drone_does():
    predictor = Predictor(observation_delay=0.0, action_delay=0.0)
    fast = observation_of((0.0, 0.0), (0.0, 0.0), [(2.0, 2.0)])
    np.testing.assert_allclose(np.hypot(*predictor.predict(fast)), MAX_SPEED * 0.05)


@given(st.floats(0, 0.1), st.floats(0, 0.1), st.floats(-1.4, 1.4))
def test_a_constant_velocity_is_rolled_forward_over_the_whole_delay(observation_delay, action_delay, speed):
    predictor = Predictor(observation_delay=observation_delay, action_delay=action_delay)
    observation = observation_of((0.0, 0.0), (0.0, 0.0), [(speed, -speed)] * 6)
    ahead = np.float32(speed) * (observation_delay + action_delay + 0.05)
    np.testing.assert_allclose(predictor.predict(observation), [ahead, -ahead], atol=1e-9)


def test_the_commands_of_the_predictor_are_actions():
    assert is_action(Predictor()(observation_of((-1, -1), (0.5, 0.5), [(0, 0), (0, 0)])))


# --- the task ---


def test_the_reward_is_minus_the_distance():
    reward, reached = score(np.array([0.3, 0.0]), np.array([0.0, 0.4], dtype=np.float32))
    assert reward == pytest.approx(-0.5)
    assert type(reward) is float
    assert reached is False


@pytest.mark.parametrize(("distance", "reached"), [(0.0, True), (0.0099, True), (0.0101, False)])
def test_the_target_is_reached_within_a_centimetre(distance, reached):
    assert REACHED_WITHIN == 0.01
    assert score(np.array([0.2 + distance, 0.2]), np.array([0.2, 0.2], dtype=np.float32))[1] is reached


def test_targets_are_drawn_from_their_square_by_the_generator():
    rng, twin = np.random.default_rng(1), np.random.default_rng(1)
    targets = np.array([draw_target(rng) for _ in range(500)])
    assert targets.dtype == np.float32
    assert targets.shape == (500, 2)
    assert 0.48 < np.abs(targets).max() <= TARGET_RANGE
    np.testing.assert_array_equal(targets[0], draw_target(twin))
