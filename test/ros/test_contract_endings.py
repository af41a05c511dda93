"""Whatever ends a program that flies by contract: the last command is the safe action, and then `stop` has run."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("test_msgs")

from contract_robots.foreign_robot import ForeignRobot, contract_text

AGENT = Path(__file__).parent / "contract_robots" / "contract_agent.py"


@pytest.mark.timeout(120)
@pytest.mark.parametrize("way", ["close", "forgotten_close", "exception", "sys_exit", "sigint", "sigterm"])
def test_the_robot_is_stopped_and_switched_off(way, namespace, tmp_path):
    file = tmp_path / "robot.yaml"
    file.write_text(contract_text())
    with ForeignRobot(namespace) as robot:
        agent = subprocess.Popen(
            [sys.executable, str(AGENT), way, str(file), namespace], stdout=subprocess.PIPE, text=True
        )
        try:
            assert agent.stdout.readline() == "flying\n"
            if way in ("sigint", "sigterm"):
                agent.send_signal(signal.SIGINT if way == "sigint" else signal.SIGTERM)
            agent.wait(30.0)
        finally:
            agent.kill()
            agent.wait()
            agent.stdout.close()
        robot.wait_for(lambda: robot.events[-1] == ("power", False))
        assert (0.75, 0.75, 0.75) in robot.commands()
        assert robot.commands()[-1] == (0.0, 0.0, 0.0)
