"""What was recorded of a contract's topics gives the observations of the flight again, bit for bit."""

import json
import time

import gymnasium
import numpy as np
import pytest

import rtgym_ros  # noqa: F401
from rtgym_ros.contract.freshness.outcome import Outcome
from rtgym_ros.nodes.robot_process import RobotProcess
from rtgym_ros.record.errors import RecordError
from rtgym_ros.record.messages import read_messages
from rtgym_ros.record.reading import read_runs, recorded_files
from rtgym_ros.ros.contract.rerun import rerun
from rtgym_ros.ros.contract_env import find_contract
from rtgym_ros.wrappers import Record

TIME_STEPS = 25


def wait_for_robot(env):
    """Return once the robot's process has its topics: on a busy machine that takes longer than a gate waits."""
    deadline = time.monotonic() + 60
    while not env.unwrapped.interface.node.count_publishers("robot_ready"):
        assert time.monotonic() < deadline, "the robot has not started"
        time.sleep(0.05)


def fly(robot, program, namespace, folder, topics="all", episodes=2, at_step=lambda node: None):
    """Fly some time-steps of a shipped robot and record them; return how many observations there were.

    ``at_step`` is called with the environment's node before each time-step.
    """
    with RobotProcess(program, namespace, ("seed:=5",)):
        env = gymnasium.make(
            "rtgym_ros/Contract-v0",
            contract=robot,
            namespace=namespace,
            config={"ep_max_length": TIME_STEPS},
            disable_env_checker=True,
        )
        wait_for_robot(env)
        env.action_space.seed(3)
        with Record(env, folder, topics=topics) as recorded:
            observations = 0
            for episode in range(episodes):
                recorded.reset(seed=episode)
                over, observations = False, observations + 1
                while not over:
                    at_step(env.unwrapped.interface.node)
                    _, _, terminated, truncated, _ = recorded.step(env.action_space.sample())
                    over, observations = terminated or truncated, observations + 1
        assert recorded.recorder.state.dropped == recorded.recorder.state.messages_dropped == 0
    return observations


@pytest.mark.parametrize(
    ("robot", "program"), [("drone", "drone_node"), ("diff_drive", "drive_node"), ("arm", "arm_node")]
)
def test_live_and_made_again_are_the_same_bits(robot, program, namespace, tmp_path):
    observations = fly(robot, program, namespace, tmp_path)
    made = list(rerun(tmp_path))
    assert [difference for again in made for difference in again.differences] == []
    assert len(made) == observations
    assert all(np.isfinite(list(again.ages.values())).all() and again.ages for again in made)
    # One file an episode, and the messages of a reset are in the episode's.
    assert len(recorded_files(tmp_path)) == 2
    facts = next(iter(read_runs(recorded_files(tmp_path)[0]).values())).facts
    assert f"robot: {robot}" in facts["contract"]
    assert "observation_timeout" in json.loads(facts["parameters"])


def test_stale_rules_are_made_again(namespace, tmp_path):
    """Whether an observation was too old comes out again as it did in flight."""
    text = find_contract("drone").read_text()
    stale = text.replace(
        "    qos: {profile: sensor", "    max_age: 0.025\n    when_stale: truncate\n    qos: {profile: sensor"
    )
    assert stale != text
    (tmp_path / "stale.yaml").write_text(stale)
    fly(str(tmp_path / "stale.yaml"), "drone_node", namespace, tmp_path / "flight", episodes=6)
    made = list(rerun(tmp_path / "flight"))
    assert [difference for again in made for difference in again.differences] == []
    # An episode ends by its length and at its target, too.
    steps = [again for again in made if 0 < again.step.episode_step < TIME_STEPS and not again.step.terminated]
    assert [again.outcome is Outcome.TRUNCATE for again in steps] == [again.step.truncated for again in steps]
    assert any(again.step.truncated for again in steps)


def test_a_changed_message_is_noticed(namespace, tmp_path, monkeypatch):
    fly("drone", "drone_node", namespace, tmp_path, episodes=1)
    import rtgym_ros.ros.contract.rerun as module

    def changed(file):
        for message in read_messages(file):
            data = message.data
            if message.topic.endswith("/pose"):
                at = len(data) - 56  # position.x of a PoseStamped: seven doubles before its end
                data = data[:at] + np.float64(0.123).tobytes() + data[at + 8 :]
            yield message._replace(data=data)

    monkeypatch.setattr(module, "read_messages", changed)
    made = list(module.rerun(tmp_path))
    assert all(again.differences for again in made)
    assert all(again.values["position"][0] == np.float32(0.123) for again in made)


def test_what_is_missing_is_said(namespace, tmp_path, monkeypatch):
    fly("drone", "drone_node", namespace, tmp_path, episodes=2)
    with pytest.raises(RecordError, match=r"messages 0 to \d+ of .*: name all files of the run"):
        list(rerun(recorded_files(tmp_path)[1]))


def test_only_what_was_captured(namespace, tmp_path):
    observations = fly("drone", "drone_node", namespace, tmp_path, topics="captured", episodes=1)
    messages = [message for file in recorded_files(tmp_path) for message in read_messages(file)]
    poses = [message for message in messages if message.topic.endswith("/pose")]
    assert 0 < len(poses) <= observations
    assert {message.type for message in messages} == {
        "rtgym_ros/msg/TimeStep",
        "std_msgs/msg/Header",
        "geometry_msgs/msg/PoseStamped",
    }
    assert [difference for again in rerun(tmp_path) for difference in again.differences] == []


def test_tools_read_the_messages(namespace, tmp_path):
    """The general MCAP decoder finds schemas and fields of every message: also of commands, diagnostics, parameters."""
    decoder = pytest.importorskip("mcap_ros2.decoder")
    from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
    from mcap.reader import make_reader
    from rclpy.parameter import Parameter

    publishers = []

    def at_step(node):
        if not publishers:
            publishers.append(node.create_publisher(DiagnosticArray, "/diagnostics", 10))
            node.declare_parameter("pilot", 0)
        node.set_parameters([Parameter("pilot", value=7)])
        publishers[0].publish(DiagnosticArray(status=[DiagnosticStatus(name=namespace, message="for the recording")]))

    fly("diff_drive", "drive_node", namespace, tmp_path, episodes=1, at_step=at_step)
    seen = {}
    for file in recorded_files(tmp_path):
        with file.open("rb") as stream:
            reader = make_reader(stream, validate_crcs=True, decoder_factories=[decoder.DecoderFactory()])
            for _, channel, _, message in reader.iter_decoded_messages():
                seen.setdefault(channel.topic.rsplit("/", 1)[-1], []).append(message)
    assert {"odom", "scan", "robot_ready", "applied_command", "capture", "time_step"} <= seen.keys()
    assert len(seen["scan"][-1].ranges) == 180
    assert seen["robot_ready"][-1].data is True
    assert seen["capture"][-1].frame_id == "step"
    assert "for the recording" in {message.status[0].message for message in seen["diagnostics"]}
    values = [
        parameter.value.integer_value for event in seen["parameter_events"] for parameter in event.changed_parameters
    ]
    assert 7 in values
    # Every command that was sent, with the values that the time-steps say.
    sent = [message.twist.linear.x for message in seen["cmd_vel"]]
    executed = [step.executed_action[0].float32_values for step in seen["time_step"] if step.executed_action]
    assert len(sent) >= len(executed) > TIME_STEPS // 2
    assert len(set(sent)) > TIME_STEPS // 2


def test_an_environment_without_a_contract_has_no_messages(tmp_path):
    from rtgym_ros.core.errors import ConfigError

    with pytest.raises(ConfigError, match="topics='all' is for environments under a contract"):
        Record(gymnasium.make("CartPole-v1"), tmp_path, topics="all")
    with pytest.raises(ConfigError, match="topics must be"):
        Record(gymnasium.make("CartPole-v1"), tmp_path, topics="some")
