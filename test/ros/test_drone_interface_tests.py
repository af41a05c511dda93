"""Interfaces by contract behave as InterfaceTests wants, with a drone_node in a process of its own."""

import os

import pytest

from rtgym_ros.contract.grammar.reader import read_contract
from rtgym_ros.nodes.drone_process import DroneProcess
from rtgym_ros.robots.drone import task
from rtgym_ros.ros.contract_env import find_contract
from rtgym_ros.ros.contract_interface import ContractInterface
from rtgym_ros.ros.drone_env import CONTRACT
from rtgym_ros.testing import InterfaceTests

NAMESPACE = f"/test_{os.getpid()}_contract"


@pytest.fixture(scope="module", autouse=True)
def one_drone_for_all():
    """A test flies the drone that the one before has left where it was."""
    with DroneProcess(NAMESPACE, ("seed:=7",)) as process:
        yield process


class TestDroneOverRos(InterfaceTests):
    time_step_duration = task.TIME_STEP_DURATION
    repeatable_elements = (2, 3)  # the target: the drone stays where it is
    varying_elements = (2, 3)

    def make_interface(self):
        return ContractInterface(read_contract(find_contract(CONTRACT)), node_name="drone_env", namespace=NAMESPACE)
