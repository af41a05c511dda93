"""The selected values of a message type as a tree: what is wanted below each field and element."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from rtgym_ros.contract.messages.selection import Hop, Leaf

Tree: TypeAlias = "dict[Hop, Tree | str]"
"""Hop: what is wanted below it, or the name of the variable that holds the value which is there."""


def tree_of(leaves: Sequence[Leaf]) -> tuple[Tree, list[str]]:
    """Return the wanted values by their routes, and the variable of each of ``leaves``: one a value."""
    tree: Tree = {}
    variables: list[str] = []
    for leaf in leaves:
        here = tree
        for hop in leaf.route[:-1]:
            below = here.setdefault(hop, {})
            assert isinstance(below, dict)
            here = below
        variable = here.setdefault(leaf.route[-1], f"v{len(variables)}")
        assert isinstance(variable, str)
        variables.append(variable)
    return tree, variables


def variables_of(wanted: Tree | str) -> list[str]:
    """Return the variables of all the values below."""
    if isinstance(wanted, str):
        return [wanted]
    return [variable for below in wanted.values() for variable in variables_of(below)]
