"""Conversions between what the message holds and what the agent sees; they run from the message to the agent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from rtgym_ros.contract.grammar.kind import Kind, entry
from rtgym_ros.contract.grammar.kinds import (
    CODE,
    FLAG,
    NUMBER,
    NUMBERS,
    PATH,
    POSITIVE,
    any_of,
    choice,
    list_of,
    map_of,
    one_or_list,
    pattern,
    record,
    record_or,
    whole,
    word,
)

_ENTRIES = one_or_list(PATH, "one or several entries of fields")
_OF = Kind(
    _ENTRIES.allowed,
    _ENTRIES.schema,
    lambda value: tuple(value) if isinstance(value, list) else (value,),
    lambda value: value[0] if len(value) == 1 else list(value),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Multiplies.

    Attributes:
        scale: the factor, or one a value; on actions not 0.
        of: entries of ``fields`` whose values are converted; left out: all.
    """

    scale: float | tuple[float, ...] = entry(NUMBERS)
    of: tuple[str, ...] | None = entry(_OF, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """Adds.

    Attributes:
        offset: what is added, or one a value.
        of: entries of ``fields`` whose values are converted; left out: all.
    """

    offset: float | tuple[float, ...] = entry(NUMBERS)
    of: tuple[str, ...] | None = entry(_OF, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """Keeps within bounds (observations).

    Attributes:
        clip: lowest and highest, each a number or one a value.
        of: entries of ``fields`` whose values are converted; left out: all.
    """

    clip: tuple[float | tuple[float, ...], float | tuple[float, ...]] = entry(
        list_of(NUMBERS, "a pair: [lowest, highest]", length=2)
    )
    of: tuple[str, ...] | None = entry(_OF, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrap:
    """Brings an angle into [-wrap, wrap) by adding multiples of 2 wrap (observations).

    Attributes:
        wrap: half of a turn in the unit of the value: 3.14159 for radians, 180 for degrees.
        of: entries of ``fields`` whose values are converted; left out: all.
    """

    wrap: float = entry(POSITIVE)
    of: tuple[str, ...] | None = entry(_OF, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """Exchanges and mirrors the axes of vectors: groups of three values.

    Attributes:
        axes: for each axis of the agent the message's, with a minus where it points the other way: ``[y, x, -z]``.
        of: entries of ``fields`` whose values are converted; left out: all.
    """

    axes: tuple[str, ...] = entry(
        list_of(
            pattern("x, y or z, with or without a minus", "-?[xyz]"), "each of x, y and z once: [y, x, -z]", length=3
        )
    )
    of: tuple[str, ...] | None = entry(_OF, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class MapConversion:
    """Makes numbers of texts, or of the values of an enumeration (observations).

    Attributes:
        map: text, whole number or name of a constant of the message: the number that it becomes.
        of: entries of ``fields`` whose values are converted; left out: all.
    """

    map: Mapping[str, float] = entry(map_of(NUMBER, "a section: value of the field: number"))
    of: tuple[str, ...] | None = entry(_OF, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nan:
    """Says what is done with values that are not a number (observations).

    Attributes:
        nan: the number that stands for them, or ``refuse``: the message counts as not having come.
        of: entries of ``fields`` whose values are converted; left out: all.
    """

    nan: float | Literal["refuse"] = entry(
        any_of(
            "a number, or refuse",
            NUMBER,
            word("refuse"),
            build=lambda value: value if value == "refuse" else float(value),
        )
    )
    of: tuple[str, ...] | None = entry(_OF, None)


_TO = word("yaw", "rpy", "rotation_6d", "gravity", "wxyz", "xyzw")


@dataclass(frozen=True, slots=True, kw_only=True)
class QuaternionForm:
    """From which quaternion to what; may be written in short as the word of ``to``.

    Attributes:
        to: ``yaw`` (rad), ``rpy`` (roll, pitch, yaw in rad), ``rotation_6d`` (the first two columns of the rotation
            matrix), ``gravity`` (the direction of gravity seen from the body, a unit vector), ``wxyz``, ``xyzw``.
        from_: order of the four numbers where the field is an array; a message of type Quaternion says it by itself.
        frame: ``ned_frd``: the quaternion turns FRD (forward, right, down) into NED (north, east, down) and is
            made one of FLU (forward, left, up) and ENU (east, north, up), as REP 103 wants.
    """

    to: Literal["yaw", "rpy", "rotation_6d", "gravity", "wxyz", "xyzw"] = entry(_TO)
    from_: Literal["xyzw", "wxyz"] | None = entry(word("xyzw", "wxyz"), None, key="from")
    frame: Literal["ned_frd"] | None = entry(word("ned_frd"), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quaternion:
    """Turns a quaternion into another form; on actions into another order alone.

    Attributes:
        quaternion: the form.
        of: entries of ``fields`` whose values are converted; left out: all.
    """

    quaternion: QuaternionForm = entry(
        record_or(
            QuaternionForm,
            _TO,
            "one of yaw, rpy, rotation_6d, gravity, wxyz, xyzw, or a section: {from: wxyz, frame: ned_frd, to: yaw}",
            lambda to: QuaternionForm(to=to),
            lambda form: form.to if form == QuaternionForm(to=form.to) else None,
        )
    )
    of: tuple[str, ...] | None = entry(_OF, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RangesForm:
    """How the ranges of a scan become an array that is finite and of one length.

    Attributes:
        inf: the range that stands for "nothing seen" (m).
        nan: the range that stands for a beam without a measurement (m).
        max: longer ranges become this (m).
        beams: how many there are afterwards: neighbours are taken together.
        pick: which one of the neighbours that are taken together: ``min``, ``mean``, ``median``, ``max`` or ``first``.
    """

    inf: float | None = entry(NUMBER, None)
    nan: float | None = entry(NUMBER, None)
    max: float | None = entry(POSITIVE, None)
    beams: int | None = entry(whole(1), None)
    pick: Literal["min", "mean", "median", "max", "first"] = entry(word("min", "mean", "median", "max", "first"), "min")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranges:
    """Makes an array of finite numbers, of one length, out of a scan (observations).

    Attributes:
        ranges: how.
        of: entries of ``fields`` whose values are converted; left out: all.
    """

    ranges: RangesForm = entry(record(RangesForm, "a section: {inf: 10, nan: 0, max: 10, beams: 108, pick: min}"))
    of: tuple[str, ...] | None = entry(_OF, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageForm:
    """The size and the channels of an image; what is left out is the camera's.

    Attributes:
        width: pixels.
        height: pixels.
        grey: one channel.
    """

    width: int | None = entry(whole(1, 65_535), None)
    height: int | None = entry(whole(1, 65_535), None)
    grey: bool = entry(FLAG, False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """Makes an array, shape (height, width, channels), out of an image message (observations).

    Attributes:
        image: its size.
        of: entries of ``fields`` whose values are converted; left out: all.
    """

    image: ImageForm = entry(record(ImageForm, "a section: {width: 64, height: 48, grey: true}"))
    of: tuple[str, ...] | None = entry(_OF, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """Calls Python code: takes and returns an array.

    Attributes:
        function: ``module:name``, called with what the message holds.
        inverse: ``module:name``, called with what the agent sees; required on actions.
        of: entries of ``fields`` whose values are converted; left out: all.
    """

    function: str = entry(CODE)
    inverse: str | None = entry(CODE, None)
    of: tuple[str, ...] | None = entry(_OF, None)


Conversion = Scale | Offset | Clip | Wrap | Axes | MapConversion | Nan | Quaternion | Ranges | Image | Function
CONVERSIONS: dict[str, type] = {
    "scale": Scale,
    "offset": Offset,
    "clip": Clip,
    "wrap": Wrap,
    "axes": Axes,
    "map": MapConversion,
    "nan": Nan,
    "quaternion": Quaternion,
    "ranges": Ranges,
    "image": Image,
    "function": Function,
}
"""The key by which a conversion is known: its record."""
CONVERT = list_of(choice("a conversion", CONVERSIONS), "a list of conversions, in order")
