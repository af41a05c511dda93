"""A network as an ONNX file, run by ONNX Runtime: images, and whatever NumPy does not know. No PyTorch on the robot."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.errors import ProtocolError
from rtgym_ros.train.policy.observation_parts import VECTOR, ObservationParts
from rtgym_ros.train.policy.policy_file import PolicyWeights
from rtgym_ros.train.policy.squashed_gaussian_mlp import SquashedGaussian

KIND = "onnx"
MODEL = "model"  # name of the array, uint8, with the file


class OnnxPolicy(SquashedGaussian):
    """Inputs are the parts of :class:`ObservationParts`, outputs ``mean`` and perhaps ``log_std``, before the tanh.

    Of each image the network gets the last ``frames`` (an entry of the file's details); after :meth:`reset` the first
    one stands for those before it.

    Raises:
        ConfigError: onnxruntime is not installed.
    """

    kind = KIND
    takes_images = True

    def __init__(
        self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any], rng: np.random.Generator
    ) -> None:
        super().__init__(observation_space, action_space, rng)
        try:
            import onnxruntime
        except ImportError as error:
            raise ConfigError("worker.policy onnx: pip install 'rtgym_ros[onnx]'") from error
        self._runtime = onnxruntime
        self._session: Any = None
        self._wanted: set[str] = set()
        self._frames: dict[str, deque[np.ndarray]] = {}

    def reset(self) -> None:
        """Forget the frames of the episode before."""
        self._frames = {}

    def inputs(self, observation: Any) -> dict[str, np.ndarray]:
        """Take in the observation of a time-step; return what the network sees, each of shape (1, ...)."""
        parts, frames = super().inputs(observation), self._parts.frames
        for key in parts.keys() - {VECTOR}:
            seen = self._frames.setdefault(key, deque([parts[key]] * (frames - 1), maxlen=frames))
            seen.append(parts[key].copy())
            parts[key] = np.concatenate(seen, axis=1)
        return parts

    def network(self, inputs: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray | None] | None:
        """Run it."""
        if self._session is None:
            return None
        mean, *more = self._session.run(None, {name: inputs[name] for name in self._wanted})
        return mean[0], more[0][0] if more else None

    def _take(self, weights: PolicyWeights) -> None:
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            model = weights.arrays[MODEL].tobytes()
            session = self._runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
            parts = ObservationParts(self._observation_space, int(weights.details.get("frames", "1")))
        except Exception as error:  # ONNX Runtime has a class of its own for each reason
            raise ProtocolError(f"the model cannot be used: {error}") from error
        shown = parts.space.spaces if isinstance(parts.space, spaces.Dict) else {VECTOR: parts.space}
        wanted = {one.name: tuple(one.shape[1:]) for one in session.get_inputs()}
        there = {name: tuple(space.shape or ()) for name, space in shown.items()}
        if not wanted or any(there.get(name) != shape for name, shape in wanted.items()):
            raise ProtocolError(f"the model takes {wanted}, and an observation has {there}")
        outputs, size = [(one.name, one.shape[-1]) for one in session.get_outputs()], self._low.size
        if outputs not in ([("mean", size)], [("mean", size), ("log_std", size)]):
            raise ProtocolError(f"the model gives {outputs}, and mean, or mean and log_std, of {size} is needed")
        if parts.frames != self._parts.frames:
            self._frames = {}
        self._session, self._parts, self._wanted = session, parts, set(wanted)
