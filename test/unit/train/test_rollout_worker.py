"""The rollout worker on real-time environments that fly on a fake clock: what it writes, to the last field."""

import logging
import os
import subprocess
import sys
from time import sleep

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.policies.policy import Policy
from rtgym_ros.policies.weights import PolicyWeights, WeightsError
from rtgym_ros.train.config import EnvironmentConfig, WorkerConfig
from rtgym_ros.train.protocol.schema import make_schema
from rtgym_ros.train.worker.control import _begin_with
from rtgym_ros.train.worker.make_env import default_action
from rtgym_ros.train.worker.open_rings import POLICY_FILE, OpenRings
from rtgym_ros.train.worker.ring_folder import RingFolder
from rtgym_ros.train.worker.rollout_worker import RolloutWorker
from rtgym_ros.train.worker.sample_compressor import CompactCompressor, SampleCompressor
from rtgym_ros.train.worker.sample_layout import SampleLayout
from rtgym_ros.train.worker.sample_ring import RingReader
from rtgym_ros.train.worker.standalone import run_env_benchmark, running_robot


class Pilot(Policy):
    """Acts with a tenth of the version of its weights, 1.5 where it is to explore."""

    def __init__(self):
        super().__init__(None, None, None)
        self.asked = []

    def act(self, observation, deterministic):
        self.asked.append(deterministic)
        return np.array([self.version / 10 if deterministic else 1.5], dtype=np.float32)

    def adopt(self, weights):
        if weights.kind != "pilot":
            raise WeightsError(f"weights of a {weights.kind!r}")
        self.version = weights.version


def weights(version, kind="pilot"):
    return PolicyWeights(kind, version, {"a": np.zeros(1)}, {})


class Flight:
    """A worker on an environment, and the reader of its ring."""

    def __init__(self, env, folder, delays=False, compressor=None, expert=False, info=(), extras=None, **config):
        self.env, self.folder = env, folder
        self.policy = Pilot()
        environment = EnvironmentConfig(id="e", delays=delays, info=info, sample_compressor=compressor)
        layout = SampleLayout(environment, env.observation_space, env.action_space, extras)
        rings = RingFolder(folder)
        self.ring = rings.create(layout.schema, 1000)
        self.path = rings.paths()[-1]
        self.reader = RingReader.open(self.path)
        self.stop, self.slept = False, []
        self.on_sleep = lambda: None
        self.stamp_ns = 0
        self.worker = RolloutWorker(
            env,
            self.policy,
            self.ring,
            layout,
            WorkerConfig(**config),
            expert,
            lambda: self.stop,
            self.now_ns,
            self.sleep,
        )

    def now_ns(self):
        self.stamp_ns += 1
        return self.stamp_ns

    def sleep(self, duration_s):
        self.slept.append(duration_s)
        assert len(self.slept) < 1000, "it waits for ever"
        self.on_sleep()

    def publish(self, version, kind="pilot"):
        """Do what the link process does with new weights."""
        self.reader.put_weights(version, weights(version, kind).to_bytes())

    def samples(self):
        first_seq, records = self.reader.read(1000)
        self.reader.acknowledge(first_seq + len(records), first_seq)
        return records

    def close(self):
        self.ring.close()
        self.reader.close()
        RingFolder(self.folder).remove(self.path)


@pytest.fixture
def fly(make_env, tmp_path):
    flights = []

    def start(env=None, do=None, ep_max_length=3, worker=None, **options):
        env = env or make_env(act_buf_len=2, ep_max_length=ep_max_length, do=do)
        flights.append(Flight(env, tmp_path, **options))
        return flights[-1]

    yield start
    for flight in flights:
        flight.close()


def test_an_episode_is_written_to_the_last_field(fly):
    flight = fly()
    flight.env.set_default_action([0.25])
    flight.worker.run_episode()
    samples = flight.samples()
    assert samples["episode"].tolist() == [0, 0, 0, 0]
    assert samples["step"].tolist() == [0, 1, 2, 3]
    assert samples["reward"].tolist() == [0, 1, 2, 3]
    assert samples["episode_return"].tolist() == [0, 1, 3, 6]
    assert samples["truncated"].tolist() == [False, False, False, True]
    assert not samples["terminated"].any()
    assert not samples["test"].any()
    assert not samples["timeouts"].any()
    assert samples["policy_version"].tolist() == [-1] * 4
    assert samples["stamp_ns"].tolist() == [1, 2, 3, 4]
    assert samples["action"].ravel().tolist() == [0.25, 1.5, 1.5, 1.5]
    assert samples["observation/0"].ravel().tolist() == [-1, 1, 2, 3]
    assert samples["observation/2"].ravel().tolist() == [0.25, 1.5, 1.5, 1.5], "the newest of the action buffer"
    assert flight.policy.asked == [False] * 3


def test_a_termination_is_no_truncation(fly):
    end_at = {2, 5}

    def observe():
        number = flight.env.interface.captures
        return [np.array([number], dtype=np.float32)], float(number), number in end_at, {}

    flight = fly(do={"get_obs_rew_terminated_info": observe}, max_samples_per_episode=3)
    flight.worker.run(2)
    samples = flight.samples()
    assert samples["episode"].tolist() == [0, 0, 0, 1, 1, 1, 1]
    assert samples["terminated"].tolist() == [False, False, True, False, False, False, True]
    assert not samples["truncated"].any(), "the last one is at the limit, and terminated wins"


@pytest.mark.parametrize("limit", [1, 2])
def test_an_episode_is_truncated_at_its_maximum(fly, limit):
    flight = fly(max_samples_per_episode=limit)
    flight.worker.run(2)
    samples = flight.samples()
    assert samples["step"].tolist() == [*range(limit + 1)] * 2
    assert samples["truncated"].tolist() == [False] * limit + [True] + [False] * limit + [True]


def test_timeouts_are_counted_by_episode(fly, clock):
    flight = fly(do={"get_obs_rew_terminated_info": lambda: clock.advance_ns(late.pop(0) * 10**6)})
    late = [0, 0, 0, 200, 0, 0]
    with pytest.warns(RuntimeWarning):
        flight.worker.run(2)
    samples = flight.samples()
    counted = samples["timeouts"].tolist()
    assert counted[:4] == [0, 0, 0, 0]
    assert max(counted[4:]) == flight.env.clock.timeouts == 1
    assert counted == sorted(counted)


def test_delays_come_from_the_infos(fly):
    def observe():
        number = flight.env.interface.captures
        return [np.zeros(1, np.float32)], 0.0, False, {"alpha": number, "kappa": 0.5, "beta": 2.0}

    flight = fly(do={"get_obs_rew_terminated_info": observe}, delays=True)
    flight.worker.run_episode()
    samples = flight.samples()
    assert samples["alpha"][1:].tolist() == [1, 2, 3]
    assert samples["kappa"][1:].tolist() == [0.5, 0.5, 0.5]
    assert samples["beta"][1:].tolist() == [2, 2, 2]
    assert np.isnan(samples["alpha"][0])


def test_an_environment_that_does_not_measure_its_delays_is_refused(fly):
    flight = fly(delays=True)
    with pytest.raises(ConfigError, match=r"environment\.delays is set, and the environment's info has no 'alpha'"):
        flight.worker.run_episode()


def test_executed_actions_interventions_infos_and_extras_are_recorded(fly, tmp_path):
    def observe():
        number = flight.env.interface.captures
        info = {"executed_action": np.array([0.1 * number], np.float32), "battery": 12.5, "intervention": number == 2}
        return [np.zeros(1, np.float32)], 0.0, False, info

    flight = fly(do={"get_obs_rew_terminated_info": observe}, info=("battery", "absent"), extras={"log_prob": ()})
    flight.policy.extras = {"log_prob": np.float32(-0.5)}
    flight.worker.run_episode()
    samples = flight.samples()
    assert samples["executed"].ravel()[1:] == pytest.approx([0.1, 0.2, 0.3])
    assert samples["action"].ravel()[1:].tolist() == [1.5, 1.5, 1.5]
    assert samples["intervention"].tolist() == [False, False, True, False]
    assert samples["info/battery"][1:].tolist() == [12.5] * 3
    assert np.isnan(samples["info/absent"]).all()
    assert samples["extra/log_prob"][1:].tolist() == [-0.5] * 3
    assert np.isnan(samples["extra/log_prob"][0])


class Broken(gymnasium.Env):
    """Gives what is not finite, now and then."""

    observation_space, action_space = spaces.Box(-1, 1, (1,)), spaces.Box(-2, 2, (1,))
    script = ((0.5, 1.0), (np.nan, 1.0), (0.5, 1.0), (0.5, float("inf")))

    def reset(self, *, seed=None, options=None):
        self.left = list(self.script)
        return np.zeros(1, np.float32), {}

    def step(self, action):
        value, reward = self.left.pop(0)
        return np.array([value], np.float32), reward, False, not self.left, {}


def test_a_sample_that_is_not_finite_is_not_written_and_counted(fly):
    flight = fly(Broken())
    flight.worker.run_episode()
    assert flight.samples()["step"].tolist() == [0, 1, 3]
    assert flight.reader.refused == 2


# --- weights ---


def test_weights_are_adopted_between_episodes(fly):
    flight = fly()
    seen = []

    def act(observation, deterministic):
        seen.append(flight.policy.version)
        if len(seen) == 2:
            flight.publish(7)
        return np.zeros(1, np.float32)

    flight.policy.act = act
    flight.worker.run(2)
    assert seen == [-1, -1, -1, 7, 7, 7]
    assert flight.samples()["policy_version"].tolist() == [-1] * 4 + [7] * 4


def test_weights_are_adopted_at_once(fly):
    flight = fly(adopt="at_once")
    seen = []

    def act(observation, deterministic):
        seen.append(flight.policy.version)
        flight.publish(len(seen))
        return np.zeros(1, np.float32)

    flight.policy.act = act
    flight.worker.run_episode()
    assert seen == [-1, 1, 2]
    assert flight.samples()["policy_version"].tolist() == [-1, -1, 1, 2]


def test_weights_of_the_boot_before_are_adopted_at_the_start(fly):
    flight = fly()
    _begin_with(flight.policy, flight.folder / POLICY_FILE)  # there are none: it begins without
    weights(4).save(flight.folder / POLICY_FILE)
    _begin_with(flight.policy, flight.folder / POLICY_FILE)
    flight.worker.run_episode()
    assert flight.samples()["policy_version"].tolist() == [4] * 4


@pytest.mark.parametrize("damage", ["other kind", "no policy"])
def test_weights_that_cannot_be_used_are_told_once_and_the_old_ones_stay(fly, caplog, damage):
    flight = fly()
    flight.publish(3)
    flight.worker.run_episode()
    if damage == "no policy":
        flight.reader.put_weights(4, b"nonsense")
    else:
        flight.publish(4, "other")
    with caplog.at_level(logging.ERROR):
        flight.worker.run(3)
    assert flight.policy.version == 3
    assert [
        record.getMessage().startswith("weights 4 are not adopted, 3 stay in use") for record in caplog.records
    ] == [True]
    flight.publish(5)
    flight.worker.run_episode()
    assert flight.policy.version == 5


def test_test_episodes_are_deterministic_and_write_one_sample(fly):
    flight = fly(test_interval=2)
    flight.publish(5)
    flight.worker.run(3)
    samples = flight.samples()
    assert samples["episode"].tolist() == [0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 4, 4, 4, 4]
    assert samples["test"].tolist() == [True] + [False] * 8 + [True] + [False] * 4
    first = samples[0]
    assert (first["step"], first["truncated"], first["episode_return"]) == (3, True, 6.0)
    assert first["action"] == np.float32(0.5)
    assert flight.policy.asked == [True] * 3 + [False] * 6 + [True] * 3 + [False] * 3


def test_there_is_nothing_to_test_without_weights(fly):
    flight = fly(test_interval=1)
    flight.worker.run(2)
    assert not flight.samples()["test"].any()


def test_an_expert_adopts_nothing_and_is_not_tested(fly):
    flight = fly(expert=True, test_interval=1, adopt="at_once")
    flight.policy.version = 2
    flight.publish(9)
    flight.worker.run(2)
    samples = flight.samples()
    assert set(samples["policy_version"].tolist()) == {2}
    assert len(samples) == 8
    assert not samples["test"].any()


def test_the_synchronous_mode_waits_for_weights_with_the_robot_held(fly):
    flight = fly(max_steps_per_update=6, initial_steps=3)
    released = []

    def link():
        if len(flight.slept) % 5 == 0:
            released.append(flight.ring.written)
            flight.publish(len(released) - 1)

    flight.on_sleep = link
    flight.worker.run(5)
    assert released == [4, 12], "3 initial time-steps and their reset, then two episodes for each version"
    assert [entry[1] for entry in flight.env.interface.log].count("wait") == 2
    assert flight.samples()["policy_version"].tolist() == [-1] * 4 + [0] * 8 + [1] * 8
    assert flight.env.clock.timeouts == 0


def test_waiting_for_weights_can_be_stopped(fly):
    flight = fly(max_steps_per_update=1, initial_steps=0)
    flight.on_sleep = lambda: setattr(flight, "stop", len(flight.slept) == 3)
    flight.worker.run()
    assert flight.ring.written == 0


def test_versions_that_were_skipped_allow_their_steps_too(fly):
    flight = fly(max_steps_per_update=2.5, initial_steps=1)
    worker = flight.worker

    def may_make(steps):
        """Make time-steps; return whether another one is allowed."""
        worker._steps_left -= steps
        flight.stop = True  # instead of waiting
        return worker._may_step()

    flight.publish(4)  # there from the start: it allows nothing
    assert may_make(0)
    assert not may_make(1)
    flight.publish(6)
    assert may_make(4)
    assert not may_make(1)
    flight.publish(0)  # the server began anew
    assert not may_make(0)
    flight.publish(1)
    assert may_make(0)


def test_it_stops_after_the_running_time_step(fly):
    flight = fly(ep_max_length=100)
    act = flight.policy.act

    def stop(observation, deterministic):
        flight.stop = len(flight.policy.asked) == 4
        return act(observation, deterministic)

    flight.policy.act = stop
    flight.worker.run()
    samples = flight.samples()
    assert samples["step"].tolist() == [0, 1, 2, 3, 4, 5]
    assert not (samples["truncated"] | samples["terminated"]).any()


# --- other environments, actions, compression ---


def test_an_environment_that_is_not_ours_will_do(fly):
    env = gymnasium.make("CartPole-v1", max_episode_steps=5)
    flight = fly(env)
    flight.policy.act = lambda observation, deterministic: 1
    flight.worker.run(2)
    samples = flight.samples()
    assert samples["truncated"].sum() + samples["terminated"].sum() == 2
    assert samples["action"].tolist()[:2] == [0, 1]
    assert not samples["timeouts"].any()
    with pytest.raises(ConfigError, match="has no benchmarks"):
        run_env_benchmark(env, flight.policy, 1)
    env.close()


class Silent(gymnasium.Env):
    """Tells no default action."""

    def __init__(self, action_space):
        self.action_space = action_space


@pytest.mark.parametrize(
    ("space", "expected"),
    [
        (spaces.Box(-1, 1, (2,)), [0, 0]),
        (spaces.Box(np.array([0.5, -2]), np.array([1, -1])), [0.5, -1]),
        (spaces.Discrete(3, start=4), 4),
        (spaces.MultiDiscrete([2, 3]), [0, 0]),
        (spaces.MultiBinary(2), [0, 0]),
    ],
)
def test_where_there_is_no_default_action_it_is_the_one_nearest_to_zero(space, expected):
    action = default_action(Silent(space))
    assert np.asarray(action).tolist() == expected
    assert space.contains(action) or space.contains(np.int64(action))
    nested = spaces.Dict({"a": spaces.Tuple((space, space))})
    assert nested.contains(default_action(Silent(nested))) or isinstance(space, spaces.Discrete)


def test_a_default_action_of_another_space_is_not_taken(make_env):
    env = make_env()
    env.set_default_action([2.0])
    assert default_action(env).tolist() == [2.0]
    scaled = gymnasium.wrappers.RescaleAction(env, np.float32(-1), np.float32(1))
    assert default_action(scaled).tolist() == [0.0]


def test_the_compressor_makes_samples_smaller(fly):
    space = spaces.Dict(
        {
            "camera": spaces.Box(0.0, 255.0, (4, 5), np.float64),
            "joints": spaces.Tuple((spaces.Box(-np.inf, np.inf, (3,), np.float64), spaces.Box(0, 9, (2,), np.int64))),
            "mode": spaces.Discrete(3),
        }
    )
    compressor = CompactCompressor()
    compact = compressor.observation_space(space)
    assert compact["camera"] == spaces.Box(0, 255, (4, 5), np.uint8)
    assert [inner.dtype for inner in compact["joints"]] == [np.float32, np.uint8]
    value = space.sample()
    value["camera"][0] = [-3.0, 0.4, 0.6, 254.6, 300.0]
    small = compressor.compress(value)
    assert small["camera"][0].tolist() == [0, 0, 1, 255, 255]
    assert compact.contains(small)
    schema = make_schema(compact, spaces.Discrete(2))
    assert schema.dtype.itemsize < make_schema(space, spaces.Discrete(2)).dtype.itemsize - 4 * 5 * 7


class Halves(SampleCompressor):
    def observation_space(self, space):
        return space

    def compress(self, observation):
        return tuple(element / 2 for element in observation)


def test_a_worker_compresses_what_it_sends(fly):
    flight = fly(compressor=f"{__name__}:Halves")
    flight.worker.run_episode()
    assert flight.samples()["observation/0"].ravel().tolist() == [-0.5, 0.5, 1.0, 1.5]


def test_the_history_keeps_some_versions(tmp_path):
    rings = OpenRings(tmp_path, 3)
    assert rings.version == -1
    for version in (0, 1, 2, 4, 5, 6, 7, 12):
        rings.put_weights(version, weights(version).to_bytes())
    rings = OpenRings(tmp_path, 3)
    assert rings.version == 12
    rings.put_weights(13, weights(13).to_bytes())
    assert sorted(path.name for path in tmp_path.glob("policy-*")) == [
        f"policy-{version}.safetensors" for version in (0, 12, 4, 7)
    ]


def test_the_environment_is_benchmarked(make_env):
    env = make_env(benchmark=True, ep_max_length=3)
    policy = Pilot()
    assert "time_step_duration" in run_env_benchmark(env, policy, 7)
    assert len(policy.asked) == 7


def test_the_control_process_imports_no_learning_library():
    code = (
        "import sys, rtgym_ros.train.worker.control, rtgym_ros.train.worker.main\n"
        "print([name for name in ('nats', 'torch', 'rclpy', 'stable_baselines3') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=os.environ)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_robot_runs_beside_a_worker_that_flies_alone(tmp_path):
    said = tmp_path / "said"
    script = f"echo $$ > {said}; trap 'echo over >> {said}; exit' TERM; while :; do sleep 0.05; done"
    with running_robot(["sh", "-c", script]):
        while not said.exists() or not said.read_text():
            sleep(0.01)
        number = int(said.read_text())
        os.kill(number, 0)
    assert said.read_text().splitlines() == [str(number), "over"]
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


def test_a_robot_that_cannot_be_started_is_named():
    said = r"worker\.robot 'no_such_robot --fast' cannot be started"
    with pytest.raises(ConfigError, match=said), running_robot(["no_such_robot", "--fast"]):
        pass
