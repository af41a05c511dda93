"""Networks in ONNX files, run by onnxruntime (extra ``fly``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.policies.model import Array, Model, ModelInput

_DTYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
}


class OnnxModel(Model):
    """An ONNX file.

    Args:
        file: its path, or what it holds.
        threads: how many threads one inference may use. More than one pays for networks that take milliseconds.
        provider: of onnxruntime: ``"CPUExecutionProvider"``, ``"CUDAExecutionProvider"``, ...

    Raises:
        ConfigError: onnxruntime is not installed, the file cannot be used, or the provider is not there; the message
            does not name the file.
    """

    def __init__(self, file: Path | bytes, threads: int = 1, provider: str = "CPUExecutionProvider") -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise ConfigError("onnxruntime is not installed: pip install 'rtgym_ros[fly]'") from error
        providers = onnxruntime.get_available_providers()
        if provider not in providers:
            raise ConfigError(f"onnxruntime has no provider {provider!r} here; allowed: {', '.join(providers)}")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Threads that spin while they wait for work would take the clock thread's processor.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3  # errors; they come as exceptions too
        if isinstance(file, Path) and not file.is_file():
            raise ConfigError("there is no such file")
        try:
            model = file if isinstance(file, bytes) else str(file)
            self._session: Any = onnxruntime.InferenceSession(model, options, providers=[provider])
        except Exception as error:  # onnxruntime's own are many, and derive from nothing else
            raise ConfigError(f"onnxruntime cannot use it: {' '.join(str(error).split())}") from error
        self.inputs = tuple(map(_input, self._session.get_inputs()))
        self._outputs = {output.name: output for output in self._session.get_outputs()}
        self.outputs = tuple(self._outputs)
        self.metadata = dict(self._session.get_modelmeta().custom_metadata_map)
        self._has_batch = {given.name: _has_batch(given) for given in self._session.get_inputs()}
        self._is_batched = any(self._has_batch.values())

    def run(self, values: Mapping[str, Array], outputs: Sequence[str]) -> list[Array]:
        """Return outputs; the GIL is released meanwhile."""
        feed = {name: value[None] if self._has_batch[name] else value for name, value in values.items()}
        answers = map(np.asarray, self._session.run(list(outputs), feed))
        return [answer[0] if self._is_batched else answer for answer in answers]

    def output_size(self, output: str) -> int | None:
        """Return how many values an output has, without the batch; None where a dimension is dynamic."""
        shape = self._outputs[output].shape
        dimensions = shape[1:] if self._is_batched else shape
        return prod(dimensions) if all(isinstance(each, int) for each in dimensions) else None


def _input(given: Any) -> ModelInput:
    if given.type not in _DTYPES:
        raise ConfigError(f"input {given.name!r} is a {given.type}; allowed: {', '.join(_DTYPES)}")
    shape = tuple(size if isinstance(size, int) else None for size in given.shape)
    if _has_batch(given) and shape[0] not in (1, None):
        raise ConfigError(f"input {given.name!r} takes {shape[0]} observations at once; allowed: 1, or any number")
    return ModelInput(given.name, shape[1:] if _has_batch(given) else shape, np.dtype(_DTYPES[given.type]))


def _has_batch(given: Any) -> bool:
    # A vector without a batch is what no exporter makes of a network; one that does says so by its one dimension.
    return len(given.shape) > 1
