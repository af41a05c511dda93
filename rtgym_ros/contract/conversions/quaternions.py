"""Orientations: from quaternions to what an agent can learn from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from rtgym_ros.contract.conversions.converter import Array, ConversionError, Converter

Form = Literal["yaw", "rpy", "rotation_6d", "gravity", "wxyz", "xyzw"]
Order = Literal["xyzw", "wxyz"]

_HALF = np.sqrt(0.5)
# Quaternions as w, x, y, z. North, east, down seen from east, north, up; forward, right, down from forward, left, up.
_NED_IN_ENU = np.array([0.0, _HALF, _HALF, 0.0])
_FRD_IN_FLU = np.array([0.0, 1.0, 0.0, 0.0])


class QuaternionConverter(Converter):
    """Turns quaternions, each four values, into another form.

    The forms are functions of the rotation alone: a quaternion need not have length one, and its negative gives the
    same. ``wxyz`` and ``xyzw`` are the message's numbers in another order. One of zeros has no orientation: NaN.

    Args:
        to: form that comes out: ``yaw`` and ``rpy`` (rad, about z, then y, then x: REP 103), ``rotation_6d`` (first two
            columns of the rotation matrix: Zhou et al., arXiv 1812.07035), ``gravity`` (direction of gravity, seen
            from the body), or a quaternion.
        order: of the message's four numbers.
        ned_frd: whether it turns FRD into NED, and is to turn FLU into ENU.
    """

    by_entry = True

    def __init__(self, to: Form, order: Order = "xyzw", ned_frd: bool = False) -> None:
        self._forward, self._each = _FORMS[to]
        self._to_wxyz = [0, 1, 2, 3] if order == "wxyz" else [3, 0, 1, 2]
        self._from_wxyz = [0, 1, 2, 3] if order == "wxyz" else [1, 2, 3, 0]
        self._to = to
        self._ned_frd = ned_frd

    def size(self, size: int) -> int:
        """Return the number of values of the form, for each quaternion."""
        if size % 4 or not size:
            raise ConversionError(f"quaternion: {size} values are no quaternions, of four each")
        return size // 4 * self._each

    def forward(self, values: Array) -> Array:
        """Return the form."""
        wxyz = values.reshape(-1, 4)[:, self._to_wxyz]
        if self._ned_frd:
            wxyz = _multiply(_multiply(_NED_IN_ENU, wxyz), _FRD_IN_FLU)
        return self._forward(wxyz).reshape(-1)

    def inverse(self, values: Array) -> Array:
        """Return the message's quaternion, of another order of the numbers."""
        if self._to not in ("wxyz", "xyzw"):
            return super().inverse(values)
        wxyz = values.reshape(-1, 4)
        if self._to == "xyzw":
            wxyz = wxyz[:, [3, 0, 1, 2]]
        if self._ned_frd:
            wxyz = _multiply(_multiply(_conjugate(_NED_IN_ENU), wxyz), _conjugate(_FRD_IN_FLU))
        return wxyz[:, self._from_wxyz].reshape(-1)

    def bounds(self, low: Array, high: Array) -> tuple[Array, Array]:
        """Return the tightest bounds: each number that comes out is a sum of multiples of those that go in."""
        if self._to not in ("wxyz", "xyzw"):
            return super().bounds(low, high)
        columns = np.stack([self.forward(unit) for unit in np.eye(len(low))], axis=1)
        with np.errstate(invalid="ignore"):  # 0 * inf of numbers that play no part
            one, other = np.nan_to_num(columns * low, nan=0.0), np.nan_to_num(columns * high, nan=0.0)
        return np.minimum(one, other).sum(axis=1), np.maximum(one, other).sum(axis=1)


def _multiply(one: Array, other: Array) -> Array:
    """Return Hamilton's product of quaternions (w, x, y, z in the last axis)."""
    a, b, c, d = np.moveaxis(one, -1, 0)
    w, x, y, z = np.moveaxis(other, -1, 0)
    return np.stack(
        [
            a * w - b * x - c * y - d * z,
            a * x + b * w + c * z - d * y,
            a * y - b * z + c * w + d * x,
            a * z + b * y - c * x + d * w,
        ],
        axis=-1,
    )


def _conjugate(wxyz: Array) -> Array:
    return np.asarray(wxyz * np.array([1.0, -1.0, -1.0, -1.0]))


def _normalized(wxyz: Array) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(wxyz / np.linalg.norm(wxyz, axis=-1, keepdims=True))


def _yaw(wxyz: Array) -> Array:
    w, x, y, z = _normalized(wxyz).T
    return np.asarray(np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)))


def _rpy(wxyz: Array) -> Array:
    w, x, y, z = _normalized(wxyz).T
    roll = np.arctan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y))
    pitch = np.arcsin(np.minimum(np.maximum(2 * (w * y - z * x), -1.0), 1.0))
    return np.stack([roll, pitch, _yaw(wxyz)], axis=-1)


def _rotation_6d(wxyz: Array) -> Array:
    w, x, y, z = _normalized(wxyz).T
    first = [1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)]
    second = [2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)]
    return np.stack([*first, *second], axis=-1)


def _gravity(wxyz: Array) -> Array:
    w, x, y, z = _normalized(wxyz).T
    return np.stack([-2 * (x * z - w * y), -2 * (y * z + w * x), 2 * (x * x + y * y) - 1], axis=-1)


_FORMS: dict[Form, tuple[Callable[[Array], Array], int]] = {
    "yaw": (_yaw, 1),
    "rpy": (_rpy, 3),
    "rotation_6d": (_rotation_6d, 6),
    "gravity": (_gravity, 3),
    "wxyz": (lambda wxyz: wxyz, 4),
    "xyzw": (lambda wxyz: wxyz[:, [1, 2, 3, 0]], 4),
}
