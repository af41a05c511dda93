"""Code that a contract names: imported when an environment or a guard is made, never when the contract is read."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rtgym_ros.contract.grammar.rules.finding import has, walk
from rtgym_ros.contract.grammar.source import ContractError, Key
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.contract.task import Task


def load_code(contract: Contract, key: Key, name: str, *, allow_beside: bool = False) -> Callable[..., Any]:
    """Import ``module:name`` and return it.

    Args:
        contract: that names it.
        key: where it does, for errors.
        name: ``module:name``.
        allow_beside: whether the module may lie beside the contract's file.

    Raises:
        ContractError: it is not there, cannot be imported, cannot be called, or lies beside the file.
    """
    module_name, _, attribute = name.partition(":")
    folder = Path(contract.source.file).resolve().parent
    with _beside(folder if allow_beside else None):
        if not allow_beside and _found_in(module_name, folder):
            raise contract.source.error(
                key, f"{module_name} lies beside the contract; allowed: installed code, or --allow-code-beside"
            )
        try:
            found: Any = importlib.import_module(module_name)
        except Exception as error:  # whatever a module does when it is imported
            reason = f"{type(error).__name__}: {error}"
            allowed = "allowed: a module that is installed" + (" or lies beside the contract" if allow_beside else "")
            raise contract.source.error(key, f"{module_name} cannot be imported ({reason}); {allowed}") from error
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise contract.source.error(key, f"{module_name} has no {attribute}; allowed: a name that it defines")
        found = getattr(found, part)
    if not callable(found):
        raise contract.source.error(key, f"{name} cannot be called; allowed: a function or a class")
    return found  # type: ignore[no-any-return]


def named_code(contract: Contract) -> list[tuple[Key, str]]:
    """Return every ``module:name`` of a contract and its key: the task's class, functions, inverses, checksums."""
    found = []
    for key, record in walk(contract, ()):
        for name in ("function", "inverse", "checksum", "class_"):
            value = getattr(record, name) if has(record, name) else None
            if value is not None:
                found.append(((*key, name.rstrip("_")), value))
    return found


def load_task(contract: Contract, *, allow_beside: bool = False) -> Task | None:
    """Import and make the task of a contract; None where it has none.

    Raises:
        ContractError: the class is not there or no Task, or does not take its arguments.
    """
    if contract.task is None:
        return None
    key: Key = ("task", "class")
    cls = load_code(contract, key, contract.task.class_, allow_beside=allow_beside)
    if not isinstance(cls, type) or not issubclass(cls, Task):
        raise contract.source.error(
            key, f"{contract.task.class_} is no Task; allowed: a subclass of {Task.__module__}:Task"
        )
    try:
        return cls(**contract.task.args)
    except ContractError:
        raise
    except (TypeError, ValueError) as error:
        raise contract.source.error(("task", "args"), f"{contract.task.class_} refuses them: {error}") from error


def _found_in(module_name: str, folder: Path) -> bool:
    """Return whether a module that was not imported yet would come from a folder."""
    top = module_name.partition(".")[0]
    if top in sys.modules:
        return False
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return False
    places = [] if spec is None else [spec.origin, *(spec.submodule_search_locations or ())]
    return any(place and Path(place).resolve().parent in (folder, folder / top) for place in places)


@contextmanager
def _beside(folder: Path | None) -> Iterator[None]:
    """Let modules be found in a folder, after all others."""
    if folder is None or str(folder) in sys.path:
        yield
        return
    sys.path.append(str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
