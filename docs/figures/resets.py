"""The figures of resets: what an environment does between two episodes, on a clock that stands still."""

import contextlib
import io
import math

from sheet import AMBER, BLUE, FAINT, GREEN, INK, THINKING, Sheet

from diary import MS, Diary, FakeTimeSource, buffer_of
from rtgym_ros import RealTimeEnv


class Witness(Diary):
    """A diary that keeps what it writes, and the time-steps."""

    def __init__(self, clock):
        super().__init__(clock, ends_at=2)
        self.entries = []
        self.time_steps = []

    def write(self, what):
        self.entries.append((self.clock.now_ns() / MS, what))

    def on_time_step(self, time_step):
        self.time_steps.append(time_step)


def reset_transition(title, between_ms, reset_takes_ms, **config):
    """Draw an episode of two time-steps and the first time-step of the next."""
    clock = FakeTimeSource()
    env = RealTimeEnv(
        {"interface": Witness, "interface_args": (clock,), "act_buf_len": 2, **config}
    )
    calls = []

    def call(name, function, think_ms):
        called = clock.now_ns() / MS
        observation = function()[0]
        calls.append(
            (name, called, clock.now_ns() / MS, buffer_of(observation), think_ms)
        )
        clock.advance_ns(think_ms * MS)

    call("reset()", env.reset, 20)
    call("step(a1)", lambda: env.step(1), 20)
    call("step(a2)", lambda: env.step(2), between_ms)
    env.interface.reset_takes_ms = reset_takes_ms
    call("reset()", env.reset, 20)
    call("step(a3)", lambda: env.step(3), 20)
    last = clock.now_ns() / MS
    steps, entries = env.interface.time_steps, list(env.interface.entries)
    with contextlib.redirect_stdout(io.StringIO()):
        env.close()

    sheet = Sheet(title, last, 286)
    sheet.lane(41, "your program")
    sheet.lane(96, "time-step")
    sheet.lane(157, "robot")
    sheet.lane(205, "action buffer")
    for name, called, returned, buffer, think_ms in calls:
        sheet.box(returned, returned + think_ms, 27, 20, THINKING)
        at_once = called == returned
        x = sheet.x(called)
        sheet.text(x + 2, 22, name, "start", INK, 12)
        sheet.line(x, 25, x, 49, INK, 1.5)
        if not at_once:
            sheet.line(x, 37, sheet.x(returned), 37, FAINT, 1, dashed=True)
        x = sheet.x(returned)
        sheet.line(x, 49, x, 190, dashed=True)
        sheet.text(x + 3, 205, buffer, "start", INK, 13, ' font-weight="600"')
    for step in steps:
        began, end = step.began_ns / MS, min(step.end_ns / MS, last)
        if step.overrun:
            sheet.box(step.start_ns / MS, began, 70, 42, AMBER, dashed=True)
        sheet.box(began, end, 70, 42, BLUE, str(step.index))
        if step.capture_ns / MS <= last:
            sheet.captured(step.capture_ns / MS, 70)
    sends = [(ms, what.split()[1]) for ms, what in entries if what.startswith("send")]
    waits = [ms for ms, what in entries if what == "wait"]
    for (ms, action), following in zip(sends, [*sends[1:], (last, "")], strict=True):
        until = min(
            [following[0], *(wait for wait in waits if ms < wait < following[0])]
        )
        sheet.sent(ms, 112)
        sheet.box(ms, until, 140, 26, GREEN, action)
        if until < following[0]:
            sheet.box(
                until,
                following[0],
                140,
                26,
                THINKING,
                "what wait() and reset() do",
                dashed=True,
            )
    sheet.axis(222, list(range(0, math.floor(last) + 1, 50)))
    late = [(AMBER, "late: an overrun")] if any(step.overrun for step in steps) else []
    sheet.legend(
        270,
        [
            ("send", "sent"),
            ("capture", "captured"),
            (GREEN, "applied, its delay aside"),
            *late,
            (THINKING, "your program computes"),
        ],
    )
    return sheet.svg()
