"""contract_init, beside the robots that come with the package: what it writes passes check_contract."""

import pytest
from contract_robots.waiting import wait_for

from rtgym_ros.cli.check_contract import main as check_contract
from rtgym_ros.cli.contract_init import main
from rtgym_ros.contract.grammar.reader import read_contract
from rtgym_ros.nodes.robot_process import RobotProcess

URDF = """<robot name="arm">
  <joint name="elbow_joint" type="revolute"><limit lower="-2.5" upper="2.5" velocity="3.0" effort="1"/></joint>
  <joint name="shoulder_pan_joint" type="continuous"/>
  <joint name="base" type="fixed"/>
</robot>"""


@pytest.mark.parametrize("program", ["drone_node", "drive_node", "arm_node"])
def test_what_is_written_passes_check_contract(program, namespace, tmp_path, capsys):
    file = tmp_path / "robot.yaml"
    with RobotProcess(program, namespace):
        wait_for(namespace)
        arguments = ["--namespace", namespace, "--robot", program, "--duration", "2", "-o", str(file)]
        assert main(arguments) == 0, capsys.readouterr().err
        assert main(arguments) == 2, "a file is not written over"
        assert "exists" in capsys.readouterr().err
    assert check_contract([str(file)]) == 0
    contract = read_contract(file)
    assert contract.robot == program
    assert "DECIDE" in file.read_text()
    if program == "drive_node":
        assert contract.action["cmd_vel"].fields == ("twist.linear.x", "twist.angular.z")
        assert {"odom_pose", "odom_speed", "scan"} <= set(contract.observation)
        assert "Hz in 2 s" in file.read_text()
        assert contract.observation["scan"].high == 3.5, "what the messages say"
        assert "#   - {call: reset_pose, type: std_srvs/srv/Trigger}" in file.read_text()
    if program == "arm_node":
        assert len(contract.observation["joint_states_position"].names) == 6
        assert "Keep one where several move the same joints" in file.read_text()


def test_joints_and_limits_come_from_the_urdf(namespace, tmp_path):
    (tmp_path / "arm.urdf").write_text(URDF)
    file = tmp_path / "robot.yaml"
    with RobotProcess("arm_node", namespace):
        wait_for(namespace)
        options = ["--namespace", namespace, "--urdf", str(tmp_path / "arm.urdf"), "--duration", "1", "-o", str(file)]
        assert main(options) == 0
    part = read_contract(file).observation["joint_states_position"]
    assert part.names == ("elbow_joint", "shoulder_pan_joint")
    assert part.low[0] == -2.5
    assert part.high[0] == 2.5


def test_no_robot_is_one_line(namespace, capsys):
    assert main(["--namespace", namespace, "--duration", "0.5"]) == 1
    assert capsys.readouterr().err.startswith("contract_init: no topic was seen")
