"""The pieces of the page of patterns are read, each inside of a whole contract."""

import json
import re
from pathlib import Path

import pytest
from contracts import problems

from rtgym_ros.contract.grammar.yaml_file import parse

PAGE = Path(__file__).parents[3] / "docs" / "contract_patterns.md"
PIECES = re.findall(r"^```yaml piece\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
VELOCITY = {"topic": "cmd_vel", "fields": ["linear.x", "angular.z"], "low": -1, "high": 1, "quantity": "velocity"}
REST = {
    "contract": 1,
    "robot": "odd",
    "action": {"velocity": VELOCITY},
    "observation": {"pose": {"topic": "odom", "fields": ["x"], "low": -1, "high": 1}},
}


def test_there_are_pieces():
    assert len(PIECES) > 10


@pytest.mark.parametrize("piece", PIECES, ids=range(len(PIECES)))
def test_read(piece):
    data, _ = parse(piece, "piece")
    assert problems(json.dumps({**REST, **data}).replace("NaN", ".nan")) == []


def test_the_whole_contract_of_the_guide_is_made_of_its_pieces():
    text = PAGE.with_name("contract.md").read_text()
    whole = re.search(r"^```yaml rover.yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[1]
    pieces = re.findall(r"^```yaml piece\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[:4]
    assert "".join(pieces) == whole
