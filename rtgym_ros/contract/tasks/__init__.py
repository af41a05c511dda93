"""Ready tasks, as a contract names them: ``class: "rtgym_ros.contract.tasks:ReachPosition"``."""

from rtgym_ros.contract.tasks.follow_trajectory import FollowTrajectory
from rtgym_ros.contract.tasks.hold_configuration import HoldConfiguration
from rtgym_ros.contract.tasks.reach_position import ReachPosition
from rtgym_ros.contract.tasks.stay_upright import StayUpright

__all__ = ["FollowTrajectory", "HoldConfiguration", "ReachPosition", "StayUpright"]
