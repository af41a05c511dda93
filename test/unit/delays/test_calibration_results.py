"""What a calibration writes: values of a contract, and delays that a simulator draws from."""

from dataclasses import replace

import gymnasium
import numpy as np
import pytest

from rtgym_ros.cli.calibration_hints import hint_lines
from rtgym_ros.cli.calibration_results import WRITTEN, contract_values, export_delays, report_lines
from rtgym_ros.contract.grammar.reader import parse_contract
from rtgym_ros.core.errors import ConfigError
from rtgym_ros.delays.calibration import Calibration
from rtgym_ros.delays.recommendations import Measurements, recommend
from rtgym_ros.delays.recorded_delays import RecordedDelays  # noqa: F401 (the exported lines use it)
from rtgym_ros.wrappers import ArtificialDelays  # noqa: F401

CONTRACT = """
contract: 1
robot: r
action: {v: {topic: cmd, type: geometry_msgs/msg/Twist, fields: [linear.x], low: -1, high: 1, quantity: velocity}}
observation: {pose: {topic: odom, type: nav_msgs/msg/Odometry, fields: [pose.pose.position.x], low: -1, high: 1}}
"""


@pytest.fixture
def calibration():
    rng = np.random.default_rng(0)
    measured = Measurements(
        rng.uniform(0.02, 0.06, 400), rng.uniform(0.02, 0.05, 400), np.full(400, 0.001), (), np.full(400, 0.0005)
    )
    return Calibration(
        measured, 0.05, {"pose": 0.0601, "age_of_a_task": 1.0}, {"pose": 0.01}, time_steps=400, timeouts=2
    )


def test_values_of_the_contract(calibration):
    found = recommend(calibration.measured, 0.05)
    every = set(WRITTEN)
    assert contract_values(parse_contract(CONTRACT), calibration, found, every) == {
        ("time", "act_buf_len"): 4,
        ("time", "start_obs_capture"): 0.0485,
        ("observation", "pose", "max_age"): 0.091,
        ("time", "phase"): "pose",
    }
    slower = recommend(calibration.measured, 0.07)
    assert contract_values(parse_contract(CONTRACT), calibration, slower, {"time_step_duration"}) == {
        ("time", "time_step_duration"): 0.07
    }
    in_phase = parse_contract(CONTRACT + "time: {phase: pose}\n")
    assert ("time", "phase") not in contract_values(in_phase, calibration, found, every)
    with pytest.raises(ConfigError, match="nothing was measured"):
        contract_values(parse_contract(CONTRACT), calibration, found, set())


def test_the_report_names_them(calibration):
    text = "\n".join(report_lines(parse_contract(CONTRACT), calibration, recommend(calibration.measured, 0.05)))
    assert "act_buf_len: 4" in text
    assert "observation.pose.max_age: 0.091" in text
    assert "time.phase: pose\n    it comes every 10 ms" in text
    assert "2 of 400 time-steps timed out" in text


@pytest.mark.parametrize(
    ("changed", "hint"),
    [
        (CONTRACT, "  time.realtime_priority: 40\n    2 of 400 time-steps timed out"),
        (CONTRACT + "time: {realtime_priority: 40}", "  scheduling: other work is more urgent"),
        (CONTRACT.replace("type: nav", "qos: command, type: nav"), "  observation.pose.qos: sensor\n    reliable"),
        (CONTRACT.replace("type: nav", "qos: {reliability: reliable}, type: nav"), "  observation.pose.qos: sensor"),
        (CONTRACT.replace("type: geo", "qos: sensor, type: geo"), "  action.v.qos: command\n    best effort"),
    ],
)
def test_hints(calibration, changed, hint):
    contract, found = parse_contract(changed), recommend(calibration.measured, 0.05)
    assert hint in "\n".join(hint_lines(contract, calibration, found))
    assert len(list(hint_lines(contract, calibration, found))) == (2 if "qos" not in changed else 4)


def test_no_hints_where_all_is_well(calibration):
    for qos in ("sensor", "latched"):
        contract = parse_contract(CONTRACT.replace("type: nav", f"qos: {qos}, type: nav"))
        well = replace(calibration, timeouts=0)
        assert list(hint_lines(contract, well, recommend(well.measured, 0.05))) == []
    unsteady = replace(well, measured=replace(well.measured, capture_durations=[0.001] * 300 + [0.02] * 20))
    lines = list(hint_lines(parse_contract(CONTRACT), unsteady, recommend(unsteady.measured, 0.05)))
    assert lines[1].startswith("    p99 of capture is 20 times its median")


def test_a_simulator_draws_what_was_measured(calibration, tmp_path):
    *files, _imports, line = export_delays(tmp_path / "r", calibration)
    assert [f.split(" (")[0] for f in files] == [f"delays: {tmp_path}/r_{k}.json" for k in ("action", "observation")]
    from pathlib import Path

    names = {**globals(), "Path": Path, "env": gymnasium.make("Pendulum-v1")}
    exec(line, names)
    env = names["env"]
    env.reset(seed=1)
    seen = [env.step(env.action_space.sample())[4]["total_delay"] for _ in range(50)]
    assert 2 <= max(seen) <= 4


def test_nothing_to_export(tmp_path):
    with pytest.raises(ConfigError, match="no delays were measured"):
        list(export_delays(tmp_path / "r", Calibration(Measurements(), 0.05)))
