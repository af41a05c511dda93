"""`rtgym_ros calibrate` from a recording, through a guard, and with a policy: real processes, long delays."""

import math
import re
import shutil

import gymnasium
import numpy as np
from guard.scene import GuardProcess, received, wait_until, write_contract

import rtgym_ros  # noqa: F401
from rtgym_ros.cli.calibrate import main
from rtgym_ros.contract.grammar.reader import read_contract
from rtgym_ros.contract.shipped import find_contract
from rtgym_ros.nodes.robot_process import RobotProcess
from rtgym_ros.record.reading import read_episodes
from rtgym_ros.ros.session import RosSession
from rtgym_ros.wrappers import Record


def wait_for_guard(namespace):
    session = RosSession("probe", namespace, arguments=["program"])
    try:
        wait_until(lambda: session.node.count_subscribers(f"{namespace}/agent/cmd_vel"))
    finally:
        session.close()


def needed_buffer(flight, duration):
    """Return the act_buf_len for what was recorded, which is more than the robot's own delays on a busy machine."""
    told = [step.delays for episode in read_episodes(flight) for step in episode.steps if step.episode_step > 0]
    oldest, longest = (np.nanmax([delays[key] for delays in told]) for key in ("observation_delay", "action_delay"))
    place = np.nanmax([delays["alpha"] + delays["kappa"] for delays in told])
    return 1 + max(math.ceil((oldest + longest) / duration), int(place))


def test_through_the_guard_and_with_a_policy(namespace, tmp_path, capsys):
    contract, log = write_contract(tmp_path), tmp_path / "truth.csv"
    (tmp_path / "slow_policy.py").write_text("import time\n\n\ndef think(observation):\n    time.sleep(0.02)\n")
    with (
        RobotProcess("drive_node", namespace, ("seed:=7", f"truth_log:={log}")),
        GuardProcess(contract, namespace),
    ):
        wait_for_guard(namespace)
        arguments = ("--namespace", namespace, "--duration", "4", "--time-step-duration", "0.1", "--seed", "1")
        policy = ("--policy", "slow_policy:think", "--allow-code-beside")
        assert main([str(contract), *arguments, "--guard", "agent", *policy]) == 0
    printed = capsys.readouterr().out
    (row,) = [line for line in printed.splitlines() if line.startswith("inference (ms)")]
    count, _, median = row.removeprefix("inference (ms)").split()[:3]
    assert int(count) >= 20
    assert float(median) >= 20.0
    shortest = float(re.search(r"shortest_time_step_duration: ([\d.]+)", printed)[1])
    assert shortest > 0.02
    assert re.search(r"act_buf_len: \d+\n", printed), "the echo comes back through the guard"
    # On cmd_vel there is the guard alone: what moved the robot came through it.
    assert len({values for _, values in received(log)}) > 10


def test_from_a_recording_for_another_time_step(namespace, tmp_path, capsys):
    contract = shutil.copy(find_contract("drone"), tmp_path / "drone.yaml")
    constant = ("command_delay_profile:=constant", "observation_delay_profile:=constant")
    ends = [
        f"{kind}_delay_{end}:={value}"
        for kind, value in (("command", 0.25), ("observation", 0.05))
        for end in ("min", "max")
    ]
    with RobotProcess("drone_node", namespace, ("seed:=7", "command_timeout:=2.0", *constant, *ends)):
        config = {"time_step_duration": 0.2, "start_obs_capture": 0.2, "ep_max_length": 40}
        env = gymnasium.make("rtgym_ros/Contract-v0", contract=str(contract), namespace=namespace, config=config)
        env.action_space.seed(1)
        with Record(env, tmp_path / "flight") as recorded:
            recorded.reset(seed=1)
            for _ in range(40):
                *_, terminated, truncated, _ = recorded.step(env.action_space.sample())
                if terminated or truncated:
                    recorded.reset()
    common = [str(contract), "--recording", str(tmp_path / "flight")]
    assert main(common) == 0
    printed = capsys.readouterr().out
    needed = needed_buffer(tmp_path / "flight", 0.2)
    assert needed >= 3
    assert f"for time_step_duration: 0.2\n  act_buf_len: {needed}\n" in printed
    assert "shortest_time_step_duration: not known" in printed, "what captures take is in no recording"
    assert main([*common, "--time-step-duration", "0.15", "--write"]) == 0
    needed = needed_buffer(tmp_path / "flight", 0.15)
    assert needed >= 4
    assert f"act_buf_len: {needed}\n" in capsys.readouterr().out
    written = read_contract(contract)
    assert (written.time["time_step_duration"], written.time["act_buf_len"]) == (0.15, needed)
    assert 1.5 * 0.05 <= written.observation["position"].max_age < np.inf
    assert main([str(contract), "--recording", str(tmp_path / "nothing")]) == 1
    assert capsys.readouterr().err == f"calibrate: {tmp_path / 'nothing'}: there is no such file\n"
