"""Changing values in the text of a contract and nothing else: comments, order and layout stay."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from rtgym_ros.contract.grammar.reader import parse_contract
from rtgym_ros.contract.grammar.yaml_file import read_text
from rtgym_ros.core.errors import ConfigError
from rtgym_ros.core.files import write_atomically

Keys = tuple[str, ...]


def with_values(text: str, values: Mapping[Keys, float | int | str]) -> str:
    """Return the text of a contract with other values.

    A value that stands there is replaced; one that does not is added to its section, which is added to the file if
    there is none.

    Args:
        text: of the contract.
        values: path of keys, such as ``("time", "act_buf_len")``: a number or a word.

    Raises:
        ConfigError: a section is shared through an anchor, so that others would change with it; or a key stands where
            no section is.
        ContractError: with the values it is no contract.
    """
    for path, value in values.items():
        text = _with_value(text, path, str(value))
    parse_contract(text)
    return text


def write_values(file: Path, values: Mapping[Keys, float | int | str]) -> None:
    """Change values in the file of a contract, all of them or none.

    Raises:
        ConfigError: see :func:`with_values`.
        ContractError: the file is no contract, or is none with the values.
        OSError: the file cannot be written.
    """
    text = with_values(read_text(file), values)
    target = file.resolve()
    write_atomically(target, text.encode(), mode=target.stat().st_mode & 0o777)


def _with_value(text: str, path: Keys, value: str) -> str:
    root: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    section = root
    for depth, key in enumerate(path):
        if not isinstance(section, yaml.MappingNode):
            raise ConfigError(f"{'.'.join(path[:depth])} is no section: {'.'.join(path)} cannot be written")
        _refuse_shared(root, section, path[:depth])
        found = next((node for name, node in section.value if name.value == key), None)
        if found is None:
            return _with_entry(text, section, path[depth:], value)
        section = found
    _refuse_shared(root, section, path)
    if not isinstance(section, yaml.ScalarNode):
        raise ConfigError(f"{'.'.join(path)} is a section: a value cannot be written in its place")
    return text[: section.start_mark.index] + value + text[section.end_mark.index :]


def _with_entry(text: str, section: yaml.MappingNode, path: Keys, value: str) -> str:
    """Add an entry at the end of a section; what is missing below it is written as ``{key: value}``."""
    for key in reversed(path[1:]):
        value = f"{{{key}: {value}}}"
    entry = f"{path[0]}: {value}"
    if section.flow_style:
        if not section.value:
            at = section.start_mark.index + 1
            return text[:at] + entry + text[at:]
        at = section.value[-1][1].end_mark.index
        return text[:at] + f", {entry}" + text[at:]
    # Before the section's first key: behind the last one there may be comments of what follows.
    first = section.value[0][0].start_mark
    return text[: first.index] + f"{entry}\n{' ' * first.column}" + text[first.index :]


def _refuse_shared(root: Any, node: Any, path: Keys) -> None:
    if _count(root, node) > 1:
        raise ConfigError(f"{'.'.join(path)} is shared through an anchor (&): write it out to have it changed")


def _count(within: Any, node: Any) -> int:
    if within is node:
        return 1
    if isinstance(within, yaml.MappingNode):
        return sum(_count(value, node) for _, value in within.value)
    if isinstance(within, yaml.SequenceNode):
        return sum(_count(value, node) for value in within.value)
    return 0
