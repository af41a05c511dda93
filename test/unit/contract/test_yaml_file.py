"""YAML as contracts are written in it."""

import math

import pytest

from rtgym_ros.contract.grammar.core_schema import resolve_scalar
from rtgym_ros.contract.grammar.source import ContractError
from rtgym_ros.contract.grammar.yaml_file import MAX_BYTES, MAX_NODES, parse, read_text

# https://yaml.org/spec/1.2.2/#103-core-schema
SCALARS = [
    ("2.146e9", 2.146e9), ("1e3", 1000.0), (".5", 0.5), ("5.", 5.0), ("-0", 0), ("+12", 12), ("012", 12), ("0o14", 12),
    ("0x1F", 31), ("0X1F", "0X1F"), ("1_000", "1_000"), ("1:30", "1:30"), ("on", "on"), ("off", "off"), ("yes", "yes"),
    ("no", "no"), ("y", "y"), ("true", True), ("True", True), ("FALSE", False), ("tRue", "tRue"), ("null", None),
    ("~", None), ("Null", None), ("nULL", "nULL"), (".inf", math.inf), ("-.INF", -math.inf), ("+.Inf", math.inf),
    ("inf", "inf"), ("nan", "nan"), ("2001-12-14", "2001-12-14"), ("1e", "1e"), ("--1", "--1"), ("0b1", "0b1"),
    ("=", "="),     ("٣", "٣"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_core_schema_of_yaml_1_2(text, value):
    read = resolve_scalar(text)
    assert (read, type(read)) == (value, type(value))
    assert parse(f"a: {text}\n", "f")[0] == {"a": value}


def test_not_a_number():
    assert all(math.isnan(resolve_scalar(text)) for text in (".nan", ".NaN", ".NAN"))
    assert resolve_scalar(".Nan") == ".Nan"


def test_quoted_scalars_are_text():
    assert parse("a: '1'\nb: \"true\"\nc: |\n  2\n", "f")[0] == {"a": "1", "b": "true", "c": "2\n"}


def test_keys_are_text_as_written():
    assert parse("{1: a, on: b, 0x2: c, true: d}", "f")[0] == {"1": "a", "on": "b", "0x2": "c", "true": "d"}


def test_lines():
    _, source = parse("a: 1\nb:\n  c: [1,\n    2]\n\n  d: {e: 3}\n", "f")
    assert {key: source.lines[key] for key in source.lines if key} == {
        ("a",): 1, ("b",): 2, ("b", "c"): 3, ("b", "c", 0): 3, ("b", "c", 1): 4, ("b", "d"): 6, ("b", "d", "e"): 6,
    }  # fmt: skip
    assert source.line(("b", "x", "y")) == 2
    assert source.line(("z",)) == 1


def test_aliases_are_unfolded_and_know_the_line_of_what_they_stand_for():
    data, source = parse("a: &x {b: 1}\nc: *x\nd: &y q\ne: {*y : 2}\n", "f")
    assert data == {"a": {"b": 1}, "c": {"b": 1}, "d": "q", "e": {"q": 2}}
    assert source.lines[("c",)] == 2
    assert source.lines[("c", "b")] == 1
    assert data["a"] is not data["c"]


def test_extensions_are_left_out_on_every_level_and_may_hold_anchors():
    text = "x-all: &x {b: 1}\na: {x-note: , c: *x, d: [{x-e: 1}]}\n"
    assert parse(text, "f")[0] == {"a": {"c": {"b": 1}, "d": [{}]}}


TEN = ", ".join(["*{}"] * 10)
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{TEN.format(*[a] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
REFUSED = [
    ("a: 1\nb: 2\na: 3\n", "f:3: a: is a duplicate key, first in line 1"),
    ("a:\n  b: {c: 1, c: 2}\n", "f:2: a.b.c: is a duplicate key, first in line 2"),
    ("a: {x-b: {c: 1, c: 2}}\n", "f:1: a.x-b.c: is a duplicate key"),
    ("a: 1\n'a': 2\n", "f:2: a: is a duplicate key"),
    ("a: !!str 1\n", "f:1: a: tag 'tag:yaml.org,2002:str' is not allowed"),
    ("a: !!python/object/apply:os.system [ls]\n", "f:1: a: tag 'tag:yaml.org,2002:python/object/apply:os.system'"),
    ("a: !mine {b: 1}\n", "f:1: a: tag '!mine' is not allowed"),
    ("a: [!mine 1]\n", "f:1: a[0]: tag '!mine'"),
    ("!mine a: 1\n", "f:1: tag '!mine'"),
    ("a: ! b\n", "f:1: a: tag '!'"),
    ("a: 1\n---\nb: 2\n", "f:2: a second document begins here"),
    ("", "f:1: is empty"),
    ("# only this\n", "is empty"),
    ("a: &a [*a]\n", "f:1: a[0]: alias 'a' contains itself"),
    ("a: *b\n", "f:1: a: alias 'b' has no anchor before it"),
    ("a: &x {b: 1}\nc:\n  <<: *x\n", "f:3: c: key '<<' is unknown"),
    ("? [a]\n: 1\n", "f:1: a key is no text"),
    ("? {a: 1}\n: 1\n", "f:1: a key is no text"),
    ("'': 1\n", "f:1: a key is no text"),
    ("a: 1e999\n", "f:1: a: 1e999 is too large for a number"),
    ("a: 18446744073709551616\n", "f:1: a: 18446744073709551616 does not fit into 64 bits"),
    ("a: " + "9" * 5000, "f:1: a: a number of 5000 characters is too long"),
    ("a: [1\nb: 2\n", "f:2: a: is not YAML: "),
    ("a:\n\t- 1\n", "f:2: a: is not YAML: "),
    ("a: 'x\n", "is not YAML: "),
    ("%YAML 2.0\n---\na: 1\n", "is not YAML: "),
    ("a: \x00\n", "f:1: character '\\x00' is not allowed"),
    ("a: 1\nb: \x07\n", "f:2: character '\\x07' is not allowed"),
    ("a: \ufffe\n", "f:1: character"),
    ("[" * 60, "is nested too deeply; allowed: 50 levels"),
    ("[" * 100_000, "f:1: "),
    ("- " * 60_000, "is nested too deeply"),
    ("{a: " * 60, "is nested too deeply"),
    (BOMB, "unfolds to more than 10000 values"),
    (f"a: [{'x, ' * MAX_NODES}]\n", "unfolds to more than 10000 values"),
    ("#" * (MAX_BYTES + 1), f"f:1: is too large; allowed: up to {MAX_BYTES} bytes"),
]


@pytest.mark.parametrize(("text", "line"), REFUSED, ids=range(len(REFUSED)))
def test_refused_in_one_line(text, line):
    with pytest.raises(ContractError) as caught:
        parse(text, "f")
    message = str(caught.value)
    assert line in message
    assert message.isprintable()
    assert "allowed" in message or "is not YAML" in message


def test_as_many_nodes_as_are_allowed():
    assert len(parse(f"[{'x, ' * (MAX_NODES - 1)}]", "f")[0]) == MAX_NODES - 1


def test_files_that_are_not_utf_8(tmp_path):
    file = tmp_path / "robot.yaml"
    file.write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(ContractError, match=r"robot.yaml:2: byte 0xff is not UTF-8; allowed: text in UTF-8"):
        read_text(file)
    file.write_bytes("a: 1".encode("utf-16"))
    with pytest.raises(ContractError, match="is not UTF-8"):
        read_text(file)
    file.write_bytes("a: ü\r\n".encode("utf-8-sig"))
    assert read_text(file) == "a: ü\r\n"
    file.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(ContractError, match="is too large"):
        read_text(file)
