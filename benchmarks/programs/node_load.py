"""What others do to a node: a topic at 1 kHz, 20 calls of services a second, parameters set; until its input closes.

``python -m benchmarks.programs.node_load NAME``: the full name of the node.
"""

from __future__ import annotations

import sys
from threading import Event, Thread
from time import monotonic, sleep

from geometry_msgs.msg import PoseStamped
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.qos import QoSProfile
from std_srvs.srv import Trigger

from rtgym_ros.ros.session import RosSession

TOPIC, SERVICE = "load/topic", "load/service"
TOPIC_QOS = QoSProfile(depth=10)
PERIOD_S, CALL_EVERY, SET_EVERY = 0.001, 50, 200
"""A message each, a call with every 50th, a parameter with every 200th."""

PARAMETER, VALUES = "agent_timeout", (0.9, 1.0)


def main() -> int:
    """Run until standard input closes; print how many messages, answered calls and set parameters there were."""
    name = sys.argv[1]
    session = RosSession("node_load", arguments=["program"])
    node = session.node
    publisher = node.create_publisher(PoseStamped, f"{name}/{TOPIC}", TOPIC_QOS)
    service = node.create_client(Trigger, f"{name}/{SERVICE}")
    setting = node.create_client(SetParameters, f"{name}/set_parameters")
    if not (service.wait_for_service(20.0) and setting.wait_for_service(20.0)):
        print(f"node_load: {name} has no services", file=sys.stderr)
        return 1
    ended = Event()
    Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    message, calls, sets = PoseStamped(), [], []
    began, number = monotonic(), 0
    while not ended.is_set():
        publisher.publish(message)
        number += 1
        if number % CALL_EVERY == 0:
            calls.append(service.call_async(Trigger.Request()))
        if number % SET_EVERY == 0:
            value = ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=VALUES[len(sets) % 2])
            parameter = Parameter(name=PARAMETER, value=value)
            sets.append(setting.call_async(SetParameters.Request(parameters=[parameter])))
        sleep(max(began + number * PERIOD_S - monotonic(), 0.0))
    rate = number / (monotonic() - began)
    sleep(0.5)  # for the last answers
    answered = sum(call.done() and call.result().success for call in calls)
    accepted = sum(each.done() and each.result().results[0].successful for each in sets)
    print(f"{rate:.0f} messages/s, {answered} of {len(calls)} calls, {accepted} of {len(sets)} sets")
    session.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
