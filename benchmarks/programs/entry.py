"""The shape of every program: arguments as JSON, one JSON object on standard output."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any


def run(program: Callable[..., dict[str, Any]]) -> None:
    """Call ``program`` with the arguments of the command line, print what it returns, and end the process."""
    exit_code = 0
    try:
        print(json.dumps(program(**json.loads(sys.argv[1]))), flush=True)
    except Exception:
        traceback.print_exc()
        exit_code = 1
    os._exit(exit_code)  # at once: a thread that a peer leaves behind must not hold up the next measurement
