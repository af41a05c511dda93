"""Two network namespaces with a link between them that loses datagrams."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from benchmarks.endings.relay import DEVICE


class LossyLink:
    """Makes namespaces and link while entered; root is needed.

    Args:
        loss: the fraction of datagrams that is lost, in each direction.
        number: tells links of the same process apart.
    """

    def __init__(self, loss: float, number: int) -> None:
        self.namespaces = tuple(f"ending-{os.getpid()}-{number}-{side}" for side in "ab")
        self._loss = loss
        self._number = number
        self._relay: subprocess.Popen[str] | None = None
        self.counts = ""

    def __enter__(self) -> LossyLink:
        """Make them."""
        try:
            for namespace in self.namespaces:
                _ip("netns", "add", namespace)
            self._relay = subprocess.Popen(
                [
                    sys.executable,
                    str(Path(__file__).with_name("relay.py")),
                    *self.namespaces,
                    str(self._loss),
                    str(self._number),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            assert self._relay.stdout is not None
            if self._relay.stdout.readline() != "READY\n":
                raise RuntimeError("the relay has not started")
            for i, namespace in enumerate(self.namespaces):
                inside = ("-n", namespace)
                _ip(*inside, "addr", "add", f"10.77.0.{i + 1}/24", "dev", DEVICE)
                _ip(*inside, "link", "set", "lo", "up")
                _ip(*inside, "link", "set", DEVICE, "up")
                _ip(*inside, "route", "add", "224.0.0.0/4", "dev", DEVICE)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the relay and remove the namespaces."""
        if self._relay is not None:
            try:
                self.counts = self._relay.communicate(timeout=10.0)[0].strip()
            except subprocess.TimeoutExpired:
                self._relay.kill()
                self._relay.communicate()
        time.sleep(0.1)
        for namespace in self.namespaces:
            subprocess.run(["ip", "netns", "del", namespace], check=False, stderr=subprocess.DEVNULL)

    def prefix(self, side: int) -> list[str]:
        """Return the command that runs a program in one of the namespaces."""
        return ["ip", "netns", "exec", self.namespaces[side]]


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
