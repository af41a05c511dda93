"""Whether an interface of this package is about to be run by Real-Time Gym's environment, which has the same id."""

from __future__ import annotations

import sys

from rtgym_ros.core.caller_warning import warn_caller
from rtgym_ros.core.errors import ConfigWarning

_FOREIGN = "rtgym.envs.real_time_env"


def warn_of_foreign_environment() -> None:
    """Warn if the caller is called by a function of the package ``rtgym``; to be called when an interface is made.

    ``gymnasium.make("real-time-gym-v1")`` makes the environment of whoever registered that id last. The interface is
    the one thing of ours that another package's environment touches.
    """
    if _FOREIGN not in sys.modules:
        return
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__") == _FOREIGN:
            warn_caller(
                "this environment is rtgym's, which was imported too: it checks nothing and sends no safe action; "
                "gymnasium.make('rtgym_ros/RealTime-v1') makes the one of rtgym_ros",
                ConfigWarning,
            )
            return
        frame = frame.f_back  # type: ignore[assignment]
