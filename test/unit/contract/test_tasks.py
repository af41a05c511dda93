"""Tasks, without ROS."""

import numpy as np
import pytest
from gymnasium import spaces

from rtgym_ros.contract.task import Task
from rtgym_ros.contract.tasks import FollowTrajectory, HoldConfiguration, ReachPosition, StayUpright
from rtgym_ros.core.errors import ConfigError

RNG = np.random.default_rng
PARTS = {
    "position": spaces.Box(-2, 2, (3,), np.float32),
    "joints": spaces.Box(-4, 4, (6,), np.float32),
    "attitude": spaces.Box(-1, 1, (3,), np.float32),
}


def reach(**more):
    return ReachPosition(low=[-1, -1], high=[1, 1], **more)


def at(*values, part="position"):
    return {part: np.array(values, np.float32)}


def test_a_task_that_does_nothing_more():
    class Nothing(Task):
        def evaluate(self, observation, action, time):
            return 0.0, False, {}

    task = Nothing()
    task.check(PARTS)
    assert task.extra_spaces() == task.observe(0.0) == task.reset(RNG(0), {}) == {}
    assert task.render({}, {}) is None
    with pytest.raises(TypeError):
        Task()


def test_reach_draws_targets_from_the_seed_within_their_space():
    task, other = reach(), reach()
    space = task.extra_spaces()["target"]
    drawn = [task.reset(RNG(seed), {})["target"] for seed in range(50)]
    assert len({tuple(target) for target in drawn}) == 50
    assert other.reset(RNG(7), {})["target"] == drawn[7]
    for seed in range(50):
        task.reset(RNG(seed), {})
        assert space.contains(task.observe(0.0)["target"])


def test_reach_rewards_nearness_and_ends_within_the_radius():
    task = reach(radius=0.5, bonus=10.0)
    assert task.reset(RNG(0), {"target": [1, 0]}) == {"target": [1.0, 0.0]}
    assert task.evaluate(at(-1, 0, 9), {}, 0.0) == (-2.0, False, {"distance": 2.0, "is_success": False})
    assert task.evaluate(at(0.5, 0, 9), {}, 0.0)[1] is False
    reward, reached, info = task.evaluate(at(0.75, 0, 9), {}, 0.0)
    assert (reward, reached, info["is_success"]) == (9.75, True, True)


def test_reach_other_values_of_a_part():
    task = ReachPosition("pose", values=[2, 0], target=[1, 0])
    task.reset(RNG(0), {})
    assert task.evaluate(at(0, 5, 1, part="pose"), {}, 0.0)[0] == 0.0


def test_hold_counts_the_time_without_a_break():
    task = HoldConfiguration(target=[0, 1], tolerance=0.1, hold_time=0.5)
    task.reset(RNG(0), {})
    here, away = at(0.05, 1, part="joints"), at(0.2, 1, part="joints")
    outcomes = [
        task.evaluate(where, {}, time)
        for where, time in [(here, 0.0), (here, 0.25), (away, 0.375), (here, 0.5), (here, 0.875), (here, 1.0)]
    ]
    assert [info["held"] for _, _, info in outcomes] == [0, 0.25, 0, 0, 0.375, 0.5]
    assert [done for _, done, _ in outcomes] == [False] * 5 + [True]
    assert outcomes[2][0] == pytest.approx(-0.2 / np.sqrt(2))
    task.reset(RNG(0), {})
    assert task.evaluate(here, {}, 2.0)[2]["held"] == 0


def test_hold_without_a_time_does_not_end():
    task = HoldConfiguration(target=[0], tolerance=0.1)
    assert not any(task.evaluate(at(0, part="joints"), {}, time)[1] for time in range(100))


def test_follow_is_on_the_line_between_waypoints():
    task = FollowTrajectory(waypoints=[[0, 0], [2, 0], [2, 4]], times=[0, 1, 3], previews=[1.0], give_up=1.5)
    assert task.point(0.5).tolist() == [1, 0]
    assert task.point(2.0).tolist() == [2, 2]
    assert task.point(9.0).tolist() == [2, 4]
    assert task.observe(1.0)["target"].tolist() == [2, 0, 2, 2]
    assert task.extra_spaces()["target"].contains(task.observe(0.3)["target"])
    assert task.evaluate(at(1, 1, 0), {}, 0.5) == (-1.0, False, {"distance": 1.0, "is_success": False})
    assert task.evaluate(at(1, 2, 0), {}, 0.5)[1:] == (True, {"distance": 2.0, "is_success": False})  # left
    assert task.evaluate(at(2, 4, 0), {}, 3.0)[1:] == (True, {"distance": 0.0, "is_success": True})  # over


def test_follow_in_a_loop():
    task = FollowTrajectory(waypoints=[[0], [1], [0]], times=[0, 1, 2], loop=True)
    assert task.point(2.5).tolist() == task.point(0.5).tolist() == [0.5]
    assert not task.evaluate(at(0), {}, 50.0)[1]


@pytest.mark.parametrize("tilt", [0.0, 0.3, 0.7, 1.0])
def test_upright_knows_the_tilt_in_both_forms(tilt):
    gravity = StayUpright().evaluate(at(np.sin(tilt), 0, -np.cos(tilt), part="attitude"), {}, 0.0)
    rpy = StayUpright(form="rpy").evaluate(at(tilt, 0, 2.0, part="attitude"), {}, 0.0)
    for reward, fallen, info in (gravity, rpy):
        assert info["tilt"] == pytest.approx(tilt, abs=1e-3)
        assert reward == pytest.approx(np.cos(tilt), abs=1e-3)
        assert fallen == (tilt > 0.8)


def test_upright_costs_of_the_action():
    task = StayUpright(action_cost=0.5)
    actions = {"a": np.array([2.0]), "b": np.array([0.0, 4.0])}
    assert task.evaluate(at(0, 0, -1, part="attitude"), actions, 0.0)[0] == pytest.approx(1 - 0.5 * 20 / 3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ReachPosition(), "low and high, or target, must be given"),
        (lambda: ReachPosition(low=[0], high=[1, 2]), "low must be as long as high"),
        (lambda: ReachPosition(low=[2], high=[1]), "not above it"),
        (lambda: ReachPosition(low="a", high=[1]), "low must be a list of finite numbers"),
        (lambda: ReachPosition(low=[0], high=[1], target=[2]), "target must lie between"),
        (lambda: reach(radius=0), "radius must be a number above 0"),
        (lambda: reach(values=[0]), "values must be 2 indices"),
        (lambda: reach(values=[0, -1]), "values must be 2 indices"),
        (lambda: HoldConfiguration(target=[0], tolerance="x"), "tolerance must be a number above 0"),
        (lambda: FollowTrajectory(waypoints=[[0]], times=[0]), "lists of two or more"),
        (lambda: FollowTrajectory(waypoints=[[0], [1, 2]], times=[0, 1]), "of one length"),
        (lambda: FollowTrajectory(waypoints=[[0], [1]], times=[1, 2]), "begin with 0 and increase"),
        (lambda: FollowTrajectory(waypoints=[[0], [1]], times=[0, 1], previews=[-1]), "previews"),
        (lambda: StayUpright(form="quaternion"), "form must be gravity or rpy"),
        (lambda: StayUpright(first=-1), "first must be an index"),
        (lambda: reach().reset(RNG(0), {"target": [5, 5]}), "target must lie between"),
        (lambda: reach().reset(RNG(0), {"target": "x"}), "target must be a list"),
        (lambda: ReachPosition("positon", target=[0]).check(PARTS), "did you mean 'position'"),
        (lambda: reach(values=[0, 7]).check(PARTS), r"values is \[0, 7\], and position has 3 values"),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


@pytest.mark.parametrize(
    "task",
    [reach(), HoldConfiguration(target=[0]), FollowTrajectory(waypoints=[[0], [1]], times=[0, 1]), StayUpright()],
)
def test_ready_tasks_find_their_parts_and_leave_the_keys_of_others_alone(task):
    task.check(PARTS)
    task.reset(RNG(0), {})
    _, _, info = task.evaluate({name: np.zeros(space.shape) for name, space in PARTS.items()}, {}, 0.0)
    assert not {"episode", "TimeLimit.truncated", "terminal_observation", "final_observation", "final_info"} & set(info)
