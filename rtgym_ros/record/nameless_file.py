"""Files without a name: nothing is left of them when the last process that has them open is gone."""

from __future__ import annotations

import os
import tempfile
from typing import IO


def nameless_file() -> IO[bytes]:
    """Return an empty file in memory (where there is Linux) or on the disk, without a name.

    Raises:
        OSError: none can be made.
    """
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("rtgym_ros recorder"), "w+b")
    return tempfile.TemporaryFile()
