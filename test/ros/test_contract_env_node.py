"""The node of an environment in the agent's process: recordings on request and parameters, as env_node has them."""

import sys
import threading

import gymnasium
import numpy as np
import pytest

pytest.importorskip("test_msgs")

from contract_robots.foreign_robot import contract_text
from contract_robots.hosted import Operator
from rtgym_ros.srv import Record

import rtgym_ros  # noqa: F401
from rtgym_ros.core.errors import ConfigError

ACTION = np.array((0.25, -0.25, 1.0), np.float32)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "robot.yaml"
    path.write_text(contract_text().replace("max_age: 0.3", "max_age: 20.0"))
    return path


@pytest.fixture
def make(robot, file, namespace, monkeypatch):
    """A function that makes the environment, with overrides of parameters as on a command line."""

    def make(*overrides):
        parameters = [part for override in overrides for part in ("-p", override)]
        monkeypatch.setattr(sys, "argv", ["program", *(["--ros-args", *parameters] if parameters else [])])
        return gymnasium.make(
            "rtgym_ros/Contract-v0",
            contract=str(file),
            namespace=namespace,
            node_name="agent",
            disable_env_checker=True,
        )

    return make


@pytest.fixture
def operator(namespace):
    with Operator(f"{namespace}/agent", namespace) as operator:
        yield operator


@pytest.mark.timeout(120)
def test_a_recording_that_begins_and_ends_in_episodes(make, operator, tmp_path):
    pytest.importorskip("mcap")
    from rtgym_ros.record.reading import read_episodes

    folder = tmp_path / "flights"

    def record(command, **fields):
        return operator.call(Record, "record", command=command, **fields)

    with make(f"record_folder:={folder}") as env:
        assert not record(Record.Request.LABEL).success
        env.reset(seed=3)
        for _ in range(4):
            env.step(ACTION)
        assert record(Record.Request.START).success
        assert "under way" in record(Record.Request.START).message
        seen = [env.step(ACTION)[0]["state"] for _ in range(3)]
        env.reset(seed=4, options={"slowly": True})
        seen += [env.step(ACTION)[0]["state"] for _ in range(5)]
        assert record(Record.Request.LABEL, outcome=Record.Request.FAILED, note="too fast").success
        stopped = record(Record.Request.STOP)
        assert (stopped.success, stopped.written, stopped.dropped) == (True, 9, 0)
        env.step(ACTION)
        assert "step" not in vars(env.unwrapped), "an action goes its usual way again"
    first, second = read_episodes(folder)
    assert [step.episode_step for step in first.steps] == [5, 6, 7]
    assert [step.episode_step for step in second.steps] == list(range(6))
    assert (first.facts["seed"], second.facts["seed"]) == ("3", "4")
    assert (second.facts["success"], second.facts["note"]) == ("false", "too fast")
    recorded = [dict(step.observation)["state"] for step in (*first.steps, *second.steps[1:])]
    np.testing.assert_array_equal(recorded, seen)


@pytest.mark.timeout(120)
def test_a_recording_is_finished_with_the_environment(make, operator, tmp_path):
    pytest.importorskip("mcap")
    from rtgym_ros.record.reading import read_episodes

    with make(f"record_folder:={tmp_path / 'flights'}") as env:
        assert operator.call(Record, "record", command=Record.Request.START).success
        env.reset()
        env.step(ACTION)
    (episode,) = read_episodes(tmp_path / "flights")
    assert len(episode.steps) == 2


@pytest.mark.timeout(120)
def test_parameters_apply_from_the_next_time_step_on(make, operator):
    with make("time_step_duration:=0.04", "ep_max_length:=1000000") as env:
        assert env.unwrapped.config.time_step_duration == 0.04
        assert env.unwrapped.config.start_obs_capture == 0.04, "the end of the time-step stays the end"
        env.reset()
        said = []

        def set_while_it_flies():
            said.append(operator.set_one(time_step_duration=0.02))
            said.append(operator.set_one(time_step_duration=1000.0))
            said.append(operator.set_one(record_folder="elsewhere"))

        setting = threading.Thread(target=set_while_it_flies)
        setting.start()
        starts = []
        while setting.is_alive() or len(starts) < 20:
            starts.append(env.step(ACTION)[4]["time_step_nominal_start"])
        setting.join()
        starts += [env.step(ACTION)[4]["time_step_nominal_start"] for _ in range(10)]
        assert [not reason for reason in said] == [True, False, False]
        assert operator.get("time_step_duration") == env.unwrapped.config.time_step_duration == 0.02
        assert np.diff(starts).min() == pytest.approx(0.02, abs=1e-5)


@pytest.mark.parametrize(
    ("override", "words"), [("time_step_duraton:=0.1", "did you mean"), ("time_step_duration:=100.0", "in \\[")]
)
def test_bad_overrides_are_refused(make, override, words):
    with pytest.raises(ConfigError, match=words):
        make(override)
