"""The JSON Schema: up to date, valid, and of one mind with the reader."""

import json
from pathlib import Path

import jsonschema
import pytest
from contracts import DIFF_DRIVE, EVERYTHING, edited

from rtgym_ros.contract.grammar.reader import parse_contract, read_contract
from rtgym_ros.contract.grammar.schema import SCHEMA_FILE, descriptions, json_schema, schema_text, summary
from rtgym_ros.contract.grammar.to_yaml import to_yaml
from rtgym_ros.contract.grammar.yaml_file import parse
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.contract.records.gate import Gate

EXAMPLES = sorted((Path(__file__).parents[3] / "config" / "contracts").glob("*.yaml"))


def validator():
    return jsonschema.Draft202012Validator(json.loads(SCHEMA_FILE.read_text()))


def test_the_shipped_file_is_what_the_records_generate():
    assert SCHEMA_FILE.read_text() == schema_text(), "run: python tools/generate_contract_files.py"


def test_it_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(json_schema())


def test_there_are_examples():
    assert [file.name for file in EXAMPLES] == ["arm.yaml", "diff_drive.yaml", "drone.yaml"]


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_examples_are_read_without_a_warning_and_valid_by_the_schema_alone(file):
    contract = read_contract(file)
    assert contract.warnings == ()
    data, _ = parse(file.read_text(), str(file))
    assert list(validator().iter_errors(data)) == []
    assert parse_contract(to_yaml(contract)) == contract


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
