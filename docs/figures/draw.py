"""Draws the figures of the documentation from what the package does: `python docs/figures/draw.py`.

The clock and the environment are the real ones, on a clock that stands still; a test compares the files with them.
"""

import contextlib
import io
import math
import sys
from pathlib import Path
from xml.sax.saxutils import escape

FOLDER = Path(__file__).parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parent), str(FOLDER.parents[1])]

import counted  # noqa: E402

from diary import MS, Diary, FakeTimeSource, buffer_of  # noqa: E402
from rtgym_ros import RealTimeEnv  # noqa: E402
from rtgym_ros.core.config import RealTimeConfig  # noqa: E402
from rtgym_ros.robots.drone.simulated_drone import DroneParameters  # noqa: E402

INK, FAINT, PAPER = "#1f2328", "#5b6270", "#fbfbf9"
THINKING, BLUE, GREEN, AMBER, RED = (
    "#e3e5e8",
    "#cfe0f7",
    "#cdebd3",
    "#fbe3b0",
    "#c0362c",
)
LEFT, RIGHT, WIDTH = 110, 24, 800


class Sheet:
    """A drawing with a time axis: x from milliseconds, y in pixels. It has a paper of its own: for dark pages too."""

    def __init__(self, title, last_ms, height):
        self._scale = (WIDTH - LEFT - RIGHT) / last_ms
        self._height = height
        self._dots = []
        self._parts = [
            f"<title>{escape(title)}</title>",
            f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8" fill="{PAPER}" stroke="#d0d3d8"/>',
        ]

    def x(self, ms):
        return round(LEFT + ms * self._scale, 1)

    def text(self, x, y, text, anchor="middle", color=INK, size=13, style=""):
        self._parts.append(
            f'<text x="{x}" y="{y}" font-size="{size}" fill="{color}" text-anchor="{anchor}"{style}>'
            f"{escape(text)}</text>"
        )

    def lane(self, y, name):
        self.text(12, y, name, "start", FAINT)

    def box(self, start_ms, end_ms, y, height, fill, label="", dashed=False):
        x, width = self.x(start_ms), round((end_ms - start_ms) * self._scale, 1)
        dash = ' stroke-dasharray="4 3"' if dashed else ""
        self._parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="3" fill="{fill}" stroke="{FAINT}"{dash}/>'
        )
        if label:
            self.text(round(x + width / 2, 1), y + height / 2 + 4.5, label)

    def line(self, x1, y1, x2, y2, color=FAINT, width=1, dashed=False):
        dash = ' stroke-dasharray="4 3"' if dashed else ""
        self._parts.append(
            f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{color}" stroke-width="{width}"{dash}/>'
        )

    def sent(self, ms, y):
        """Draw an arrow that leaves the bottom of a time-step."""
        x = self.x(ms)
        self.line(x, y, x, y + 14, INK, 2)
        self._parts.append(f'<path d="M{x - 4} {y + 12} h8 l-4 7 z" fill="{INK}"/>')

    def captured(self, ms, y):
        """Draw a dot at the top of a time-step, over everything else."""
        self._dots.append(self._dot(self.x(ms), y))

    @staticmethod
    def _dot(x, y):
        return f'<circle cx="{x}" cy="{y}" r="4.5" fill="{PAPER}" stroke="{INK}" stroke-width="2"/>'

    def axis(self, y, ticks_ms):
        self.line(LEFT, y, WIDTH - RIGHT, y)
        for ms in ticks_ms:
            self.line(self.x(ms), y, self.x(ms), y + 5)
            self.text(self.x(ms), y + 19, f"{ms:g}", color=FAINT, size=12)
        self.text(12, y + 19, "ms", "start", FAINT, 12)

    def legend(self, y, words):
        x = LEFT
        for mark, word in words:
            if mark == "send":
                self.line(x + 6, y - 11, x + 6, y - 4, INK, 2)
                self._parts.append(
                    f'<path d="M{x + 2} {y - 6} h8 l-4 7 z" fill="{INK}"/>'
                )
            elif mark == "capture":
                self._parts.append(self._dot(x + 6, y - 4.5))
            else:
                self._parts.append(
                    f'<rect x="{x}" y="{y - 10}" width="12" height="11" rx="2" fill="{mark}" stroke="{FAINT}"/>'
                )
            self.text(x + 18, y, word, "start", FAINT, 12)
            x += 34 + 6.3 * len(word)

    def svg(self):
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self._height}" width="{WIDTH}" '
            f'height="{self._height}" font-family="system-ui, sans-serif" role="img">'
        )
        return "\n".join([head, *self._parts, *self._dots, "</svg>", ""])


def elasticity():
    """Draw the elastic clock: in time, an overrun that is caught up, a timeout."""
    clock = RealTimeConfig(Diary).make_clock()
    steps = [clock.begin(ms * MS) for ms in (0, 50, 115, 150, 270)]
    called = {1: 20, 2: 115, 3: 140, 4: 270}
    sheet = Sheet(
        "Five time-steps: in time, in time, an overrun, in time, a timeout", 325, 214
    )
    sheet.lane(40, "step() called")
    sheet.lane(97, "time-step")
    for number, step in enumerate(steps):
        began, end = step.began_ns / MS, step.end_ns / MS
        if step.overrun or step.timed_out:
            due = (step.began_ns - step.lateness_ns) / MS
            sheet.box(due, min(due + 50, began), 66, 52, AMBER, dashed=True)
        sheet.box(began, end, 66, 52, BLUE, str(step.index))
        sheet.sent(began, 118)
        sheet.text(sheet.x(began) + 8, 146, f"a{number}", "start", INK, 12)
        sheet.captured(step.capture_ns / MS, 66)
        if number:
            x, color = sheet.x(called[number]), RED if step.timed_out else INK
            word = (
                "timeout: " if step.timed_out else "overrun: " if step.overrun else ""
            )
            sheet.text(
                x + 3,
                34,
                f"{word}step(a{number})",
                "end" if word else "start",
                color,
                12,
            )
            sheet.line(x, 40, x, 66, color, 1.5)
    sheet.axis(160, [0, 50, 100, 150, 200, 250, 300])
    sheet.legend(
        203,
        [
            ("send", "sent"),
            ("capture", "captured"),
            (AMBER, "elasticity: late, but counted from the end"),
        ],
    )
    return sheet.svg()


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


def delays():
    """Draw the longest way of an event through the tutorial's drone, and back as an action."""
    drone, config = DroneParameters(), RealTimeConfig(Diary)
    parts = [
        (
            drone.sampling_period + drone.observation_delay_max,
            BLUE,
            "observation delay: 10 + 50",
        ),
        (config.time_step_duration, THINKING, "inference: 50"),
        (drone.command_delay_max, GREEN, "action delay: 50"),
    ]
    total_ms = round(1e3 * sum(seconds for seconds, _, _ in parts))
    steps = math.ceil(total_ms / 50)
    sheet = Sheet(
        f"The longest total delay is {total_ms} ms: {steps} time-steps", 50 * steps, 170
    )
    sheet.lane(71, "one event")
    sheet.lane(120, "time-steps")
    ms = 0
    for seconds, color, label in parts:
        sheet.box(ms, ms + 1e3 * seconds, 50, 34, color, label)
        ms += 1e3 * seconds
    for x, words, anchor in (
        (0, "it happens", "start"),
        (60, "captured", "middle"),
        (110, "sent", "middle"),
        (160, "applied", "middle"),
    ):
        sheet.text(sheet.x(x), 32, words, anchor, FAINT, 12)
        sheet.line(sheet.x(x), 37, sheet.x(x), 50)
    for step in range(steps):
        sheet.box(50 * step, 50 * step + 50, 104, 24, PAPER, str(step + 1))
    sheet.axis(138, [0, 50, 100, 150, 200])
    return sheet.svg()


def figures():
    """Return the text of every figure by the name of its file."""
    return {
        "delays.svg": delays(),
        "delay_counts.svg": counted.draw(
            Sheet("Alpha, kappa and beta of one observation", 250, 345),
            (INK, FAINT, PAPER, GREEN, AMBER),
        ),
        "elasticity.svg": elasticity(),
        "reset_wait.svg": reset_transition(
            "Reset with wait_on_done and reset_act_buf",
            60,
            30,
            wait_on_done=True,
            reset_act_buf=True,
        ),
        "reset_flow.svg": reset_transition(
            "Reset without reset_act_buf", 15, 0, reset_act_buf=False
        ),
        "reset_last.svg": reset_transition(
            "Reset with last_act_on_reset",
            15,
            0,
            reset_act_buf=False,
            last_act_on_reset=True,
        ),
    }


if __name__ == "__main__":
    for name, text in figures().items():
        (FOLDER / name).write_text(text)
        print(FOLDER / name)
