"""Rules of the section ``time``: those of the environment's configuration, and of what is added to it."""

from __future__ import annotations

from collections.abc import Iterator

from rtgym_ros.contract.grammar.rules.finding import Finding, unknown_name
from rtgym_ros.contract.grammar.source import shown
from rtgym_ros.contract.grammar.time_entries import CONFIG_ENTRIES, allowed_in_file
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.core.config_rules import RULES


def time_rules(contract: Contract) -> Iterator[Finding]:
    """Each entry by the rule of the configuration; ``phase`` names a part."""
    time = contract.time
    for name in CONFIG_ENTRIES:
        if name in time:
            _, is_valid = RULES[name]
            if not is_valid(time[name]):
                allowed = allowed_in_file(name)
                yield Finding(("time", name), f"{shown(time[name])} is not allowed; allowed: {allowed}")
    if time.get("act_in_obs", True) and time.get("act_buf_len") == 0:
        yield Finding(("time", "act_buf_len"), "0 is not allowed; allowed: from 1 up where act_in_obs is true")
    phase = time.get("phase")
    if phase is not None and phase not in contract.observation:
        yield Finding(("time", "phase"), unknown_name(phase, contract.observation, "part of the observation"))
