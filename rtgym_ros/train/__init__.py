"""Distant training: rollout workers on robots, a NATS server with the samples, a learner; weights come back.

- :mod:`~rtgym_ros.train.run`: a run as a learner of one's own sees it; :mod:`~rtgym_ros.train.export`: its policy.
- :mod:`~rtgym_ros.train.protocol`: what a sample is.
- :mod:`~rtgym_ros.train.stream`: a run on a NATS server: its stream of samples, its bucket with the weights.
- :mod:`~rtgym_ros.train.server`, :mod:`~rtgym_ros.train.worker`, :mod:`~rtgym_ros.train.trainer`: the three roles.

Policies are in :mod:`rtgym_ros.policies`: a robot that flies one needs nothing of this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rtgym_ros.train.run import Run

__all__ = ["Run"]


def __getattr__(name: str) -> Any:
    """Import what is asked for: most of this package does without NATS."""
    if name == "Run":
        from rtgym_ros.train.run import Run

        return Run
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
