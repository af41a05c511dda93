"""The newest weights, for every worker that comes."""

from __future__ import annotations

from pathlib import Path

from rtgym_ros.train.errors import ProtocolError, RefusedError
from rtgym_ros.train.policy.policy_file import PolicyWeights, write_atomically


class NewestWeights:
    """Keeps a policy file.

    Args:
        path: of that file.

    Attributes:
        version: of the weights; -1 for none.

    Raises:
        ProtocolError: the file is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._data: bytes | None = None
        self.version = -1
        if path.exists():
            self.version = PolicyWeights.load(path).version
            self._data = path.read_bytes()

    def newer_than(self, version: int) -> bytes | None:
        """Return the policy file, None where it is not newer."""
        return self._data if self.version > version else None

    def publish(self, version: int, data: bytes) -> None:
        """Replace the weights. The same ones once more are harmless: the first answer may have been lost.

        Raises:
            RefusedError: there are newer ones.
            ProtocolError: it is no policy file, or of another version.
        """
        if version == self.version and data == self._data:
            return
        if version <= self.version:
            raise RefusedError(f"version {version} of the weights comes after version {self.version}")
        inside = PolicyWeights.from_bytes(data).version
        if inside != version:
            raise ProtocolError(f"version {version} is published with a policy file of version {inside}")
        write_atomically(self._path, data)
        self._data, self.version = data, version
