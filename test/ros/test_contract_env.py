"""A robot with messages of another package under a contract, over real topics: what flows when, and what goes wrong."""

import time

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env

pytest.importorskip("test_msgs")

from contract_robots.foreign_robot import ForeignRobot, contract_text
from test_msgs.msg import Empty

import rtgym_ros  # noqa: F401
from rtgym_ros.core.errors import InterfaceError, InterfaceTimeoutError
from rtgym_ros.ros.session import RosSession

SAFE = (0.0, 0.0, 0.0)


@pytest.fixture
def make(namespace, tmp_path):
    """Make the environment; it is closed at the end, before the robot."""
    made = []

    def make_env(*, config=None, guard=False, **of_contract):
        file = tmp_path / "robot.yaml"
        file.write_text(contract_text(**of_contract))
        env = gymnasium.make(
            "rtgym_ros/Contract-v0",
            contract=str(file),
            namespace=namespace,
            guard=guard,
            config=config,
            disable_env_checker=True,
        )
        made.append(env)
        return env

    yield make_env
    for env in made:
        env.close()


def fly(env, time_steps, action=(0.25, -0.25, 1.0)):
    for _ in range(time_steps):
        answer = env.step(np.array(action, np.float32))
    return answer


def fly_until(env, condition, time_steps=500):
    for _ in range(time_steps):
        answer = fly(env, 1)
        if condition(answer):
            return answer
    raise AssertionError("it does not come")


def test_observation_action_and_info(robot, make):
    env = make()
    assert env.observation_space == spaces.Dict(
        {"state": spaces.Box(-10.0, 10.0, (2,)), "action_buffer": spaces.Box(-1.0, 1.0, (2, 3))}
    )
    observation, info = env.reset(seed=1)
    np.testing.assert_array_equal(observation["state"], np.array([2.0, 4.0], np.float32))
    assert info["age"].keys() == {"state"}
    observation, reward, terminated, truncated, info = fly(env, 10)
    assert (reward, terminated, truncated) == (0.0, False, False)
    np.testing.assert_array_equal(observation["action_buffer"][-1], np.array([0.25, -0.25, 1.0], np.float32))
    np.testing.assert_array_equal(info["executed_action"], np.array([0.25, -0.25, 1.0], np.float32))
    assert 0.0 <= info["age"]["state"] < 0.3
    robot.wait_for(lambda: (0.25, -0.25, 1.0) in robot.commands())
    assert (0.5, 0.5, 0.5) in robot.commands(), "the default action"


@pytest.mark.parametrize("form", ["dict", "tuple", "flat"])
def test_gymnasium_is_content(form, robot, make):
    check_env(make(form=form).unwrapped, skip_render_check=True)


def test_what_flows_when(robot, make):
    env = make(config={"ep_max_length": 20})
    time.sleep(0.5)
    assert robot.events == [], "nothing is sent before the first reset()"
    env.reset()
    fly(env, 20)
    robot.wait_for(lambda: robot.commands()[-1:] == [SAFE])
    between = len(robot.commands())
    robot.wait_for(lambda: len(robot.commands()) > between + 5)
    assert set(robot.commands()[between:]) == {SAFE}, "between two episodes"
    env.reset()
    fly(env, 5)
    env.close()
    ended = list(robot.events)
    assert ended[-1] == ("power", False)
    kinds = [kind for kind, _ in ended]
    assert kinds.index("alive") < kinds.index("command"), "heartbeats flow from the first step of `start`"
    assert [e for e in ended if e[0] == "power"] == [("power", True), ("power", False)], "start runs once"
    assert [what for kind, what in ended if kind == "command"][-1] == SAFE
    first = next(i for i, (kind, _) in enumerate(ended) if kind == "command")
    assert ("power", True) in ended[:first], "commands flow from the end of `start`"
    time.sleep(0.3)
    assert robot.events == ended, "neither a command nor a heartbeat comes after `stop`"


def test_an_environment_that_was_never_reset_sends_nothing(robot, make):
    make().close()
    assert robot.events == []


def test_a_robot_that_falls_silent(robot, make):
    env = make()
    env.reset()
    fly(env, 5)
    robot.silent = True
    with pytest.raises(InterfaceError, match=r"observation state: the newest message on \S*state is .* old"):
        fly_until(env, lambda _: False)
    robot.wait_for(lambda: robot.events[-1] == ("power", False))
    assert robot.commands()[-1] == SAFE
    robot.silent = False
    env.reset()
    assert robot.events.count(("power", True)) == 2, "start runs again after a failure"
    fly(env, 5)


def test_silence_may_end_the_episode(robot, make):
    env = make(more="when_stale: truncate")
    env.reset()
    robot.silent = True
    *_, truncated, info = fly_until(env, lambda answer: answer[3])
    assert truncated
    assert "old; allowed: 0.3 s" in info["truncation"]
    robot.wait_for(lambda: robot.commands()[-1] == SAFE)
    assert ("power", False) not in robot.events, "the robot has not failed"


def test_a_robot_that_is_silent_from_the_beginning(robot, make):
    robot.silent = True
    env = make()
    env.unwrapped.interface._observation_timeout = 1.0
    with pytest.raises(InterfaceTimeoutError, match=r"observation state: no message on \S*state for 1 s \(1 pub"):
        env.reset()
    robot.wait_for(lambda: robot.events[-1] == ("power", False))


def test_a_robot_that_measures_nan(robot, make):
    env = make()
    env.reset()
    fly(env, 5)
    robot.values = (float("nan"), 2.0)
    with pytest.raises(InterfaceError, match=r"observation state\[0\]: nan; allowed: -10 to 10"):
        fly_until(env, lambda _: False)
    robot.wait_for(lambda: robot.events[-1] == ("power", False))
    assert robot.commands()[-1] == SAFE


def test_nan_may_count_as_not_having_come(robot, make):
    env = make(more="").unwrapped
    env.reset()
    text = contract_text().replace("{scale: 2.0}", "{nan: refuse}, {scale: 2.0}")
    file = env.interface.contract.source.file
    env.close()
    with open(file, "w") as out:
        out.write(text)
    other = gymnasium.make("rtgym_ros/Contract-v0", contract=file, namespace=robot.node.get_namespace())
    with other:
        other.reset()
        robot.values = (float("nan"), 2.0)
        with pytest.raises(InterfaceError, match=r"old; allowed: 0\.3 s"):
            fly_until(other, lambda _: False)


@pytest.mark.parametrize(
    ("verb", "outcome"), [("warn", 20.0), ("clip", 10.0), ("truncate", "truncation"), ("fail", InterfaceError)]
)
def test_values_out_of_bounds(verb, outcome, robot, make):
    env = make(more=f"out_of_bounds: {verb}")
    env.reset()
    fly(env, 3)
    robot.values = (10.0, 0.0)
    if outcome is InterfaceError:
        with pytest.raises(InterfaceError, match=r"state\[0\]: 20; allowed: -10 to 10"):
            fly_until(env, lambda _: False)
    elif outcome == "truncation":
        assert "20; allowed" in fly_until(env, lambda answer: answer[3])[4]["truncation"]
    else:
        fly_until(env, lambda answer: answer[0]["state"][0] == outcome)


def test_another_type_on_the_topic(namespace, make):
    with ForeignRobot(namespace, message_type=Empty):
        env = make()
        env.unwrapped.interface._observation_timeout = 1.0
        with pytest.raises(InterfaceTimeoutError, match="foreign_robot has test_msgs/msg/Empty on"):
            env.reset()


def test_two_robots_on_one_topic_are_reported(robot, namespace, make):
    with ForeignRobot(namespace, name="second_robot"):
        env = make()
        lines = []
        env.unwrapped.interface._checks._report = lines.append
        env.reset()
        fly_until(env, lambda _: any("/second_robot publish on" in line for line in lines))
        assert sum("the observation is now of one" in line and "/state:" in line for line in lines) == 1


def test_a_lost_gate_stops_the_robot(robot, make):
    env = make()
    env.reset()
    fly(env, 5)
    robot.tell_ready(False)
    with pytest.raises(InterfaceError, match=r"robot.yaml:\d+: gates.ready: is lost: data of ready is False"):
        fly_until(env, lambda _: False)
    robot.wait_for(lambda: robot.events[-1] == ("power", False))


def test_a_lost_gate_may_end_the_episode_and_start_runs_again(robot, make):
    env = make(when_lost="truncate")
    env.reset()
    robot.tell_ready(False)
    assert "gates.ready" in fly_until(env, lambda answer: answer[3])[4]["truncation"]
    robot.tell_ready(True)
    time.sleep(0.1)
    env.reset()


def test_a_lost_gate_may_be_waited_for(robot, make):
    import threading

    env = make(when_lost="wait")
    env.reset()
    fly(env, 5)
    robot.tell_ready(False)
    before = len(robot.events)
    timer = threading.Timer(1.0, robot.tell_ready, (True,))
    timer.start()
    fly(env, 30)
    timer.join()
    during = [what for kind, what in robot.events[before:] if kind == "command"]
    assert during.count(SAFE) > 5, "the safe action at the rate of the commands"
    assert during[-1] == (0.25, -0.25, 1.0)


def test_a_gate_that_never_holds(robot, make):
    robot.tell_ready(False)
    env = make()
    with pytest.raises(InterfaceTimeoutError, match=r"gates.ready: does not hold after 5 s: data of ready is False"):
        env.reset()
    assert robot.commands() == [], "commands flow when the gates hold"
    robot.wait_for(lambda: robot.events[-1] == ("power", False))


def test_commands_with_a_rate_are_repeated(robot, make):
    env = make(of_action="rate: 250")
    env.reset()
    before = len(robot.commands())
    fly(env, 50)
    robot.wait_for(lambda: len(robot.commands()) > before + 100)


def test_limits_hold_between_what_the_robot_receives(robot, make):
    env = make(of_action="limits: {max_acceleration: 5.0}")
    env.reset()
    before = len(robot.commands())
    fly(env, 5, (0.5, 0.5, 0.5))
    for _ in range(30):
        *_, info = fly(env, 1, (-1.0, 1.0, -1.0))
    np.testing.assert_allclose(info["executed_action"], (-1.0, 1.0, -1.0))
    received = np.array(robot.commands()[before:])
    assert np.abs(np.diff(received, axis=0)).max() <= 5.0 * 0.02 * (1 + 1e-9)


def test_no_agent(robot, make):
    env = make()
    env.reset()
    fly(env, 5)
    robot.wait_for(lambda: robot.commands()[-1] == SAFE)
    count = robot.commands().count(SAFE)
    robot.wait_for(lambda: robot.commands().count(SAFE) > count + 5)
    fly(env, 3)
    robot.wait_for(lambda: robot.commands()[-1] != SAFE)


def test_with_a_guard_commands_go_to_the_guard(robot, make, namespace):
    env = make(guard=True)
    with pytest.raises(InterfaceError, match=r"no guard is up: nobody subscribes to \S*/agent/motors"):
        env.reset()
    assert robot.commands() == []


def test_never_two_masters(robot, make, namespace):
    from test_msgs.msg import Arrays

    session = RosSession("guard", namespace, arguments=["program"])
    try:
        session.node.create_subscription(Arrays, "agent/motors", lambda _: None, 1)
        env = make()
        robot.wait_for(lambda: env.unwrapped.interface.node.count_subscribers(f"{namespace}/agent/motors"))
        with pytest.raises(InterfaceError, match="a guard is up: it subscribes to"):
            env.reset()
        assert robot.events == []
    finally:
        session.close()
