"""Code that a contract names."""

import subprocess
import sys

import pytest

from rtgym_ros.contract.grammar.reader import parse_contract
from rtgym_ros.contract.grammar.source import ContractError
from rtgym_ros.contract.load_code import load_code, load_task
from rtgym_ros.contract.tasks import ReachPosition

CONTRACT = """\
contract: 1
robot: r
action: {a: {topic: c, fields: [v], low: -1, high: 1, quantity: velocity}}
observation: {o: {topic: s, fields: [p], low: -1, high: 1}}
task: {class: "%s", args: {%s}}
"""


def contract(cls, args="radius: 1"):
    return parse_contract(CONTRACT % (cls, args), "robot.yaml")


def test_a_ready_task():
    task = load_task(contract("rtgym_ros.contract.tasks:ReachPosition", "target: [0, 1], radius: 0.5"))
    assert isinstance(task, ReachPosition)


def test_no_task():
    text = CONTRACT.rpartition("task")[0]
    assert load_task(parse_contract(text)) is None


@pytest.mark.parametrize(
    ("cls", "args", "message"),
    [
        (
            "no_such_module_of_mine:T",
            "a: 1",
            "robot.yaml:5: task.class: no_such_module_of_mine cannot be imported (Mod",
        ),
        ("rtgym_ros.contract.tasks:Reach", "a: 1", "robot.yaml:5: task.class: rtgym_ros.contract.tasks has no Reach"),
        ("os.path:join", "a: 1", "robot.yaml:5: task.class: os.path:join is no Task"),
        ("math:pi", "a: 1", "robot.yaml:5: task.class: math:pi cannot be called"),
        ("rtgym_ros.contract.tasks:ReachPosition", "a: 1", "robot.yaml:5: task.args: rtgym_ros.contract.tasks:Rea"),
        (
            "rtgym_ros.contract.tasks:ReachPosition",
            "target: x",
            "robot.yaml:5: task.args: rtgym_ros.contract.tasks:Rea",
        ),
        ("rtgym_ros.contract.task:Task", "a: 1", "robot.yaml:5: task.args: "),
    ],
)
def test_what_cannot_be_made(cls, args, message):
    with pytest.raises(ContractError) as caught:
        load_task(contract(cls, args))
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


BESIDE = """
import sys
from rtgym_ros.contract.grammar.reader import read_contract
from rtgym_ros.contract.load_code import load_code
contract = read_contract("folder/robot.yaml")
try:
    found = load_code(contract, ("task", "class"), sys.argv[1], allow_beside=sys.argv[2] == "beside")
    print(found.__name__, "beside" in sys.modules, "folder" not in "".join(sys.path[1:]))
except Exception as error:
    print(type(error).__name__, error, "beside" in sys.modules)
"""


@pytest.mark.parametrize("path", ["", "folder"])
@pytest.mark.parametrize(
    ("name", "allowed", "printed"),
    [
        ("beside:T", "beside", "T True"),
        ("beside:T", "no", "ContractError folder/robot.yaml:5: task.class: beside"),
        (
            "broken:T",
            "beside",
            "ContractError folder/robot.yaml:5: task.class: broken cannot be imported (ValueError: x)",
        ),
    ],
)
def test_code_beside_the_contract_is_imported_only_where_it_is_allowed(tmp_path, name, allowed, printed, path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "robot.yaml").write_text(CONTRACT % ("a:b", "c: 1"))
    (folder / "beside.py").write_text("class T: pass")
    (folder / "broken.py").write_text("raise ValueError('x')")
    code = f"import sys; sys.path.insert(1, {str(folder)!r})\n{BESIDE}" if path else BESIDE
    run = subprocess.run(
        [sys.executable, "-c", code, name, allowed], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert run.stderr == ""
    assert run.stdout.startswith(printed)
    if allowed == "no":
        assert run.stdout.strip().endswith("False")
        assert "beside" in run.stdout


def test_a_function():
    import math

    assert load_code(contract("a:b"), ("x",), "math:sqrt") is math.sqrt
