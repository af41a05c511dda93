"""Three hosts on one machine, and a slow and lossy network between them that can be cut.

Each host is a network namespace with an address of its own and a TUN device as its only way out. What goes out there a
process reads, and writes it, late or never, to the device of whom it is for. `tc netem` would do the same, where the
kernel has it; this needs `ip`, /dev/net/tun and root's rights.

``python three_hosts.py`` is that process: it makes the hosts, hears ``cut HOST`` and ``heal HOST`` on its input, and at
the end of its input kills what still runs on the hosts and removes them: also when the test was killed.
"""

import fcntl
import heapq
import os
import random
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from contextlib import ExitStack
from itertools import count
from pathlib import Path

ADDRESSES = {"gpu": "10.77.1.1", "robot1": "10.77.2.1", "robot2": "10.77.3.1"}
LATENCY_S, JITTER_S, LOSS = 0.020, 0.005, 0.01

_TUN = "/dev/net/tun"
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_CAPABILITIES = 1 << 12 | 1 << 21  # CAP_NET_ADMIN, CAP_SYS_ADMIN
_PACKET_BYTES = 65536
_AT_ONCE = 64


def what_is_missing():
    """Return what this machine lacks for three hosts; an empty text for nothing."""
    if shutil.which("ip") is None:
        return "there is no ip (iproute2)"
    if not os.access(_TUN, os.R_OK | os.W_OK):
        return f"there is no {_TUN}"
    status = Path("/proc/self/status").read_text()
    capabilities = int(status.partition("CapEff:")[2].split()[0], 16)
    if capabilities & _CAPABILITIES != _CAPABILITIES:
        return "network namespaces need root's rights"
    return ""


class ThreeHosts:
    """The hosts, as a test uses them: they are there from ``with`` to the end of its block."""

    def __enter__(self):
        # A session of its own: Ctrl-C must not end it before it has removed what it made.
        self._router = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        if self._router.stdout.readline() != "ready\n":
            raise OSError(f"three hosts cannot be made: {self._router.communicate()[1]}")
        return self

    def __exit__(self, *_):
        _, complaint = self._router.communicate(timeout=30)
        assert self._router.returncode == 0, complaint

    def command(self, host, *arguments):
        """Return the command that runs on ``host``."""
        return ["ip", "netns", "exec", _namespace(self._router.pid, host), *map(str, arguments)]

    def cut(self, host):
        """Let nothing through, in either direction, from now on."""
        self._say("cut", host)

    def heal(self, host):
        """Let everything through again."""
        self._say("heal", host)

    def _say(self, verb, host):
        self._router.stdin.write(f"{verb} {host}\n")
        self._router.stdin.flush()
        assert self._router.stdout.readline() == "done\n"


class Router:
    """Moves packets between the devices of the hosts.

    A packet is late by ``LATENCY_S`` and up to ``JITTER_S`` more or less, and lost with the probability ``LOSS``. Those
    of one host keep their order, as they do on most networks.
    """

    def __init__(self, devices):
        self._devices = devices
        self._by_address = {socket.inet_aton(address): host for host, address in ADDRESSES.items()}
        self._by_file = {device: host for host, device in devices.items()}
        self._cut = set()
        self._under_way = []  # a heap of (due, number, from, to, packet)
        self._numbers = count()
        self._last_due_s = dict.fromkeys(devices, 0.0)
        self._random = random.Random(77)

    def run(self):
        """Move packets until the input ends."""
        poll = select.poll()
        for file in (0, *self._by_file):
            poll.register(file, select.POLLIN)
        while True:
            self._deliver()
            for file, _ in poll.poll(self._pause_ms()):
                if file == 0:
                    line = os.read(0, 1024).decode().split()  # the other side waits for the answer to each
                    if not line:
                        return
                    self._obey(*line)
                else:
                    self._collect(file)

    def _obey(self, verb, host):
        (self._cut.add if verb == "cut" else self._cut.discard)(host)
        os.write(1, b"done\n")

    def _collect(self, device):
        sender = self._by_file[device]
        for _ in range(_AT_ONCE):
            try:
                packet = os.read(device, _PACKET_BYTES)
            except BlockingIOError:
                return
            receiver = self._by_address.get(packet[16:20]) if packet[0] >> 4 == 4 else None
            if receiver is None or self._random.random() < LOSS:
                continue
            late_s = LATENCY_S + self._random.uniform(-JITTER_S, JITTER_S)
            due_s = self._last_due_s[sender] = max(time.monotonic() + late_s, self._last_due_s[sender])
            heapq.heappush(self._under_way, (due_s, next(self._numbers), sender, receiver, packet))

    def _deliver(self):
        while self._under_way and self._under_way[0][0] <= time.monotonic():
            *_, sender, receiver, packet = heapq.heappop(self._under_way)
            if not self._cut & {sender, receiver}:
                os.write(self._devices[receiver], packet)

    def _pause_ms(self):
        if not self._under_way:
            return None
        return max(self._under_way[0][0] - time.monotonic(), 0.0) * 1000


def _namespace(pid, host):
    return f"rtgym-{pid}-{host}"


def _ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, stdin=subprocess.DEVNULL)


def _make_host(namespace, address, stack):
    """Make a host and return the file that reads and writes its packets; ``stack`` removes it."""
    device = os.open(_TUN, os.O_RDWR | os.O_NONBLOCK)
    stack.callback(os.close, device)
    answer = fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", b"rtgym%d", _IFF_TUN | _IFF_NO_PI))
    name = answer[:16].rstrip(b"\0").decode()
    _ip("netns", "add", namespace)
    stack.callback(_remove_host, namespace)
    _ip("link", "set", name, "netns", namespace)
    # No way to anywhere else: who asks for a name is told so at once.
    _ip("-n", namespace, "address", "add", f"{address}/16", "dev", name)
    for up in ("lo", name):
        _ip("-n", namespace, "link", "set", up, "up")
    return device


def _remove_host(namespace):
    pids = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True, check=False).stdout
    for pid in pids.split():
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            continue
    _ip("netns", "delete", namespace)


def main():
    """Make three hosts and the network between them, until the input ends."""
    with ExitStack() as stack:
        devices = {
            host: _make_host(_namespace(os.getpid(), host), address, stack) for host, address in ADDRESSES.items()
        }
        os.write(1, b"ready\n")
        Router(devices).run()


if __name__ == "__main__":
    main()
