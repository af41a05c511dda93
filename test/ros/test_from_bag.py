"""Bags of a contract's topics become episodes: what is observed and sent in them is known to the number."""

import sqlite3
import threading
import time

import gymnasium
import numpy as np
import pytest
import rclpy
import rclpy.executors
from geometry_msgs.msg import PoseStamped, TwistStamped
from mcap.writer import Writer
from nav_msgs.msg import Odometry
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import serialize_message
from sensor_msgs.msg import LaserScan
from test_recorded_messages import wait_for_robot

import rtgym_ros  # noqa: F401
from rtgym_ros.cli.recording import main
from rtgym_ros.contract.grammar.reader import parse_contract, read_contract
from rtgym_ros.record.errors import RecordError
from rtgym_ros.record.reading import read_episodes
from rtgym_ros.ros.contract.from_bag import from_bag
from rtgym_ros.ros.contract.interface_types import message_layout
from rtgym_ros.ros.contract.recorded_type import definition_of

MS = 1_000_000
BEGIN = 1_700_000_000_000 * MS
CONTRACT = """
contract: 1
robot: drone
time: {time_step_duration: 0.05, act_buf_len: 2, ep_max_length: 4}
action:
  velocity: {topic: cmd_vel, type: geometry_msgs/msg/TwistStamped, fields: [twist.linear.x], low: -2.0, high: 2.0,
             agent_range: [-1.0, 1.0], default: 0.0, quantity: velocity}
observation:
  position: {topic: pose, type: geometry_msgs/msg/PoseStamped, fields: [pose.position.x], low: -100, high: 1000,
             max_age: 0.12, when_stale: truncate}
"""


def stamped(message, ns):
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(ns, 1_000_000_000)
    return message


def pose(ns, x):
    message = stamped(PoseStamped(), ns)
    message.pose.position.x = float(x)
    return "/robot/pose", "geometry_msgs/msg/PoseStamped", ns, serialize_message(message)


def command(ns, x):
    message = stamped(TwistStamped(), ns)
    message.twist.linear.x = float(x)
    return "/robot/cmd_vel", "geometry_msgs/msg/TwistStamped", ns, serialize_message(message)


def messages(until=400, silent=range(0)):
    """A pose each 10 ms (x: its number), a command each 50 ms, 21 ms after its begin (x: 0.1 times its number)."""
    found = [command(BEGIN, 0.0)]
    for ms in range(0, until, 10):
        if ms not in silent:
            found.append(pose(BEGIN + ms * MS, ms / 10))
        if ms % 50 == 20:
            found.append(command(BEGIN + ms * MS + MS, 0.1 * (ms // 50)))
    return found


def write_mcap(file, found):
    with file.open("wb") as stream:
        writer = Writer(stream)
        writer.start("ros2", "test")
        channels = {}
        for topic, kind, ns, data in found:
            if topic not in channels:
                schema = writer.register_schema(kind, "ros2msg", b"# the fields, which nobody reads here\n")
                channels[topic] = writer.register_channel(topic, "cdr", schema)
            writer.add_message(channels[topic], ns, data, ns)
        writer.finish()
    return file


def write_sqlite(file, found):
    """As rosbag2's storage plugin does."""
    with sqlite3.connect(file) as bag:
        bag.execute("CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT, type TEXT, serialization_format TEXT)")
        bag.execute("CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER, data BLOB)")
        numbers = {}
        for topic, kind, ns, data in found:
            if topic not in numbers:
                numbers[topic] = len(numbers) + 1
                bag.execute("INSERT INTO topics VALUES(?, ?, ?, 'cdr')", (numbers[topic], topic, kind))
            bag.execute("INSERT INTO messages(topic_id, timestamp, data) VALUES(?, ?, ?)", (numbers[topic], ns, data))
    bag.close()
    return file


@pytest.mark.parametrize("write", [write_mcap, write_sqlite])
def test_observations_and_actions_of_a_bag(write, tmp_path):
    bag = write(tmp_path / ("bag.mcap" if write is write_mcap else "bag.db3"), messages(until=400))
    done = from_bag(bag, parse_contract(CONTRACT), tmp_path / "made", namespace="robot")
    episodes = list(read_episodes(tmp_path / "made"))
    assert (done.episodes, done.steps, done.gaps) == (2, 8, 0)
    first, second = episodes
    # Time-steps begin each 50 ms, from the first pose on: the pose of that very moment has arrived.
    assert [dict(step.observation)["position"].tolist() for step in first.steps] == [[0], [5], [10], [15], [20]]
    assert [dict(step.observation)["position"].tolist() for step in second.steps] == [[25], [30], [35]]
    assert [step.ages["position"] for step in first.steps] == [0.0] * 5
    # agent_range halves: number k times 0.1 is 0.05 k for the agent; the last command in the time-step counts.
    sent = [float(dict(step.executed_action)[""][0]) for step in first.steps + second.steps]
    np.testing.assert_allclose(sent, [0.05 * k for k in range(8)], atol=1e-7)
    buffers = [dict(step.observation)["action_buffer"].ravel() for step in first.steps]
    np.testing.assert_allclose(buffers, [[0, 0], [0, 0.05], [0.05, 0.1], [0.1, 0.15], [0.15, 0.2]], atol=1e-7)
    assert first.steps[0].action == ()
    assert dict(first.steps[1].action)[""] == dict(first.steps[1].executed_action)[""]
    assert [step.truncated for step in first.steps] == [False] * 4 + [True]
    assert not second.is_over


def test_a_gap_ends_the_episode(tmp_path):
    bag = write_mcap(tmp_path / "bag.mcap", messages(until=700, silent=range(100, 400)))
    done = from_bag(
        bag,
        parse_contract(CONTRACT.replace("ep_max_length: 4", "ep_max_length: 90")),
        tmp_path / "made",
        namespace="robot",
    )
    episodes = list(read_episodes(tmp_path / "made"))
    assert (done.episodes, done.gaps) == (2, 1)
    assert episodes[0].steps[-1].truncated
    # Older than 120 ms is the pose of 90 ms at 250 ms, not at 200 ms.
    assert episodes[0].steps[-1].stamp_ns == BEGIN + 250 * MS
    assert episodes[1].steps[0].stamp_ns == BEGIN + 400 * MS


def test_the_program_and_what_it_refuses(tmp_path, capsys):
    contract = tmp_path / "robot.yaml"
    contract.write_text(CONTRACT)
    (tmp_path / "bag").mkdir()
    write_mcap(tmp_path / "bag" / "bag_0.mcap", messages()[:40])
    write_mcap(tmp_path / "bag" / "bag_1.mcap", messages()[40:])
    options = [str(tmp_path / "bag"), str(contract), "-o", str(tmp_path / "made")]
    assert main(["from-bag", *options]) == 1
    assert "the bag has no topic /cmd_vel, /pose; it has /robot/cmd_vel, /robot/pose" in capsys.readouterr().err
    assert main(["from-bag", *options, "--namespace", "/robot"]) == 0
    assert "made: 2 episodes, 8 time-steps\n" in capsys.readouterr().out
    assert main(["rerun", str(tmp_path / "made")]) == 1
    assert "is not of an environment under a contract" in capsys.readouterr().err
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(RecordError, match="no bag; allowed"):
        from_bag(empty, parse_contract(CONTRACT), tmp_path / "none")
    (empty / "broken.db3").write_bytes(b"not a database, but long enough to look like one" * 9)
    with pytest.raises(RecordError, match=r"broken\.db3: file is not a database"):
        from_bag(empty, parse_contract(CONTRACT), tmp_path / "none")
    few = write_mcap(tmp_path / "few.mcap", [command(BEGIN, 0.0), pose(BEGIN, 0)])
    with pytest.raises(RecordError, match="never has every part"):
        from_bag(few, parse_contract(CONTRACT), tmp_path / "none", namespace="robot")


def test_a_bag_of_a_robot_that_flies(namespace, tmp_path):
    """The drive's topics, recorded by another node: in the spaces of its environment, with the actions it was given."""
    from rtgym_ros.contract.shipped import find_contract
    from rtgym_ros.nodes.robot_process import RobotProcess

    kinds = {"odom": Odometry, "scan": LaserScan, "cmd_vel": TwistStamped}
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node("bag", namespace=namespace, context=context)
    executor = rclpy.executors.SingleThreadedExecutor(context=context)
    executor.add_node(node)
    found = []
    for topic, kind in kinds.items():
        name = "{}/msg/{}".format(kind.__module__.partition(".")[0], kind.__name__)

        def keep(data, topic=topic, name=name):
            found.append((f"/{topic}", name, time.time_ns(), data))

        qos = QoSProfile(depth=100, reliability=ReliabilityPolicy.BEST_EFFORT)
        node.create_subscription(kind, topic, keep, qos, raw=True)
    thread = threading.Thread(target=executor.spin, name="bag")
    thread.start()
    actions = []
    with RobotProcess("drive_node", namespace, ("seed:=5",)):
        config = {"ep_max_length": 30}
        env = gymnasium.make("rtgym_ros/Contract-v0", contract="diff_drive", namespace=namespace, config=config)
        wait_for_robot(env)
        with env:
            env.action_space.seed(3)
            env.reset(seed=0)
            for _ in range(20):
                *_, info = env.step(env.action_space.sample())
                actions.append(info["executed_action"])
            spaces = env.observation_space, env.action_space
    executor.shutdown()
    thread.join()
    node.destroy_node()
    context.shutdown()
    bag = write_mcap(tmp_path / "bag.mcap", found)
    from_bag(bag, read_contract(find_contract("diff_drive")), tmp_path / "made")
    episodes = list(read_episodes(tmp_path / "made"))
    assert (episodes[0].run.observation_space, episodes[0].run.action_space) == spaces
    assert all(spaces[0].contains(dict(step.observation)) for episode in episodes for step in episode.steps)
    sent = np.array([dict(step.executed_action)[""] for episode in episodes for step in episode.steps])
    # A time-step of the bag begins anywhere in one of the flight: now and then it has no command, or two.
    seen = [action for action in actions if np.isclose(sent, action, atol=1e-5).all(axis=1).any()]
    assert len(seen) > len(actions) / 2
    assert any(step.reward != 0.0 for episode in episodes for step in episode.steps), "the task gives rewards"


def test_definitions_are_those_of_the_packages():
    text = definition_of(message_layout(PoseStamped))
    assert text.startswith("# A Pose with reference coordinate frame and timestamp\n")
    assert [line for line in text.splitlines() if line.startswith("MSG: ")] == [
        "MSG: std_msgs/Header",
        "MSG: builtin_interfaces/Time",
        "MSG: geometry_msgs/Pose",
        "MSG: geometry_msgs/Point",
        "MSG: geometry_msgs/Quaternion",
    ]
