"""TorchRL as the learner of a run."""

import pytest

pytest.importorskip("torchrl")

from flying_robot import distant_lines, flown_policy, flying, learn


@pytest.mark.timeout(600)
def test_it_learns_while_a_robot_flies(tmp_path):
    with flying(tmp_path) as config:
        assert "300 updates on" in learn(config, "learn_torchrl.py", 300)
    assert flown_policy(config).version >= 0
    assert distant_lines("learn_torchrl.py") <= 50
