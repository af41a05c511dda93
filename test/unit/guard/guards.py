"""Guards on stepped time, for the tests."""

import numpy as np

from rtgym_ros.contract.actions.part_command import PartCommand
from rtgym_ros.contract.conversions.chain import ConversionChain
from rtgym_ros.contract.guard.command_input import CommandInput
from rtgym_ros.contract.guard.guard_logic import GuardLogic
from rtgym_ros.contract.guard.guarded_command import GuardedCommand
from rtgym_ros.contract.messages.layout import PRIMITIVES, StructType
from rtgym_ros.contract.messages.selection import select
from rtgym_ros.contract.records.action_part import ActionPart

MS = 1_000_000
PERIOD = 50 * MS
TIMEOUT = 200 * MS


def part(name="velocity", low=-1.0, high=1.0, quantity="velocity", **entries):
    layout = StructType("test/Command", {"x": PRIMITIVES["double"]}, None)
    record = ActionPart(name=name, fields=("x",), low=low, high=high, quantity=quantity, **entries)
    return PartCommand(record, ConversionChain(layout, [select(layout, "x")], ()), 0.05)


def command(entries=None, index=0, name="velocity", period=PERIOD, **arguments):
    return GuardedCommand(index, {name: part(name, **(entries or {}))}, period, **arguments)


def agent(name="agent", priority=10, streams=(("velocity",),), timeout=TIMEOUT):
    return CommandInput(name, priority, timeout, streams)


def guard(commands=None, inputs=None, lock=None):
    return GuardLogic(inputs or [agent()], commands or [command()], lock)


def say(one, value, now_ns, stamp_ns=None, part="velocity", stream=0):
    return one.receive(stream, {part: np.array([value])}, now_ns, stamp_ns)


def run(logic, start_ns, end_ns, step_ns=MS):
    """Advance in steps; return (time in ms, source, value) of everything sent."""
    sent = []
    for now_ns in range(start_ns, end_ns, step_ns):
        sent += [(now_ns // MS, one.source, float(one.values[0])) for one in logic.advance(now_ns)]
    return sent
