"""Two network namespaces with a cable between them that can be pulled: an agent's machine, and the robot's."""

import ctypes
import itertools
import os
import subprocess
from pathlib import Path

ENVIRONMENT = {
    # Shared memory would go past the cable, and other programs on this machine are not in the namespaces.
    "FASTDDS_BUILTIN_TRANSPORTS": "UDPv4",
    "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET",
}
_CLONE_NEWNET = 0x40000000
_numbers = itertools.count()


class CutLink:
    """Both namespaces while entered; root is needed."""

    def __init__(self):
        self.namespaces = [f"guard-{os.getpid()}-{next(_numbers)}-{side}" for side in ("agent", "robot")]
        self._devices = ["cable0", "cable1"]

    def __enter__(self):
        try:
            for name in self.namespaces:
                _ip("netns", "add", name)
            (agent, robot), (here, there) = self.namespaces, self._devices
            _ip("link", "add", here, "netns", agent, "type", "veth", "peer", "name", there, "netns", robot)
            for number, (name, device) in enumerate(zip(self.namespaces, self._devices, strict=True), 1):
                _ip("-n", name, "addr", "add", f"10.78.0.{number}/24", "dev", device)
                _ip("-n", name, "link", "set", "lo", "up")
            self.mend()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error):
        for name in self.namespaces:
            subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)

    def cut(self):
        """Pull the cable."""
        _ip("-n", self.namespaces[0], "link", "set", self._devices[0], "down")

    def mend(self):
        """Put the cable in again."""
        for name, device in zip(self.namespaces, self._devices, strict=True):
            _ip("-n", name, "link", "set", device, "up")
            _ip("-n", name, "route", "replace", "224.0.0.0/4", "dev", device)

    @property
    def at_agent(self):
        """What goes before a command that runs at the agent's end."""
        return ["ip", "netns", "exec", self.namespaces[0]]

    @property
    def at_robot(self):
        """What goes before a command that runs at the robot's end."""
        return ["ip", "netns", "exec", self.namespaces[1]]

    def enter(self, at_robot):
        """Move this process to the robot's end, or to the agent's."""
        name = self.namespaces[at_robot]
        with open(Path("/run/netns") / name) as file:
            if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), f"setns({name})")


def why_not():
    """Return why there can be none here; empty: there can."""
    try:
        with CutLink():
            return ""
    except (OSError, subprocess.CalledProcessError) as error:
        return f"network namespaces cannot be made here: {error}"


def _ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
