"""The configuration of a run: one YAML file, read by server, trainer and workers alike.

Every entry has a type and bounds; an unknown or wrong one is an error that names it. What each of them is, with its
unit, stands in ``docs/distant_configuration.md``, which a test holds to this file. Secrets have no place here: they are
files (``security.directory``) or environment variables.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from rtgym_ros.train.stream.names import Name

Positive = Annotated[int, msgspec.Meta(gt=0)]
NonNegative = Annotated[int, msgspec.Meta(ge=0)]
PositiveReal = Annotated[float, msgspec.Meta(gt=0)]
NonNegativeReal = Annotated[float, msgspec.Meta(ge=0)]
Fraction = Annotated[float, msgspec.Meta(ge=0, le=1)]


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base: immutable, and no entry that is not known."""


class EnvironmentConfig(_Section, frozen=True, kw_only=True):
    """What is learned."""

    id: str
    modules: tuple[str, ...] = ("rtgym_ros",)
    kwargs: dict[str, Any] = {}
    observation_preprocessor: str | None = None
    sample_compressor: str | None = None
    delays: bool = False
    info: tuple[str, ...] = ()
    executed_action: str = "executed_action"
    intervention: str = "intervention"


class SecurityConfig(_Section, frozen=True, kw_only=True):
    """Who may do what."""

    directory: str | None = None
    token_file: str | None = None
    insecure: bool = False

    @property
    def folder(self) -> Path | None:
        """Return the folder of keys and certificates; None where there is none."""
        return None if self.directory is None else Path(self.directory).expanduser()


class ServerConfig(_Section, frozen=True, kw_only=True):
    """The NATS server, or cluster of servers, that keeps the samples."""

    url: tuple[str, ...] = ("nats://127.0.0.1:4222",)
    listen: str = "127.0.0.1:4222"
    sync_interval: str = "always"
    max_payload: Positive = 8_000_000
    max_bytes: Positive = 8_000_000_000
    replicas: Positive = 1
    placement_cluster: str | None = None
    placement_tags: tuple[str, ...] = ()
    include: tuple[str, ...] = ()


class WorkerConfig(_Section, frozen=True, kw_only=True):
    """A robot."""

    url: tuple[str, ...] = ()
    robot: tuple[str, ...] = ()
    policy: str = "squashed_gaussian_mlp"
    buffer_samples: Positive = 10_000
    push_interval: PositiveReal = 0.5
    push_samples: Positive = 1000
    test_interval: NonNegative = 0
    max_samples_per_episode: Positive | None = None
    adopt: Literal["between_episodes", "at_once"] = "between_episodes"
    max_steps_per_update: PositiveReal | None = None
    initial_steps: NonNegative = 1
    end_episodes: bool = True
    history_interval: NonNegative = 0
    drain_timeout: NonNegativeReal = 20.0


class TrainerConfig(_Section, frozen=True, kw_only=True):
    """Learning."""

    url: tuple[str, ...] = ()
    agent: str = "sac"
    agent_kwargs: dict[str, Any] = {}
    learn_from: Literal["action", "executed"] = "executed"
    frames: Positive = 1
    demonstrations: tuple[str, ...] = ()
    demonstration_share: Fraction = 0.0
    memory_size: Positive = 1_000_000
    batch_size: Positive = 256
    start_training: NonNegative = 100
    max_updates_per_sample: PositiveReal = 1.0
    epochs: Positive = 10
    rounds: Positive = 10
    steps: Positive = 200
    max_samples: Positive | None = None
    publish_interval: Positive = 100
    retrieve_interval: Positive = 20
    checkpoint_interval: NonNegativeReal = 30.0
    device: str = "auto"
    threads: Positive = 1
    seed: NonNegative | None = None
    wandb: str | None = None


class TrainConfig(_Section, frozen=True, kw_only=True):
    """All of it."""

    run: Name
    directory: str = "runs"
    environment: EnvironmentConfig
    security: SecurityConfig = SecurityConfig()
    server: ServerConfig = ServerConfig()
    worker: WorkerConfig = WorkerConfig()
    trainer: TrainerConfig = TrainerConfig()

    @property
    def folder(self) -> Path:
        """Return the folder of this run."""
        return Path(self.directory).expanduser() / self.run

    def url(self, role: str) -> tuple[str, ...]:
        """Return where ``"worker"``, ``"trainer"`` or ``"viewer"`` finds the server."""
        own = {"worker": self.worker.url, "trainer": self.trainer.url}.get(role, ())
        return own or self.server.url
