"""The rings of a worker that the link process has open."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from rtgym_ros.train.errors import ProtocolError
from rtgym_ros.train.worker.ring_file import RingFile
from rtgym_ros.train.worker.ring_folder import RingFolder
from rtgym_ros.train.worker.sample_ring import RingReader

_log = logging.getLogger(__name__)


class OpenRings:
    """Opens the rings that appear, oldest first, and removes those that are done with.

    Args:
        folder: of the worker.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = RingFolder(folder)
        self._open: dict[Path, RingReader] = {}
        self._aside: set[Path] = set()

    @property
    def unread(self) -> int:
        """How many samples wait in the rings that are open."""
        return sum(ring.unread for path, ring in self._open.items() if path not in self._aside)

    def have(self, batch_samples: Callable[[RingReader], int]) -> bool:
        """Whether one of them holds a batch."""
        return any(ring.unread >= batch_samples(ring) for path, ring in self._open.items() if path not in self._aside)

    def look(self, weights_version: int) -> list[tuple[Path, RingReader]]:
        """Return the rings to push from, oldest first; new ones are told the version of the weights."""
        for path in self._folder.paths():
            if path in self._open or path in self._aside:
                continue
            try:
                ring = RingReader(RingFile.open(path))
            except FileNotFoundError:  # its memory went with a restart of the machine
                self._folder.remove(path)
                continue
            except (ProtocolError, OSError) as error:
                _log.error("%s: %s", path, error)
                self._aside.add(path)
                continue
            ring.tell_weights_version(weights_version)
            self._open[path] = ring
        for ring in self._open.values():
            ring.beat()
        return [(path, ring) for path, ring in sorted(self._open.items()) if path not in self._aside]

    def tell_weights_version(self, version: int) -> None:
        """Tell it to the control process."""
        for ring in self._open.values():
            ring.tell_weights_version(version)

    def set_aside(self, path: Path) -> None:
        """Push no more from a ring, and leave it where it is."""
        self._aside.add(path)

    def remove(self, path: Path) -> None:
        """Delete a ring."""
        self._open.pop(path).close()
        self._folder.remove(path)

    def close(self) -> None:
        """Let go of all of them."""
        for ring in self._open.values():
            ring.close()
        self._open.clear()
