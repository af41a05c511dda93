"""The benchmark of learning under delay: its cases, its environments, and one short run with its report."""

import json

import numpy as np
import pytest

from benchmarks.delayed.cases import CONDITIONS, METHODS, TASKS, Case, all_cases, make_env
from benchmarks.delayed.report import load, report

CASES = all_cases(TASKS, CONDITIONS, METHODS, 3, steps=100)


def test_every_combination_that_differs_is_a_case_with_a_name_of_its_own():
    assert len(CASES) == len(TASKS) * 3 * (1 + 3 + 4 + 4)
    assert len({case.name for case in CASES}) == len(CASES)
    assert [case.seed for case in CASES] == sorted(case.seed for case in CASES)


@pytest.mark.parametrize("case", [case for case in CASES if case.task == "drone" and case.seed == 1], ids=str)
def test_the_environments_of_the_drone(case):
    env = make_env(case.task, case.condition, case.method)
    observation, _ = env.reset(seed=1)
    for _ in range(20):
        assert observation in env.observation_space
        observation, _, _, _, info = env.step(env.action_space.sample())
    if case.condition == "constant 3":
        assert info["total_delay"] == 3.0
    if case.method == "constant delay":
        longest = CONDITIONS[case.condition].maximum
        assert (info["alpha"], info["total_delay"]) == (longest, 2 * longest + 1)
    env.close()


def test_the_buffer_of_the_drone_is_as_long_as_its_delays_need():
    """The next change of position depends on the last two actions of the buffer, and on no older one."""
    env = make_env("drone", "constant 3", "buffer")
    assert env.observation_space.shape == (4 + 2 * 5,)
    lots = np.random.default_rng(0)
    env.reset(seed=1)
    rows, positions = [], []
    for _ in range(60):
        action = np.array([lots.uniform(-0.5, 0.5), 0.0], dtype=np.float32)
        observation, *_ = env.step(action)
        positions.append(observation[0])
        rows.append(observation[4::2][::-1])  # x of the actions, newest first
    changes = np.diff(positions)[10:]
    weights, left, *_ = np.linalg.lstsq(np.array(rows)[10:-1], changes, rcond=None)
    np.testing.assert_allclose(weights, [0, 0, 0, 0.04, 0.01], atol=1e-4)
    assert left.sum() < 1e-8
    env.close()


def test_a_run_and_its_report(tmp_path):
    pytest.importorskip("stable_baselines3")
    from benchmarks.delayed.run_case import main

    case = Case("drone", "uniform", "buffer + delays", 1, steps=60, net=8, batch=8)
    other = Case("drone", "uniform", "plain", 1, steps=60, net=8, batch=8)
    main(json.dumps(case.as_dict()), str(tmp_path / f"{case.name}.json"))
    (tmp_path / f"{other.name}.json").write_text(json.dumps({"case": {**other.as_dict(), "steps": 61}}))
    results, others = load(tmp_path, [case, other])
    assert others == 1
    assert [step for step, _ in results[0]["curve"]] == [6 * number for number in range(1, 11)]
    assert len(results[0]["final"]) == 20
    report(tmp_path, results, 2)
    assert f"{np.mean(results[0]['final']):.4g}" in (tmp_path / "table.md").read_text()
    assert (tmp_path / "curves.png").exists()
