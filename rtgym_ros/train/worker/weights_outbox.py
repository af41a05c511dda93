"""New weights, as the link process gets them from the server: into the rings, and into a file for the next start."""

from __future__ import annotations

import re
from pathlib import Path

from rtgym_ros.train.errors import ProtocolError
from rtgym_ros.train.files import write_atomically
from rtgym_ros.train.policy.policy_file import PolicyWeights

POLICY_FILE = "policy.safetensors"
_OF_HISTORY = re.compile(r"policy-(\d+)\.safetensors")


class WeightsOutbox:
    """Keeps the newest weights, in memory and in the worker's folder, and now and then one version for good.

    Args:
        folder: of the worker.
        history_interval: keep every so many-th version as ``policy-VERSION.safetensors``; 0 for none.

    Attributes:
        version: of the newest weights; -1 for none.
        data: those, a policy file.
    """

    def __init__(self, folder: Path, history_interval: int) -> None:
        self._folder = folder
        self._interval = history_interval
        try:
            self.data = (folder / POLICY_FILE).read_bytes()
            self.version = PolicyWeights.from_bytes(self.data).version
        except (OSError, ProtocolError):
            self.version, self.data = -1, b""
        kept = (_OF_HISTORY.fullmatch(path.name) for path in folder.glob("policy-*.safetensors"))
        self._kept = max((int(match[1]) for match in kept if match), default=None)

    def put(self, version: int, data: bytes) -> None:
        """Keep new weights. The files are not synchronised: after a power cut the server sends them again.

        Raises:
            ProtocolError: they are no policy file.
            OSError: a file could not be written; the weights are kept in memory all the same.
        """
        PolicyWeights.from_bytes(data)
        self.version, self.data = version, data
        write_atomically(self._folder / POLICY_FILE, data, sync=False)
        # Versions are skipped on the way: the first one after so many is kept.
        if self._interval and (self._kept is None or not self._kept <= version < self._kept + self._interval):
            write_atomically(self._folder / f"policy-{version}.safetensors", data, sync=False)
            self._kept = version
