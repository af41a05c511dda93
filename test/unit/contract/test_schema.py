"""The JSON Schema: up to date, valid, and of one mind with the reader."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from contracts import DIFF_DRIVE, EVERYTHING, edited

from rtgym_ros.contract.forms import observation_part_space
from rtgym_ros.contract.grammar.reader import parse_contract, read_contract
from rtgym_ros.contract.grammar.rules.finding import each
from rtgym_ros.contract.grammar.schema import SCHEMA_FILE, descriptions, json_schema, schema_text, summary
from rtgym_ros.contract.grammar.to_yaml import to_yaml
from rtgym_ros.contract.grammar.yaml_file import parse
from rtgym_ros.contract.load_code import load_task
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.contract.records.gate import Gate

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "config" / "contracts").glob("*.yaml"))


def validator():
    return jsonschema.Draft202012Validator(json.loads(SCHEMA_FILE.read_text()))


def test_the_shipped_file_is_what_the_records_generate():
    assert SCHEMA_FILE.read_text() == schema_text(), "run: python tools/generate_contract_files.py"


def test_the_reference_page_is_what_the_records_generate():
    run = subprocess.run(
        [sys.executable, ROOT / "tools" / "generate_contract_files.py", "--check"], capture_output=True
    )
    assert (run.returncode, run.stdout) == (0, b"")


def test_it_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(json_schema())


def test_there_are_examples():
    assert [file.name for file in EXAMPLES] == ["arm.yaml", "diff_drive.yaml", "drone.yaml", "drone_tutorial.yaml"]


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_examples_are_read_without_a_warning_and_valid_by_the_schema_alone(file):
    contract = read_contract(file)
    assert contract.warnings == ()
    data, _ = parse(file.read_text(), str(file))
    assert list(validator().iter_errors(data)) == []
    assert parse_contract(to_yaml(contract)) == contract


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_the_tasks_of_examples_are_made_of_their_parts(file):
    pytest.importorskip("rtgym_ros.robots.drive.task", reason="the simulated robots have no tasks of contracts yet")
    contract = read_contract(file)
    task = load_task(contract)
    parts = contract.observation.values()
    task.check({part.name: observation_part_space(part, (len(each(part.low, 6)),)) for part in parts})
    assert set(task.reset(np.random.default_rng(0), {})) == {"target"}


@pytest.mark.parametrize("text", [DIFF_DRIVE, EVERYTHING], ids=["drive", "everything"])
def test_as_an_editor_sees_them_with_extensions(text):
    data = edited(parse(text, "")[0], {"x-note": 1, "action/x-note": {"a": 1}})
    data["observation"]["x-y"] = None
    assert list(validator().iter_errors(data)) == []


@pytest.mark.parametrize("change", [{"robot": 3}, {"unknown": 1}, {"contract": 2}, {"gates/ready/equals": [1]}])
def test_an_editor_sees_mistakes(change):
    assert list(validator().iter_errors(edited(parse(DIFF_DRIVE, "")[0], change)))


def test_every_entry_is_described():
    sections = {"Contract": json_schema(), **json_schema()["$defs"]}
    sections["Time"] = sections["Contract"]["properties"]["time"]
    missing = [
        f"{name}.{key}"
        for name, section in sections.items()
        for key, entry in section["properties"].items()
        if not entry.get("description") and key not in ("phase", "late_action")
    ]
    assert missing == []
    assert all(section.get("description") for name, section in sections.items())


def test_descriptions_come_from_the_docstrings():
    told = descriptions(Gate)
    assert told["topic"] == "on which the message comes."
    assert told["timeout"] == "how long ``reset()`` waits for it (s)."
    assert summary(Contract) == "The contract of a robot, read and checked."
