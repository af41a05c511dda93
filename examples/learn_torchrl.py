"""TorchRL as the learner of a run: its SAC loss and its replay buffer; robots fly elsewhere.

``python learn_torchrl.py RUN URL DIRECTORY UPDATES``. In the place of a collector stands the iteration over ``run``.
"""

import sys

import torch
from tensordict import TensorDict
from tensordict.nn import NormalParamExtractor, TensorDictModule
from torch import nn
from torchrl.data import Bounded, LazyTensorStorage, TensorDictReplayBuffer
from torchrl.modules import MLP, ProbabilisticActor, TanhNormal, ValueOperator
from torchrl.objectives import SACLoss, SoftUpdate

from rtgym_ros.train import Run
from rtgym_ros.train.export import export_gaussian
from rtgym_ros.train.run import TransitionBatch

GAMMA, TAU, LEARNING_RATE, BATCH, MEMORY, PUBLISH = 0.95, 0.01, 1e-3, 128, 100_000, 50


def as_tensordict(run: Run, batch: TransitionBatch) -> TensorDict:
    """Return transitions as a collector of TorchRL would give them."""
    ended, over = batch.terminated[:, None], (batch.terminated | batch.truncated)[:, None]
    following = {
        "observation": torch.as_tensor(run.flat(batch.next_observations)),
        "reward": torch.as_tensor(batch.rewards[:, None], dtype=torch.float32),
        "terminated": torch.as_tensor(ended),
        "done": torch.as_tensor(over),
    }
    first = {"observation": torch.as_tensor(run.flat(batch.observations)), "next": following}
    return TensorDict({**first, "action": torch.as_tensor(run.scaled(batch.executed))}, [len(batch)])


def learn(run: Run, wanted: int) -> str:
    """Learn from what the robots fly, a gradient step a transition, and return what there is to tell of it."""
    inputs, size = (space.shape[0] for space in run.flat_spaces)
    network = MLP(inputs, 2 * size, num_cells=[64, 64], activation_class=nn.ReLU)
    to_parameters = nn.Sequential(network, NormalParamExtractor("exp"))  # the robots take the logarithm
    actor = ProbabilisticActor(
        TensorDictModule(to_parameters, ["observation"], ["loc", "scale"]),
        in_keys=["loc", "scale"],
        spec=Bounded(-1.0, 1.0, (size,)),
        distribution_class=TanhNormal,
        return_log_prob=True,
    )
    critic = ValueOperator(
        MLP(inputs + size, 1, num_cells=[64, 64], activation_class=nn.ReLU), ["observation", "action"]
    )
    loss = SACLoss(actor, critic, alpha_init=0.05, num_qvalue_nets=2)
    loss.make_value_estimator(gamma=GAMMA)
    update_targets = SoftUpdate(loss, tau=TAU)
    optimizer = torch.optim.Adam(loss.parameters(), LEARNING_RATE)
    memory = TensorDictReplayBuffer(storage=LazyTensorStorage(MEMORY), batch_size=BATCH)
    updates = 0
    for batch in run.transitions(timeout=120.0):
        memory.extend(as_tensordict(run, batch))
        for _ in range(len(batch)):
            losses = loss(memory.sample())
            optimizer.zero_grad()
            sum(losses[name] for name in ("loss_actor", "loss_qvalue", "loss_alpha")).backward()
            optimizer.step()
            update_targets.step()
            updates += 1
            if updates % PUBLISH == 0:
                run.publish(export_gaussian(network))
            if updates >= wanted:
                run.flush()
                return f"{updates} updates on {len(memory)} transitions"
    return f"no robot flies any more, after {updates} updates"


if __name__ == "__main__":
    name, url, directory, wanted = sys.argv[1:]
    torch.set_num_threads(1)
    with Run.connect(name, url, directory=directory) as run:
        print(learn(run, int(wanted)), flush=True)
