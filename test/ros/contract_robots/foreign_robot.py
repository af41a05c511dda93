"""A robot with messages of another package (test_msgs), no stamps, a switch, and a heartbeat that it wants."""

import threading
import time

from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Bool, String
from std_srvs.srv import SetBool
from test_msgs.msg import Arrays, BasicTypes

from rtgym_ros.ros.pulled_subscription import PulledSubscription
from rtgym_ros.ros.session import RosSession

CONTRACT = """
contract: 1
robot: foreign
time: {{time_step_duration: 0.02, act_buf_len: 2, ep_max_length: 1000000}}
spaces: {{observation: {form}}}
action:
  motors:
    topic: motors
    type: test_msgs/msg/Arrays
    fields: ["float64_values[0:3]"]
    low: -1.0
    high: 1.0
    quantity: velocity
    default: 0.5
    safe: 0.0
    fill: {{"int32_values": [7, 8, 9]}}
    {of_action}
observation:
  state:
    topic: state
    type: test_msgs/msg/BasicTypes
    fields: [float64_value, float32_value]
    convert: [{{scale: 2.0}}]
    low: -10.0
    high: 10.0
    max_age: 0.3
    {more}
gates:
  ready: {{topic: ready, type: std_msgs/msg/Bool, field: data, equals: true, qos: latched, when_lost: {when_lost}}}
start:
  - {{call: power, type: std_srvs/srv/SetBool, fill: {{data: true}}, timeout: 10}}
stop:
  - {{call: power, type: std_srvs/srv/SetBool, fill: {{data: false}}}}
heartbeats:
  - {{topic: alive, type: std_msgs/msg/String, fill: {{data: here}}, rate: 50}}
guard: {{timeout: 0.5}}
"""


def contract_text(form="dict", more="", when_lost="fail", of_action=""):
    return CONTRACT.format(form=form, more=more, when_lost=when_lost, of_action=of_action)


class ForeignRobot:
    """Publishes its state at 100 Hz from a thread and notes what happens to it, in order: ``events``."""

    def __init__(self, namespace, name="foreign_robot", message_type=BasicTypes):
        self.session = RosSession(name, namespace, arguments=["program"])
        self.node = self.session.node
        self.events = []
        # Two threads take messages: what one has taken is in `events` before the other one takes or notes anything.
        self._noting = threading.Lock()
        self.values = (1.0, 2.0)
        self.silent = False
        self._ready = self.node.create_publisher(
            Bool, "ready", QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        )
        self._state = self.node.create_publisher(message_type, "state", 10)
        self._type = message_type
        self._commands = PulledSubscription(self.node, Arrays, "motors", QoSProfile(depth=100))
        self._alive = PulledSubscription(self.node, String, "alive", QoSProfile(depth=100))
        self.node.create_service(SetBool, "power", self._power)
        self.tell_ready(True)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join()
        self.session.close()

    def tell_ready(self, ready):
        self._ready.publish(Bool(data=ready))

    def kinds(self):
        """The kinds of the events, each run of the same ones once."""
        kinds = [kind for kind, _ in self.events]
        return [kind for i, kind in enumerate(kinds) if i == 0 or kinds[i - 1] != kind]

    def commands(self):
        return [what for kind, what in self.events if kind == "command"]

    def wait_for(self, condition, timeout=10.0):
        end = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < end, "it does not come"
            time.sleep(0.005)

    def make(self):
        message = self._type()
        if self._type is BasicTypes:
            message.float64_value, message.float32_value = self.values
        return message

    def _power(self, request, response):
        with self._noting:
            self._note_arrivals()
            self.events.append(("power", request.data))
        response.success = True
        return response

    def _run(self):
        while not self._is_over.wait(0.01):
            if not self.silent:
                self._state.publish(self.make())
            with self._noting:
                self._note_arrivals()

    def _note_arrivals(self):
        for message, _ in self._alive.take():
            self.events.append(("alive", message.data))
        for message, _ in self._commands.take():
            assert message.int32_values.tolist() == [7, 8, 9]
            self.events.append(("command", tuple(message.float64_values.tolist())))
