"""Values are changed in the text of a contract; every other character stays."""

import difflib

import pytest

from rtgym_ros.contract.edit_text import with_values, write_values
from rtgym_ros.contract.grammar.reader import parse_contract, read_contract
from rtgym_ros.contract.grammar.source import ContractError
from rtgym_ros.core.errors import ConfigError

TEXT = """\
# A robot.
contract: 1
robot: r      # its name
time: {time_step_duration: 0.05, act_buf_len: 4}   # measured by hand
action:
  v:
    topic: cmd
    type: geometry_msgs/msg/Twist
    fields: [linear.x]
    low: -1
    high: 1
    quantity: velocity
observation:
  # where it is
  pose:
    topic: odom     # 50 Hz
    type: nav_msgs/msg/Odometry
    fields: [pose.pose.position.x]
    low: -1
    high: 1
    # how old it may be
    max_age: 0.5    # s
  speed: {topic: odom, type: nav_msgs/msg/Odometry, fields: [twist.twist.linear.x], low: -1, high: 1}
"""


def changed(old, new):
    return [line for line in difflib.ndiff(old.splitlines(), new.splitlines()) if line[0] in "+-"]


def test_values_that_stand_there_are_replaced():
    new = with_values(TEXT, {("time", "act_buf_len"): 7, ("observation", "pose", "max_age"): 0.123})
    assert changed(TEXT, new) == [
        "- time: {time_step_duration: 0.05, act_buf_len: 4}   # measured by hand",
        "+ time: {time_step_duration: 0.05, act_buf_len: 7}   # measured by hand",
        "-     max_age: 0.5    # s",
        "+     max_age: 0.123    # s",
    ]
    assert parse_contract(new).time["act_buf_len"] == 7


def test_others_are_added_to_their_section():
    text = TEXT.replace("    # how old it may be\n    max_age: 0.5    # s\n", "")
    new = with_values(
        text,
        {
            ("time", "start_obs_capture"): 0.04,
            ("observation", "pose", "max_age"): 0.2,
            ("observation", "speed", "max_age"): 0.3,
        },
    )
    contract = parse_contract(new)
    assert contract.time["start_obs_capture"] == 0.04
    assert (contract.observation["pose"].max_age, contract.observation["speed"].max_age) == (0.2, 0.3)
    assert "    max_age: 0.2\n    topic: odom     # 50 Hz\n" in new
    assert "low: -1, high: 1, max_age: 0.3}" in new


def test_a_section_that_there_is_not_is_added():
    text = TEXT.replace("time: {time_step_duration: 0.05, act_buf_len: 4}   # measured by hand\n", "")
    new = with_values(text, {("time", "act_buf_len"): 3, ("time", "phase"): "pose"})
    assert parse_contract(new).time == {"act_buf_len": 3, "phase": "pose"}
    assert new.startswith("# A robot.\ntime: {act_buf_len: 3, phase: pose}\ncontract: 1\n")


def test_what_is_shared_is_refused():
    text = TEXT.replace("max_age: 0.5 ", "max_age: &age 0.5 ").replace("high: 1}", "high: 1, max_age: *age}")
    with pytest.raises(
        ConfigError, match=r"observation\.pose\.max_age is shared through an anchor \(&\): write it out"
    ):
        with_values(text, {("observation", "pose", "max_age"): 0.2})


def test_a_value_that_makes_it_no_contract_changes_nothing(tmp_path):
    file = tmp_path / "r.yaml"
    file.write_text(TEXT)
    with pytest.raises(ContractError, match=r"time\.act_buf_len"):
        write_values(file, {("time", "act_buf_len"): -1})
    assert file.read_text() == TEXT
    assert list(tmp_path.iterdir()) == [file]


def test_the_file_keeps_its_mode_and_line_endings(tmp_path):
    file = tmp_path / "r.yaml"
    file.write_bytes(TEXT.replace("\n", "\r\n").encode())
    file.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(file)
    write_values(link, {("time", "act_buf_len"): 5})
    assert link.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o640
    assert file.read_bytes() == TEXT.replace("act_buf_len: 4", "act_buf_len: 5").replace("\n", "\r\n").encode()
    assert read_contract(link).time["act_buf_len"] == 5


@pytest.mark.parametrize("path", [("robot", "x"), ("time", "act_buf_len", "x")])
def test_a_value_is_no_section(path):
    with pytest.raises(ConfigError, match=f"{path[0]}.*is no section"):
        with_values(TEXT, {path: 1})
