"""New weights, as the link process gets them from the server: into a file for the control process."""

from __future__ import annotations

import re
from pathlib import Path

from rtgym_ros.train.errors import ProtocolError
from rtgym_ros.train.policy.policy_file import PolicyWeights, write_atomically
from rtgym_ros.train.worker.weights_inbox import POLICY_FILE

_OF_HISTORY = re.compile(r"policy-(\d+)\.safetensors")


class WeightsOutbox:
    """Keeps the newest weights in the worker's folder, and now and then one version for good.

    Args:
        folder: of the worker.
        history_interval: keep every so many-th version as ``policy-VERSION.safetensors``; 0 for none.

    Attributes:
        version: of the newest weights in the folder; -1 for none.
    """

    def __init__(self, folder: Path, history_interval: int) -> None:
        self._folder = folder
        self._interval = history_interval
        try:
            self.version = PolicyWeights.load(folder / POLICY_FILE).version
        except (OSError, ProtocolError):
            self.version = -1
        kept = (_OF_HISTORY.fullmatch(path.name) for path in folder.glob("policy-*.safetensors"))
        self._kept = max((int(match[1]) for match in kept if match), default=None)

    def put(self, version: int, weights: bytes) -> None:
        """Write new weights; whoever reads the file sees the old ones or the new ones."""
        write_atomically(self._folder / POLICY_FILE, weights)
        self.version = version
        # Versions are skipped on the way: the first one after so many is kept.
        if self._interval and (self._kept is None or not self._kept <= version < self._kept + self._interval):
            write_atomically(self._folder / f"policy-{version}.safetensors", weights)
            self._kept = version
