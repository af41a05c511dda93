"""Where the joints of a contract stand in a message, looked up anew only when the message's list of names changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from struct import Struct
from typing import Any

from rtgym_ros.contract.messages.skipped import Reason, SkippedMessage

Pick = Callable[[Sequence[Any]], tuple[Any, ...]]
"""Returns the elements of the joints, in the contract's order."""


class JointLookup:
    """Finds joints by name.

    Args:
        names: in the contract's order, prefix included; at least one.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._wanted = [name.encode() for name in names]
        self._seen: list[bytes] | None = None
        self._regions: dict[str, bytes] = {}
        self._pick: Pick = tuple
        self._last = -1

    def locate(self, buffer: bytes, position: int, order: str, length_of: Struct) -> tuple[Pick, int, int]:
        """Find the joints in a serialised sequence of strings.

        Args:
            buffer: the serialised message.
            position: where the sequence's length stands in it.
            order: byte order, ``"<"`` or ``">"``.
            length_of: reads a length in that order.

        Returns:
            what picks the joints' elements; the greatest of their places; the position behind the sequence.

        Raises:
            SkippedMessage: one of them is missing.
        """
        region = self._regions.get(order)
        # The lengths among the bytes tell where the names end: where these bytes stand again, the names do.
        if region is not None and buffer.startswith(region, position):
            return self._pick, self._last, position + len(region)
        names, end = _read_names(buffer, position, length_of)
        self._find(names)
        self._regions[order] = buffer[position:end]
        return self._pick, self._last, end

    def find(self, names: Sequence[str]) -> tuple[Pick, int]:
        """Find the joints in a list of names; see :meth:`locate`."""
        self._find([name.encode() for name in names])
        return self._pick, self._last

    def _find(self, names: list[bytes]) -> None:
        if names == self._seen:
            return
        places = {name: place for place, name in reversed(list(enumerate(names)))}
        try:
            indices = [places[name] for name in self._wanted]
        except KeyError:  # what was found before remains: the next message may be of the right publisher again
            raise SkippedMessage(Reason.NAMES) from None
        self._regions.clear()
        self._seen = names
        self._last = max(indices)
        if len(indices) == 1:
            index = indices[0]
            self._pick = lambda values: (values[index],)
        else:
            self._pick = itemgetter(*indices)


def _read_names(buffer: bytes, position: int, length_of: Struct) -> tuple[list[bytes], int]:
    unpack = length_of.unpack_from
    (count,) = unpack(buffer, position)
    if count > len(buffer):
        raise SkippedMessage(Reason.MALFORMED)
    names = []
    position += 4
    for index in range(count):
        if index:
            # Lengths are aligned to 4, counted from behind the encapsulation header, which is 4 bytes long.
            position = position + 3 & -4
        (length,) = unpack(buffer, position)
        names.append(buffer[position + 4 : position + 4 + length].rstrip(b"\0"))
        position += 4 + length
    return names, position
