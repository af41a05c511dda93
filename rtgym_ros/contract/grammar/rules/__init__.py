"""The rules that hold between the entries of a contract, each by stage *read*: the file alone."""

from __future__ import annotations

from itertools import islice

from rtgym_ros.contract.grammar.rules.actions import action_rules, rate_rules
from rtgym_ros.contract.grammar.rules.finding import Finding
from rtgym_ros.contract.grammar.rules.guard import guard_rules
from rtgym_ros.contract.grammar.rules.names import name_rules
from rtgym_ros.contract.grammar.rules.observations import observation_rules
from rtgym_ros.contract.grammar.rules.shared_topics import shared_topic_rules
from rtgym_ros.contract.grammar.rules.steps import step_rules
from rtgym_ros.contract.grammar.rules.time import time_rules
from rtgym_ros.contract.grammar.source import MAX_PROBLEMS
from rtgym_ros.contract.records.contract import Contract

_RULES = (name_rules, action_rules, observation_rules, shared_topic_rules, step_rules)
_RULES_ABOUT_TIME = (rate_rules, guard_rules)
"""These reckon with the entries of ``time``, which have to be right."""


def check_rules(contract: Contract) -> tuple[list[str], list[str]]:
    """Return the problems of a contract whose structure is right, and the warnings; one line each, by line."""
    found: list[Finding] = list(time_rules(contract))
    rules = _RULES if found else (*_RULES, *_RULES_ABOUT_TIME)
    found.extend(islice((finding for rule in rules for finding in rule(contract)), MAX_PROBLEMS))
    found.sort(key=lambda finding: contract.source.line(finding.key))
    lines = [(finding, contract.source.problem(finding.key, finding.message)) for finding in found]
    return (
        [line for finding, line in lines if not finding.warning],
        [line for finding, line in lines if finding.warning],
    )
