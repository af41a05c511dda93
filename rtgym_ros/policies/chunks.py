"""Action chunks: the next n actions in one answer, executed one a time-step while the next answer is computed."""

from __future__ import annotations

from typing import Any

from rtgym_ros.core.errors import InterfaceError
from rtgym_ros.policies.inference_thread import InferenceThread
from rtgym_ros.policies.model import Array


class ChunkPlayer:
    """Hands out the actions of chunks.

    The i-th action of a chunk (from 0) is for the time-step that is i after the one whose observation it was computed
    from: of a chunk that took d time-steps to compute the first d are left out. It replaces the one before as soon as
    it is there. Where the chunk at hand is used up, the call waits for the next one, and the environment does
    meanwhile what its contract says (``late_action``).

    Args:
        thread: computes a chunk, of shape (length, size), from inputs.
        length: of the chunks.
        execute: how many actions of a chunk are handed out before the next chunk is asked for.

    Attributes:
        chunks: how many chunks were used.
        waits: how often a time-step, but the first of an episode, had to wait for a chunk.
    """

    def __init__(self, thread: InferenceThread, length: int, execute: int = 1) -> None:
        self._thread, self._length, self._execute = thread, length, execute
        self.chunks = self.waits = 0
        self._index = 0
        self._chunk: Array | None = None
        self._begin = self._asked = 0

    def reset(self) -> None:
        """Begin an episode; what is still being computed is waited for and forgotten.

        Raises:
            InterfaceTimeoutError: it does not end.
        """
        self._thread.discard()
        self._index, self._chunk = 0, None

    def begin(self, inputs: Any) -> None:
        """Have the first chunk of an episode computed; the next call to :meth:`act` waits for it.

        Args:
            inputs: of the first observation.
        """
        if self._index == 0 and not self._thread.is_busy:
            self._ask(inputs)

    def act(self, inputs: Any) -> Array:
        """Return the action for the next time-step, shape (size,).

        Raises:
            InterfaceTimeoutError: the policy does not answer.
            InterfaceError: a chunk has another length.
            Exception: what the policy raised.
        """
        if self._thread.is_done:
            self._take()
        if self._is_used_up:
            self.waits += self._index > 0
            if not self._thread.is_busy:
                self._ask(inputs)
            self._take()
            if self._is_used_up:  # it was asked for a whole chunk ago
                self._ask(inputs)
                self._take()
        if not self._thread.is_busy and self._place >= self._execute:
            self._ask(inputs)
        assert self._chunk is not None
        action: Array = self._chunk[self._place]
        self._index += 1
        return action

    @property
    def _place(self) -> int:
        return self._index - self._begin

    @property
    def _is_used_up(self) -> bool:
        return self._chunk is None or self._place >= self._length

    def _ask(self, inputs: Any) -> None:
        self._asked = self._index
        self._thread.submit(inputs)

    def _take(self) -> None:
        chunk = self._thread.wait()
        if len(chunk) != self._length:
            raise InterfaceError(f"a chunk of {len(chunk)} actions came, and {self._length} are expected")
        self._chunk, self._begin = chunk, self._asked
        self.chunks += 1
