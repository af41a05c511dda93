"""Spoiled contracts: each is refused in one line with file and line, or read to what it says; nothing else happens.

``python test_mutations.py 10000`` does the same with more of them and prints what became of them.
"""

import copy
import math
import re
import sys
import tempfile
from collections import Counter
from dataclasses import fields, is_dataclass
from pathlib import Path
from time import perf_counter, process_time

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from contracts import DIFF_DRIVE, EVERYTHING

from rtgym_ros.contract.grammar.reader import parse_contract, read_contract
from rtgym_ros.contract.grammar.source import ContractError
from rtgym_ros.contract.grammar.to_yaml import to_yaml
from rtgym_ros.contract.grammar.yaml_file import parse

BASES = (DIFF_DRIVE, EVERYTHING)
TREES = [parse(text, "")[0] for text in BASES]
TEN = "[" + ", ".join(["*b"] * 10) + "]"
BOMB = "x-b: &b [1, 2, 3]\n" + "".join(f"x-{i}: &b {TEN}\n" for i in range(12))
SCRAPS = [
    "&a ", "*a", "!!str ", "!x ", ": ", "- ", "\t", "\n", "\n---\n", "...\n", "[", "]", "{", "}", "#", "|\n", ">", "'",
    '"', "%YAML 1.2\n", "? ", "<<: *a", "\x00", "\x1b", "\x85", "\u2028", "\ufeff", "é", "🤖", "\ud7ff", ".nan",
    ".inf", "-.inf", "0x", "1e400", "9" * 30, "-0", "null", "~", "yes", "x-", BOMB, "[" * 300, "a: " * 80,
]  # fmt: skip

text = st.text(max_size=12) | st.sampled_from(
    ["", "a.b", "a[0:6].c", "a[-1]", "last", "measured", "none", "received", "x-y"]
)
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | text
    | st.sampled_from([0, -1, 1e-300, 1e300, 2**63, 2**64, math.nan, math.inf, "fail", "task.x", "a:b", "/abs"])
)  # fmt: skip
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4), max_leaves=8
)


def places(tree, path=()):
    """Return the paths of all values in plain data."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [path, *(place for key, child in items for place in places(child, (*path, key)))]


def at(tree, path):
    for key in path:
        tree = tree[key]
    return tree


@st.composite
def spoiled_tree(draw):
    """Plain data with some of its values, keys or places changed, as YAML."""
    tree = parse(draw(st.sampled_from(BASES)), "")[0]
    for _ in range(draw(st.integers(1, 3))):
        paths = places(tree)[1:]
        if not paths:
            break
        *above, key = draw(st.sampled_from(paths))
        parent = at(tree, above)
        kind = draw(st.sampled_from(["value", "delete", "rename", "swap", "wrap", "double", "add"]))
        if kind == "value":
            parent[key] = draw(values)
        elif kind == "delete":
            del parent[key]
        elif kind == "swap":
            other = draw(st.sampled_from(paths))
            if other[: len(above) + 1] != (*above, key):
                parent[key] = copy.deepcopy(at(tree, other))
        elif kind == "wrap":
            parent[key] = draw(st.sampled_from([[parent[key]], {"of": parent[key]}, [parent[key]] * 2]))
        elif kind == "double" and isinstance(parent, list):
            parent.append(parent[key])
        elif isinstance(parent, dict):
            new = draw(st.sampled_from([key[:-1], key + key, key.upper(), "x-" + key, "type", "until"]) | text)
            parent[new] = parent.pop(key) if kind == "rename" else draw(values)
    # Without anchors: this is about the values.
    dumper = type("Dumper", (yaml.SafeDumper,), {"ignore_aliases": lambda self, data: True})
    return yaml.dump(tree, Dumper=dumper, sort_keys=False, allow_unicode=draw(st.booleans())).encode(errors="replace")


@st.composite
def spoiled_bytes(draw):
    """The bytes of a contract, cut, doubled, mixed up, or with scraps of YAML between them."""
    content = draw(st.sampled_from(BASES)).encode()
    for _ in range(draw(st.integers(1, 4))):
        a, b = sorted((draw(st.integers(0, len(content))), draw(st.integers(0, len(content)))))
        kind = draw(st.sampled_from(["cut", "truncate", "insert", "random", "line", "lines"]))
        if kind == "cut":
            content = content[:a] + content[min(b, a + 30) :]
        elif kind == "truncate":
            content = content[:b]
        elif kind == "insert":
            content = content[:a] + draw(st.sampled_from(SCRAPS)).encode(errors="surrogatepass") + content[a:]
        elif kind == "random":
            content = content[:a] + draw(st.binary(max_size=8)) + content[a + draw(st.integers(0, 8)) :]
        else:
            lines = content.splitlines(keepends=True) or [b""]
            i, j = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines) - 1))
            if kind == "line":
                lines.insert(i, lines[j])
            else:
                lines[i], lines[j] = lines[j], lines[i]
            content = b"".join(lines)
    return content


def says(plain, read):
    """Return whether a value of a record is what the file says, without knowledge of the grammar's kinds."""
    if is_dataclass(read):
        if not isinstance(plain, dict):  # the short form of a section
            return any(says(plain, getattr(read, entry.name)) for entry in fields(read))
        names = {entry.name.rstrip("_"): entry.name for entry in fields(read)}
        return all(key in names and says(value, getattr(read, names[key])) for key, value in plain.items())
    if isinstance(plain, dict):
        if isinstance(read, tuple):  # heartbeats
            return list(plain) == [one.name for one in read] and all(map(says, plain.values(), read))
        return isinstance(read, dict) and plain.keys() == read.keys() and all(says(plain[k], read[k]) for k in plain)
    if isinstance(read, (tuple, list)):
        if not isinstance(plain, list):  # one entry, of conversions
            return len(read) == 1 and says(plain, read[0])
        return len(plain) == len(read) and all(map(says, plain, read))
    if isinstance(plain, float) and math.isnan(plain):
        return isinstance(read, float) and math.isnan(read)
    if isinstance(plain, bool) or isinstance(read, bool):
        return plain is read
    return plain == read


def outcome(content, file):
    """Read spoiled bytes from a file; return what became of them and how long it took: wall and CPU time (s)."""
    file.write_bytes(content)
    modules = set(sys.modules)
    began = perf_counter(), process_time()
    try:
        contract = read_contract(file)
    except ContractError as error:
        took = perf_counter() - began[0], process_time() - began[1]
        for problem in error.problems:
            assert re.match(rf"{re.escape(str(file))}:[1-9][0-9]*: ", problem), problem
            assert problem.isprintable(), problem
            assert "allowed: " in problem or "is not YAML: " in problem or "missing" in problem, problem
            line = int(problem.removeprefix(f"{file}:").split(":")[0])
            assert line <= len(re.findall(b"\r\n|\r|\n", content)) + 1
        return "refused", took
    took = perf_counter() - began[0], process_time() - began[1]
    assert set(sys.modules) == modules
    plain, _ = parse(file.read_bytes().decode("utf-8-sig"), str(file))
    assert says(plain, contract)
    again = parse_contract(to_yaml(contract))
    assert repr(again) == repr(contract)  # nan is equal to itself there
    return "valid", took


def run(count):
    """Spoil so many contracts; return how many were refused and valid, and the longest wall and CPU time (s) of one."""
    tally, slowest = Counter(), (0.0, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "robot.yaml"
        read_contract_once(file)

        @settings(
            max_examples=count,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            derandomize=count < 1000,
        )
        @given(spoiled_tree() | spoiled_bytes())
        def spoil(content):
            nonlocal slowest
            result, took = outcome(content, file)
            tally[result] += 1
            slowest = max(slowest[0], took[0]), max(slowest[1], took[1])

        spoil()
    return tally, slowest


def read_contract_once(file):
    """Import what reading itself needs, and generate its schema."""
    file.write_text(DIFF_DRIVE)
    read_contract(file)


def test_spoiled_contracts_are_refused_or_read_to_what_they_say():
    tally, _ = run(300)
    assert tally["refused"] > 100
    assert tally["valid"] > 10


def test_the_comparison_can_fail():
    tree = TREES[0]
    contract = parse_contract(DIFF_DRIVE)
    assert says(tree, contract)
    assert not says({**tree, "robot": "other"}, contract)
    assert not says({**tree, "unknown": 1}, contract)
    assert not says({**tree, "time": {**tree["time"], "act_buf_len": 5}}, contract)
    assert not says({**tree, "observation": {"pose": tree["observation"]["pose"]}}, contract)


if __name__ == "__main__":
    results, (wall, cpu) = run(int(sys.argv[1]))
    print(f"{dict(results)}, the slowest in {wall * 1e3:.0f} ms of wall time, {cpu * 1e3:.0f} ms of CPU time")
