"""The types of topics, services and actions: imported by name, or found in the graph where they are left out."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any

from rclpy.node import Node

from rtgym_ros.contract.grammar.source import Key, Source
from rtgym_ros.contract.messages.layout import StructType, layout_of
from rtgym_ros.envs.clock_thread import pause

_POLL_S = 0.05


def import_type(name: str) -> Any:
    """Return the class of ``package/msg/Name`` (or ``srv``, ``action``).

    Raises:
        ImportError: the package is not installed, or has no such type.
    """
    package, kind, name = name.split("/")
    module = importlib.import_module(f"{package}.{kind}")
    try:
        return getattr(module, name)
    except AttributeError:
        known = ", ".join(sorted(n for n in vars(module) if n[:1].isupper() and "_" not in n)[:20])
        raise ImportError(f"{package} has no {kind} {name}; it has {known}") from None


def message_layout(message_class: Any) -> StructType:
    """Return the fields of a message class."""
    return layout_of(message_class, lambda name: import_type("{}/msg/{}".format(*name.split("/"))))


class InterfaceTypes:
    """Finds the classes that a contract names.

    Args:
        node: that looks at the graph.
        source: of the contract, for errors.
        timeout: how long a type that is left out is looked for in the graph (s).
    """

    def __init__(self, node: Node, source: Source, timeout: float) -> None:
        self._node = node
        self._source = source
        self._timeout = timeout

    def message(self, key: Key, name: str | None, topic: str) -> Any:
        """Return the class of the messages on ``topic`` (its full name)."""
        return self._find(key, name, topic, "topic", self._node.get_topic_names_and_types)

    def service(self, key: Key, name: str | None, service: str) -> Any:
        """Return the class of ``service`` (its full name)."""
        return self._find(key, name, service, "service", self._node.get_service_names_and_types)

    def action(self, key: Key, name: str | None, action: str) -> Any:
        """Return the class of the ROS action ``action`` (its full name)."""
        from rclpy.action import get_action_names_and_types

        return self._find(key, name, action, "action", lambda: get_action_names_and_types(self._node))

    def _find(
        self, key: Key, given: str | None, name: str, kind: str, look: Callable[[], Iterable[tuple[str, list[str]]]]
    ) -> Any:
        """Return a class.

        Raises:
            ContractError: it is not installed, or the graph does not know exactly one.
        """
        type_name = self._type_in_graph(key, name, kind, look) if given is None else given
        try:
            return import_type(type_name)
        except ImportError as error:
            where = key if given is None else (*key, "type")
            raise self._source.error(
                where, f"{type_name} cannot be imported ({error}); allowed: a type of an installed package"
            ) from error

    def _type_in_graph(
        self, key: Key, name: str, kind: str, look: Callable[[], Iterable[tuple[str, list[str]]]]
    ) -> str:
        deadline = monotonic() + self._timeout
        while True:
            types = dict(look()).get(name, [])
            if len(types) == 1:
                return types[0]
            if types:
                raise self._source.error(key, f"{kind} {name} has several types: {', '.join(types)}; give `type`")
            if monotonic() >= deadline:
                raise self._source.error(key, f"{kind} {name} is not there after {self._timeout:g} s; give `type`")
            pause(_POLL_S)
