"""`time: {phase: PART}` with the shipped arm, over DDS. What it does to ages is tested on stepped time."""

import gymnasium
import numpy as np
import pytest

import rtgym_ros  # noqa: F401
from rtgym_ros.contract.grammar.source import ContractError
from rtgym_ros.contract.shipped import find_contract
from rtgym_ros.nodes.robot_process import RobotProcess


@pytest.fixture
def contract(tmp_path):
    def write(part):
        file = tmp_path / "arm.yaml"
        file.write_text(find_contract("arm").read_text().replace("{time_step", f"{{phase: {part}, time_step"))
        return file

    return write


def test_the_grid_follows_the_arrivals(namespace, contract):
    with (
        RobotProcess("arm_node", namespace, ("seed:=7", "observation_delay_profile:=constant")),
        gymnasium.make("rtgym_ros/Contract-v0", contract=contract("joints"), namespace=namespace) as env,
    ):
        env.reset()
        lengths, last = [0.05], None
        for _ in range(2000):  # a busy machine blurs the arrivals for a while
            if max(lengths) - min(lengths) > 1e-6:
                break
            *_, terminated, truncated, info = env.step(np.zeros(6, np.float32))
            start = info["time_step_nominal_start"]
            if last is not None and not info["time_step_timed_out"]:
                lengths.append(start - last)
            last = start
            if terminated or truncated:
                env.reset()
                last = None
        assert max(lengths) - min(lengths) > 1e-6, "the clock was moved"
        assert max(abs(length - 0.05) for length in lengths) <= 0.001 + 1e-6, "by 2 % of a time-step at most"


def test_a_part_that_there_is_not(namespace, contract):
    with pytest.raises(ContractError, match=r"time\.phase.*joint"):
        gymnasium.make("rtgym_ros/Contract-v0", contract=contract("joint"), namespace=namespace)
