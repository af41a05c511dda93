"""The layout for Foxglove shows fields that a recording has."""

import json
import re
from pathlib import Path

from rtgym_ros.record.recorded_topic import TIME_STEP

LAYOUT = json.loads((Path(__file__).parents[3] / "config" / "foxglove_layout.json").read_text())
FIELD = re.compile(r"(?P<type>[\w/]+)(?P<list>\[\])? (?P<name>\w+)")


def definitions():
    """Return the fields of each type in the schema of a recording: (type, whether it is a list) by name."""
    first, *others = TIME_STEP.definition.split("=" * 80 + "\n")
    texts = {"TimeStep": first, **{text.split("\n", 1)[0].split("/")[-1]: text.split("\n", 1)[1] for text in others}}
    return {
        name: {m["name"]: (m["type"].split("/")[-1], bool(m["list"])) for m in map(FIELD.match, text.splitlines()) if m}
        for name, text in texts.items()
    }


def resolve(path):
    """Follow a message path of Foxglove through the schema; return the type at its end."""
    topic, *steps = re.split(r"\.(?![^{]*})", path)
    assert topic == TIME_STEP.name
    kind, known = "TimeStep", definitions()
    for step in steps:
        name, index, condition = re.fullmatch(r"(\w+)(\[(?:\d+|:)\])?(?:\{(\w+)==\"\w+\"\})?", step).groups()
        kind, is_list = known[kind][name]
        assert is_list == (index is not None), path
        assert condition is None or condition in known[kind], path
    return kind


def test_every_path_ends_in_a_number_of_the_schema():
    paths = [path["value"] for panel in LAYOUT["configById"].values() for path in panel.get("paths", [])]
    assert len(paths) > 15
    assert {resolve(path) for path in paths} <= {"float32", "float64", "uint32", "uint64", "bool"}


def test_every_panel_stands_in_the_layout_once():
    def panels(place):
        return [place] if isinstance(place, str) else [*panels(place["first"]), *panels(place["second"])]

    assert sorted(panels(LAYOUT["layout"])) == sorted(LAYOUT["configById"])
