"""Images, raw or compressed, as arrays of shape (height, width, channels)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rtgym_ros.contract.conversions.converter import Array, ConversionError
from rtgym_ros.contract.messages.field_path import FieldPathError
from rtgym_ros.contract.messages.field_reader import Deserialize, FieldReader
from rtgym_ros.contract.messages.layout import FieldType, StructType
from rtgym_ros.contract.messages.skipped import Reason, SkippedMessage

_RAW = ("height", "width", "encoding", "is_bigendian", "step", "data")
_COMPRESSED = ("format", "data")


@dataclass(frozen=True)
class _Encoding:
    dtype: str
    channels: int
    bgr: bool = False


_ENCODINGS = {
    "rgb8": _Encoding("u1", 3),
    "bgr8": _Encoding("u1", 3, bgr=True),
    "8UC3": _Encoding("u1", 3, bgr=True),  # OpenCV's name, and its order
    "rgba8": _Encoding("u1", 4),
    "bgra8": _Encoding("u1", 4, bgr=True),
    "mono8": _Encoding("u1", 1),
    "8UC1": _Encoding("u1", 1),
    "mono16": _Encoding("u2", 1),
    "16UC1": _Encoding("u2", 1),
    "32FC1": _Encoding("f4", 1),
}
ENCODINGS = tuple(_ENCODINGS)
"""Of ``sensor_msgs/Image`` that can be read."""


class ImageReader:
    """Reads images out of serialised messages: red, green and blue in this order, or one channel.

    Where size and channels are as they are wanted, a raw image is a view of the message: nothing is copied. What
    has to be resized or decoded is, by OpenCV, which is imported when it is first needed.

    Args:
        layout: of the message type.
        path: of the image in it: of a ``sensor_msgs/Image`` or ``CompressedImage``, or of its ``data``; empty where the
            message is the image.
        width: of the array; None: as it comes.
        height: of the array; None: as it comes.
        grey: one channel: colours become their luminance. Without it the image must have colours.
        deserialize: see :class:`FieldReader`.

    Attributes:
        channels: 1 or 3.

    Raises:
        ConversionError: there is no image at ``path``.
    """

    def __init__(
        self,
        layout: StructType,
        path: str = "data",
        width: int | None = None,
        height: int | None = None,
        grey: bool = False,
        deserialize: Deserialize | None = None,
    ) -> None:
        parent = path.rpartition(".")[0] if path.split(".")[-1] == "data" else path
        fields = next(
            (fields for fields in (_RAW, _COMPRESSED) if set(fields) <= _fields_at(layout, parent)),
            None,
        )
        if fields is None:
            raise ConversionError(f"image: {path!r} of {layout.name} is no sensor_msgs/Image and no CompressedImage")
        prefix = f"{parent}." if parent else ""
        self._reader = FieldReader(layout, [prefix + name for name in fields], None, "", deserialize, allow_whole=True)
        self._decode = _raw if fields is _RAW else _decompressed
        self._width, self._height = width, height
        self.channels = 1 if grey else 3
        self.skipped = self._reader.skipped

    def read(self, buffer: bytes) -> Array | None:
        """Return the image, shape (height, width, channels), of the dtype of its encoding; often a view of ``buffer``.

        Returns:
            None where the message counts as not having come; it was counted in :attr:`skipped`.
        """
        values = self._reader.parts(buffer)
        if values is None:
            return None
        try:
            image = _with_channels(*self._decode(*values), self.channels)
        except SkippedMessage as skipped:
            self.skipped[skipped.reason] += 1
            return None
        width, height = self._width or image.shape[1], self._height or image.shape[0]
        return image if image.shape[:2] == (height, width) else _resized(image, width, height)


def _fields_at(layout: StructType, path: str) -> set[str]:
    here: FieldType = layout
    for name in path.split(".") if path else ():
        if not isinstance(here, StructType) or name not in here.fields:
            raise FieldPathError(f"field path {path!r}: {layout.name} has no such field")
        here = here.fields[name]
    return set(here.fields) if isinstance(here, StructType) else set()


def _raw(height: int, width: int, encoding: str, big_endian: int, step: int, data: Array) -> tuple[Array, bool]:
    """Return the image that the bytes are, and whether blue comes first."""
    kind = _ENCODINGS.get(encoding)
    if kind is None:
        raise SkippedMessage(Reason.VALUE)
    dtype = np.dtype((">" if big_endian else "<") + kind.dtype) if kind.dtype != "u1" else np.dtype(kind.dtype)
    row = width * kind.channels * dtype.itemsize
    if not height or not width or step < row or len(data) < step * (height - 1) + row:
        raise SkippedMessage(Reason.MALFORMED)
    # Rows may be padded, and the last one need not be: strides say so without a copy.
    shape, strides = (height, width, kind.channels), (step, kind.channels * dtype.itemsize, dtype.itemsize)
    image: Array = np.ndarray(shape, dtype, data, 0, strides)
    return image if dtype.isnative else image.astype(dtype.newbyteorder("=")), kind.bgr


def _decompressed(_format: str, data: Array) -> tuple[Array, bool]:
    """Return the image of a JPEG or PNG file, and whether blue comes first."""
    import cv2

    try:
        image: Array | None = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    except cv2.error:
        image = None
    if image is None:
        raise SkippedMessage(Reason.MALFORMED)
    return (image[:, :, None] if image.ndim == 2 else image), True


def _with_channels(image: Array, bgr: bool, channels: int) -> Array:
    if image.shape[2] == 1:
        if channels != 1:
            raise SkippedMessage(Reason.VALUE)
        return image
    image = image[:, :, 2::-1] if bgr else image[:, :, :3]
    if channels == 3:
        return image
    import cv2

    return np.asarray(cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY))[:, :, None]


def _resized(image: Array, width: int, height: int) -> Array:
    """Return the image in another size: the mean of what each pixel covers, or between pixels where it grows."""
    import cv2

    smaller = width <= image.shape[1] and height <= image.shape[0]
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    resized: Any = cv2.resize(np.ascontiguousarray(image), (width, height), interpolation=how)
    return np.asarray(resized.reshape(height, width, image.shape[2]))
