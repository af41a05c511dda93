"""Stage *read*: from the file alone to a checked record. Nothing is imported for it, and nothing in it is run."""

from __future__ import annotations

import os
from pathlib import Path

from rtgym_ros.contract.grammar.kind import build_record
from rtgym_ros.contract.grammar.rules import check_rules
from rtgym_ros.contract.grammar.source import ContractError
from rtgym_ros.contract.grammar.structure import structure_problems
from rtgym_ros.contract.grammar.yaml_file import parse, read_text
from rtgym_ros.contract.records.contract import Contract


def read_contract(path: str | os.PathLike[str]) -> Contract:
    """Read the contract of a robot.

    Args:
        path: of the YAML file.

    Returns:
        The record, every rule of stage *read* checked; ``warnings`` holds what is allowed but hardly meant.

    Raises:
        ContractError: the first problem, in one line: file, line, dotted key, value, what is allowed; ``problems`` has
            them all.
    """
    file = Path(path)
    return parse_contract(read_text(file), str(file))


def parse_contract(text: str, file: str = "contract") -> Contract:
    """Read the text of a contract; as :func:`read_contract`.

    Args:
        text: YAML.
        file: what it is called in errors.
    """
    data, source = parse(text, file)
    problems = structure_problems(data, source)
    if problems:
        raise ContractError(problems)
    contract: Contract = build_record(Contract, data, source=source)
    problems, warnings = check_rules(contract)
    if problems:
        raise ContractError(problems)
    object.__setattr__(contract, "warnings", tuple(warnings))
    return contract
