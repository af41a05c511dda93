"""The facade of env_node where it goes wrong: nobody there, gone, restarted, another contract; the robot is safe."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import gymnasium
import numpy as np
import pytest

pytest.importorskip("test_msgs")

from contract_robots.foreign_robot import contract_text
from contract_robots.hosted import EnvNodeProcess

import rtgym_ros  # noqa: F401
from rtgym_ros.core.errors import ActionError, ConfigError, InterfaceError, InterfaceTimeoutError, StateError

AGENT = Path(__file__).parent / "contract_robots" / "facade_agent.py"
EXAMPLE = Path(__file__).parents[2] / "examples" / "env_node_agent.py"
SAFE = (0.0, 0.0, 0.0)
ACTION = np.array((0.25, -0.25, 1.0), np.float32)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "robot.yaml"
    path.write_text(contract_text(more="when_stale: fail").replace("max_age: 0.3", "max_age: 3.0"))
    return path


def make(file, name, timeout=60.0, **arguments):
    return gymnasium.make(
        "rtgym_ros/Contract-v0",
        contract=str(file),
        node=name,
        node_timeout=timeout,
        disable_env_checker=True,
        **arguments,
    )


def fly(env, time_steps):
    for _ in range(time_steps):
        env.step(ACTION)


def test_arguments_that_are_the_nodes(file):
    for argument in ({"config": {"act_buf_len": 2}}, {"guard": True}, {"render_mode": "rgb_array"}):
        with pytest.raises(ConfigError, match=f"{next(iter(argument))} is that of env_node /robot/env"):
            make(file, "/robot/env", **argument)


def test_nobody_is_there(file, namespace):
    with pytest.raises(InterfaceTimeoutError, match=f"no env_node {namespace}/env: service .* has no server"):
        make(file, f"{namespace}/env", timeout=0.5)


@pytest.mark.timeout(240)
def test_a_node_that_is_killed_and_restarted(robot, file, namespace, tmp_path):
    with EnvNodeProcess(file, namespace) as node, make(file, node.name) as env:
        with pytest.raises(StateError, match="call reset"):
            env.unwrapped.step(ACTION)
        env.reset(seed=1)
        with pytest.raises(ActionError, match="shape"):
            env.step(np.zeros(2, np.float32))
        env.step(ACTION)
        # A robot that falls silent: the error is that of the environment, and reset() goes on.
        robot.silent = True
        with pytest.raises(InterfaceError, match=r"observation state: the newest message on \S*state is .* old"):
            fly(env, 2000)
        robot.wait_for(lambda: robot.events[-1] == ("power", False))
        with pytest.raises(StateError, match="FAILED"):
            env.unwrapped.step(ACTION)
        robot.silent = False
        env.reset()
        env.step(ACTION)
        # The node is gone.
        env.unwrapped._link.timeout = 2.0
        node.end(signal.SIGKILL)
        with pytest.raises(InterfaceTimeoutError, match="has begun no time-step for"):
            env.step(ACTION)
        with pytest.raises(InterfaceTimeoutError, match=r"env_node .*/env"):
            env.reset()
        # It is back.
        node.start()
        env.unwrapped._link.timeout = 60.0
        env.reset()
        env.step(ACTION)
        # It hosts something else.
        node.end()
        changed = tmp_path / "changed.yaml"
        changed.write_text(contract_text(more="when_stale: warn"))
        with (
            EnvNodeProcess(changed, namespace),
            pytest.raises(ConfigError, match="another version of the contract"),
        ):
            env.reset()
    assert robot.commands()[-1] == SAFE


@pytest.mark.timeout(240)
def test_two_agents(robot, file, namespace):
    with EnvNodeProcess(file, namespace) as node, make(file, node.name) as one, make(file, node.name) as other:
        one.reset()
        one.step(ACTION)
        other.reset()
        other.step(ACTION)
        with pytest.raises(StateError, match="another agent"):
            one.step(ACTION)
        other.step(ACTION)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM])
def test_an_agent_that_dies_or_stands_still(number, robot, file, namespace):
    with EnvNodeProcess(file, namespace) as node:
        agent = subprocess.Popen([sys.executable, str(AGENT), str(file), node.name], stdout=subprocess.PIPE, text=True)
        try:
            assert agent.stdout.readline() == "flying\n"
            robot.wait_for(lambda: (0.75, 0.75, 0.75) in robot.commands()[-3:])
            agent.send_signal(number)
            robot.wait_for(lambda: robot.commands()[-10:] == [SAFE] * 10)
            before = len(robot.commands())
            robot.wait_for(lambda: len(robot.commands()) > before + 20)
            assert set(robot.commands()[before:]) == {SAFE}, "again and again, at the rate of the commands"
        finally:
            agent.kill()
            agent.wait()
            agent.stdout.close()
        with make(file, node.name) as env:
            env.reset()
            env.step(ACTION)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("late_action", "applied"), [("repeat", (0.25, -0.25, 1.0)), ("default", (0.5, 0.5, 0.5)), ("safe", SAFE)]
)
def test_an_action_that_comes_late(late_action, applied, robot, namespace, tmp_path):
    file = tmp_path / "robot.yaml"
    text = contract_text().replace("max_age: 0.3", "max_age: 20.0")
    file.write_text(text.replace("time: {", f"time: {{late_action: {late_action}, agent_timeout: 30.0, "))
    with EnvNodeProcess(file, namespace) as node, make(file, node.name) as env:
        env.reset()
        env.step(ACTION)
        *_, info = env.step(ACTION)
        before = info["late_actions"]
        sent = len(robot.commands())
        time.sleep(0.5)
        late = robot.commands()[sent + 5 :]
        assert len(late) > 3
        assert set(late) == {applied}
        env.step(ACTION)
        *_, info = env.step(ACTION)
        assert info["late_actions"] > before


@pytest.mark.timeout(240)
def test_the_example_agent(robot, file, namespace):
    with EnvNodeProcess(file, namespace, "ep_max_length:=20") as node:
        command = [sys.executable, str(EXAMPLE), node.name, "2"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60.0, env=os.environ)
        assert done.returncode == 0, done.stderr
        assert done.stderr.count("episode") == 2
        assert "20 time-steps" in done.stderr
