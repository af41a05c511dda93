"""A robot and its /clock in lockstep with the commands: what is observed is a function of the actions alone.

The clock stands still until a command of the agent has come, then the state that it leads to is published, and seen,
before the clock goes on by one time-step. The safe action, which flows between episodes as often as it happens to,
changes nothing, and time stands still meanwhile: none passes that a time-step could end in.
"""

import threading
import time

from rclpy.duration import Duration
from rclpy.qos import QoSProfile
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState
from test_msgs.msg import Arrays

from rtgym_ros.core.time_source import NS_PER_S
from rtgym_ros.ros.pulled_subscription import PulledSubscription
from rtgym_ros.ros.session import RosSession
from rtgym_ros.ros.stamps import to_time

DURATION = 0.02
SAFE = -1.0
ACKNOWLEDGED_WITHIN_NS = 3_000_000
POLL_S, REPEATED_AFTER_S = 0.0002, 0.005

CONTRACT = f"""
contract: 1
robot: lockstep
time:
  time_step_duration: {DURATION}
  act_buf_len: 3
  ep_max_length: 50
  send_control_timeout: 30.0  # a busy machine
  get_obs_timeout: 30.0
spaces: {{observation: FORM}}
action:
  motors:
    topic: motors
    type: test_msgs/msg/Arrays
    fields: ["float64_values[0:3]"]
    low: -1.0
    high: 1.0
    quantity: velocity
    default: 0.5
    safe: {SAFE}
observation:
  state:
    topic: state
    type: sensor_msgs/msg/JointState
    fields: ["position[0:2]"]
    low: -100.0
    high: 100.0
    max_age: none
    qos: {{reliability: reliable, depth: 10}}  # what is acknowledged has come
    history: 2
task: {{class: "lockstep_task:Lockstep"}}
"""

TASK = """
from rtgym_ros.contract.task import Task


class Lockstep(Task):
    def reset(self, rng, options):
        self.goal = rng.uniform(-1.0, 1.0) + options.get("offset", 0.0)
        return {}

    def evaluate(self, parts, executed, time):
        distance = float(parts["state"][0]) - self.goal
        return -distance * distance, distance > 3.0, {"distance": distance}
"""


class LockstepWorld:
    """Runs in a thread while entered."""

    def __init__(self, namespace):
        self.session = RosSession("lockstep_world", namespace, arguments=["program"])
        node = self.session.node
        self._clock = node.create_publisher(Clock, "/clock", 1)
        # Of depth 1: with a longer history Fast DDS asks for acknowledgements when that is about to be full.
        self._state = node.create_publisher(JointState, "state", 1)
        self._commands = PulledSubscription(node, Arrays, "motors", QoSProfile(depth=100))
        self._now_ns = 1_700_000_000 * NS_PER_S
        self._x, self._v, self._count = 0.0, 0.0, 0
        self._is_idle = True
        self._published = 0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join()
        self.session.close()

    def _run(self):
        repeats_at = 0.0
        while not self._is_over.is_set():
            before_ns = self._now_ns
            for message, _ in self._commands.take():
                self._apply(tuple(message.float64_values))
            # What has not changed is repeated now and then: more would keep the executor of the node busy.
            is_due = time.monotonic() > repeats_at
            if self._is_idle and is_due:
                self._publish_state()
            if self._now_ns != before_ns or is_due:
                self._clock.publish(Clock(clock=to_time(self._now_ns)))
                repeats_at = time.monotonic() + REPEATED_AFTER_S
            time.sleep(POLL_S)

    def _apply(self, command):
        was_idle, self._is_idle = self._is_idle, command == (SAFE,) * 3
        if self._is_idle:
            return
        self._published = 0
        if was_idle:
            self._x, self._v = 0.0, 0.0
        self._count += 1
        self._v = 0.9 * self._v + 0.1 * command[0] + 0.01 * command[1] - 0.001 * command[2]
        self._x = self._x + self._v
        self._publish_state()
        while not self._state.wait_for_all_acked(Duration(nanoseconds=ACKNOWLEDGED_WITHIN_NS)):
            self._publish_state()  # the middleware asks for acknowledgements with its next message
        self._now_ns += int(DURATION * NS_PER_S)

    def _publish_state(self):
        self._published += 1
        # Newer than the one before, and older than the end of the time-step, of which there are 20 ms.
        stamp_ns = self._now_ns + (0 if self._is_idle else 10_000_000) + self._published % 10_000 * 100
        state = JointState(position=[self._x, float(self._count % 90)])
        state.header.stamp = to_time(stamp_ns)
        self._state.publish(state)
