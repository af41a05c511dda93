"""check_contract --live, beside the robots that come with the package."""

import pytest
from contract_robots.waiting import wait_for

from rtgym_ros.cli.check_contract import main
from rtgym_ros.nodes.robot_process import RobotProcess

PROGRAMS = {"drone": "drone_node", "diff_drive": "drive_node", "arm": "arm_node"}


@pytest.fixture
def check(request, namespace, capsys):
    def check(contract, *options):
        code = main([contract, "--live", "--namespace", namespace, "--duration", "1", *options])
        return code, capsys.readouterr().out.splitlines()

    return check


@pytest.fixture
def contracts(request):
    return request.config.rootpath / "config" / "contracts"


@pytest.mark.parametrize("name", PROGRAMS)
def test_all_is_well(name, check, contracts, namespace):
    with RobotProcess(PROGRAMS[name], namespace):
        wait_for(namespace)
        code, lines = check(str(contracts / f"{name}.yaml"), "--with-code")
    assert [line for line in lines if line.startswith("WRONG")] == []
    assert code == 0
    assert any(") has 1 subscriber" in line for line in lines)
    assert any(" Hz, age " in line for line in lines)
    assert any("gates.ready: holds" in line for line in lines)


def test_no_robot(check, contracts):
    code, lines = check(str(contracts / "diff_drive.yaml"))
    assert code == 1
    wrong = [line for line in lines if line.startswith("WRONG")]
    for what in (
        "has no publishers",
        "no message on",
        "robot_ready has no publisher",
        "has no server",
        "no subscriber",
    ):
        assert any(what in line for line in wrong), what


def test_what_is_wrong_on_the_robot_has_its_line(check, contracts, namespace, tmp_path):
    text = (contracts / "diff_drive.yaml").read_text()
    text = text.replace("low: [-10, -10, -3.15]", "low: [1, -10, -3.15]").replace(
        "qos: latched", "qos: latched, max_age: 60"
    )
    text = text.replace("call: reset_pose, type: std_srvs/srv/Trigger", "call: reset_pose, type: std_srvs/srv/SetBool")
    text = text.replace("fields: [twist.twist.linear.x, twist.twist.angular.z]", "fields: [twist.linear.x]")
    file = tmp_path / "robot.yaml"
    file.write_text(text)
    with RobotProcess("drive_node", namespace):
        wait_for(namespace)
        code, lines = check(str(file))
    assert code == 1
    wrong = [line.partition(": ")[2] for line in lines if not line.startswith("well")]
    assert len(wrong) == 3, wrong
    assert ("observation.speed.fields[0]" in wrong[0] and "nearest" in wrong[0]) or "has" in wrong[0]
    assert "observation.pose: observation pose[0]: 0; allowed: 1 to 10" in wrong[1]
    assert "reset[0]: service" in wrong[2]
    assert "is a std_srvs/srv/Trigger" in wrong[2]
