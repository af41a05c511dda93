"""What the trainer asks of a learner."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from rtgym_ros.core.locate import locate
from rtgym_ros.policies.weights import PolicyWeights
from rtgym_ros.train.config import TrainerConfig
from rtgym_ros.train.protocol.schema import SampleSchema
from rtgym_ros.train.trainer.transitions import Transitions


class Agent(ABC):
    """A learner with its replay memory. The trainer calls it from one thread.

    A class of your own is named by ``trainer.agent: package.module:Class``. What ``add`` gets are the records as they
    came from the robots, delays included, so that it may keep whatever it learns from.

    Args:
        schema: of the samples: the spaces of the environment, exactly, and every column.
        config: the section of the configuration, ``agent_kwargs`` among it.

    Raises:
        ConfigError: an entry of ``agent_kwargs`` is unknown, or the agent cannot learn from such samples.
    """

    def __init__(self, schema: SampleSchema, config: TrainerConfig) -> None:
        self._schema = schema
        self._config = config

    @property
    @abstractmethod
    def memory_length(self) -> int:
        """How many transitions the replay memory holds."""

    @abstractmethod
    def add(self, transitions: Transitions) -> None:
        """Put transitions into the replay memory; the oldest make room."""

    @abstractmethod
    def train(self, updates: int) -> dict[str, float]:
        """Do so many updates, and return what there is to tell of them: losses, for example."""

    @abstractmethod
    def export(self) -> PolicyWeights:
        """Return the policy for the robots. The trainer gives it a version."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write into an empty folder what :meth:`load` needs to go on, but for the replay memory.

        The samples are in the stream: after :meth:`load` they come again through :meth:`add`.

        Raises:
            FloatingPointError: a weight is not finite: the checkpoints before are kept, and training goes on from one.
        """

    @abstractmethod
    def load(self, folder: Path) -> None:
        """Read what :meth:`save` wrote; nothing in it may be executed (no pickle)."""


def make_agent(schema: SampleSchema, config: TrainerConfig) -> Agent:
    """Return the agent that the configuration names.

    Raises:
        ConfigError: there is none of that name, or it cannot be used with these samples.
    """
    if config.agent in ("sac", "tqc", "redq"):
        from rtgym_ros.train.trainer.sb3_agent import Sb3Agent

        return Sb3Agent(schema, config)
    agent: Agent = locate(config.agent, "trainer.agent")(schema, config)
    return agent
