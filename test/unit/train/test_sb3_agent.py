"""SB3's agents without an environment."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("stable_baselines3")
torch = pytest.importorskip("torch")

from gymnasium import spaces  # noqa: E402
from trainer_helpers import ACTION, OBSERVATION, make_records, schema_of, transitions_in  # noqa: E402

from rtgym_ros.core.errors import ConfigError  # noqa: E402
from rtgym_ros.train.config import TrainerConfig  # noqa: E402
from rtgym_ros.train.protocol.schema import make_schema  # noqa: E402
from rtgym_ros.train.trainer.agent import make_agent  # noqa: E402
from rtgym_ros.train.trainer.learning_rate import make_learning_rates  # noqa: E402
from rtgym_ros.train.trainer.transitions import TransitionAssembler, Transitions  # noqa: E402


def agent_of(agent: str = "sac", memory_size: int = 100, seed: int | None = 3, batch_size: int = 8, **kwargs):
    if agent == "tqc":
        pytest.importorskip("sb3_contrib")
    kwargs.setdefault("policy_kwargs", {"net_arch": [16, 16]})
    config = TrainerConfig(
        agent=agent, agent_kwargs=kwargs, memory_size=memory_size, batch_size=batch_size, seed=seed, device="cpu"
    )
    return make_agent(schema_of(), config)


def transitions_of(lengths: list[int], terminated: bool = True) -> Transitions:
    return TransitionAssembler().add("w", "b", make_records(lengths, terminated=terminated))[0]


def parameters(agent) -> list[np.ndarray]:
    model = agent._model
    return [p.detach().numpy().copy() for p in (*model.policy.parameters(), model.log_ent_coef)]


@pytest.mark.parametrize("sizes", [[3], [100], [60, 60], [250], [99, 1, 1], [40, 0, 170]])
@pytest.mark.parametrize("length", [1, 7, 1000])
def test_the_memory_holds_what_stable_baselines_would_hold(sizes: list[int], length: int):
    agent, count = agent_of(), 2 * sum(sizes)
    lengths = [length] * (count // length) + [count % length or 1]
    both = transitions_of(lengths), transitions_of(lengths, terminated=False)
    pairs = Transitions(np.concatenate([p.before for p in both]), np.concatenate([p.after for p in both]))
    pairs.before["stamp_ns"][count:] += 10**9
    pairs.after["stamp_ns"][count:] += 10**9
    begin = 0
    for size in (*sizes, *sizes):
        agent.add(Transitions(pairs.before[begin : begin + size], pairs.after[begin : begin + size]))
        begin += size
    memory, scale = agent._memory, agent._model.policy.scale_action
    held = transitions_in(memory)
    kept = agent.memory_length
    assert kept == len(held["rewards"]) <= 100
    begin -= kept  # the newest; a begin of an episode takes the place of one transition
    for name, records in (("<vector", pairs.before), (">vector", pairs.after)):
        expected = np.concatenate([records["observation/0"], records["observation/1"]], axis=1)[begin : begin + kept]
        assert held[name] == pytest.approx(expected, abs=1e-6)
    after = pairs.after[begin : begin + kept]
    assert held["actions"] == pytest.approx(scale(after["action"]), abs=1e-6)
    assert held["rewards"][:, 0] == pytest.approx(after["reward"], abs=1e-6)
    assert (held["dones"][:, 0] == after["terminated"]).all()


def test_robots_whose_samples_are_numbered_alike_are_kept_apart():
    agent, assembler = agent_of(), TransitionAssembler()
    records = make_records([20], seed=1), make_records([20], seed=2)
    for part in (slice(0, 11), slice(11, 21)):
        for robot, own in zip("ab", records, strict=True):
            agent.add(assembler.add(robot, "boot", own[part])[0])
    held = transitions_in(agent._memory)
    assert len(held["rewards"]) == 40
    pairs = {
        (float(before[0]), float(after[0])) for before, after in zip(held["<vector"], held[">vector"], strict=True)
    }
    assert pairs == {pair for own in records for pair in pairwise(own["observation/0"][:, 0].tolist())}


@pytest.mark.parametrize("agent", ["sac", "tqc", "redq"])
def test_it_learns_which_action_is_rewarded(agent: str):
    network = {"net_arch": [32, 32]}
    more = {"policy_delay": 2} if agent == "redq" else {}
    made = agent_of(agent, 2000, batch_size=64, learning_rate=3e-3, ent_coef=0.01, policy_kwargs=network, **more)
    records = make_records([1] * 1000)  # one time-step each: a bandit
    target = np.array([0.5, -1.0])
    records["reward"] = -np.abs(records["action"] - target).sum(axis=1)
    made.add(TransitionAssembler().add("w", "b", records)[0])
    figures = made.train(400)
    assert {"actor_loss", "critic_loss", "ent_coef"} <= figures.keys()
    action, _ = made._model.predict(np.array([0, 0, 1], np.float32), deterministic=True)
    assert action == pytest.approx(target, abs=0.3)


@pytest.mark.parametrize("agent", ["sac", "tqc", "redq"])
def test_saved_and_loaded_it_goes_on_as_if_nothing_had_happened(agent: str, tmp_path):
    first = agent_of(agent, memory_size=50, target_update_interval=3)
    first.add(transitions_of([70]))
    first.train(10)
    first.save(tmp_path)
    figures = first.train(7)
    second = agent_of(agent, memory_size=50, seed=99, target_update_interval=3)
    second.load(tmp_path)
    second.add(transitions_of([70]))  # from the stream
    assert second.memory_length == 49  # and the begin of the episode
    assert second.train(7) == figures
    for mine, theirs in zip(parameters(second), parameters(first), strict=True):
        assert (mine == theirs).all()


def test_the_file_holds_no_memory_and_no_pickle_and_nothing_that_is_not_finite(tmp_path):
    agent = agent_of(memory_size=100_000)
    agent.add(transitions_of([20]))
    agent.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["model.pt"]
    torch.load(tmp_path / "model.pt", weights_only=True)
    with torch.no_grad():
        agent._model.actor.mu.bias[0] = float("nan")
    with pytest.raises(FloatingPointError, match=r"actor\.mu\.bias is not finite"):
        agent.save(tmp_path)


@pytest.mark.parametrize("calls", [[1] * 12, [12], [5, 7], [2, 3, 4, 3]])
def test_target_updates_come_at_their_rate_however_updates_are_cut(calls: list[int]):
    agent = agent_of(target_update_interval=4, tau=1.0)
    agent.add(transitions_of([30]))
    model, copies = agent._model, []
    for count in calls:
        before = [p.clone() for p in model.critic_target.parameters()]
        due = any(update % 4 == 0 for update in range(model._n_updates, model._n_updates + count))
        agent.train(count)
        changed = any((a != b).any() for a, b in zip(before, model.critic_target.parameters(), strict=True))
        copies.append(changed == due)
    assert all(copies)
    assert (model.tau, model.target_update_interval, model._n_updates) == (1.0, 4, 12)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"learning_rat": 1}, "learning_rat .did you mean 'learning_rate'"),
        ({"buffer_size": 3}, "buffer_size is the entry trainer.memory_size"),
        ({"n_steps": 3}, "unknown entry n_steps"),
        ({"policy_kwargs": {"netarch": [3]}}, "netarch .did you mean 'net_arch'"),
        ({"policy_kwargs": {"activation_fn": "gelu"}}, "relu, tanh, elu, got 'gelu'"),
        ({"policy_kwargs": 3}, "must be a map"),
        ({"ent_coef": "automatic_x"}, "ent_coef"),
        ({"target_update_interval": 0}, "whole number from 1"),
    ],
)
def test_wrong_agent_kwargs_are_one_clear_error(kwargs: dict, message: str):
    with pytest.raises(ConfigError, match=message):
        agent_of(**kwargs)


def test_redq_draws_its_critics_and_updates_the_actor_every_so_many_updates():
    agent = agent_of("redq", subset=2, policy_delay=3, policy_kwargs={"net_arch": [8], "n_critics": 4})
    agent.add(transitions_of([30]))
    assert len(agent._model.critic.q_networks) == 4
    before = [p.detach().clone() for p in agent._model.actor.parameters()]
    agent.train(2)
    assert all(torch.equal(*pair) for pair in zip(before, agent._model.actor.parameters(), strict=True))
    agent.train(1)
    assert not all(torch.equal(*pair) for pair in zip(before, agent._model.actor.parameters(), strict=True))
    with pytest.raises(ConfigError, match=r"subset must be 1 to n_critics \(4\), got 5"):
        agent_of("redq", subset=5, policy_kwargs={"n_critics": 4})


def test_what_is_an_entry_of_the_configuration_is_not_one_of_the_agent():
    with pytest.raises(ConfigError, match=r"batch_size is the entry trainer.batch_size"):
        make_agent(schema_of(), TrainerConfig(agent_kwargs={"batch_size": 3}))


def test_the_configuration_stays_as_it_was():
    config = TrainerConfig(agent_kwargs={"policy_kwargs": {"net_arch": [4]}}, memory_size=10, device="cpu")
    make_agent(schema_of(), config)
    assert config.agent_kwargs == {"policy_kwargs": {"net_arch": [4]}}


@pytest.mark.parametrize(
    ("observation", "action", "message"),
    [
        (spaces.Discrete(3), ACTION, "observation is a Discrete"),
        (OBSERVATION, spaces.Discrete(3), "the action is a Discrete"),
        (OBSERVATION, spaces.Box(-np.inf, np.inf, (2,)), "the action is a Box.-inf, inf"),
        (OBSERVATION, spaces.Tuple((ACTION, ACTION)), "the action is a Tuple"),
    ],
)
def test_spaces_that_cannot_be_learned_from_are_one_clear_error(observation, action, message: str):
    with pytest.raises(ConfigError, match=message):
        make_agent(make_schema(observation, action), TrainerConfig(memory_size=10, device="cpu"))


def test_a_learning_rate_falls_by_the_same_factor_each_update():
    rate = make_learning_rates({"begin": 1e-3, "end": 1e-5, "updates": 100})["actor"]
    for updates, expected in ((0, 1e-3), (50, 1e-4), (100, 1e-5), (1000, 1e-5)):
        assert rate.at(updates) == pytest.approx(expected)
    assert make_learning_rates(0.5)["critic"].at(7) == 0.5


@pytest.mark.parametrize(
    "value",
    [0, -1.0, float("inf"), float("nan"), "fast", True, {"begin": 1.0}, {"begin": 1.0, "end": 0, "updates": 5}],
)
def test_other_learning_rates_are_refused(value):
    with pytest.raises(ConfigError, match=r"trainer.agent_kwargs.learning_rate"):
        make_learning_rates(value)


def test_the_optimisers_follow_the_learning_rate():
    agent = agent_of(learning_rate={"begin": 1e-3, "end": 1e-5, "updates": 20})
    agent.add(transitions_of([100]))
    for _ in range(3):
        agent.train(10)
    model = agent._model
    for optimizer in (model.actor.optimizer, model.critic.optimizer, model.ent_coef_optimizer):
        assert optimizer.param_groups[0]["lr"] == pytest.approx(1e-5)


def test_actor_critic_and_entropy_have_learning_rates_of_their_own():
    agent = agent_of(
        learning_rate={"actor": 1e-3, "critic": {"begin": 1e-2, "end": 1e-4, "updates": 10}, "entropy": 0.5}
    )
    agent.add(transitions_of([50]))
    agent.train(5)
    agent.train(1)
    model = agent._model
    rates = [
        optimizer.param_groups[0]["lr"]
        for optimizer in (model.actor.optimizer, model.critic.optimizer, model.ent_coef_optimizer)
    ]
    assert rates == pytest.approx([1e-3, 1e-3, 0.5])
    with pytest.raises(ConfigError, match="has an entry for each of actor, critic, entropy"):
        make_learning_rates({"actor": 1e-3})
