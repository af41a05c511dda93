"""Whatever ends a program, its robot is stopped: real programs, beside a robot that writes down its last command."""

import pytest
from endings.trial import INITS, WAYS, run_trial


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("way", WAYS)
def test_the_last_command_is_the_safe_one(way, init, namespace, tmp_path):
    trial = run_trial(way, init, namespace, tmp_path)
    assert trial.problems(way) == []
