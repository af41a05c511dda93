"""The tutorial: start the drone, fly it to random targets over real topics, and show what came of it."""

from __future__ import annotations

import logging
import signal
import sys
import warnings
from types import FrameType
from typing import Any

from rtgym_ros.core.errors import ConfigError, RtgymError, TimeStepTimeoutWarning
from rtgym_ros.nodes.tutorial_options import parse
from rtgym_ros.ros.arguments import own_arguments


def main() -> int:
    """Run the tutorial; return 0, 1 on failure, 2 for bad input, 128 + the signal where one ended it."""
    logging.basicConfig(format="drone_tutorial: %(message)s")
    warnings.simplefilter("ignore", TimeStepTimeoutWarning)  # the tables count them
    interrupt = _Interrupt()
    try:
        options = parse(own_arguments(sys.argv))
        from rtgym_ros.nodes.tutorial_drone import DroneEndedError, in_own_namespace
        from rtgym_ros.nodes.tutorial_flight import TutorialFlight
    except ConfigError as error:
        return _fail(error, 2)
    except ImportError as error:
        return _fail(f"{error.name} is not installed: pip install 'rtgym_ros[tutorial]'", 1)
    except KeyboardInterrupt:
        return 128 + interrupt.number
    if not options.attach:
        sys.argv = in_own_namespace(sys.argv)
    code = 0
    try:
        flight = TutorialFlight(options)
    except ConfigError as error:
        return _fail(error, 2)
    except KeyboardInterrupt:
        return 128 + interrupt.number
    try:
        flight.run()
    except KeyboardInterrupt:
        code = 128 + interrupt.number
    except ConfigError as error:
        return _fail(error, 2)
    except DroneEndedError as error:
        if error.has_said_why:
            return error.exit_code
        code = _fail(error, error.exit_code)
    except RtgymError as error:
        code = _fail(error, 1)
    interrupt.ignore()
    try:
        flight.report()
    except (OSError, ImportError) as error:
        code = _fail(f"--plot: {error}", 1)
    return code


class _Interrupt:
    """The first SIGINT or SIGTERM raises KeyboardInterrupt; what comes after it cannot keep us from landing."""

    def __init__(self) -> None:
        self.number = 0
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._raise)

    def ignore(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)

    def _raise(self, number: int, frame: FrameType | None) -> None:
        self.ignore()
        self.number = number
        raise KeyboardInterrupt


def _fail(error: Any, code: int) -> int:
    print(f"drone_tutorial: {error}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
