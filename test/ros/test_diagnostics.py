"""`/diagnostics` of an environment in this process, over DDS."""

import time
from contextlib import closing

import gymnasium
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from robot_peer import SENSOR

import rtgym_ros  # noqa: F401
from rtgym_ros.core.errors import InterfaceError
from rtgym_ros.ros.pulled_subscription import PulledSubscription
from rtgym_ros.ros.session import RosSession

OK, WARN, ERROR, STALE = (bytes([level]) for level in range(4))


@pytest.fixture
def said(namespace):
    """A function that returns the statuses that have come since the last call, by name."""
    with closing(RosSession("monitor", namespace, arguments=["program"])) as session:
        topic = PulledSubscription(session.node, DiagnosticArray, "/diagnostics", SENSOR)
        prefix = f"{namespace.lstrip('/')}/drone_env: "

        def take():
            statuses = [status for message, _ in topic.take() for status in message.status]
            return [(s.name.removeprefix(prefix), s) for s in statuses if s.name.startswith(prefix)]

        yield take


def values(status):
    return {pair.key: pair.value for pair in status.values}


def test_an_environment_says_how_it_is(drone, namespace, said, kill_drone):
    pose = f"topic {namespace}/pose"

    def fly_until(condition, seconds=60.0):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            *_, terminated, truncated, _ = env.step(np.array([9.0, 0.0], np.float32))
            if terminated or truncated:
                env.reset()
            for name, status in said():
                if condition(name, status):
                    return status
        raise AssertionError("it is not said")

    with gymnasium.make(
        "rtgym_ros/Contract-v0", contract="drone", namespace=namespace, disable_env_checker=True
    ) as env:
        env.reset(seed=1)
        found = fly_until(lambda name, status: name == "time-steps" and status.message.endswith("Hz"))
        assert int(values(found)["time-steps"]) > 0
        assert found.hardware_id == namespace.strip("/")
        found = fly_until(lambda name, status: name == pose and status.level == OK and "Hz" in status.message)
        assert values(found)["publishers"] == "1"
        assert float(values(found)["age (s)"]) < 1.0
        found = fly_until(
            lambda name, status: name == "actions" and values(status)["clipped to the action space"] > "0"
        )
        assert found.level == OK
        assert values(found)[f"subscribers of {namespace}/cmd_vel"] == "1"
        assert fly_until(lambda name, status: name == "action buffer" and status.level in (OK, WARN))
        assert fly_until(lambda name, status: name == "topics" and status.message == "topics match")
        kill_drone(drone)
        with pytest.raises(InterfaceError, match="pose"):
            fly_until(lambda name, status: False)
        end = time.monotonic() + 60.0
        lost = set()
        while not {pose, "actions"} <= lost:
            assert time.monotonic() < end, lost
            lost |= {name for name, status in said() if status.level == ERROR}
            time.sleep(0.1)
