"""Where the rings of a worker are: a link to each in its folder, the memory itself in RAM where there is room."""

from __future__ import annotations

import os
import secrets
import tempfile
import time
from pathlib import Path

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.protocol.schema import SampleSchema
from rtgym_ros.train.worker.ring_file import RingDescription, RingFile
from rtgym_ros.train.worker.sample_ring import RingWriter

_RAM = Path("/dev/shm")
_SUFFIX = ".ring"


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
        boot = f"{time.time_ns():020d}-{secrets.token_hex(4)}"  # so that their names sort by age
        size = capacity * schema.dtype.itemsize
        # Pages of a file on a disk are written back now and then, and whoever writes to them meanwhile has to wait.
        in_ram = _free_bytes(_RAM) > 2 * size
        place = _RAM if in_ram else self._folder
        fd, name = tempfile.mkstemp(prefix=f"rtgym_ros-{boot}-", dir=place)
        path = Path(name)
        try:
            ring = RingFile.create(fd, RingDescription(boot, capacity, schema))
            final = self._folder / f"{boot}{_SUFFIX}"
            if in_ram:
                final.symlink_to(path)
            else:
                path.rename(final)
        except OSError as error:
            path.unlink(missing_ok=True)
            os.close(fd)
            raise ConfigError(
                f"worker.buffer_samples: {capacity} samples take {size / 1e9:.3g} GB, which {place} has no room for "
                f"({error.strerror}); lower it"
            ) from error
        return RingWriter(ring)

    def paths(self) -> list[Path]:
        """Return the rings that are there, oldest first."""
        return sorted(self._folder.glob(f"*{_SUFFIX}"))

    def remove(self, path: Path) -> None:
        """Delete a ring: that in RAM, then the link to it."""
        if path.is_symlink():
            path.readlink().unlink(missing_ok=True)
        path.unlink(missing_ok=True)


def discard_rings(folder: Path) -> None:
    """Delete the rings of every worker below ``folder``: what is in RAM does not go with the folder."""
    for workers_folder in folder.glob("workers/*"):
        rings = RingFolder(workers_folder)
        for path in rings.paths():
            rings.remove(path)


def _free_bytes(place: Path) -> int:
    try:
        facts = os.statvfs(place)
    except OSError:
        return 0
    return facts.f_bavail * facts.f_frsize if os.access(place, os.W_OK) else 0
