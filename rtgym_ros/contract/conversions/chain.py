"""The conversions of one part, in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rtgym_ros.contract.conversions.converter import Array, ConversionError, Converter
from rtgym_ros.contract.conversions.elementwise import (
    AxesConverter,
    ClipConverter,
    FunctionConverter,
    MapConverter,
    NanConverter,
    OffsetConverter,
    ScaleConverter,
    WrapConverter,
)
from rtgym_ros.contract.conversions.enumerations import map_keys
from rtgym_ros.contract.conversions.quaternions import QuaternionConverter
from rtgym_ros.contract.conversions.scans import RangesConverter
from rtgym_ros.contract.conversions.stage import Stage
from rtgym_ros.contract.messages.layout import StructType, Text
from rtgym_ros.contract.messages.selection import Selection, Whole
from rtgym_ros.contract.records import conversion as records

Load = Callable[[str], Callable[[Array], Any]]
"""Returns the function that ``module:name`` stands for."""


class ConversionChain:
    """Converts the values of a part: from the message to the agent, and back where every conversion can be inverted.

    Args:
        layout: of the message type.
        selections: what each entry of ``fields`` selects.
        convert: the conversions.
        load: imports the functions of ``function`` and ``inverse``.

    Attributes:
        size_in: number of the message's values.
        size: number of the agent's.
        converts: whether there is a conversion at all.

    Raises:
        ConversionError: one does not fit the values; the message says which: ``convert[0].scale: ...``.
    """

    def __init__(
        self,
        layout: StructType,
        selections: Sequence[Selection],
        convert: Sequence[records.Conversion],
        load: Load | None = None,
    ) -> None:
        self._layout = layout
        self._selections = selections
        self._load = load
        self._stages: list[Stage] = []
        sizes = self._sizes(selections, convert)
        self.size_in = sum(sizes)
        texts = {i for i, selection in enumerate(selections) if isinstance(selection.target, Text)}
        quaternions = {i: s for i, s in enumerate(selections) if s.is_quaternion}
        for index, record in enumerate(convert):
            key = f"convert[{index}]"
            try:
                chosen = self._chosen(record, sizes, set(quaternions))
                if texts.intersection(chosen) and not isinstance(record, records.MapConversion):
                    raise ConversionError("a text has to be made a number first, by `map`")
                texts.difference_update(chosen)
                size = sum(sizes[entry] for entry in chosen)
                stage = Stage(self._converter(record, chosen, size), sizes, chosen)
            except ConversionError as error:
                raise ConversionError(f"{key}.{error}") from error
            for entry in chosen:
                quaternions.pop(entry, None)
            self._stages.append(stage)
            sizes = stage.sizes_out
        if texts:
            path = selections[min(texts)].path
            raise ConversionError(
                f"fields: {path!r} is text; add {{map: {{TEXT: NUMBER, ...}}, of: {path}}} to `convert`"
            )
        self.size = sum(sizes)
        self.converts = bool(self._stages)

    def forward(self, values: Array) -> Array:
        """Return the agent's values, shape ``(size,)`` of float64.

        Raises:
            SkippedMessage: the message counts as not having come.
        """
        for stage in self._stages:
            values = stage.forward(values)
        return np.asarray(values, np.float64)

    def inverse(self, values: Array) -> Array:
        """Return the message's values, shape ``(size_in,)``, of the agent's."""
        for stage in reversed(self._stages):
            values = stage.inverse(values)
        return values

    def bounds(self, low: Array, high: Array) -> tuple[Array, Array]:
        """Return the agent's bounds of message values between ``low`` and ``high``."""
        for stage in self._stages:
            low, high = stage.bounds(low, high)
        return low, high

    @staticmethod
    def _sizes(selections: Sequence[Selection], convert: Sequence[records.Conversion]) -> list[int]:
        """Return how many values each entry of ``fields`` has; of a whole sequence, the beams that it becomes."""
        whole = next((s for s in selections if s.leaves and s.leaves[0].route[-1] is Whole.WHOLE), None)
        if whole is None:
            return [len(selection.leaves) for selection in selections]
        first = convert[0] if convert else None
        if len(selections) > 1 or not isinstance(first, records.Ranges) or first.ranges.beams is None:
            raise ConversionError(
                f"fields: how many {whole.path!r} has, each message tells: give {whole.path}[0:N], "
                "or have it alone, with `ranges: {beams: N}` as the first conversion"
            )
        return [first.ranges.beams]

    def _chosen(self, record: records.Conversion, sizes: list[int], quaternions: set[int]) -> list[int]:
        """Return the entries of ``fields`` that a conversion is for."""
        paths = [selection.path for selection in self._selections]
        if record.of is not None:
            missing = next((path for path in record.of if path not in paths), None)
            if missing is not None:
                raise ConversionError(f"of: {missing!r} is no entry of fields; allowed: {', '.join(paths)}")
            return [paths.index(path) for path in record.of]
        if isinstance(record, records.Quaternion) and len(paths) > 1:
            found = sorted(quaternions)
            if not found:
                raise ConversionError("quaternion: no entry of fields is a Quaternion message; say which by `of`")
            return found
        return [entry for entry, size in enumerate(sizes) if size]

    def _converter(self, record: records.Conversion, chosen: list[int], size: int) -> Converter:
        match record:
            case records.Scale(scale=factors):
                return ScaleConverter(factors, size)
            case records.Offset(offset=offsets):
                return OffsetConverter(offsets, size)
            case records.Clip(clip=(low, high)):
                return ClipConverter(low, high, size)
            case records.Wrap(wrap=half_turn):
                return WrapConverter(half_turn)
            case records.Axes(axes=axes):
                return AxesConverter(axes, size)
            case records.Nan(nan=replacement):
                return NanConverter(replacement)
            case records.MapConversion(map=table):
                leaves = [leaf for entry in chosen for leaf in self._selections[entry].leaves]
                return MapConverter(map_keys(self._layout, leaves, table))
            case records.Quaternion(quaternion=form):
                return QuaternionConverter(form.to, form.from_ or "xyzw", form.frame is not None)
            case records.Ranges(ranges=form):
                return RangesConverter(form.inf, form.nan, form.max, form.beams, form.pick)
            case records.Function(function=function, inverse=inverse):
                if self._load is None:
                    raise ConversionError("function: no function can be loaded here")
                return FunctionConverter(self._load(function), self._load(inverse) if inverse else None, size)
            case records.Image():
                raise ConversionError("image: it stands alone, for a field of type Image or CompressedImage")
