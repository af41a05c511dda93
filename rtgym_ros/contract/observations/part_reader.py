"""Makes the values of one part of the observation out of serialised messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from rtgym_ros.contract.conversions.chain import ConversionChain, Load
from rtgym_ros.contract.conversions.converter import ConversionError
from rtgym_ros.contract.conversions.images import ImageReader
from rtgym_ros.contract.messages.field_reader import Deserialize, FieldReader
from rtgym_ros.contract.messages.layout import StructType
from rtgym_ros.contract.messages.skipped import Reason, SkippedMessage
from rtgym_ros.contract.records import conversion as records
from rtgym_ros.contract.records.observation_part import ObservationPart

Array = np.ndarray[Any, Any]

_MANY = 16
"""From so many values on there is nothing to be gained."""


class PartReader:
    """Reads and converts one part of the observation.

    Only the newest message has to be given to it; it belongs to one thread.

    Args:
        part: of the contract.
        layout: of the message type.
        deserialize: decodes a whole message; see :class:`FieldReader`.
        load: imports the functions of ``convert``.

    Attributes:
        skipped: how many messages counted as not having come, by the reason.
        raw: reads the values before ``convert``, which ``first_from`` is about; None of an image.
        chain: the conversions; None of an image.
        shape: of the values; 0 stands for what each image tells.
        read: takes a message, returns the values as the agent sees them, of :attr:`shape` and the part's dtype; None
            where the message counts as not having come; it was counted in :attr:`skipped`. An image whose dtype and
            size are those of the message is a view of it.

    Raises:
        FieldPathError: a path cannot be used with this message type.
        ConversionError: a conversion does not fit the values.
    """

    def __init__(
        self,
        part: ObservationPart,
        layout: StructType,
        deserialize: Deserialize | None = None,
        load: Load | None = None,
    ) -> None:
        self._dtype = np.dtype(part.dtype)
        self.raw: FieldReader | None = None
        self.chain: ConversionChain | None = None
        image = next((convert for convert in part.convert if isinstance(convert, records.Image)), None)
        if image is not None:
            if len(part.convert) > 1 or len(part.fields) > 1:
                raise ConversionError("convert: an image stands alone, with one field and no other conversion")
            form = image.image
            path = part.fields[0] if part.fields else "data"
            self._image = ImageReader(layout, path, form.width, form.height, form.grey, deserialize)
            self.skipped: Counter[Reason] = self._image.skipped
            self.shape: tuple[int, ...] = (form.height or 0, form.width or 0, self._image.channels)
            self.read: Callable[[bytes], Array | None] = self._read_image
            return
        ranges = any(isinstance(convert, records.Ranges) for convert in part.convert)
        fields = part.fields or (("ranges",) if ranges else ())
        self.raw = FieldReader(layout, fields, part.names, part.prefix, deserialize, allow_whole=ranges)
        self.skipped = self.raw.skipped
        self.chain = ConversionChain(layout, self.raw.selections, part.convert, load)
        self.shape = (self.chain.size,)
        self.read = partial(self._read_converted, self.raw, self.chain)
        if not self.chain.converts and self._dtype.kind == "f" and self.raw.size < _MANY:
            self.read = partial(self.raw.read, dtype=self._dtype)  # of most parts: a few numbers as they are

    def _read_image(self, buffer: bytes) -> Array | None:
        image = self._image.read(buffer)
        return None if image is None else image.astype(self._dtype, copy=False)

    def _read_converted(self, raw: FieldReader, chain: ConversionChain, buffer: bytes) -> Array | None:
        values: Any = raw.values(buffer) if raw.has_text else raw.read(buffer)
        if values is None:
            return None
        try:
            converted = chain.forward(np.array(values, object) if raw.has_text else values)
        except SkippedMessage as skipped:
            self.skipped[skipped.reason] += 1
            return None
        return converted.astype(self._dtype)
