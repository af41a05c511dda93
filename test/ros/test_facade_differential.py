"""On simulated time the environment that env_node hosts is the one in the agent's process, to the last bit.

RTGYM_ROS_TIME_STEPS=10000 RTGYM_ROS_RESETS=200: how much is compared; a part of it by default.
"""

import os
import subprocess
import sys

import gymnasium
import numpy as np
import pytest

pytest.importorskip("test_msgs")

from contract_robots.lockstep_world import CONTRACT, TASK, LockstepWorld

import rtgym_ros  # noqa: F401
from rtgym_ros.record.parts import to_parts
from rtgym_ros.ros.contract_interface import ContractInterface

TIME_STEPS = int(os.environ.get("RTGYM_ROS_TIME_STEPS", "200"))
RESETS = int(os.environ.get("RTGYM_ROS_RESETS", "10"))


class OnSimulatedTime(ContractInterface):
    """A ContractInterface whose node follows /clock, for an environment in a process that does not."""

    def __init__(self, *args, **kwargs):
        before, sys.argv = sys.argv, ["program", "--ros-args", "-p", "use_sim_time:=true"]
        try:
            super().__init__(*args, **kwargs)
        finally:
            sys.argv = before


def fly(env, time_steps, resets):
    """Return everything that an agent sees, an entry a call."""
    seen, rng = [], np.random.default_rng(5)
    episodes = 0
    over, steps_here = True, 0
    for _ in range(time_steps):
        if over or (episodes < resets and steps_here >= time_steps // resets):
            options = {"offset": 0.25} if episodes % 3 == 2 else None
            observation, _ = env.reset(seed=episodes if episodes % 2 == 0 else None, options=options)
            seen.append((to_parts(env.observation_space, observation), 0.0, False, False, None))
            episodes, steps_here = episodes + 1, 0
        observation, reward, terminated, truncated, info = env.step(rng.uniform(-0.9, 0.9, 3).astype(np.float32))
        steps_here += 1
        over = terminated or truncated
        seen.append((to_parts(env.observation_space, observation), reward, terminated, truncated, info))
    return seen, episodes


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("form", ["dict", "flat"])
def test_facade_against_in_process(form, namespace, tmp_path):
    file = tmp_path / "robot.yaml"
    file.write_text(CONTRACT.replace("FORM", form))
    (tmp_path / "lockstep_task.py").write_text(TASK)
    with (
        LockstepWorld(namespace),
        gymnasium.make(
            "rtgym_ros/Contract-v0",
            contract=str(file),
            namespace=namespace,
            interface=OnSimulatedTime,
            allow_code_beside=True,
            disable_env_checker=True,
        ) as env,
    ):
        wanted, episodes = fly(env, TIME_STEPS, RESETS)
        spaces = env.observation_space, env.action_space, env.spec.max_episode_steps
        parts, timing = env.unwrapped.interface.observation_parts, env.unwrapped.config.clock_timing()
    with LockstepWorld(namespace):
        command = [sys.executable, "-m", "rtgym_ros.nodes.env_node", str(file), "--until-eof", "--allow-code-beside"]
        ros = ["--ros-args", "-r", f"__ns:={namespace}", "-p", "use_sim_time:=true"]
        node = subprocess.Popen([*command, *ros], stdin=subprocess.PIPE)
        try:
            with gymnasium.make(
                "rtgym_ros/Contract-v0",
                contract=str(file),
                node=f"{namespace}/env",
                node_timeout=60.0,
                disable_env_checker=True,
            ) as env:
                assert (env.observation_space, env.action_space, env.spec.max_episode_steps) == spaces
                assert list(env.unwrapped.observation_parts.items()) == list(parts.items())
                assert env.unwrapped.config.clock_timing() == timing
                got, got_episodes = fly(env, TIME_STEPS, RESETS)
        finally:
            node.stdin.close()
            assert node.wait(30.0) == 0
    for number, (one, other) in enumerate(zip(wanted, got, strict=False)):
        assert one[1:4] == other[1:4], f"reward and flags of call {number}"
        assert [name for name, _ in one[0]] == [name for name, _ in other[0]]
        for (name, here), (_, there) in zip(one[0], other[0], strict=True):
            assert here.dtype == there.dtype, name
            assert here.tobytes() == there.tobytes(), f"{name} of call {number}: {here} and {there}"
        if one[4] is not None:
            assert one[4]["distance"] == other[4]["distance"]
            np.testing.assert_array_equal(one[4]["executed_action"], other[4]["executed_action"])
    assert len(got) == len(wanted)
    assert got_episodes == episodes >= RESETS
