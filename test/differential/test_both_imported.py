"""rtgym and rtgym_ros in one process: who makes the environment is said."""

import importlib.metadata
import subprocess
import sys

import pytest

try:
    importlib.metadata.version("rtgym")  # not imported here: it would take its ids from other tests
except importlib.metadata.PackageNotFoundError:
    pytest.skip("rtgym is not installed", allow_module_level=True)

PROGRAM = """
import warnings
{imports}
import gymnasium, numpy as np
from gymnasium import spaces

class Robot({base}):
    def get_observation_space(self): return spaces.Tuple((spaces.Box(-1, 1, (1,)),))
    def get_action_space(self): return spaces.Box(-1, 1, (1,))
    def get_default_action(self): return np.zeros(1, np.float32)
    def send_control(self, control): pass
    def reset(self, seed=None, options=None): return [np.zeros(1, np.float32)], {{}}
    def get_obs_rew_terminated_info(self): return [np.zeros(1, np.float32)], 0.0, False, {{}}

with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    env = gymnasium.make({env_id!r}, config={{**rtgym.DEFAULT_CONFIG_DICT, "interface": Robot}})
print(type(env.unwrapped).__module__.split(".")[0], sum("is rtgym's" in str(w.message) for w in told))
"""
BOTH = "import rtgym, rtgym_ros", "import rtgym_ros, rtgym"


def run(imports, base, env_id):
    program = PROGRAM.format(imports=imports, base=base, env_id=env_id)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.split()


@pytest.mark.parametrize("imports", BOTH)
@pytest.mark.parametrize("env_id", ["real-time-gym-v1", "real-time-gym-ts-v1"])
def test_their_environment_with_our_interface_warns(imports, env_id):
    assert run(imports, "rtgym_ros.RealTimeGymInterface", env_id) == ["rtgym", "1"]


@pytest.mark.parametrize("imports", BOTH)
@pytest.mark.parametrize("env_id", ["rtgym_ros/RealTime-v1", "rtgym_ros/RealTime-ts-v1"])
def test_our_id_is_ours(imports, env_id):
    assert run(imports, "rtgym_ros.RealTimeGymInterface", env_id) == ["rtgym_ros", "0"]


def test_their_program_is_left_alone():
    assert run("import rtgym, rtgym_ros", "rtgym.RealTimeGymInterface", "real-time-gym-v1") == ["rtgym", "0"]
