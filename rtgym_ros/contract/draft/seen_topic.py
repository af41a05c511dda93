"""What was seen of a topic, and which of its fields may be of use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rtgym_ros.contract.messages.layout import ArrayType, FieldType, Primitive, StructType

_LEFT_OUT = ("header", "covariance")
_MOST_VALUES = 24
"""Of a message whose fields nobody has chosen: more are hardly meant."""


@dataclass(frozen=True)
class SeenTopic:
    """A topic of the running robot.

    Attributes:
        name: relative to the robot's namespace.
        type: ``package/msg/Name``.
        layout: its fields.
        published: whether the robot publishes it (else it subscribes to it).
        rate: messages a second; 0 where none came.
        reliable: whether all ends are reliable.
        latched: whether it is transient local.
        joints: the names of joints in its messages.
        lengths: of its sequences, by path.
        low: the least value of each path that was seen.
        high: the greatest.
        truth: the last value, of a Bool.
    """

    name: str
    type: str
    layout: StructType
    published: bool
    rate: float = 0.0
    reliable: bool = False
    latched: bool = False
    joints: Sequence[str] = ()
    lengths: dict[str, int] = field(default_factory=dict)
    low: dict[str, list[float]] = field(default_factory=dict)
    high: dict[str, list[float]] = field(default_factory=dict)
    truth: bool | None = None

    @property
    def part(self) -> str:
        """A name for the part: an identifier."""
        letters = "".join(letter if letter.isalnum() else "_" for letter in self.name.lower()).strip("_")
        return letters if letters[:1].isalpha() else f"topic_{letters}"


def number_paths(layout: StructType) -> list[str]:
    """Return the paths of the numbers that every message of a type has, but for headers and covariances."""
    return [path for path, _ in _numbers(layout, "")][:_MOST_VALUES]


def value_count(layout: StructType, path: str) -> int:
    """Return how many values a path of :func:`number_paths` has."""
    return dict(_numbers(layout, ""))[path]


def _numbers(kind: FieldType, path: str) -> Iterator[tuple[str, int]]:
    if isinstance(kind, Primitive) and kind.name not in ("boolean", "octet"):
        yield path, 1
    elif isinstance(kind, ArrayType) and isinstance(kind.element, Primitive) and kind.element.name != "boolean":
        if kind.length <= _MOST_VALUES:
            yield path, kind.length
    elif isinstance(kind, StructType) and list(kind.fields) != ["sec", "nanosec"]:
        for name, below in kind.fields.items():
            if not any(word in name for word in _LEFT_OUT):
                yield from _numbers(below, f"{path}.{name}" if path else name)
