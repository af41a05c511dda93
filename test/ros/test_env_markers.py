"""What an environment under a contract shows on `markers`."""

import sys
from contextlib import closing

import gymnasium
import numpy as np
import pytest
from robot_peer import SENSOR
from visualization_msgs.msg import MarkerArray

import rtgym_ros  # noqa: F401
from rtgym_ros.core.errors import ConfigError
from rtgym_ros.ros.pulled_subscription import PulledSubscription
from rtgym_ros.ros.scene_publisher import import_module
from rtgym_ros.ros.session import RosSession
from rtgym_ros.ros.stamps import to_time


@pytest.mark.parametrize(
    ("task", "observation", "action", "frame"),
    [
        ("rtgym_ros.robots.drone.task:FlyToTarget", {"position": np.zeros(2)}, np.ones(2), "map"),
        ("rtgym_ros.robots.drive.task:ReachFreePlace", {"pose": np.zeros(3)}, np.ones(2), "odom"),
        ("rtgym_ros.robots.arm.task:HoldNearHome", {"joints": np.zeros(6)}, np.ones(6), "base"),
    ],
)
def test_the_tasks_of_the_package_have_scenes(task, observation, action, frame):
    module, name = task.split(":")
    made = getattr(import_module(module), name)()
    made.reset(np.random.default_rng(1), {})
    scene = made.scene(observation, {"command": action})
    module, name = scene.function.split(":")
    shown = getattr(import_module(module), name)(stamp=to_time(7), **scene.arguments)
    assert {marker.header.frame_id for marker in shown.markers} == {frame}
    assert {"robot", "target", "action"} <= {marker.ns for marker in shown.markers}


def test_an_environment_publishes_them_by_choice(drone, namespace, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["program", "--ros-args", "-p", "markers:=true"])
    env = gymnasium.make("rtgym_ros/Contract-v0", contract="drone", namespace=namespace, disable_env_checker=True)
    with env, closing(RosSession("viewer", namespace, arguments=["program"])) as session:
        topic = PulledSubscription(session.node, MarkerArray, "markers", SENSOR)
        observation, _ = env.reset(seed=1, options={"target": [0.25, -0.5]})
        shown = []
        for _ in range(400):
            env.step(np.array([0.5, 0.0], np.float32))
            shown += [message for message, _ in topic.take()]
            if len(shown) > 3:
                break
        markers = {marker.ns: marker for marker in shown[-1].markers}
        assert markers.keys() == {"robot", "target", "action"}
        target = markers["target"].pose.position
        assert (target.x, target.y) == pytest.approx(tuple(observation["target"]))
        first, last = markers["action"].points
        assert (last.x - first.x, last.y - first.y) == pytest.approx((0.25, 0.0), abs=1e-6)


def test_the_parameter_is_true_or_false(namespace, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["program", "--ros-args", "-p", "markers:=3"])
    with pytest.raises(ConfigError, match=r"'markers' .* must be true or false"):
        gymnasium.make("rtgym_ros/Contract-v0", contract="drone", namespace=namespace)
