"""A policy out of a file: observation in, action out."""

from __future__ import annotations

from typing import Any

from gymnasium import spaces

from rtgym_ros.policies.action_output import ActionOutput
from rtgym_ros.policies.chunks import ChunkPlayer
from rtgym_ros.policies.inference_thread import InferenceThread
from rtgym_ros.policies.metadata import PolicyMetadata
from rtgym_ros.policies.model import Array, Model
from rtgym_ros.policies.observation_input import ObservationInput
from rtgym_ros.policies.parts import ObservationParts


class FilePolicy:
    """Flies an environment; made by :func:`rtgym_ros.policies.load.load_policy`.

    One that answers with one action computes it in the thread of the caller. One that answers with chunks computes
    them in a thread of its own (:class:`~rtgym_ros.policies.chunks.ChunkPlayer`), which :meth:`close` ends. For one
    thread at a time.

    Args:
        metadata: what it takes and answers.
        model: the network.
        parts: of the observation of the environment.
        action_space: of the environment.
        patience: how long a chunk may take before :meth:`act` raises (s).

    Raises:
        ConfigError: they do not fit; the message names both sides.

    Attributes:
        metadata: as given.
        player: of the chunks; None where there are none.

    Example:
        >>> with load_policy("policy.onnx", env) as policy:  # doctest: +SKIP
        ...     policy.reset()
        ...     observation, info = env.reset()
        ...     observation, *_ = env.step(policy.act(observation))
    """

    def __init__(
        self,
        metadata: PolicyMetadata,
        model: Model,
        parts: ObservationParts,
        action_space: spaces.Space[Any],
        patience: float,
    ) -> None:
        self.metadata, self._model = metadata, model
        self._input = ObservationInput(metadata, model, parts)
        self._output = ActionOutput(metadata, model, action_space)
        self._begun: dict[str, Array] | None = None
        self.player: ChunkPlayer | None = None
        self._thread: InferenceThread | None = None
        if metadata.chunk > 1:
            self._thread = InferenceThread(self._compute, patience)
            self.player = ChunkPlayer(self._thread, metadata.chunk, metadata.execute)

    def __enter__(self) -> FilePolicy:
        """Return it."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close it."""
        self.close()

    def reset(self) -> None:
        """Forget the episode before; to be called before the environment's ``reset()``.

        Raises:
            InterfaceTimeoutError: a chunk of the episode before is still being computed, and does not end.
        """
        self._input.reset()
        self._begun = None
        if self.player is not None:
            self.player.reset()

    def begin(self, observation: Any) -> bool:
        """Begin to compute the first chunk; the next :meth:`act`, with the same observation, waits for it.

        Args:
            observation: that ``reset()`` has returned.

        Returns:
            Whether there is one: the environment's ``wait()`` holds the robot meanwhile.
        """
        if self.player is None:
            return False
        self._begun = self._input.take(observation)
        self.player.begin(self._begun)
        return True

    def act(self, observation: Any) -> Any:
        """Return the action for the next time-step, an element of the action space.

        Args:
            observation: of this time-step: each has to be given, once, for the history.

        Raises:
            ActionError: the answer is not finite, or has another size than the metadata block says.
            InterfaceTimeoutError: a chunk does not come.
        """
        inputs, self._begun = self._begun or self._input.take(observation), None
        if self.player is not None:
            return self._output.action(self.player.act(inputs))
        return self._output.action(self._compute(inputs)[0])

    def close(self) -> None:
        """End the thread of the chunks; a second call does nothing."""
        if self._thread is not None:
            self._thread.close()
            self._thread = None

    def _compute(self, inputs: dict[str, Array]) -> Array:
        return self._output.actions(*self._model.run(inputs, [self._output.output]))
