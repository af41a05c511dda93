"""The rings of a worker that the link process has open."""

from __future__ import annotations

import logging
from pathlib import Path
from time import monotonic

from rtgym_ros.train.errors import ProtocolError
from rtgym_ros.train.worker.ring_folder import RingFolder
from rtgym_ros.train.worker.sample_ring import RingReader
from rtgym_ros.train.worker.weights_outbox import WeightsOutbox

_NOTE_S = 2.0
"""From one note of what is in the rings to the next: a line in a file, of which a power cut takes the last seconds."""

_log = logging.getLogger(__name__)


class OpenRings:
    """Opens the rings that appear, and removes those that are done with.

    Args:
        folder: of the worker.
        weights: the newest are handed to the control processes.
    """

    def __init__(self, folder: Path, weights: WeightsOutbox) -> None:
        self._folder, self._weights = RingFolder(folder), weights
        self._open: dict[Path, RingReader] = {}
        self._aside: set[Path] = set()
        self._noted: dict[Path, int] = {}
        self._next_note_s = monotonic()
        self._vanished: dict[str, int] = {}

    @property
    def unread(self) -> int:
        """How many samples wait in the rings that are open."""
        return sum(ring.unread for ring in self._open.values())

    def oldest_first(self) -> list[RingReader]:
        """Return those that are open."""
        return [ring for _, ring in sorted(self._open.items())]

    def look(self) -> int:
        """Open what has appeared, and give it the newest weights; remove what is done with; return :attr:`unread`.

        Now and then it is written down what is in them, so that it can be counted where their memory goes with a power
        cut.
        """
        for path in self._folder.paths():
            if path in self._open or path in self._aside:
                continue
            try:
                self._open[path] = ring = RingReader.open(path)
                self._put(ring)
            except FileNotFoundError:  # its memory went with a restart of the machine, at a power cut
                self._vanished[path.stem] = self._folder.noted_written(path)
                self._folder.remove(path)
            except (ProtocolError, OSError) as error:
                _log.error("%s: %s", path, error)
                self._aside.add(path)
        is_due = monotonic() >= self._next_note_s
        if is_due:
            self._next_note_s = monotonic() + _NOTE_S
        for path, ring in sorted(self._open.items()):
            if is_due and ring.written != self._noted.get(path):
                self._noted[path] = ring.written
                self._folder.note_written(path, ring.written)
            if ring.is_over() and not ring.unread:
                self._open.pop(path).close()
                self._noted.pop(path, None)
                self._folder.remove(path)
        return self.unread

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

    def put_weights(self) -> None:
        """Hand the newest weights to the control process."""
        for ring in self._open.values():
            self._put(ring)

    def close(self) -> None:
        """Close all of them."""
        for ring in self._open.values():
            ring.close()
        self._open.clear()

    def _put(self, ring: RingReader) -> None:
        version, data = self._weights.version, self._weights.data
        if not data or ring.is_over():
            return
        try:
            ring.put_weights(version, data)
        except (ProtocolError, OSError) as error:
            _log.error("weights %d do not get to the control process: %s", version, error)
