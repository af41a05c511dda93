"""Delays in the observation and in info, and an action buffer that is too short, with the shipped drone over DDS."""

import gymnasium
import numpy as np
from rclpy.qos import QoSProfile
from rtgym_ros.msg import StepTiming

import rtgym_ros  # noqa: F401
from rtgym_ros.ros.contract_env import find_contract
from rtgym_ros.ros.pulled_subscription import PulledSubscription


def test_delays_are_observed_and_a_short_buffer_is_counted(drone, namespace, tmp_path, capfd):
    file = tmp_path / "drone.yaml"
    text = find_contract("drone").read_text()
    file.write_text(text.replace("act_buf_len: 4,", "act_buf_len: 1, delays: observed,"))
    with gymnasium.make("rtgym_ros/Contract-v0", contract=file, namespace=namespace) as env:
        observation, info = env.reset(seed=1)
        assert observation["delays"].shape == (3,)
        node = env.unwrapped.interface.node
        listener = PulledSubscription(node, StepTiming, "step_timing", QoSProfile(depth=100))
        for _ in range(60):
            observation, *_, info = env.step(np.zeros(2, np.float32))
            keys = ("alpha", "kappa", "beta")
            wanted = [-1.0 if np.isnan(info[key]) else min(max(info[key], 0.0), 1.0) for key in keys]
            np.testing.assert_array_equal(observation["delays"], np.array(wanted, np.float32))
        assert info["delay_alarms"] > 1
        told = [message.delay_alarms for message, _ in listener.take()]
        assert told == sorted(told)
        assert 1 < told[-1] <= info["delay_alarms"]
    said = [line for line in capfd.readouterr().err.splitlines() if "act_buf_len is 1" in line]
    assert len(said) == 1
    assert "make act_buf_len at least" in said[0]
