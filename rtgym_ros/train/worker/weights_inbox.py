"""New weights, as the control process hears of them: a number in the ring's header, then a file."""

from __future__ import annotations

import logging
from pathlib import Path

from rtgym_ros.train.errors import ProtocolError
from rtgym_ros.train.policy.policy import Policy
from rtgym_ros.train.policy.policy_file import PolicyWeights
from rtgym_ros.train.worker.sample_ring import RingWriter

POLICY_FILE = "policy.safetensors"
_log = logging.getLogger(__name__)


class WeightsInbox:
    """Lets a policy adopt the newest weights.

    Args:
        policy: who is to adopt them.
        ring: whose header tells of new ones.
        path: of the file; weights that are already there are adopted at the first look.
    """

    def __init__(self, policy: Policy, ring: RingWriter, path: Path) -> None:
        self._policy = policy
        self._ring = ring
        self._path = path
        self._seen: int | None = None

    def look(self) -> None:
        """Adopt what is new. Without anything new it costs the reading of a number."""
        version = self._ring.weights_version
        if version == self._seen:
            return
        is_first, self._seen = self._seen is None, version
        if version < 0 and not (is_first and self._path.exists()):
            return
        try:
            weights = PolicyWeights.load(self._path)
            if weights.version != self._policy.version:
                self._policy.adopt(weights)
        except (ProtocolError, OSError) as error:
            _log.error("weights %d are not adopted, %d stay in use: %s", version, self._policy.version, error)
