"""The other end of a robot's topics."""

import time

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rtgym_ros.msg import AppliedAction
from std_msgs.msg import Bool

from rtgym_ros.ros.command_publisher import CommandPublisher
from rtgym_ros.ros.pulled_subscription import PulledSubscription
from rtgym_ros.ros.session import RosSession
from rtgym_ros.ros.stamps import to_nanoseconds, to_time

SENSOR = QoSProfile(depth=1000, reliability=ReliabilityPolicy.BEST_EFFORT)
LATCHED = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class Peer:
    """Remembers every message by its stamp, sends commands, calls services, and waits with a bound.

    It pulls: rclpy's MultiThreadedExecutor spins at full load over two 100 Hz topics (seen: 50 poses in 18 s).
    """

    def __init__(self, namespace, topics, command_type, command_topic, echo="applied_command"):
        self.session = RosSession("peer", namespace, arguments=["program"])
        node = self.session.node
        self.seen = {name: {} for name in topics}
        self.applied, self.ready = {}, []
        self._topics = {name: PulledSubscription(node, kind, name, SENSOR) for name, kind in topics.items()}
        self._echo = PulledSubscription(node, AppliedAction, echo, SENSOR)
        self._ready = PulledSubscription(node, Bool, "robot_ready", LATCHED)
        self._commands = CommandPublisher(node, command_type, command_topic)
        self._e_stop = node.create_publisher(Bool, "e_stop", 10)

    def close(self):
        self.session.close()

    def pull(self):
        for name, topic in self._topics.items():
            self.seen[name].update((to_nanoseconds(m.header.stamp), m) for m, _ in topic.take())
        self.applied.update(
            (to_nanoseconds(m.header.stamp), to_nanoseconds(m.command_stamp)) for m, _ in self._echo.take()
        )
        self.ready += [message.data for message, _ in self._ready.take()]

    def newest(self, topic):
        return self.seen[topic][max(self.seen[topic])]

    def applied_now(self):
        return self.applied[max(self.applied)] if self.applied else 0

    def receives(self, condition, timeout):
        """Whether the condition comes true within the timeout (s)."""
        end = time.monotonic() + timeout
        self.pull()
        while not condition():
            if time.monotonic() > end:
                return False
            time.sleep(0.002)
            self.pull()
        return True

    def wait_for(self, condition):
        assert self.receives(condition, timeout=20.0)

    def send(self, message, stamp_ns=None):
        """Send a command; return its stamp, 0 of one without a header."""
        if stamp_ns is None:
            self._commands.publish(message)
        else:
            message.header.stamp = to_time(stamp_ns)
            self._commands._publisher.publish(message)
        return to_nanoseconds(message.header.stamp) if hasattr(message, "header") else 0

    def send_until(self, make_message, condition):
        """Send until the condition holds (the first may leave before the robot has been discovered)."""
        for _ in range(400):
            self.send(make_message())
            if self.receives(condition, timeout=0.05):
                return
        raise AssertionError("the robot does not obey")

    def stop(self, engaged):
        """Engage or release the emergency stop; seen in robot_ready."""
        for _ in range(100):
            self._e_stop.publish(Bool(data=engaged))
            if self.receives(lambda: self.ready[-1:] == [not engaged], timeout=0.2):
                return
        raise AssertionError("the robot does not tell")

    def call(self, service_type, name, request):
        client = self.session.node.create_client(service_type, name)
        assert client.wait_for_service(20.0)
        future = client.call_async(request)
        self.wait_for(future.done)
        return future.result()

    def now_ns(self):
        return self.session.node.get_clock().now().nanoseconds
