"""A robot, its guard and an agent, each a process of its own, and what the robot received."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from rtgym_ros.nodes.robot_process import RobotProcess
from rtgym_ros.robots.truth_log import read_truth_log

CONTRACT = """\
contract: 1
robot: diff_drive
time: {{time_step_duration: 0.05, act_buf_len: 4, ep_max_length: 400, time_step_timeout_factor: 1.0}}
action:
  velocity:
    topic: cmd_vel
    type: geometry_msgs/msg/TwistStamped
    fields: [twist.linear.x, twist.angular.z]
    low: [-0.22, -2.84]
    high: [0.22, 2.84]
    quantity: velocity
    fill: {{header.frame_id: base_link}}
    {action}
    echo: {{topic: applied_command, type: rtgym_ros/msg/AppliedAction, stamp: command_stamp}}
observation:
  pose:
    topic: odom
    type: nav_msgs/msg/Odometry
    fields: [pose.pose.position.x, pose.pose.position.y]
    low: -10
    high: 10
guard:
  timeout: 0.2
  inputs:
    agent: 10
    joystick: {{priority: 100, topic: joy, type: sensor_msgs/msg/Joy, fields: ["axes[1]", "axes[0]"]}}
  {lock}
"""
AGENT = Path(__file__).with_name("agent.py")
PATIENCE_S = 30.0


def write_contract(folder, action="", lock="", more=""):
    path = folder / "robot.yaml"
    path.write_text(CONTRACT.format(action=action, lock=lock) + more)
    return path


class GuardProcess(RobotProcess):
    """A guard while entered."""

    def __init__(self, contract, namespace, parameters=(), before=()):
        super().__init__("guard", namespace, parameters, arguments=[str(contract)])
        self._command[:0] = before

    def end(self, number=signal.SIGINT):
        """Signal it and return its exit code."""
        self._process.send_signal(number)
        return self._process.wait(10.0)

    def kill(self):
        self._process.kill()
        self._process.wait()

    @property
    def pid(self):
        return self._process.pid


class DriveProcess(RobotProcess):
    """A drive that writes down what it receives, while entered; `before` is what goes before its command."""

    def __init__(self, namespace, log, before=()):
        super().__init__("drive_node", namespace, ("seed:=7", f"truth_log:={log}"))
        self._command[:0] = before


class AgentProcess:
    """A driving agent while entered, which can be ended in every bad way."""

    def __init__(self, namespace, before=()):
        self._command = [*before, sys.executable, str(AGENT), namespace]

    def __enter__(self):
        self.process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def fail(self, way):
        """Have the agent fail; afterwards it sends nothing more."""
        if way == "loops":
            self.process.stdin.close()
            assert self.process.stdout.readline() == b"loops\n"
        else:
            os.kill(self.process.pid, signal.SIGKILL if way == "killed" else signal.SIGSTOP)

    def go_on(self):
        os.kill(self.process.pid, signal.SIGCONT)


def received(log):
    """Return the commands that the robot received: (ns, values)."""
    return [(event.time_ns, event.values) for event in read_truth_log(log) if event.event == "received"]


def wait_until(condition, timeout=PATIENCE_S):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.01)


def count(log, values, after=0):
    return sum(1 for _, command in received(log)[after:] if command == values)
