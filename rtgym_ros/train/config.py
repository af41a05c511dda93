"""The configuration of a run: one YAML file, read by server, trainer and workers alike.

Every entry has a type and bounds; an unknown or wrong one is an error that names it. Secrets have no place here: they
are files (``security.directory``) or environment variables.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from rtgym_ros.train.protocol.messages import Name

Positive = Annotated[int, msgspec.Meta(gt=0)]
NonNegative = Annotated[int, msgspec.Meta(ge=0)]
PositiveReal = Annotated[float, msgspec.Meta(gt=0)]
NonNegativeReal = Annotated[float, msgspec.Meta(ge=0)]
Fraction = Annotated[float, msgspec.Meta(ge=0, le=1)]


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base: immutable, and no entry that is not known."""


class EnvironmentConfig(_Section, frozen=True, kw_only=True):
    """What is learned.

    Attributes:
        id: of ``gymnasium.make``.
        modules: imported first: they register the id.
        kwargs: of ``gymnasium.make``.
        observation_preprocessor: ``"package.module:Class"`` of an ObservationWrapper, or None.
        sample_compressor: ``"package.module:Class"`` of a SampleCompressor, or None.
        delays: whether infos tell ``alpha``, ``kappa`` and ``beta`` (time-steps), which samples then carry.
    """

    id: str
    modules: tuple[str, ...] = ("rtgym_ros",)
    kwargs: dict[str, Any] = {}
    observation_preprocessor: str | None = None
    sample_compressor: str | None = None
    delays: bool = False


class SecurityConfig(_Section, frozen=True, kw_only=True):
    """Who may speak to whom.

    Attributes:
        directory: with the keys and certificates that ``train_keys`` made; None for none. Without it nothing listens
            beyond this machine.
        insecure: listen beyond this machine all the same; for networks that nobody else is on.
    """

    directory: str | None = None
    insecure: bool = False


class ServerConfig(_Section, frozen=True, kw_only=True):
    """The queue, and how it can be reached.

    Attributes:
        ray: ``"HOST:PORT"`` of the Ray head that ``train_server`` starts, or joins where ``start_ray`` is false; None
            for a server without Ray. Not 127.0.0.1, which Ray replaces: 127.0.0.2 is this machine.
        start_ray: whether ``train_server`` starts (and watches) that head.
        zenoh: endpoints to listen on, ``"tls/0.0.0.0:7447"`` for example; workers that speak zenoh connect there.
        max_workers: how many different workers may push.
        max_queued_samples: not yet released by the trainer; pushes are put off beyond.
        max_queued_bytes: the same, on disk.
        worker_timeout: after this silence (s) a worker no longer counts for ``max_workers``.
        trainer_timeout: after this silence (s) another trainer may take over.
        sync: whether acknowledged samples survive a power failure, not only a crash: slower.
    """

    ray: str | None = "127.0.0.2:6379"
    start_ray: bool = True
    zenoh: tuple[str, ...] = ()
    max_workers: Positive = 16
    max_queued_samples: Positive = 1_000_000
    max_queued_bytes: Positive = 8_000_000_000
    worker_timeout: PositiveReal = 60.0
    trainer_timeout: PositiveReal = 60.0
    sync: bool = False


class WorkerConfig(_Section, frozen=True, kw_only=True):
    """A robot.

    Attributes:
        server: address: ``"ray:HOST:PORT"``, ``"ray://HOST:PORT"`` (Ray Client), ``"zenoh:tls/HOST:PORT"`` or
            ``"unix:PATH"``.
        robot: a command that is kept running beside the worker: a simulated robot; none where the robot runs by itself.
        policy: ``"squashed_gaussian_mlp"``, or ``"package.module:Class"``.
        buffer_samples: kept while the server cannot be reached; beyond, the oldest are given up, and counted.
        push_interval: from one push to the next (s), unless a batch is full before.
        push_samples: that are one batch at most.
        test_interval: a test episode (deterministic, not learned from) before every so many; 0 for none.
        max_samples_per_episode: an episode is truncated there, the sample of its reset not counted; None leaves it to
            the environment.
        adopt: new weights, ``"between_episodes"`` or ``"at_once"``.
        max_steps_per_update: synchronous mode: time-steps per version of the weights; None for no such limit.
        initial_steps: of the synchronous mode, before the first wait.
        history_interval: keep every so many-th new version of the weights as a file; 0 for none.
        drain_timeout: how long the end may wait for the server to take the rest (s).
    """

    server: str = "ray:127.0.0.2:6379"
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
    history_interval: NonNegative = 0
    drain_timeout: NonNegativeReal = 20.0


class TrainerConfig(_Section, frozen=True, kw_only=True):
    """Learning.

    Attributes:
        server: address, as a worker's.
        agent: ``"sac"``, ``"tqc"``, or ``"package.module:Class"`` of a subclass of Agent.
        agent_kwargs: for the agent: learning rate, network and so on.
        memory_size: of the replay memory (transitions).
        batch_size: of one update.
        start_training: transitions in the replay memory before the first update.
        max_updates_per_sample: training waits for samples above this ratio.
        epochs: after which training ends.
        rounds: of an epoch, with statistics after each.
        steps: updates of a round.
        max_samples: training ends, too, when so many samples have come in and been trained on; None for no such end.
        publish_interval: updates from one version of the weights to the next.
        retrieve_interval: updates between two looks for samples.
        checkpoint_interval: at least this long (s) between two checkpoints; the end writes one anyway.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"``.
        threads: of PyTorch on the CPU.
        seed: of networks and sampling; None draws one.
        wandb: project at Weights & Biases, None for none. It keeps to WANDB_MODE.
    """

    server: str = "ray:127.0.0.2:6379"
    agent: str = "sac"
    agent_kwargs: dict[str, Any] = {}
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
    """All of it.

    Attributes:
        run: its name; processes of other runs do not hear it.
        directory: where server, trainer and workers keep what they have to keep.
    """

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
