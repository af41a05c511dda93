"""env_node as a lifecycle node: what flows to a real robot when, what an operator may change, how it ends."""

import signal
import time

import gymnasium
import numpy as np
import pytest

pytest.importorskip("test_msgs")

from contract_robots.foreign_robot import ForeignRobot, contract_text
from contract_robots.hosted import EnvNodeProcess, Operator
from rtgym_ros.msg import AgentAction, EnvState
from rtgym_ros.srv import Record, Reset

import rtgym_ros  # noqa: F401
from rtgym_ros.core.errors import StateError
from rtgym_ros.ros.hosting.agent_topics import STATE_QOS
from rtgym_ros.ros.pulled_subscription import PulledSubscription

SAFE = (0.0, 0.0, 0.0)
ACTION = np.array((0.25, -0.25, 1.0), np.float32)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "robot.yaml"
    path.write_text(patient(contract_text()))
    return path


@pytest.fixture
def operator(namespace):
    with Operator(f"{namespace}/env", namespace) as operator:
        yield operator


def patient(text):
    """Return the contract with room for a busy machine; what is too old is tested elsewhere."""
    return text.replace("max_age: 0.3", "max_age: 20.0")


def make(file, name, timeout=60.0):
    return gymnasium.make(
        "rtgym_ros/Contract-v0", contract=str(file), node=name, node_timeout=timeout, disable_env_checker=True
    )


def states_of(operator):
    return PulledSubscription(operator.node, EnvState, f"{operator.name}/state", STATE_QOS)


def wait_for_state(states, condition, timeout=60.0):
    end = time.monotonic() + timeout
    while True:
        for message, _ in states.take():
            if condition(message):
                return message
        assert time.monotonic() < end, "no such state"
        time.sleep(0.005)


@pytest.mark.timeout(240)
def test_what_flows_in_which_state(robot, file, namespace, operator):
    with EnvNodeProcess(file, namespace, "autostart:=false") as node:
        assert operator.state() == "unconfigured"
        assert not operator.call(Reset, "reset").success
        assert operator.change("configure")
        time.sleep(0.3)
        assert robot.events == [], "nothing is sent before it is activated"
        assert operator.change("activate")
        robot.wait_for(lambda: len(robot.commands()) > 5)
        assert set(robot.commands()) == {SAFE}, "the safe action flows until a reset"
        assert robot.events[0] != ("command", SAFE)
        with make(file, node.name) as env:
            env.reset(seed=1)
            for _ in range(10):
                observation, *_ = env.step(ACTION)
            np.testing.assert_array_equal(observation["action_buffer"][-1], ACTION)
            robot.wait_for(lambda: tuple(ACTION.tolist()) in robot.commands())
            assert operator.change("deactivate")
            robot.wait_for(lambda: robot.events[-1] == ("power", False))
            assert robot.commands()[-1] == SAFE
            ended = list(robot.events)
            time.sleep(0.3)
            assert robot.events == ended, "nothing comes after `stop`"
            with pytest.raises(StateError, match="deactivated"):
                env.step(ACTION)
        assert operator.change("activate")
        with make(file, node.name) as env:
            env.reset()
            env.step(ACTION)
        assert operator.change("deactivate")
        assert operator.change("cleanup")
        assert operator.state() == "unconfigured"
        assert node.end() == 0
    assert robot.events[-1] == ("power", False)
    assert robot.events.count(("power", True)) == 2


@pytest.mark.timeout(240)
def test_parameters_apply_from_the_next_time_step_on(robot, file, namespace, operator):
    with EnvNodeProcess(file, namespace) as node, make(file, node.name) as env:
        env.reset()
        env.step(ACTION)
        assert operator.set_one(time_step_duration=0.04) == ""
        assert operator.get("start_obs_capture") == 0.04, "the end of the time-step stays the end"
        starts = [env.step(ACTION)[4]["time_step_nominal_start"] for _ in range(60)]
        assert min(np.diff(starts)[3:]) > 0.0399, "nominal times: what is late is later"
        assert operator.set_one(time_step_duration=1000.0) != "", "out of bounds"
        assert "time_step_timeout_factor" in operator.set_one(time_step_timeout_factor=-0.5)
        assert operator.get("time_step_duration") == 0.04
        assert operator.set_one(record_folder="elsewhere") != "", "read-only"
        assert operator.set_one(ep_max_length=1) == ""
        env.step(ACTION)
        env.reset()
        assert env.step(ACTION)[3], "one time-step long"


@pytest.mark.timeout(240)
def test_actions_that_are_none_and_actions_that_come_too_late(robot, file, namespace, operator):
    with EnvNodeProcess(file, namespace) as node, make(file, node.name) as env:
        states = states_of(operator)
        publisher = operator.node.create_publisher(AgentAction, f"{node.name}/action", 10)
        env.reset()
        env.step(ACTION)
        newest = env.unwrapped._newest
        while not publisher.get_subscription_count():
            time.sleep(0.01)
        publisher.publish(AgentAction(index=newest.index + 7))
        wait_for_state(states, lambda state: state.stale_actions >= 1)
        env.reset()
        bad = env.unwrapped._newest
        from rtgym_ros.ros.hosting.named_arrays import to_messages
        from rtgym_ros.ros.stamps import to_time

        for number, array in enumerate((np.full(3, np.nan, np.float32), np.zeros(2, np.float32)), start=1):
            message = AgentAction(index=bad.index, time_step_stamp=to_time(bad.stamp_ns))
            message.action = to_messages((("", array),))
            publisher.publish(message)
            state = wait_for_state(states, lambda state, number=number: state.refused_actions >= number)
        for number, data in enumerate((b"\xff" * 80, bytes(range(200)), b"\0\1\0\0" + b"\xff" * 64), start=3):
            publisher.publish(data)
            state = wait_for_state(states, lambda state, number=number: state.refused_actions >= number)
        assert state.state == EnvState.RUNNING
        env.step(ACTION)
        assert all(np.isfinite(command).all() for command in robot.commands())


@pytest.mark.timeout(240)
def test_pause_and_recording(robot, file, namespace, operator, tmp_path):
    pytest.importorskip("mcap")
    from rtgym_ros.record.reading import read_episodes

    folder = tmp_path / "flights"
    with EnvNodeProcess(file, namespace, f"record_folder:={folder}") as node, make(file, node.name) as env:
        env.reset(seed=3)
        env.step(ACTION)
        env.unwrapped.wait()
        robot.wait_for(lambda: robot.commands()[-5:] == [SAFE] * 5)
        env.step(ACTION)
        assert not operator.call(Record, "record", command=Record.Request.LABEL).success
        assert operator.call(Record, "record", command=Record.Request.START).success
        assert not operator.call(Record, "record", command=Record.Request.START).success
        env.reset(seed=4)
        seen = [env.step(ACTION)[0]["state"] for _ in range(5)]
        label = {"command": Record.Request.LABEL, "outcome": Record.Request.SUCCEEDED, "note": "landed"}
        assert operator.call(Record, "record", **label).success
        stopped = operator.call(Record, "record", command=Record.Request.STOP)
        assert stopped.success
        assert (stopped.written, stopped.dropped) == (6, 0)
        assert not operator.call(Record, "record", command=9).success
    episode = list(read_episodes(folder))[-1]
    recorded = [dict(step.observation)["state"] for step in episode.steps[1:]]
    np.testing.assert_array_equal(recorded, seen)
    assert (episode.facts["success"], episode.facts["note"]) == ("true", "landed")


@pytest.mark.timeout(240)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_in_order(number, robot, file, namespace):
    with EnvNodeProcess(file, namespace) as node:
        env = make(file, node.name)
        try:
            env.reset()
            env.step(ACTION)
            assert node.end(number) == 0
        finally:
            env.close()
    robot.wait_for(lambda: robot.events[-1] == ("power", False))
    assert robot.commands()[-1] == SAFE


@pytest.mark.timeout(240)
def test_the_end_does_not_wait_for_a_robot_that_has_ended_before(file, namespace, operator):
    with EnvNodeProcess(file, namespace) as node:
        with ForeignRobot(namespace):
            operator.wait_for_state("active")
        node.process.send_signal(signal.SIGTERM)
        _, said = node.process.communicate(timeout=40.0)
        assert node.process.returncode == 0
    assert "stop[0]: call power: service power has no server" in said
    assert "not over after 5 s" not in said


@pytest.mark.timeout(240)
def test_an_error_that_nobody_has_foreseen_leads_through_error_processing(robot, file, tmp_path, namespace, operator):
    text = patient(contract_text()) + 'task: {class: "wrong:Wrong"}\n'
    file.write_text(text)
    (tmp_path / "wrong.py").write_text(
        "from rtgym_ros.contract.task import Task\n\n\nclass Wrong(Task):\n"
        "    def evaluate(self, parts, executed, time_s):\n"
        "        return 0.0, False, {'executed_action': 'what no recording can hold'}\n"
    )
    with EnvNodeProcess(file, namespace, options=["--allow-code-beside"]) as node:
        env = make(file, node.name)
        try:
            env.reset()
            with pytest.raises(StateError, match="deactivated"):
                env.step(ACTION)
            operator.wait_for_state("unconfigured")
            robot.wait_for(lambda: robot.events[-1] == ("power", False))
            assert robot.commands()[-1] == SAFE
        finally:
            env.close()
        assert operator.change("configure")
        assert operator.change("activate")
        assert node.end() == 0


def test_bad_arguments_are_refused(tmp_path, namespace, capfd):
    for parameter, words in (("time_step_duraton:=0.1", "did you mean"), ("time_step_duration:=100.0", "in [")):
        with EnvNodeProcess("drone", namespace, parameter) as node:
            _, said = node.process.communicate(timeout=30.0)
            assert node.process.returncode == 2
            assert words in said
            assert "Traceback" not in said
