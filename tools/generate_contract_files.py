"""Generate what is made of the records of a contract: its JSON Schema and its reference page.

python tools/generate_contract_files.py [--check]
"""

import re
import sys
from dataclasses import MISSING
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from rtgym_ros.contract.grammar.kind import entries, required  # noqa: E402
from rtgym_ros.contract.grammar.schema import SCHEMA_FILE, descriptions, schema_text, summary  # noqa: E402
from rtgym_ros.contract.grammar.time_entries import CONFIG_ENTRIES, allowed_in_file  # noqa: E402
from rtgym_ros.contract.records.action_part import ActionPart, FillCommand, Limits  # noqa: E402
from rtgym_ros.contract.records.contract import Contract, SpacesSection, TaskSection  # noqa: E402
from rtgym_ros.contract.records.conversion import CONVERSIONS, ImageForm, QuaternionForm, RangesForm  # noqa: E402
from rtgym_ros.contract.records.gate import Condition, Gate  # noqa: E402
from rtgym_ros.contract.records.guard import Guard, Input, Lock  # noqa: E402
from rtgym_ros.contract.records.observation_part import ObservationPart  # noqa: E402
from rtgym_ros.contract.records.step import (  # noqa: E402
    CallStep,
    GoalStep,
    Heartbeat,
    PublishStep,
    SendStep,
    SleepStep,
    UntilStep,
)
from rtgym_ros.contract.records.topic import Echo, Qos, Stamp  # noqa: E402
from rtgym_ros.core.config import RealTimeConfig  # noqa: E402

REFERENCE_FILE = ROOT / "docs" / "contract_reference.md"
HEAD = """\
# Contract reference

<!-- Generated from the records of rtgym_ros.contract by tools/generate_contract_files.py: change those. -->

Every section of a contract, key by key. [Your robot in one file](contract.md) shows how to write one,
[Contract patterns](contract_patterns.md) what to write for unusual interfaces.

A number where a list is wanted stands for all of its values. A key that is **required** may not be left out; of the
others the table says what stands for them. Keys that begin with `x-` are ignored in every section.
"""
# Heading, records under it.
SECTIONS = [
    ("The file", [Contract]),
    ("`spaces`", [SpacesSection]),
    ("`action`: a part", [ActionPart]),
    ("`limits` of an action", [Limits]),
    ("`default` and `safe` with other constants", [FillCommand]),
    ("`echo`", [Echo]),
    ("`observation`: a part", [ObservationPart]),
    ("`convert`: `{NAME}`", list(CONVERSIONS.values())),
    ("`quaternion` in full", [QuaternionForm]),
    ("`ranges`", [RangesForm]),
    ("`image`", [ImageForm]),
    ("`qos`", [Qos]),
    ("`stamp`", [Stamp]),
    ("`gates`: a gate", [Gate]),
    ("`until`: a condition", [Condition]),
    ("A step: `{NAME}`", [CallStep, PublishStep, GoalStep, UntilStep, SleepStep, SendStep]),
    ("`heartbeats`: a heartbeat", [Heartbeat]),
    ("`guard`", [Guard]),
    ("`inputs` of the guard: an input", [Input]),
    ("`lock` of the guard", [Lock]),
    ("`task`", [TaskSection]),
]


def reference() -> str:
    """Return the reference page."""
    pages = [HEAD]
    for heading, records in SECTIONS:
        for record in records:
            pages.append(_section(heading.replace("{NAME}", next(iter(entries(record)))), record))
            if record is Contract:
                pages.append(_time())
    return "\n".join(pages)


def _section(heading: str, record: type) -> str:
    told = descriptions(record)
    lines = [f"## {heading}", "", _markdown(summary(record)).replace("\n", "\n\n"), ""]
    lines += ["| key | allowed | left out | |", "| --- | --- | --- | --- |"]
    for key, (entry, kind) in entries(record).items():
        default = "**required**" if key in required(record) else _default(entry, kind)
        lines.append(f"| `{key}` | {_cell(kind.allowed)} | {default} | {_cell(_markdown(told[entry.name]))} |")
    return "\n".join(lines) + "\n"


def _time() -> str:
    told = descriptions(RealTimeConfig)
    lines = [
        "## `time`",
        "",
        "Entries of the environment's [configuration](configuration.md), with its defaults, and two more. But under a",
        "contract `observation_check` is `off` if left out (each part has `out_of_bounds`), and `agent_timeout`",
        "follows from `guard`.",
        "",
    ]
    lines += ["| key | allowed | |", "| --- | --- | --- |"]
    for name in CONFIG_ENTRIES:
        lines.append(f"| `{name}` | {_cell(allowed_in_file(name))} | {_cell(_markdown(told[name]))} |")
    lines.append("| `phase` | a part of the observation | the time-steps begin in phase with its messages. |")
    lines.append(
        "| `late_action` | repeat, default or safe | what is sent in a time-step whose action comes late: the last "
        "action once more (left out: this), the default action, or the safe action. |"
    )
    return "\n".join(lines) + "\n"


def _default(entry, kind) -> str:
    if entry.default_factory is not MISSING or entry.default in (None, (), ""):
        return ""
    plain = kind.plain(entry.default)
    return "" if isinstance(plain, dict) else f"`{str(plain).lower() if isinstance(plain, bool) else plain}`"


def _markdown(text: str) -> str:
    return re.sub(r":\w+:`([^`]+)`", r"`\1`", text).replace("``", "`")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> int:
    """Write the files, or with ``--check`` say which of them are not up to date."""
    stale = 0
    for file, text in ((SCHEMA_FILE, schema_text()), (REFERENCE_FILE, reference())):
        if "--check" not in sys.argv:
            file.write_text(text)
        elif not file.is_file() or file.read_text() != text:
            print(f"{file.relative_to(ROOT)} is not up to date: run python tools/generate_contract_files.py")
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
