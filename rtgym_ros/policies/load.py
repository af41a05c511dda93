"""A file with a policy, ready to fly an environment; or one line that says why it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rtgym_ros.core.errors import ConfigError, RtgymError
from rtgym_ros.policies.file_policy import FilePolicy
from rtgym_ros.policies.metadata import PartEntry, PolicyMetadata
from rtgym_ros.policies.metadata_file import BLOCK_KEY, beside, read_metadata
from rtgym_ros.policies.model import Model
from rtgym_ros.policies.onnx_model import OnnxModel
from rtgym_ros.policies.parts import parts_of

NUMPY = ".safetensors"
"""How the name of a file with a NumPy policy ends."""

PATIENCE_S = 10.0
"""How long an answer may take before the flight ends (s), where nothing else is said."""


def load_policy(
    path: str | Path,
    env: Any,
    *,
    threads: int = 1,
    provider: str = "CPUExecutionProvider",
    patience: float = PATIENCE_S,
) -> FilePolicy:
    """Return the policy in a file, ready to fly an environment.

    Args:
        path: of an ONNX file (``.onnx``, with a metadata block in it or beside it), or of a NumPy policy
            (``.safetensors``, of ``./dev train``; without a block it takes the whole observation, in the order of
            ``gymnasium.spaces.flatten``).
        env: that it will fly, without wrappers that change observations or actions; nothing of it is called.
        threads: of one inference (ONNX).
        provider: of onnxruntime (ONNX).
        patience: how long an answer may take before the flight ends (s).

    Raises:
        ConfigError: file and environment do not fit, or what runs it is not installed; one line that names both.
    """
    path = Path(path)
    try:
        model = _load_model(path, threads, provider)
        metadata = read_metadata(path, model.metadata.get(BLOCK_KEY))
        parts = parts_of(env)
        if metadata is None:
            if path.suffix != NUMPY:
                raise ConfigError(
                    "nothing says what the policy takes and answers: there is no metadata block in it, under the key "
                    f"{BLOCK_KEY}, and no file {beside(path).name}"
                )
            entries = tuple(PartEntry(name, shape) for name, shape in parts.shapes.items())
            size = model.output_size(model.outputs[0]) or 0
            metadata = PolicyMetadata(observation=entries, size=size, range=(-1.0, 1.0))
        _check_time_step(metadata, env)
        return FilePolicy(metadata, model, parts, env.unwrapped.action_space, patience)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def _load_model(path: Path, threads: int, provider: str) -> Model:
    if path.suffix == ".onnx":
        return OnnxModel(path, threads, provider)
    if path.suffix != NUMPY:
        raise ConfigError(f"a policy is a file .onnx or {NUMPY}, got {path.suffix or 'a name without an ending'}")
    try:
        from rtgym_ros.policies.mlp_model import MlpModel
        from rtgym_ros.policies.weights import PolicyWeights
    except ImportError as error:
        raise ConfigError(f"{error.name} is not installed: pip install 'rtgym_ros[fly]'") from error
    try:
        return MlpModel(PolicyWeights.from_bytes(path.read_bytes()))
    except OSError as error:
        raise ConfigError(f"cannot be used: {error}") from error
    except RtgymError as error:
        raise ConfigError(str(error)) from error


def _check_time_step(metadata: PolicyMetadata, env: Any) -> None:
    wanted = metadata.time_step_duration
    given = getattr(getattr(env.unwrapped, "config", None), "time_step_duration", None)
    if wanted is not None and given is not None and abs(wanted - given) > 1e-6:
        raise ConfigError(f"time_step_duration is {wanted:g} s in the policy and {given:g} s in the environment")
