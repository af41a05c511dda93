"""Gates and conditions: when they hold, why not, and which lost gate counts."""

import math

import numpy as np
import pytest

from rtgym_ros.contract.records.gate import Condition, Gate
from rtgym_ros.contract.sequences.conditions import lost_gates, why_not, with_constants
from rtgym_ros.contract.sequences.port import Reading
from rtgym_ros.core.errors import ConfigError


def condition(**test):
    return Condition(topic="t", field="data", **test)


def reason(value, **test):
    return why_not(condition(**test), Reading(value, age=0.1, publishers=1))


@pytest.mark.parametrize(
    ("test", "good", "bad"),
    [
        ({"equals": True}, [True, 1, np.bool_(True)], [False, 0, 2, "True"]),
        ({"equals": False}, [False, 0], [True, 1]),
        ({"equals": 4}, [4, 4.0, np.uint8(4)], [5, "4"]),
        ({"equals": 0.1}, [0.1, float(np.float32(0.1))], [0.2, math.nan, "0.1"]),
        ({"equals": "READY"}, ["READY"], ["ready", 1]),
        ({"any_of": (1, 4)}, [1, 4], [2, math.nan]),
        ({"any_of": ("A", "B")}, ["A"], ["C"]),
        ({"min": 0.2}, [0.2, 5, math.inf], [0.1, math.nan, "x"]),
        ({"max": 0.2}, [0.2, -5], [0.3, math.nan]),
        ({"min": 1.0, "max": 2.0}, [1, 2], [0, 3]),
        ({"bits": 6}, [6, 7, 0xFF, np.uint16(6)], [0, 2, 4, 6.0]),
        ({"bits": (2, 4)}, [6], [2, 4]),
    ],
)
def test_what_holds(test, good, bad):
    assert [reason(value, **test) for value in good] == [None] * len(good)
    assert all(reason(value, **test) for value in bad)


def test_reasons_name_topic_field_and_value():
    assert reason(False, equals=True) == "data of t is False, and not True"
    assert reason(2, any_of=(1, 4)) == "data of t is 2, and not one of 1, 4"
    assert reason(0.1, min=0.2) == "data of t is 0.1, and not at least 0.2"
    assert reason(0.3, max=0.2) == "data of t is 0.3, and not at most 0.2"
    assert reason(2, bits=6) == "data of t is 2, and not with the bits 0x6 set"


def test_lost_without_publisher_message_or_when_too_old():
    ready = condition(equals=True, max_age=1.5)
    assert why_not(ready, Reading(True, 0.0, 0)) == "t has no publisher"
    assert why_not(ready, Reading(None, None, 2)) == "no message has come on t (2 publishers)"
    assert why_not(ready, Reading(True, 1.5, 1)) is None
    assert why_not(ready, Reading(True, 1.75, 1)) == "the message on t is 1.75 s old, and max_age is 1.5 s"
    assert why_not(condition(equals=True, max_age="none"), Reading(True, 1e6, 1)) is None
    assert why_not(condition(equals=True), Reading(True, 1e6, 1)) is None


def test_names_of_constants():
    constants = {"ARMED": 2, "CAN_FLY": 8, "NAME": "x"}
    assert with_constants(condition(equals="ARMED"), constants, numeric=True).equals == 2
    assert with_constants(condition(any_of=("ARMED", 5)), constants, numeric=True).any_of == (2, 5)
    assert with_constants(condition(bits="CAN_FLY"), constants, numeric=True).bits == 8
    assert with_constants(condition(bits=(2, "CAN_FLY")), constants, numeric=True).bits == (2, 8)
    assert with_constants(condition(equals="ARMED"), constants, numeric=False).equals == "ARMED"
    with pytest.raises(
        ConfigError, match=r"'ARMD' is no constant of the message; allowed: ARMED, CAN_FLY, NAME.*ARMED"
    ):
        with_constants(condition(equals="ARMD"), constants, numeric=True)


def test_the_gravest_lost_gate_comes_first():
    gates = {
        name: Gate(name=name, topic=name, field="data", equals=True, when_lost=verb)
        for name, verb in {"w": "wait", "t": "truncate", "f": "fail", "ok": "fail"}.items()
    }
    lost = lost_gates(gates, lambda gate: Reading(gate.topic == "ok", 0.0, 1))
    assert [(one.gate.name, one.reason) for one in lost] == [
        ("f", "data of f is False, and not True"),
        ("t", "data of t is False, and not True"),
        ("w", "data of w is False, and not True"),
    ]
    assert lost_gates(gates, lambda gate: Reading(True, 0.0, 1)) == []
