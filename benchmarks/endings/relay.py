"""A link between two network namespaces that loses datagrams: ``relay.py NAMESPACE NAMESPACE LOSS SEED``, as root.

It makes a TAP device ``link0`` in each and carries Ethernet frames from one to the other; of those that hold a UDP
datagram it drops the fraction LOSS, independently, in both directions. It prints READY once both devices are there, and
the counts when its standard input closes. The kernel's netem would do, where there is one.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import random
import select
import struct
import sys
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_TUNSETIFF = 0x400454CA
_IFF_TAP, _IFF_NO_PI = 0x0002, 0x1000
_IPV4, _UDP = b"\x08\x00", 17
DEVICE = "link0"


def open_tap(namespace: str) -> int:
    """Return the descriptor of a new TAP device in a network namespace; this process is in it afterwards."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(Path("/run/netns") / namespace) as file:
        if libc.setns(file.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns({namespace})")
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, _TUNSETIFF, struct.pack("16sH", DEVICE.encode(), _IFF_TAP | _IFF_NO_PI))
    return tap


def is_datagram(frame: bytes) -> bool:
    """Return whether an Ethernet frame holds a UDP datagram over IPv4, or a fragment of one."""
    return frame[12:14] == _IPV4 and frame[23] == _UDP


def main() -> None:
    one, other, loss, seed = sys.argv[1:]
    taps = [open_tap(one), open_tap(other)]
    rng = random.Random(int(seed))
    print("READY", flush=True)
    carried = lost = 0
    while True:
        ready, _, _ = select.select([*taps, sys.stdin], [], [])
        if sys.stdin in ready:
            break
        for tap in ready:
            try:
                frame = os.read(tap, 65536)
                if is_datagram(frame):
                    if rng.random() < float(loss):
                        lost += 1
                        continue
                    carried += 1
                os.write(taps[tap == taps[0]], frame)
            except OSError:  # a device that is not up yet
                continue
    print(f"{carried} carried, {lost} lost", flush=True)


if __name__ == "__main__":
    main()
