"""The rings of a worker that the link process has open."""

from __future__ import annotations

import logging
from pathlib import Path

from rtgym_ros.train.errors import ProtocolError
from rtgym_ros.train.worker.ring_file import RingFile
from rtgym_ros.train.worker.ring_folder import RingFolder
from rtgym_ros.train.worker.sample_ring import RingReader
from rtgym_ros.train.worker.weights_outbox import WeightsOutbox

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
        self._noted: dict[Path, int] = {}
        self._vanished: dict[str, int] = {}

    @property
    def unread(self) -> int:
        """How many samples wait in the rings that are open."""
        return sum(ring.unread for ring in self._open.values())

    def have(self, samples: int, size: int) -> bool:
        """Whether one of them holds so many samples, or so many bytes of them."""
        return any(ring.unread >= min(samples, size / ring.schema.dtype.itemsize) for ring in self._open.values())

    def find(self, boot: str) -> RingReader | None:
        """Return the open ring of a boot; None where there is none."""
        return next((ring for ring in self._open.values() if ring.boot == boot), None)

    def oldest_first(self) -> list[tuple[Path, RingReader]]:
        """Return those that are open."""
        return sorted(self._open.items())

    def look(self, weights: WeightsOutbox) -> None:
        """Open what has appeared, and give it the newest weights; remove what is done with."""
        for path in self._folder.paths():
            if path in self._open or path in self._aside:
                continue
            try:
                ring = RingReader(RingFile.open(path))
            except FileNotFoundError:  # its memory went with a restart of the machine, at a power cut
                self._vanished[path.stem] = self._folder.noted_written(path)
                self._folder.remove(path)
                continue
            except (ProtocolError, OSError) as error:
                _log.error("%s: %s", path, error)
                self._aside.add(path)
                continue
            self._open[path] = ring
            self._put(ring, weights)
        for path, ring in self.oldest_first():
            if ring.is_over() and not ring.unread:
                self._open.pop(path).close()
                self._noted.pop(path, None)
                self._folder.remove(path)

    def note_written(self) -> None:
        """Write down what is in the rings, so that it can be counted where their memory goes with a power cut."""
        for path, ring in self._open.items():
            if ring.written != self._noted.get(path):
                self._noted[path] = ring.written
                self._folder.note_written(path, ring.written)

    def vanished(self, boot: str, next_seq: int) -> int:
        """Return how many samples went with rings whose memory is gone, each ring once, as far as was written down.

        Args:
            boot: of the newest sample that the server has; boots are named so that their names sort by age.
            next_seq: the number behind it; 0, with an empty ``boot``, where it has none.
        """
        lost = sum(
            max(written - (next_seq if gone == boot else 0), 0)
            for gone, written in self._vanished.items()
            if gone >= boot
        )
        self._vanished.clear()
        return lost

    def put_weights(self, weights: WeightsOutbox) -> None:
        """Hand the newest weights to the control process."""
        for ring in self._open.values():
            self._put(ring, weights)

    def _put(self, ring: RingReader, weights: WeightsOutbox) -> None:
        if not weights.data or ring.is_over():
            return
        try:
            ring.put_weights(weights.version, weights.data)
        except (ProtocolError, OSError) as error:
            _log.error("weights %d do not get to the control process: %s", weights.version, error)

    def close(self) -> None:
        """Close all of them."""
        for ring in self._open.values():
            ring.close()
        self._open.clear()
