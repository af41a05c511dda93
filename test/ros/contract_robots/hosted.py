"""An env_node in a process of its own, and agents."""

import signal
import subprocess
import sys
import time

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import GetParameters, SetParameters, SetParametersAtomically

from rtgym_ros.ros.session import RosSession

TRANSITIONS = {
    "configure": Transition.TRANSITION_CONFIGURE,
    "activate": Transition.TRANSITION_ACTIVATE,
    "deactivate": Transition.TRANSITION_DEACTIVATE,
    "cleanup": Transition.TRANSITION_CLEANUP,
}


class EnvNodeProcess:
    """Runs env_node while entered."""

    def __init__(self, file, namespace, *parameters, options=()):
        overrides = [part for parameter in parameters for part in ("-p", parameter)]
        self._command = [sys.executable, "-m", "rtgym_ros.nodes.env_node", str(file), "--until-eof", *options]
        self._command += ["--ros-args", "-r", f"__ns:={namespace}", *overrides]
        self.name = f"{namespace}/env"
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.end()

    def start(self):
        self.process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def end(self, number=signal.SIGTERM):
        """End it by a signal; return its exit code."""
        if self.process is None:
            return None
        process, self.process = self.process, None
        process.send_signal(number)
        try:
            process.communicate(timeout=40.0)
        finally:
            process.kill()
            process.wait()
        return process.returncode


class Operator:
    """Somebody at a terminal: lifecycle, parameters and services of a node."""

    def __init__(self, name, namespace):
        self.name = name
        self.session = RosSession("operator", namespace, arguments=["program"])
        self.node = self.session.node

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.session.close()

    def call(self, kind, service, timeout=30.0, **fields):
        client = self.node.create_client(kind, f"{self.name}/{service}")
        try:
            assert client.wait_for_service(30.0), f"no service {service}"
            future = client.call_async(kind.Request(**fields))
            end = time.monotonic() + timeout
            while not future.done():
                assert time.monotonic() < end, f"{service} does not answer"
                time.sleep(0.005)
            return future.result()
        finally:
            self.node.destroy_client(client)

    def change(self, transition):
        return self.call(ChangeState, "change_state", transition=Transition(id=TRANSITIONS[transition])).success

    def state(self):
        return self.call(GetState, "get_state").current_state.label

    def wait_for_state(self, label, timeout=30.0):
        end = time.monotonic() + timeout
        while self.state() != label:
            assert time.monotonic() < end, f"it is {self.state()}, not {label}"
            time.sleep(0.05)

    def set(self, **values):
        """Set parameters at once; return why not, empty if they are set."""
        result = self.call(SetParametersAtomically, "set_parameters_atomically", parameters=_parameters(values)).result
        return "" if result.successful else result.reason

    def set_one(self, **value):
        (result,) = self.call(SetParameters, "set_parameters", parameters=_parameters(value)).results
        return "" if result.successful else result.reason

    def get(self, name):
        (value,) = self.call(GetParameters, "get_parameters", names=[name]).values
        return {
            ParameterType.PARAMETER_DOUBLE: value.double_value,
            ParameterType.PARAMETER_INTEGER: value.integer_value,
            ParameterType.PARAMETER_STRING: value.string_value,
            ParameterType.PARAMETER_BOOL: value.bool_value,
        }[value.type]


def _parameters(values):
    parameters = []
    for name, value in values.items():
        if isinstance(value, float):
            said = ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=value)
        elif isinstance(value, int):
            said = ParameterValue(type=ParameterType.PARAMETER_INTEGER, integer_value=value)
        else:
            said = ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=value)
        parameters.append(Parameter(name=name, value=said))
    return parameters
