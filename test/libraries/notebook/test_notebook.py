"""The classes of distant training in the cells of a notebook: an event loop runs there, and there is no main guard."""

import pytest

pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")
pytest.importorskip("stable_baselines3")

import nbformat
from flying_robot import flown_policy, flying
from nats_server import write
from nbclient import NotebookClient

CELLS = (
    """
import asyncio
from pathlib import Path
from rtgym_ros.train import Run
from rtgym_ros.train.config_file import load_config

asyncio.get_running_loop()  # of the notebook: it runs while its cells do
config = load_config(Path({path!r}), ("trainer.max_samples=900", "trainer.start_training=300"))
with Run.connect(config) as run:
    seen = 0
    for batch in run.transitions(timeout=60.0):
        seen += len(batch)
        if seen >= 200:
            break
print("transitions", seen >= 200, run.observation_space)
""",
    """
from rtgym_ros.train.trainer.trainer import Trainer

trainer = Trainer(config)
trainer.run()
print("trained", (config.folder / "policy.safetensors").exists())
""",
    """
await asyncio.sleep(0)
trainer.reset_training()
trainer.run()
print("trained anew")
""",
    """
import gymnasium
from rtgym_ros.policies.policy import make_policy
from rtgym_ros.policies.weights import PolicyWeights
import numpy as np

env = gymnasium.make("rtgym_ros/SimulatedDrone-v0")
policy = make_policy("squashed_gaussian_mlp", env.observation_space, env.action_space, np.random.default_rng(0))
policy.adopt(PolicyWeights.load(config.folder / "policy.safetensors"))
observation, _ = env.reset(seed=1)
over = False
while not over:
    observation, _, terminated, truncated, _ = env.step(policy.act(observation, deterministic=True))
    over = terminated or truncated
env.close()
print("flown")
""",
)


@pytest.mark.timeout(600)
def test_a_notebook_learns_while_a_robot_flies(tmp_path):
    with flying(tmp_path) as config:
        notebook = nbformat.v4.new_notebook()
        notebook.cells = [
            nbformat.v4.new_code_cell(cell.replace("{path!r}", repr(str(write(config))))) for cell in CELLS
        ]
        NotebookClient(
            notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
        ).execute()
    printed = "".join(output.get("text", "") for cell in notebook.cells for output in cell.outputs)
    for line in ("transitions True Tuple", "trained True", "trained anew", "flown"):
        assert line in printed
    assert flown_policy(config).version >= 0
