"""Where the rings of a worker are: a link to each in its folder, the memory itself in RAM, if there is room."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import tempfile
import time
from pathlib import Path

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.errors import ProtocolError
from rtgym_ros.train.protocol.schema import SampleSchema
from rtgym_ros.train.worker.ring_file import RingDescription
from rtgym_ros.train.worker.sample_ring import RingReader, RingWriter

_RAM = Path("/dev/shm")
NOTE_SUFFIX = ".written"  # of the file beside a ring that says how many samples it has got, for when its memory is gone
_PREFIX = "rtgym_ros-"
_MOST = 16
"""Rings of one worker: one that crashes again and again while nobody fetches samples must not fill the memory."""
_YOUNG_S = 10.0  # a file so young may be a ring that is just being made (s)

_log = logging.getLogger(__name__)


class RingFolder:
    """The rings of one worker, a file ``BOOT.ring`` each.

    Args:
        folder: of the worker; it is made if it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "rings"
        self._folder.mkdir(parents=True, exist_ok=True)

    def create(self, schema: SampleSchema, capacity: int) -> RingWriter:
        """Make the ring of a new boot of the control process; it appears complete, or not at all.

        Raises:
            ConfigError: there is no room for so many samples.
        """
        remove_orphans()
        given_up = self._make_room()
        boot = f"{time.time_ns():020d}-{secrets.token_hex(4)}"  # so that their names sort by age
        size = capacity * schema.dtype.itemsize
        # Pages of a file on a disk are written back now and then, and whoever writes to them meanwhile has to wait.
        in_ram = os.access(_RAM, os.W_OK) and shutil.disk_usage(_RAM).free > 2 * size
        place = _RAM if in_ram else self._folder.absolute()
        fd, path = tempfile.mkstemp(prefix=f"{_PREFIX}{boot}-", dir=place)
        link = self._folder.absolute() / f"{boot}.ring"
        try:
            ring = RingWriter.create(fd, RingDescription(boot, capacity, schema, str(link), given_up))
            link.symlink_to(path)
        except OSError as error:
            os.unlink(path)
            os.close(fd)
            raise ConfigError(
                f"worker.buffer_samples: {capacity} samples take {size / 1e9:.3g} GB, which {place} has no room for "
                f"({error.strerror}); lower it"
            ) from error
        return ring

    def _make_room(self) -> int:
        """Delete the oldest rings that are too many; return how many samples nobody had fetched."""
        given_up = 0
        for path in self.paths()[: -_MOST + 1]:
            try:
                ring = RingReader.open(path)
                given_up += ring.unread + ring.dropped
                ring.close()
            except (OSError, ProtocolError):
                pass
            self.remove(path)
        if given_up:
            _log.warning("%d samples of earlier boots are given up: nobody fetched them", given_up)
        return given_up

    def paths(self) -> list[Path]:
        """Return the rings that are there, oldest first."""
        return sorted(self._folder.glob("[0-9]*.ring"))

    def remove(self, path: Path) -> None:
        """Delete a ring: its memory, then what leads to it and tells of it."""
        for one in (path.resolve(), path, path.with_suffix(NOTE_SUFFIX)):
            one.unlink(missing_ok=True)


def remove_orphans() -> None:
    """Delete rings in RAM that no worker's folder leads to: of programs that were killed, of runs that were deleted."""
    for path in _RAM.glob(f"{_PREFIX}*"):
        try:
            if path.stat().st_uid != os.getuid() or time.time() - path.stat().st_mtime < _YOUNG_S:
                continue
            ring = RingReader.open(path)
            held = ring.is_locked() or Path(ring.description.place).resolve() == path.resolve()
            ring.close()
        except ProtocolError:
            held = False
        except OSError:
            continue
        if not held:
            path.unlink(missing_ok=True)


def discard_rings(folder: Path) -> None:
    """Delete the rings of every worker below ``folder``: what is in RAM does not go with the folder."""
    for rings in map(RingFolder, folder.glob("workers/*")):
        for path in rings.paths():
            rings.remove(path)
