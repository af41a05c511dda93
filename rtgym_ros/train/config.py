"""The configuration of a run: one YAML file, read by server, trainer and workers alike.

Every entry has a type and bounds; an unknown or wrong one is an error that names it. Secrets have no place here: they
are files (``security.directory``) or environment variables.
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
    """What is learned.

    Attributes:
        id: of ``gymnasium.make``.
        modules: imported first: they register the id.
        kwargs: of ``gymnasium.make``.
        observation_preprocessor: ``"package.module:Class"`` of an ObservationWrapper, or None.
        sample_compressor: ``"package.module:Class"`` of a SampleCompressor, or None.
        delays: samples carry ``alpha``, ``kappa`` and ``beta`` (time-steps) from the infos; an environment that does
            not measure them is an error.
        info: keys of the infos that samples carry, a number each (NaN where an info does not have it).
        executed_action: key of the info with the action that was really sent (limited, clipped, or somebody else's).
        intervention: key of the info that is true while somebody else than the policy acts.
    """

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
    """Who may do what.

    Attributes:
        directory: with the keys and certificates that ``train_keys`` made: mutual TLS; None for none, which is for this
            machine alone.
        token_file: of a server on this machine, mode 600; None for ``DIRECTORY/RUN/server/token``, which the server
            makes.
        insecure: listen beyond this machine without certificates all the same, and ask nobody for a token; for networks
            that nobody else is on.
    """

    directory: str | None = None
    token_file: str | None = None
    insecure: bool = False


class ServerConfig(_Section, frozen=True, kw_only=True):
    """The NATS server, or cluster of servers, that keeps the samples.

    Attributes:
        url: where trainer and workers find it: one address, or several of one cluster.
        listen: ``"HOST:PORT"`` on which ``train_server`` lets its nats-server listen.
        sync_interval: ``"always"``: what is acknowledged survives a power failure; or a time such as ``"10s"``.
        max_payload: of one message (bytes), of that nats-server; a sample must fit into one.
        max_bytes: of all samples on its disk; ``trainer.memory_size`` of them are kept if they take less.
        replicas: on how many servers of a cluster each sample is.
        placement_cluster: name of the cluster that keeps the samples; None leaves it to the server.
        placement_tags: of the servers that keep them.
        include: files with more of the configuration of that nats-server: of a cluster, of leaf nodes.
    """

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
    """A robot.

    Attributes:
        url: of the server as the robots reach it; empty for ``server.url``.
        robot: a command that is kept running beside the worker: a simulated robot; none where the robot runs by itself.
        policy: ``"squashed_gaussian_mlp"``, ``"onnx"`` (where observations have images), or ``"package.module:Class"``.
        buffer_samples: kept while the server cannot be reached; beyond, the oldest are given up, and counted.
        push_interval: from one push to the next (s), unless ``push_samples`` wait before.
        push_samples: that are pushed at once; more than these go with them where more wait.
        test_interval: a test episode (deterministic, not learned from) before every so many; 0 for none.
        max_samples_per_episode: an episode is truncated there, the sample of its reset not counted; None leaves it to
            the environment.
        adopt: new weights, ``"between_episodes"`` or ``"at_once"``.
        max_steps_per_update: synchronous mode: time-steps per version of the weights; None for no such limit.
        initial_steps: of the synchronous mode, before the first wait.
        end_episodes: whether the synchronous mode waits between episodes only; false: within one, too, with the
            environment paused.
        history_interval: keep every so many-th new version of the weights as a file; 0 for none.
        drain_timeout: how long the end may wait for the server to take the rest (s).
    """

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
    """Learning.

    Attributes:
        url: of the server as the trainer reaches it; empty for ``server.url``.
        agent: ``"sac"``, ``"tqc"``, ``"redq"``, or ``"package.module:Class"`` of a subclass of Agent.
        agent_kwargs: for the agent: learning rate, network and so on.
        learn_from: the ``"action"`` that the policy computed, or the one that was ``"executed"``.
        frames: that the policy sees of each image, the newest and those before; each is sent and kept once.
        demonstrations: files and folders of recordings that the replay memory begins with.
        demonstration_share: of each batch, for demonstrations and interventions, recorded or flown; they are kept in a
            memory of their own. 0 for none: they are learned from as everything else is.
        memory_size: of the replay memory (samples); the stream keeps as many.
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
    """All of it.

    Attributes:
        run: its name, which separates it from other runs on one server.
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

    def url(self, role: str) -> tuple[str, ...]:
        """Return where ``"worker"``, ``"trainer"`` or ``"viewer"`` finds the server."""
        own = {"worker": self.worker.url, "trainer": self.trainer.url}.get(role, ())
        return own or self.server.url
