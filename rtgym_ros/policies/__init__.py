"""Policies: those in files, flown by a robot's contract, and those of rollout workers, which get new weights.

- :mod:`~rtgym_ros.policies.metadata`: the block that says what a policy takes and answers.
- :mod:`~rtgym_ros.policies.describe`: makes that block from an environment, for whoever exports a policy.
- :mod:`~rtgym_ros.policies.load`: a file and an environment become a policy, or one line that says why not.
- :mod:`~rtgym_ros.policies.chunks`: several actions in one answer, computed in a thread.
- :mod:`~rtgym_ros.policies.model`: a network, as an ONNX file or as arrays for NumPy: no learning library is needed.
- :mod:`~rtgym_ros.policies.weights`: networks as bytes, with a version.
- :mod:`~rtgym_ros.policies.policy`: what a rollout worker asks of a policy; that of SAC and TQC is
  :mod:`~rtgym_ros.policies.squashed_gaussian`.
"""

from __future__ import annotations

from rtgym_ros.policies.describe import describe_policy
from rtgym_ros.policies.load import load_policy
from rtgym_ros.policies.metadata import PartEntry, PolicyMetadata
from rtgym_ros.policies.metadata_file import write_metadata

__all__ = ["PartEntry", "PolicyMetadata", "describe_policy", "load_policy", "write_metadata"]
