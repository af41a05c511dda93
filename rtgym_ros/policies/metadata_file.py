"""Where the metadata block of a policy is: in its file, or in a file of the same name and ``.json`` beside it."""

from __future__ import annotations

from pathlib import Path

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.policies.metadata import PolicyMetadata

BLOCK_KEY = "rtgym_ros"
"""Where the block stands in the metadata of an ONNX or safetensors file, as JSON."""


def beside(path: Path) -> Path:
    """Return where the block of a policy is when it is beside it: ``policy.onnx.json`` of ``policy.onnx``."""
    return path.with_name(f"{path.name}.json")


def write_metadata(path: str | Path, metadata: PolicyMetadata) -> Path:
    """Write the block of a policy beside it.

    Args:
        path: of the policy.
        metadata: what the policy takes and answers.

    Returns:
        The path of the file with the block.
    """
    file = beside(Path(path))
    file.write_text(metadata.to_json() + "\n")
    return file


def read_metadata(path: Path, inside: str | None) -> PolicyMetadata | None:
    """Return the block of a policy, None where there is none.

    Args:
        path: of the policy.
        inside: the block in its file; None where there is none.

    Raises:
        ConfigError: the block is wrong, or there are two that differ; the message does not name the policy.
    """
    file = beside(path)
    try:
        text = file.read_text()
    except FileNotFoundError:
        return None if inside is None else PolicyMetadata.from_json(inside)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file.name}: {error}") from error
    try:
        found = PolicyMetadata.from_json(text)
    except ConfigError as error:
        raise ConfigError(f"{file.name}: {error}") from error
    if inside is not None and PolicyMetadata.from_json(inside) != found:
        raise ConfigError(f"the metadata block in the file and that in {file.name} differ: remove one of them")
    return found
