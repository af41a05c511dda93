"""The emergency stop in software: it holds the lock of a guard open, engages it when told, and when it is killed."""

import subprocess
import sys

import pytest
from guard.scene import AgentProcess, GuardProcess, count, received, wait_until, write_contract
from std_srvs.srv import SetBool

from rtgym_ros.nodes.robot_process import RobotProcess
from rtgym_ros.ros.session import RosSession

DRIVEN, SAFE = (0.2, 0.5), (0.0, 0.0)


@pytest.mark.timeout(120)
def test_the_lock_is_open_while_it_lives_and_is_not_engaged(namespace, tmp_path):
    log = tmp_path / "truth.jsonl"
    contract = write_contract(tmp_path, lock="lock: e_stop")
    session = RosSession("operator", namespace, arguments=["program"])
    client = session.node.create_client(SetBool, "e_stop/engage")

    def engage(engaged):
        assert client.wait_for_service(30.0)
        future = client.call_async(SetBool.Request(data=engaged))
        wait_until(future.done)
        assert future.result().success

    def drives(driven):
        before = len(received(log))
        wait_until(lambda: count(log, DRIVEN if driven else SAFE, before) >= 10)
        assert received(log)[-1][1] == (DRIVEN if driven else SAFE)

    try:
        with (
            RobotProcess("drive_node", namespace, ("seed:=7", f"truth_log:={log}")),
            GuardProcess(contract, namespace),
            RobotProcess("e_stop", namespace, arguments=[str(contract)]) as e_stop,
            AgentProcess(namespace),
        ):
            wait_until(log.exists)
            drives(True)
            engage(True)
            drives(False)
            engage(False)
            drives(True)
            e_stop._process.kill()
            drives(False)
    finally:
        session.close()


def test_a_contract_without_a_lock_is_one_line(tmp_path):
    command = [sys.executable, "-m", "rtgym_ros.nodes.e_stop", str(write_contract(tmp_path))]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert "has no guard.lock" in ended.stderr
    assert ended.stderr.count("\n") == 1
