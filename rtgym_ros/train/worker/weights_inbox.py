"""New weights, as the control process gets them: from memory shared with the link process, never from a file."""

from __future__ import annotations

import logging

from rtgym_ros.train.errors import ProtocolError
from rtgym_ros.train.policy.policy import Policy
from rtgym_ros.train.policy.policy_file import PolicyWeights
from rtgym_ros.train.worker.sample_ring import RingWriter

_log = logging.getLogger(__name__)


class WeightsInbox:
    """Lets a policy adopt the newest weights.

    Args:
        policy: that adopts them.
        ring: whose memory has them.
    """

    def __init__(self, policy: Policy, ring: RingWriter) -> None:
        self._policy = policy
        self._ring = ring
        self._seen = -1

    def look(self) -> None:
        """Adopt what is new. Without anything new it costs the reading of a number."""
        version = self._ring.weights_version
        if version == self._seen:
            return
        data = self._ring.read_weights()
        if data is None:
            return
        self._seen = version
        try:
            weights = PolicyWeights.from_bytes(data)
            if weights.version != self._policy.version:
                self._policy.adopt(weights)
        except ProtocolError as error:
            _log.error("weights %d are not adopted, %d stay in use: %s", version, self._policy.version, error)
