"""What is compared: tasks, delays and methods, and the environment that each makes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import gymnasium
from gymnasium.wrappers import FlattenObservation

import rtgym_ros  # noqa: F401  (registers the drone)
from rtgym_ros.delays.network_profiles import WifiDelays
from rtgym_ros.delays.profiles import ConstantDelays, DelayProfile
from rtgym_ros.delays.recorded_delays import RecordedDelays
from rtgym_ros.robots.drone.simulated_drone import DroneParameters
from rtgym_ros.wrappers import ArtificialDelays, ConstantDelay

DRONE = "rtgym_ros/SimulatedDrone-v0"
TASKS = {
    "InvertedPendulum": "InvertedPendulum-v5",
    "Reacher": "Reacher-v5",
    "HalfCheetah": "HalfCheetah-v5",
    "Walker2d": "Walker2d-v5",
    "drone": DRONE,
}
SHORT_TASKS = ("InvertedPendulum", "drone")

# In time-steps, of actions and of observations each. An action acts one time-step later even without a delay, so that
# the constant ones are alpha + beta = 3.
CONDITIONS: dict[str, DelayProfile | None] = {
    "undelayed": None,
    "constant 3": ConstantDelays(1.0),
    "uniform": RecordedDelays((0.0, 1.0, 2.0), in_order=False),
    "Wi-Fi": WifiDelays(period=1.0),  # a class of rlrd's sampler is a time-step
}
METHODS = ("plain", "buffer", "buffer + delays", "constant delay")


@dataclass(frozen=True)
class Case:
    """One training run."""

    task: str
    condition: str
    method: str
    seed: int
    steps: int
    net: int = 256
    batch: int = 256
    train_freq: int = 1
    """Steps for each update of the networks."""

    @property
    def name(self) -> str:
        parts = (self.task, self.condition, self.method, f"seed {self.seed}")
        return "_".join(part.replace(" + ", "_and_").replace(" ", "_") for part in parts)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def all_cases(tasks: Any, conditions: Any, methods: Any, seeds: int, **settings: Any) -> list[Case]:
    """Return the runs, all of a seed before those of the next: what is there is comparable at any time."""
    return [
        Case(task, condition, method, seed, **settings)
        for seed in range(1, seeds + 1)
        for task in tasks
        for condition in conditions
        for method in methods
        if _makes_sense(condition, method)
    ]


def _makes_sense(condition: str, method: str) -> bool:
    if condition == "undelayed":
        return method == "plain"
    return not (condition == "constant 3" and method == "constant delay")  # it is the buffer alone


def make_env(task: str, condition: str, method: str) -> gymnasium.Env[Any, Any]:
    """Return the environment of a case; its observation is one flat Box."""
    env = gymnasium.make(TASKS[task], **_options(task))
    if task == "drone":
        env = FlattenObservation(env)
    profile = CONDITIONS[condition]
    if profile is None:
        return env
    longest = int(profile.maximum)
    # The drone's environment is real-time itself: an action acts one time-step later before anything is added, and the
    # one before it until the drone's next sample.
    length = 2 * longest + 1 + (2 if task == "drone" else 0)
    if method == "plain":
        return ArtificialDelays(env, profile, profile, act_buf_len=0, delays=())
    if method == "buffer":
        return ArtificialDelays(env, profile, profile, act_buf_len=length, delays=())
    if method == "buffer + delays":
        return ArtificialDelays(env, profile, profile, act_buf_len=length)
    inner = ArtificialDelays(env, profile, profile, act_buf_len=0, delays=())
    return ConstantDelay(inner, longest, longest, act_buf_len=length)


def _options(task: str) -> dict[str, Any]:
    if task != "drone":
        return {}
    at_once = DroneParameters(
        command_delay_min=0.0, command_delay_max=0.0, observation_delay_min=0.0, observation_delay_max=0.0
    )
    # Without an action buffer of its own; what a link adds comes from the wrapper.
    return {"config": {"act_in_obs": False, "interface_kwargs": {"parameters": at_once}}}
