"""Draws the figures of the documentation from what the package does: `python docs/figures/draw.py`.

The clock and the environment are the real ones, on a clock that stands still; a test compares the files with them.
"""

import math
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parent), str(FOLDER.parents[1])]

import counted  # noqa: E402
from resets import reset_transition  # noqa: E402
from sheet import AMBER, BLUE, FAINT, GREEN, INK, PAPER, RED, THINKING, Sheet  # noqa: E402

from diary import MS, Diary  # noqa: E402
from rtgym_ros.core.config import RealTimeConfig  # noqa: E402
from rtgym_ros.robots.drone.simulated_drone import DroneParameters  # noqa: E402


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
