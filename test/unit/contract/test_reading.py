"""Stage read, sentence by sentence of the grammar: what is refused, where, and what the error says."""

import json
import math
import os
import pickle
import subprocess
import sys

import pytest
import yaml
from contracts import DIFF_DRIVE, EVERYTHING, edited, problems

from rtgym_ros.contract.grammar.reader import parse_contract, read_contract
from rtgym_ros.contract.grammar.source import ContractError
from rtgym_ros.contract.grammar.yaml_file import parse
from rtgym_ros.contract.records.action_part import FillCommand
from rtgym_ros.contract.records.conversion import Quaternion, QuaternionForm
from rtgym_ros.contract.records.guard import Input, Lock
from rtgym_ros.contract.records.topic import Qos, Stamp
from rtgym_ros.core.errors import ConfigError

DRIVE = parse(DIFF_DRIVE, "")[0]
ODD = parse(EVERYTHING, "")[0]
POSITION = {
    "topic": "c",
    "fields": ["p"],
    "low": -1,
    "high": 1,
    "quantity": "position",
    "default": 0,
    "safe": "last",
}
VELOCITY = {"topic": "c", "fields": ["v"], "low": -1, "high": 1, "quantity": "velocity", "default": 0}
SEEN = {"topic": "s", "fields": ["p"], "low": -1, "high": 1}


def small(**sections):
    """Return a contract with one action and one observation part, and more sections."""
    return {"contract": 1, "robot": "r", "action": {"a": VELOCITY}, "observation": {"o": SEEN}, **sections}


def action(**changes):
    return small(action={"a": {**VELOCITY, **changes}})


def position(**changes):
    part = {**POSITION, **changes}
    return small(action={"a": {key: value for key, value in part.items() if value is not ...}})


def observation(**changes):
    part = {**SEEN, **changes}
    return small(observation={"o": {key: value for key, value in part.items() if value is not ...}})


def gate(**test):
    return small(gates={"g": {"topic": "t", "field": "data", **test}})


def found(data):
    """Return the problems of plain data as (dotted key, message)."""
    text = json.dumps(data).replace("NaN", ".nan").replace("Infinity", ".inf")
    lines = problems(text)
    assert all(line.startswith("robot.yaml:1: ") for line in lines)
    pairs = [line.removeprefix("robot.yaml:1: ").split(": ", 1) for line in lines]
    return [(key, message) for key, message in pairs]


# What is refused: the contract, the key of the error, a piece of its message.
REFUSED = [
    # Reading it
    (edited(DRIVE, {"contract": 2}), "contract", "version 2 is not read here; allowed: 1"),
    (edited(DRIVE, {"contract": True}), "contract", "allowed: 1"),
    (edited(DRIVE, {"contract": ...}), "contract", "is missing; allowed: 1"),
    (edited(DRIVE, {"robot": "diff drive"}), "robot", "'diff drive' is not allowed; allowed: an identifier"),
    (edited(DRIVE, {"robot": "2d"}), "robot", "identifier"),
    (edited(DRIVE, {"robot": "ü"}), "robot", "identifier"),
    (edited(DRIVE, {"taks": {}}), "taks", "unknown key; allowed: the keys of this section; nearest: task"),
    (edited(DRIVE, {"gates": {}}), "gates", "has no content"),
    (edited(DRIVE, {"gates": None}), "gates", "has no content"),
    (edited(DRIVE, {"reset": []}), "reset", "has no content"),
    (edited(DRIVE, {"action": ...}), "", "key action is missing"),
    (edited(DRIVE, {"observation": ...}), "", "key observation is missing"),
    (edited(DRIVE, {"robot": ...}), "", "key robot is missing"),
    (edited(DRIVE, {"action/velocity/low": math.nan}), "action.velocity.low", "nan is not allowed"),
    (edited(DRIVE, {"observation/wheels/high": math.inf}), "observation.wheels.high", "inf is not allowed"),
    (edited(DRIVE, {"action/velocity/low": True}), "action.velocity.low", "True is not allowed"),
    (small(action={"action_buffer": VELOCITY}), "action.action_buffer", "reserved"),
    (small(observation={"delays": SEEN}), "observation.delays", "reserved"),
    (small(gates={"delays": {"topic": "t", "field": "d", "equals": 1}}), "gates.delays", "reserved"),
    (small(guard={"inputs": {"action_buffer": 3}}), "guard.inputs.action_buffer", "reserved"),
    (small(action={"a b": VELOCITY}), "action.a b", "key 'a b' is not allowed; allowed: an identifier"),
    (action(topic="cmd vel"), "action.a.topic", "'cmd vel' is not allowed; allowed: the name of a topic"),
    (action(topic="a//b"), "action.a.topic", "allowed: the name of a topic"),
    (action(topic="a__b"), "action.a.topic", "allowed: the name of a topic"),
    (action(topic="~/b"), "action.a.topic", "allowed: the name of a topic"),
    (action(topic="a\n"), "action.a.topic", "'a\\n' is not allowed"),
    (action(type="std_msgs/Bool"), "action.a.type", "allowed: a message type: package/msg/Name"),
    (observation(when_stale="clip"), "observation.o.when_stale", "allowed: one of warn, truncate, fail"),
    (observation(when_stale="fial"), "observation.o.when_stale", "nearest: fail"),
    # time
    (small(time={"interface": "x"}), "time.interface", "unknown key"),
    (small(time={"interface_timeout": 3}), "time.interface_timeout", "unknown key"),
    (small(time={"act_prepro_func": "x"}), "time.act_prepro_func", "unknown key"),
    (small(time={"out_of_bounds_action": "clip"}), "time.out_of_bounds_action", "unknown key"),
    (small(time={"time_step_duration": 0}), "time.time_step_duration", "allowed: a number of seconds"),
    (edited(action(rate=10), {"time": {"time_step_duration": 0}}), "time.time_step_duration", "allowed"),
    (small(time={"time_step_duration": 0}, guard={"timeout": 1}), "time.time_step_duration", "allowed"),
    (small(time={"time_step_duration": "a"}), "time.time_step_duration", "allowed"),
    (small(time={"ep_max_length": 0}), "time.ep_max_length", "0 is not allowed"),
    (small(time={"act_buf_len": 0}), "time.act_buf_len", "from 1 up where act_in_obs is true"),
    (small(time={"late_action": "stop"}), "time.late_action", "allowed: one of repeat, default, safe"),
    (small(time={"phase": "oo"}), "time.phase", "'oo' is no part of the observation; allowed: o"),
    (small(spaces={"action": "box"}), "spaces.action", "allowed: one of dict, tuple, flat"),
    # Fields
    (action(fields=["a..b"]), "action.a.fields[0]", "the path of a field"),
    (action(fields=["a[1"]), "action.a.fields[0]", "the path of a field"),
    (action(fields=["a[-1]"]), "action.a.fields[0]", "the path of a field"),
    (action(fields="v"), "action.a.fields", "'v' is not allowed; allowed: a list of paths of fields"),
    (action(fields=[]), "action.a.fields", "has no content"),
    (action(fields=["v", "v"]), "action.a.fields[1]", "v is given twice"),
    (action(names=["j", "j"]), "action.a.names[1]", "j is given twice"),
    (action(prefix="left_"), "action.a.prefix", "without names"),
    (observation(names=["j", "j"]), "observation.o.names[1]", "j is given twice"),
    (observation(prefix="left_"), "observation.o.prefix", "without names"),
    (observation(fields=...), "observation.o", "key fields is missing"),
    (
        small(action={"a": VELOCITY, "b": {**VELOCITY, "fields": ["w", "v"]}}),
        "action.b.fields[1]",
        "v is also written by action.a",
    ),
    (
        small(action={"a": {**VELOCITY, "type": "p/msg/A"}, "b": {**VELOCITY, "fields": ["w"], "type": "p/msg/B"}}),
        "action.b.type",
        "p/msg/B on the topic of action.a; allowed: its type, p/msg/A",
    ),
    (
        small(action={"a": {**VELOCITY, "rate": 100}, "b": {**VELOCITY, "fields": ["w"], "rate": 50}}),
        "action.b.rate",
        "differs from that of action.a",
    ),
    (
        small(action={"a": {**VELOCITY, "fill": {"m": 1}}, "b": {**VELOCITY, "fields": ["w"], "fill": {"m": 2}}}),
        "action.b.fill.m",
        "differs from action.a.fill.m",
    ),
    (
        small(observation={"o": {**SEEN, "stamp": "none"}, "p": {**SEEN, "stamp": "received"}}),
        "observation.p.stamp",
        "differs",
    ),
    # Values: units and bounds
    (action(low=2), "action.a.low", "2 is not allowed; allowed: up to high, which is 1"),
    (action(low=[-1, 3], high=[1, 2]), "action.a.low[1]", "allowed: up to high, which is 2"),
    (action(low=[-1, -1], high=[1, 1, 1]), "action.a.high", "has 3 values and low has 2"),
    (action(low=[-1, -1], default=[0, 0, 0]), "action.a.default", "has 3 values and low has 2"),
    (action(low=[-1, -1], limits={"max_jerk": [1, 2, 3]}), "action.a.limits.max_jerk", "has 3 values and low has 2"),
    (action(low=[-1, -1], agent_range=[[0, 1]]), "action.a.agent_range", "has 1 values and low has 2"),
    (
        action(agent_range=[1, -1]),
        "action.a.agent_range",
        "[1.0, -1.0] is not allowed; allowed: the lower number first",
    ),
    (action(agent_range=[1, 2, 3]), "action.a.agent_range", "allowed: a pair"),
    (observation(low=2), "observation.o.low", "up to high"),
    (observation(low=[0, 0], high=[1, 1, 1]), "observation.o.high", "has 3 values and low has 2"),
    (observation(dtype="uint8"), "observation.o.low", "-1 is no uint8; allowed: 0 to 255"),
    (observation(dtype="float16"), "observation.o.dtype", "allowed: one of float32"),
    (small(action={"a": {k: v for k, v in VELOCITY.items() if k != "low"}}), "action.a", "key low is missing"),
    # convert
    (observation(convert=[{"scal": 2}]), "observation.o.convert[0]", "nearest: scale"),
    (observation(convert=[{"scale": 2, "offset": 1}]), "observation.o.convert[0]", "has the keys scale and offset"),
    (observation(convert=[{"scale": "x"}]), "observation.o.convert[0].scale", "'x' is not allowed"),
    (
        observation(convert=[{"scale": 2, "of": "q"}]),
        "observation.o.convert[0].of",
        "q is no entry of fields; allowed: p",
    ),
    (observation(convert=[{"axes": ["x", "x", "z"]}]), "observation.o.convert[0].axes", "each of x, y, z once"),
    (observation(convert=[{"axes": ["x", "w", "z"]}]), "observation.o.convert[0].axes[1]", "x, y or z"),
    (observation(convert=[{"clip": [1, 0]}]), "observation.o.convert[0].clip", "[lowest, highest]"),
    (observation(convert=[{"clip": [1]}]), "observation.o.convert[0].clip", "a pair"),
    (observation(convert=[{"wrap": 0}]), "observation.o.convert[0].wrap", "a number above 0"),
    (observation(convert=[{"nan": "drop"}]), "observation.o.convert[0].nan", "a number, or refuse"),
    (observation(convert=[{"quaternion": "euler"}]), "observation.o.convert[0].quaternion", "one of yaw, rpy"),
    (
        observation(convert=[{"quaternion": {"from": "wxyz"}}]),
        "observation.o.convert[0].quaternion",
        "key to is missing",
    ),
    (observation(convert=[{"ranges": {"pick": "least"}}]), "observation.o.convert[0].ranges.pick", "one of min"),
    (observation(convert=[{"image": {"width": 0}}]), "observation.o.convert[0].image.width", "from 1 to 65535"),
    (observation(convert=[{"function": "no name"}]), "observation.o.convert[0].function", "module:name"),
    (action(convert=[{"clip": [0, 1]}]), "action.a.convert[0]", "clip cannot be inverted"),
    (action(convert=[{"wrap": 3}]), "action.a.convert[0]", "wrap cannot be inverted"),
    (action(convert=[{"map": {"A": 1}}]), "action.a.convert[0]", "map cannot be inverted"),
    (action(convert=[{"nan": 0}]), "action.a.convert[0]", "nan cannot be inverted"),
    (action(convert=[{"ranges": {"max": 1}}]), "action.a.convert[0]", "ranges cannot be inverted"),
    (action(convert=[{"image": {"grey": True}}]), "action.a.convert[0]", "image cannot be inverted"),
    (action(convert=[{"quaternion": "yaw"}]), "action.a.convert[0].quaternion", "yaw cannot be inverted"),
    (action(convert=[{"scale": [1, 0]}]), "action.a.convert[0].scale", "0 cannot be inverted"),
    (action(convert=[{"function": "a:b"}]), "action.a.convert[0]", "needs inverse"),
    # quantity, default, safe
    (
        small(action={"a": {k: v for k, v in VELOCITY.items() if k != "quantity"}}),
        "action.a",
        "key quantity is missing",
    ),
    (action(quantity="speed"), "action.a.quantity", "position, velocity, acceleration or effort"),
    (position(safe=...), "action.a", "safe is missing: a part of position needs it"),
    (action(quantity="acceleration"), "action.a", "safe is missing: a part of acceleration needs it"),
    (action(quantity=["velocity", "position"], low=[0, 0], high=[1, 1]), "action.a", "safe is missing"),
    (position(default=...), "action.a", "default is missing: a position without first_from"),
    (
        small(action={"a": {**{k: v for k, v in VELOCITY.items() if k != "default"}, "low": 0.5}}),
        "action.a",
        "0 is out",
    ),
    (action(default=2), "action.a.default", "2 is out of bounds; allowed: -1 to 1"),
    (action(safe=[0, 5], low=[-1, -1]), "action.a.safe[1]", "5 is out of bounds; allowed: -1 to 1"),
    (action(default="measured"), "action.a.default", "measured needs first_from"),
    (action(safe=[0, "measured"], low=[-1, -1]), "action.a.safe[1]", "measured needs first_from"),
    (action(safe="keep"), "action.a.safe", "a number, last or measured"),
    (action(safe={"fil": {"a": 1}}), "action.a.safe.fil", "unknown key"),
    # relative, limits, first_from
    (action(relative=True), "action.a.relative", "needs max_step"),
    (action(max_step=1), "action.a.max_step", "without relative"),
    (action(relative=True, max_step=0), "action.a.max_step", "above 0"),
    (action(limits={"max_velocity": 1}), "action.a.limits.max_velocity", "not above the quantity velocity"),
    (action(quantity="effort", limits={"max_acceleration": 1}), "action.a.limits.max_acceleration", "max_deceleration"),
    (
        action(quantity="acceleration", limits={"max_deceleration": 1}),
        "action.a.limits.max_deceleration",
        "allowed: max_jerk",
    ),
    (action(limits={"max_acceleration": 0}), "action.a.limits.max_acceleration", "above 0"),
    (position(limits={"max_velocity": 1}), "action.a", "limits of a position need first_from"),
    (
        position(limits={"max_velocity": 1}, first_from="oo"),
        "action.a.first_from",
        "no part of the observation; allowed: o",
    ),
    (action(out_of_bounds="warn"), "action.a.out_of_bounds", "clip or fail"),
    (observation(out_of_bounds="ignore"), "observation.o.out_of_bounds", "one of warn, clip, truncate, fail"),
    # fill, stamp, checksum, rate, qos
    (action(fill={"a b": 1}), "action.a.fill.a b", "the path of a field"),
    (action(fill={"a": math.inf}), "action.a.fill.a", "inf is not allowed; allowed: a constant"),
    (action(fill={"a": [1, -math.inf]}), "action.a.fill.a[1]", "-inf is not allowed"),
    (small(heartbeats={"b c": {"topic": "t", "rate": 1}}), "heartbeats.b c", "an identifier"),
    (small(heartbeats={"b": {"topic": "t", "rate": 0}}), "heartbeats.b.rate", "above 0"),
    (small(heartbeats={"b": {"topic": "t", "rate": 1, "stamp": "received"}}), "heartbeats.b.stamp", "received"),
    (action(fill={"a": None}), "action.a.fill.a", "has no content"),
    (action(fill={"a": {"b": 1}}), "action.a.fill.a", "allowed: a constant"),
    (action(stamp="received"), "action.a.stamp", "received is not allowed"),
    (action(stamp={"field": "t", "unit": "us", "bits": 32}), "action.a.stamp.bits", "not allowed of a command"),
    (action(stamp={"field": "t", "unit": "min"}), "action.a.stamp.unit", "one of s, ms, us, ns"),
    (observation(stamp={"field": "t", "bits": 32}), "observation.o.stamp", "bits needs unit"),
    (action(checksum="crc"), "action.a.checksum", "module:name"),
    (action(rate=0), "action.a.rate", "above 0"),
    (action(between="linear"), "action.a.between", "linear needs rate"),
    (action(qos="fast"), "action.a.qos", "sensor, command, latched"),
    (action(qos={"reliabilty": "reliable"}), "action.a.qos.reliabilty", "nearest: reliability"),
    (action(qos={"depth": 0}), "action.a.qos.depth", "from 1 to 10000"),
    (action(echo={"topic": "e"}), "action.a.echo", "key stamp is missing"),
    (action(echo={"topic": "e", "stamp": "none"}), "action.a.echo.stamp", "none is not allowed"),
    (action(goal="g"), "action.a", "has the keys topic and goal"),
    (small(action={"a": {k: v for k, v in VELOCITY.items() if k != "topic"}}), "action.a", "neither topic nor goal"),
    (position(topic=..., goal="g", rate=100), "action.a.rate", "not allowed with goal"),
    (position(topic=..., goal="g", type="p/msg/A"), "action.a.type", "package/action/Name"),
    (observation(max_age=0), "observation.o.max_age", "a number of seconds above 0, or none"),
    (observation(max_age="never"), "observation.o.max_age", "or none"),
    (observation(history=0), "observation.o.history", "from 1"),
    (observation(history=2.5), "observation.o.history", "whole number"),
    # Gates, steps, heartbeats
    (gate(), "gates.g", "has no test; allowed: one of equals"),
    (gate(equals=1, min=0), "gates.g", "has the tests equals and min"),
    (gate(min=1, max=0), "gates.g.min", "up to max"),
    (gate(bits=0), "gates.g.bits", "a mask of bits"),
    (gate(equals=1, when_lost="warn"), "gates.g.when_lost", "one of fail, truncate, wait"),
    (gate(equals=1, timeout=0), "gates.g.timeout", "above 0"),
    (gate(equals=[1]), "gates.g.equals", "a number, text, true or false"),
    (gate(any_of=[]), "gates.g.any_of", "has no content"),
    (small(start=[{"calls": "x"}]), "start[0]", "nearest: call"),
    (small(start=[{"timeout": 3}]), "start[0]", "one of the keys call, publish, goal, sleep, send, until"),
    (small(start=[{"call": "x", "sleep": 1}]), "start[0]", "has the keys call and sleep"),
    (small(start=[{"call": "x", "until": "g"}]), "start[0]", "has the keys call and until"),
    (small(start=[{"call": "x", "typ": "a"}]), "start[0].typ", "nearest: type"),
    (small(start={"call": "x"}), "start", "a list of steps"),
    (small(start=[{"until": "g"}]), "start[0].until", "'g' is no gate; allowed: none is defined"),
    (small(start=[{"until": {"topic": "t", "field": "d"}}]), "start[0].until", "has no test"),
    (small(start=[{"publish": "t", "every": 1}]), "start[0].every", "needs until"),
    (
        edited(gate(equals=1), {"start": [{"publish": "t", "until": "g"}]}),
        "start[0].until",
        "needs every",
    ),
    (small(start=[{"call": "x", "every": 5}]), "start[0].every", "less than timeout, 5"),
    (small(start=[{"sleep": 0}]), "start[0].sleep", "above 0"),
    (small(start=[{"publish": "t", "stamp": "received"}]), "start[0].stamp", "received is not allowed"),
    (small(reset=[{"send": {"b": 0}}]), "reset[0].send.b", "'b' is no part of the action; allowed: a"),
    (small(reset=[{"send": {"a": 3}}]), "reset[0].send.a", "3 is out of bounds; allowed: -1 to 1"),
    (edited(action(low=[-1, -1]), {"reset": [{"send": {"a": [0, 0, 0]}}]}), "reset[0].send.a", "has 3 values"),
    (small(heartbeats=[{"topic": "t"}]), "heartbeats[0]", "key rate is missing"),
    (small(heartbeats=[{"topic": "t", "rate": 0}]), "heartbeats[0].rate", "above 0"),
    (small(heartbeats=[{"topic": "t", "rate": 1, "stamp": "received"}]), "heartbeats[0].stamp", "received"),
    # guard, task
    (edited(DRIVE, {"guard/timeout": 0.1}), "guard.timeout", "more than time_step_duration * (1 + time_step_timeout"),
    (
        small(time={"time_step_timeout_factor": math.inf}, guard={"lock": "stop"}),
        "guard",
        "timeout is missing, and time_step_timeout_factor is .inf",
    ),
    (
        small(time={"time_step_timeout_factor": math.inf}, guard={"timeout": 0.05}),
        "guard.timeout",
        "more than time_step_duration, 0.05 s",
    ),
    (small(guard={"inputs": {"agent": "high"}}), "guard.inputs.agent", "a priority"),
    (small(guard={"inputs": {"joy": {"topic": "joy"}}}), "guard.inputs.joy", "key priority is missing"),
    (
        small(guard={"inputs": {"joy": {"priority": 1, "type": "sensor_msgs/msg/Joy", "fields": ["a"]}}}),
        "guard.inputs.joy.type",
        "topic",
    ),
    (
        small(guard={"inputs": {"joy": {"priority": 1, "topic": "j", "type": "sensor_msgs/msg/Joy"}}}),
        "guard.inputs.joy.type",
        "fields",
    ),
    (
        small(
            guard={
                "inputs": {"joy": {"priority": 1, "topic": "j", "type": "sensor_msgs/msg/Joy", "fields": {"b": ["x"]}}}
            }
        ),
        "guard.inputs.joy.fields.b",
        "'b' is no part of the action",
    ),
    (
        edited(ODD, {"guard/inputs/joystick/fields": ["axes[0]"]}),
        "guard.inputs.joystick.fields",
        "a list for each of legs, arm, attitude, gripper",
    ),
    (edited(ODD, {"guard/inputs/agent/topic": "t"}), "guard.inputs.agent.topic", "carries one command"),
    (small(task={"class": "tasks.Reach"}), "task.class", "module:name"),
    (small(task={"args": {"a": 1}}), "task", "key class is missing"),
    (small(task={"class": "a:b", "args": {}}), "task.args", "has no content"),
]


@pytest.mark.parametrize(("data", "key", "message"), REFUSED, ids=[f"{i}-{case[1]}" for i, case in enumerate(REFUSED)])
def test_refused_with_key_and_what_is_allowed(data, key, message):
    lines = found(data)
    if not key:
        assert any(message in f"{place}: {text}" for place, text in lines), lines
    else:
        assert any(place == key and message in text for place, text in lines), lines
    assert all("allowed: " in f"{place}: {text}" for place, text in lines), lines


ACCEPTED = [
    small(action={"a": {**VELOCITY, "rate": 100, "between": "linear"}, "b": {**VELOCITY, "fields": ["w"]}}),
    small(action={"a": {**VELOCITY, "names": ["j"]}, "b": {**VELOCITY, "names": ["k"]}}),
    small(action={"a": VELOCITY, "b": {**VELOCITY, "qos": "sensor"}}),
    action(low=0, high=0),
    action(default="last", safe="last"),
    action(relative=True, max_step=0.1, agent_range=[-1, 1]),
    action(fields=["a[3].b[0:6].c[0,3,6]", "p[name=cf231].x"]),
    action(quantity="acceleration", safe=0, limits={"max_jerk": 1}),
    action(rate=20, between="linear"),
    position(safe={"fill": {"kp": 0}}),
    position(default=..., first_from="o"),
    position(limits={"max_velocity": 1, "max_jerk": 2}, first_from="o", safe="measured"),
    observation(max_age="none", low=..., high=...),
    gate(min=0, max=0),
    small(guard={"inputs": {"nav": {"priority": 1, "topic": "nav_cmd", "type": "p/msg/A"}}}),
    small(heartbeats={"beat": {"topic": "t", "rate": 1}, "other": {"topic": "u", "rate": 2}}),
    gate(equals=False),
    gate(equals=0),
    gate(equals="MODE_FLY"),
    small(reset=[{"send": {"a": 0}, "until": {"topic": "t", "field": "d", "min": 1}}]),
    small(guard={"timeout": 0.11}),
    small(time={"time_step_duration": 1, "time_step_timeout_factor": 0}, guard={"inputs": {"agent": 0}}),
    small(**{"x-anything": {"y": None}}, task={"class": "a.b:C", "args": {"x-ignored": 1, "none": None}}),
    action(**{"x-note": "ignored", "fill": {"x-note": 1, "a": 1}}),
]


@pytest.mark.parametrize("data", ACCEPTED, ids=range(len(ACCEPTED)))
def test_accepted(data):
    assert found(data) == []


def test_the_example_of_the_grammar_is_read_whole():
    contract = parse_contract(DIFF_DRIVE)
    velocity, pose, wheels = contract.action["velocity"], contract.observation["pose"], contract.observation["wheels"]
    assert contract.robot == "diff_drive"
    assert dict(contract.time) == {"time_step_duration": 0.05, "act_buf_len": 4, "ep_max_length": 200}
    assert (contract.spaces.observation, contract.spaces.action) == ("dict", "flat")
    assert velocity.name == "velocity"
    assert velocity.low == (-0.22, -2.84)
    assert velocity.default == 0.0
    assert velocity.safe_command() == 0.0
    assert velocity.agent_range == (-1.0, 1.0)
    assert velocity.limits.max_acceleration == (2.5, 3.2)
    assert velocity.fill == {"header.frame_id": "base_link"}
    assert velocity.echo.stamp == Stamp(field="command_stamp")
    assert pose.convert == (Quaternion(quaternion=QuaternionForm(to="yaw")),)
    assert (pose.max_age, pose.when_stale) == (0.2, "truncate")
    assert (wheels.names, wheels.low, wheels.high) == (("left", "right"), -30.0, 30.0)
    assert contract.gates["ready"].equals is True
    assert contract.gates["ready"].qos == Qos(profile="latched")
    assert contract.guard.inputs == {"agent": Input(priority=10), "joystick": Input(priority=100)}
    assert contract.guard.lock == Lock(topic="e_stop")
    assert contract.task.class_ == "my_robot.tasks:ReachPosition"
    assert contract.warnings == ()


def test_short_and_long_forms_are_the_same_record():
    odd = parse_contract(EVERYTHING)
    assert odd.action["arm"].names == ("FL_hip", "FL_thigh", "FL_calf")
    assert odd.action["legs"].safe == FillCommand(fill={"motor_cmd[0:3].kp": 0, "motor_cmd[0:3].kd": 8.0})
    assert odd.action["legs"].fill["mode"] == 10
    assert odd.action["legs"].fill["motor_cmd[0:20].dq"] == 2.146e9
    assert odd.action["legs"].convert[1].of == ("motor_cmd[0,1,2].q",)
    assert odd.observation["mode"].convert[0].map == {"IDLE": 0.0, "2": 1.5, "on": 2.0}
    assert odd.observation["scan"].fields == ()
    assert math.isnan(odd.heartbeats[0].fill["position"])
    assert odd.task.args == {"weights": [1, 2, {"deep": None}], "name": "on"}
    assert odd.time["ep_max_length"] == math.inf
    assert odd.time["cpu_affinity"] == (1,)


def test_defaults_that_stand_for_what_is_left_out():
    data = position(default=..., first_from="o")
    assert parse_contract(json.dumps(data)).action["a"].default_command() == "measured"
    del data["action"]["a"]["first_from"]
    data["action"]["a"].update(quantity="effort")
    assert parse_contract(json.dumps(data)).action["a"].default_command() == 0.0


@pytest.mark.parametrize(
    ("data", "warning"),
    [
        (action(topic="/cmd_vel"), "action.a.topic: /cmd_vel is absolute"),
        (small(start=[{"call": "/arm"}]), "start[0].call: /arm is absolute"),
        (gate(topic="/t", equals=1), "gates.g.topic: /t is absolute"),
        (small(guard={"lock": "/stop"}), "guard.lock.topic: /stop is absolute"),
        (observation(low=...), "observation.o: low is missing"),
        (small(start=[{"sleep": 6}]), "start[0].sleep: 6 s is as long as its timeout of 5 s"),
        (action(rate=10), "action.a.rate: 10 Hz is slower than the time-steps, 20 Hz"),
    ],
)
def test_warned_about(data, warning):
    (line,) = parse_contract(json.dumps(data), "robot.yaml").warnings
    assert line.startswith(f"robot.yaml:1: {warning}")


def test_every_problem_in_the_order_of_the_file():
    text = DIFF_DRIVE.replace("0.05", "-1").replace("yaw", "yawn").replace("latched", "latch")
    lines = problems(text)
    assert [line.split(":")[1] for line in lines] == ["23", "31"]  # the rule about time comes after the structure
    assert problems(text.replace("yawn", "yaw").replace("latch,", "latched,"))[0].startswith(
        "robot.yaml:3: time.time_step_duration: -1 is not allowed; allowed: a number of seconds"
    )


def test_the_error_is_a_config_error_that_survives_a_process(tmp_path):
    file = tmp_path / "robot.yaml"
    file.write_text("contract: 3\n")
    with pytest.raises(ConfigError) as caught:
        read_contract(file)
    assert str(caught.value) == f"{file}:1: contract: version 3 is not read here; allowed: 1"
    copy = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(copy, ContractError)
    assert copy.problems == caught.value.problems


@pytest.mark.parametrize("name", ["missing.yaml", "folder", "pipe", "nul\0"])
def test_a_file_that_cannot_be_read(tmp_path, name):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ContractError, match=r"cannot be read: "):
        read_contract(tmp_path / name)


def test_reading_imports_nothing_that_the_contract_names(tmp_path):
    (tmp_path / "odd.py").write_text("raise SystemExit('imported')")
    (tmp_path / "robot.yaml").write_text(EVERYTHING)
    code = (
        "import sys; from rtgym_ros.contract.grammar.reader import read_contract; before = set(sys.modules);"
        "read_contract('robot.yaml'); read_contract('robot.yaml');"
        "bad = {'odd', 'rclpy', 'cv2', 'rosidl_runtime_py', 'matplotlib'} & {m.split('.')[0] for m in sys.modules};"
        "new = {m for m in set(sys.modules) - before if not m.startswith(('jsonschema', 'referencing', 'rpds'))};"
        "print(sorted(bad), sorted(m for m in new if m.split('.')[0] not in sys.stdlib_module_names))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stdout.strip(), run.stderr) == (0, "[] []", "")


def test_yaml_of_this_project_is_not_needed_to_know_yaml_1_1():
    # What PyYAML itself would read otherwise.
    assert yaml.safe_load("a: on")["a"] is True
    assert parse("a: on\n", "f")[0] == {"a": "on"}
