"""The package works without ROS 2 and what else it can do without."""

import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCKED = """
    import sys

    REFUSED = ("rclpy", "ray", "torch", "cv2", "matplotlib", "rich")

    class Refuse:
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] in REFUSED or name.startswith("rtgym_ros.msg"):
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    sys.meta_path.insert(0, Refuse())
"""
FLY = """
    import gymnasium
    import numpy as np
    from gymnasium import spaces
    from rtgym_ros import DEFAULT_CONFIG_DICT, DummyRCDrone, RealTimeGymInterface

    class Tutorial(RealTimeGymInterface):
        def __init__(self): self.drone = DummyRCDrone()
        def get_observation_space(self): return spaces.Tuple((spaces.Box(-1, 1, (1,)), spaces.Box(-1, 1, (1,))))
        def get_action_space(self): return spaces.Box(-2, 2, (2,))
        def get_default_action(self): return np.zeros(2, dtype="float32")
        def observe(self): return [np.array([value], dtype="float32") for value in self.drone.get_observation()]
        def reset(self, seed=None, options=None): return self.observe(), {}
        def get_obs_rew_terminated_info(self):
            observation = self.observe()
            return observation, float(observation[0][0]), bool(observation[0][0] > 0.2), {}
        def send_control(self, control): self.drone.send_control(*control)
        def close(self): self.drone.close()

    config = DEFAULT_CONFIG_DICT.copy()
    config["interface"] = Tutorial
    config["time_step_duration"] = config["start_obs_capture"] = 0.02
    config["act_buf_len"] = 4
    with gymnasium.make("real-time-gym-v1", config=config) as env:
        observation, _ = env.reset()
        assert len(observation) == 6
        for time_steps in range(1, 500):
            observation, reward, terminated, _, _ = env.step(np.array([2.0, 0.0], dtype="float32"))
            if terminated:
                break
    assert terminated, observation
    assert not [name for name in sys.modules if name.split(".")[0] in REFUSED]
    print("reached")
"""


def run_python(program):
    return subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_tutorial_flies_where_there_is_no_ros():
    ended = run_python(textwrap.dedent(BLOCKED) + textwrap.dedent(FLY))
    assert (ended.stdout, ended.returncode) == ("reached\n", 0), ended.stderr


def test_importing_it_imports_no_ros():
    program = "import sys, rtgym_ros; print([n for n in sys.modules if n.startswith(('rclpy', 'rtgym_ros.ros'))])"
    ended = run_python(program)
    assert (ended.stdout, ended.returncode) == ("[]\n", 0), ended.stderr


def test_what_needs_ros_says_what_is_missing():
    program = "import gymnasium, rtgym_ros; gymnasium.make('rtgym_ros/Drone-v0')"
    ended = run_python(textwrap.dedent(BLOCKED) + program)
    assert ended.returncode == 1
    assert "ModuleNotFoundError: rtgym_ros.ros needs ROS 2 (rclpy)" in ended.stderr.splitlines()[-1]
