"""The tables of the documentation are those of the package."""

import builtins
import importlib
import importlib.util
import inspect
import json
import re
from dataclasses import MISSING, fields

import gymnasium
import pytest
from docs_pages import DOCS, PAGES, Page

from rtgym_ros import RealTimeEnv, RealTimeGymInterface
from rtgym_ros.core import errors
from rtgym_ros.core.benchmark import DURATIONS
from rtgym_ros.core.config import RealTimeConfig
from rtgym_ros.core.config_rules import RULES
from rtgym_ros.core.elastic_clock import TimeStep
from rtgym_ros.envs.state import State
from rtgym_ros.envs.step_info import time_step_info
from rtgym_ros.record import errors as record_errors
from rtgym_ros.testing import InterfaceTests


def rows(page, heading):
    """Return the rows of a table; the first cell without its code marks."""
    found = [[first.strip("`"), *rest] for first, *rest in Page(DOCS / page).table(heading)]
    assert found, f"{page} has no table after {heading!r}"
    return found


def public(cls, kind):
    return {name: value for name, value in vars(cls).items() if isinstance(value, kind) and not name.startswith("_")}


FUNCTION = type(lambda: None)


def test_every_entry_of_the_configuration_is_told_with_its_default():
    def default(entry):
        if entry.default is not MISSING:
            return f"`{entry.default!r}`"
        return "none" if entry.default_factory is MISSING else f"`{entry.default_factory()!r}`"

    told = {name: cell for name, cell, *_ in rows("configuration.md", "## Entries")}
    assert told == {entry.name: default(entry) for entry in fields(RealTimeConfig)}
    assert list(told) == [entry.name for entry in fields(RealTimeConfig)]


def test_the_unit_of_every_entry_is_that_of_its_rule():
    for name, _, unit, may_be, _ in rows("configuration.md", "## Entries"):
        allowed, _ = RULES[name]
        assert (unit == "s") == ("seconds" in allowed), name
        assert (unit == "time-steps") == ("time-steps" in allowed), name
        for choice in re.findall(r"'(\w+)'", allowed):
            assert f'`"{choice}"`' in may_be, name
        assert ("inf" in may_be) == ("inf" in allowed) or name == "time_step_timeout_factor", name


def test_every_method_is_told_with_its_arguments():
    def call(name, method):
        parameters = [
            f"{p.name}={p.default!r}" if p.default is not p.empty else p.name
            for p in list(inspect.signature(method).parameters.values())[1:]
        ]
        return f"{name}({', '.join(parameters)})"

    told = [cell for cell, _ in rows("methods.md", "## Methods")]
    assert sorted(told) == sorted(call(name, method) for name, method in public(RealTimeEnv, FUNCTION).items())


def test_every_attribute_is_told():
    told = dict(rows("methods.md", "| `lose_in_fork()`"))
    assert set(told) == {*public(RealTimeEnv, property), "config"}
    assert set(re.findall(r"`([A-Z]+)`", told["state"])) == {state.name for state in State}


def test_every_key_of_the_info_about_time_is_told_with_its_type():
    info = time_step_info(TimeStep(0, 0, 0, 0, 0), 0)
    told = {key: kind.strip("`") for key, kind, _ in rows("methods.md", "## Time in info")}
    assert told == {key: f"np.{type(value).__name__}" for key, value in info.items()}


def test_every_duration_is_told():
    assert tuple(name for name, _ in rows("tutorial/benchmark.md", "six durations")) == DURATIONS


def test_every_method_of_an_interface_is_told():
    mandatory = [name for name, _ in rows("tutorial/interface.md", "Six methods")]
    optional = [name for names, *_ in rows("tutorial/interface.md", "The others") for name in names.split("`, `")]
    assert set(mandatory) == RealTimeGymInterface.__abstractmethods__
    assert len(mandatory) == 6
    assert {*mandatory, *optional} == set(public(RealTimeGymInterface, FUNCTION))


def test_every_test_of_the_contract_is_told():
    tests = {name for name in dir(InterfaceTests) if name.startswith("test_")}
    assert {name for name, _ in rows("check.md", "## What is tested")} == tests


def test_every_attribute_of_the_contract_is_told_with_its_default():
    told = {name: default for name, default, _ in rows("check.md", "## What you can set")}
    names = {name for part in InterfaceTests.__mro__ for name in inspect.get_annotations(part)}
    assert told == {name: f"`{getattr(InterfaceTests, name)!r}`" for name in names}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_errors_warnings_names_and_ids_exist(page):
    modules = [errors, record_errors, builtins]
    if importlib.util.find_spec("rclpy") is not None:
        modules.append(importlib.import_module("rtgym_ros.ros.errors"))
    for name in re.findall(r"`(\w+(?:Error|Warning))`", page.text):
        if name.startswith("Ros") and len(modules) < 4:
            continue
        known = any(hasattr(module, name) for module in modules)
        assert known, f"{page}: {name}"
    for name in re.findall(r"`\"?(rtgym_ros(?:\.\w+)+)\"?`", page.text):
        if name.startswith("rtgym_ros.ros") and importlib.util.find_spec("rclpy") is None:
            continue
        module, _, attribute = name.rpartition(".")
        assert importlib.util.find_spec(name) if not exists(module, attribute) else True, f"{page}: {name}"
    for env_id in re.findall(r"`\"?((?:rtgym_ros/|real-time-gym-)[\w-]+-v\d)\"?`", page.text):
        assert env_id in gymnasium.registry, f"{page}: {env_id}"


def exists(module, attribute):
    return hasattr(importlib.import_module(module), attribute)


def test_every_error_of_the_package_is_told():
    text = Page(DOCS / "failures.md").text
    for name, value in vars(errors).items():
        if isinstance(value, type) and issubclass(value, Exception):
            assert f"`{name}`" in text, name


def test_every_entry_of_distant_training_is_told_with_its_default():
    msgspec = pytest.importorskip("msgspec")
    from rtgym_ros.train.config import TrainConfig

    def entries(kind, prefix=""):
        for field in msgspec.structs.fields(kind):
            if inspect.isclass(field.type) and issubclass(field.type, msgspec.Struct):
                yield from entries(field.type, f"{field.name}.")
            elif field.required:
                yield f"{prefix}{field.name}", "required"
            else:
                default = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
                yield f"{prefix}{field.name}", f"`{json.dumps(default)}`"

    page = Page(DOCS / "distant_configuration.md")
    headings = [line for line in page.text.splitlines() if line.startswith("## ")]
    told = [(name.strip("`"), cell) for heading in headings for name, cell, *_ in page.table(heading)]
    assert sorted(told) == sorted(entries(TrainConfig))


def test_every_column_and_header_of_distant_training_is_told():
    pytest.importorskip("msgspec")
    pytest.importorskip("nats")
    from rtgym_ros.train.protocol import schema
    from rtgym_ros.train.stream.sample_message import BatchHeader

    page = Page(DOCS / "distant_training.md")

    def told(heading):
        return re.findall(r"`([\w/.]+)`", " ".join(cells[0] for cells in page.table(heading)))

    assert {*dict(schema.COMMON), *schema.DELAY_FIELDS, "action", "executed"} <= {*told("The columns of a record")}
    assert sorted(told("The header's entries")) == sorted(BatchHeader.__struct_fields__)
