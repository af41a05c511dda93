"""A contract as the file that reads to an equal one."""

from __future__ import annotations

import math
from typing import Any

import yaml

from rtgym_ros.contract.grammar.core_schema import resolve_scalar
from rtgym_ros.contract.grammar.kind import plain_record
from rtgym_ros.contract.records.contract import Contract


def to_yaml(contract: Contract) -> str:
    """Return the text of a contract; entries that have their default are left out, aliases are unfolded."""
    return str(yaml.dump(plain_record(contract), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120))


class _Dumper(yaml.SafeDumper):
    """Writes what the core schema of YAML 1.2 reads to the same value."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> Any:
    plain = _resolves_to_itself(text)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


def _resolves_to_itself(text: str) -> bool:
    try:
        return isinstance(resolve_scalar(text), str)
    except ValueError:
        return False


def _number(dumper: _Dumper, number: float) -> Any:
    if math.isfinite(number):
        mantissa, e, exponent = repr(number).partition("e")
        # PyYAML knows YAML 1.1, where a float has a point.
        text = f"{mantissa}{'' if '.' in mantissa else '.0'}{e}{exponent}"
        return dumper.represent_scalar("tag:yaml.org,2002:float", text)
    return dumper.represent_scalar(
        "tag:yaml.org,2002:float", ".nan" if math.isnan(number) else ".inf" if number > 0 else "-.inf"
    )


_Dumper.add_representer(str, _text)
_Dumper.add_representer(float, _number)
