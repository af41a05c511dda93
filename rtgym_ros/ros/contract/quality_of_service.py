"""The quality of service of a contract, as rclpy has it."""

from __future__ import annotations

from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, HistoryPolicy, LivelinessPolicy, QoSProfile, ReliabilityPolicy

from rtgym_ros.contract.records.topic import Qos

_RELIABILITY = {"reliable": ReliabilityPolicy.RELIABLE, "best_effort": ReliabilityPolicy.BEST_EFFORT}
_DURABILITY = {"volatile": DurabilityPolicy.VOLATILE, "transient_local": DurabilityPolicy.TRANSIENT_LOCAL}
_HISTORY = {"keep_last": HistoryPolicy.KEEP_LAST, "keep_all": HistoryPolicy.KEEP_ALL}
_LIVELINESS = {"automatic": LivelinessPolicy.AUTOMATIC, "manual_by_topic": LivelinessPolicy.MANUAL_BY_TOPIC}
_PROFILES = {"sensor": ("best_effort", "volatile", 5), "command": ("reliable", "volatile", 1)}
_PROFILES["latched"] = ("reliable", "transient_local", 1)


def to_qos_profile(qos: Qos | None, otherwise: str, least_depth: int = 1) -> QoSProfile:
    """Return the profile that a contract means.

    Args:
        qos: of the contract; what it leaves out is that of its profile.
        otherwise: the profile where the contract names none: ``sensor``, ``command`` or ``latched``.
        least_depth: of the messages that are kept.
    """
    qos = qos or Qos()
    reliability, durability, depth = _PROFILES[qos.profile or otherwise]
    profile = QoSProfile(
        history=_HISTORY[qos.history or "keep_last"],
        depth=max(qos.depth or depth, least_depth),
        reliability=_RELIABILITY[qos.reliability or reliability],
        durability=_DURABILITY[qos.durability or durability],
    )
    if qos.deadline is not None:
        profile.deadline = Duration(seconds=qos.deadline)
    if qos.lifespan is not None:
        profile.lifespan = Duration(seconds=qos.lifespan)
    if qos.liveliness is not None:
        profile.liveliness = _LIVELINESS[qos.liveliness]
    if qos.liveliness_lease_duration is not None:
        profile.liveliness_lease_duration = Duration(seconds=qos.liveliness_lease_duration)
    return profile
