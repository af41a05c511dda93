"""The folder of a worker as the link process has it: the rings that are open, and the newest weights."""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path
from time import monotonic

from rtgym_ros.core.files import write_atomically
from rtgym_ros.policies.weights import PolicyWeights, WeightsError
from rtgym_ros.train.errors import ProtocolError
from rtgym_ros.train.worker.ring_folder import NOTE_SUFFIX, RingFolder
from rtgym_ros.train.worker.sample_ring import RingReader

POLICY_FILE = "policy.safetensors"  # with the newest weights, in the worker's folder
_NOTE_S = 2.0
"""From one note of what is in the rings to the next: a line in a file, of which a power cut takes the last seconds."""

_log = logging.getLogger(__name__)


class OpenRings:
    """Opens the rings that appear, hands them the newest weights, and removes those that are done with.

    Every ``history_interval``-th version of the weights is kept as ``policy-VERSION.safetensors``; with 0 none is.
    """

    def __init__(self, folder: Path, history_interval: int) -> None:
        self._folder, self._rings, self._interval = folder, RingFolder(folder), history_interval
        self._open: dict[Path, RingReader] = {}
        self._aside: set[Path] = set()
        self._next_note_s = monotonic()
        self._vanished: dict[str, int] = {}
        try:
            self._data = (folder / POLICY_FILE).read_bytes()
            self.version = PolicyWeights.from_bytes(self._data).version
        except (OSError, WeightsError):
            self.version, self._data = -1, b""  # there are none
        kept = (path.stem.removeprefix("policy-") for path in folder.glob("policy-*.safetensors"))
        self._kept = max(map(int, filter(str.isdigit, kept)), default=None)

    @property
    def unread(self) -> int:
        """How many samples wait in the rings that are open."""
        return sum(ring.unread for ring in self._open.values())

    def oldest_first(self) -> list[RingReader]:
        """Return those that are open."""
        return [ring for _, ring in sorted(self._open.items())]

    def look(self) -> int:
        """Open what has appeared, remove what is done with, and return how many samples wait.

        Now and then it is written down what is in them, so that it can be counted where their memory goes with a power
        cut.
        """
        for path in self._rings.paths():
            if path in self._open or path in self._aside:
                continue
            try:
                self._open[path] = RingReader.open(path)
                self._hand_weights(self._open[path])
            except FileNotFoundError:  # its memory went with a restart of the machine, at a power cut
                with suppress(OSError, ValueError):
                    self._vanished[path.stem] = int(path.with_suffix(NOTE_SUFFIX).read_text())
                self._rings.remove(path)
            except (ProtocolError, OSError) as error:
                _log.error("%s: %s", path, error)
                self._aside.add(path)
        is_due = monotonic() >= self._next_note_s
        if is_due:
            self._next_note_s = monotonic() + _NOTE_S
        for path, ring in sorted(self._open.items()):
            if is_due and ring.written != ring.noted:
                ring.noted = ring.written
                with suppress(OSError):  # a full disk is no reason to stop
                    path.with_suffix(NOTE_SUFFIX).write_text(str(ring.written))
            if ring.is_over() and not ring.unread:
                self._open.pop(path).close()
                self._rings.remove(path)
        return self.unread

    def vanished(self, boot: str, next_seq: int) -> int:
        """Return how many samples went with rings whose memory is gone, each ring once, as far as was written down.

        Args:
            boot: of the newest sample that the server has; boots are named so that their names sort by age.
            next_seq: the number behind it; 0, with an empty ``boot``, where it has none.
        """
        gone, self._vanished = self._vanished, {}
        return sum(max(n - (next_seq if name == boot else 0), 0) for name, n in gone.items() if name >= boot)

    def put_weights(self, version: int, data: bytes) -> None:
        """Hand new weights to the control process, and keep them in files for the next start.

        The files are not synchronised: after a power cut the server sends the weights again.

        Raises:
            WeightsError: they are no policy file.
        """
        PolicyWeights.from_bytes(data)
        self.version, self._data = version, data
        for ring in self._open.values():
            self._hand_weights(ring)
        try:
            write_atomically(self._folder / POLICY_FILE, data, sync=False)
            # Versions are skipped on the way: the first one after so many is kept.
            if self._interval and (self._kept is None or not self._kept <= version < self._kept + self._interval):
                write_atomically(self._folder / f"policy-{version}.safetensors", data, sync=False)
                self._kept = version
        except OSError as error:
            _log.warning("weights %d are not kept for the next start: %s", version, error)

    def close(self) -> None:
        """Close all of them."""
        for ring in self._open.values():
            ring.close()
        self._open.clear()

    def _hand_weights(self, ring: RingReader) -> None:
        if not self._data or ring.is_over():
            return
        try:
            ring.put_weights(self.version, self._data)
        except (ProtocolError, OSError) as error:
            _log.error("weights %d do not get to the control process: %s", self.version, error)
