"""Recorded by the wrapper, read, and flown again: bit for bit."""

import json
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from mcap.reader import make_reader

import rtgym_ros  # noqa: F401  (registers the environments)
from rtgym_ros.core.errors import ConfigError, StateError
from rtgym_ros.core.time_source import FakeTimeSource
from rtgym_ros.record.errors import RecordError, ReplayError, ReplayWarning
from rtgym_ros.record.reading import read_episodes, read_runs, recorded_files
from rtgym_ros.record.space_text import space_from_text, space_to_text
from rtgym_ros.wrappers import Record

EVERYTHING = spaces.Dict(
    {
        "image": spaces.Box(0, 255, (4, 5, 3), np.uint8),
        "position": spaces.Box(-np.inf, np.array([1.0, np.inf, 3.0], np.float32), (3,), np.float32),
        "pair": spaces.Tuple((spaces.Discrete(5, start=-2), spaces.MultiBinary(4))),
        "many": spaces.MultiDiscrete([3, 4]),
        "double": spaces.Box(-1.0, 1.0, (2, 2), np.float64),
    }
)


class Everything(gymnasium.Env):
    """Random observations of every kind of space, episodes of 5, info with levels, ages and delays."""

    observation_space = EVERYTHING
    action_space = spaces.Tuple((spaces.Box(-1, 1, (2,), np.float32), spaces.Discrete(3)))

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.observation_space.seed(seed)
        self.steps = 0
        return self.observation_space.sample(), {}

    def step(self, action):
        self.steps += 1
        info = {
            "ages": {"image": 0.03, "pair": float("nan")}, "observation_delay": 0.02, "kappa": 1.0,
            "capture_time": 100.0 + 0.05 * self.steps, "time_step_start": 99.0, "time_step_lateness": -1e-6,
            "time_step_overrun": 1.0, "time_step_timed_out": 0.0, "task": {"distance": 1 / 3}, "words": "are left out",
            "executed_action": (np.array([0.5, 0.5], np.float32), 1),
        }  # fmt: skip
        return self.observation_space.sample(), 0.1 * self.steps, self.steps == 5, False, info


def flight(env, episodes):
    """Fly random actions; return what the agent saw and did."""
    seen = []
    for episode in range(episodes):
        observation, info = env.reset(seed=episode)
        env.action_space.seed(episode)
        seen.append([(None, observation, 0.0, False, False, info)])
        while not (seen[-1][-1][3] or seen[-1][-1][4]):
            action = env.action_space.sample()
            seen[-1].append((action, *env.step(action)))
    return seen


def same(one, other):
    """Whether two values are of the same type, structure and bits."""
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, tuple):
        return isinstance(other, tuple) and all(map(same, one, other))
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


@pytest.fixture(params=["episode", 2000, 1 << 30], ids=["a file an episode", "small files", "one file"])
def recorded(request, tmp_path):
    env = Record(Everything(), tmp_path / "flight", contract="robot: r1\n", split=request.param, facts={"pilot": "me"})
    seen = flight(env, 4)
    env.label(success=True, note="landed")
    env.close()
    assert env.recorder.state.error == ""
    assert (env.recorder.state.written, env.recorder.state.dropped, env.recorder.state.queued_bytes) == (24, 0, 0)
    return tmp_path / "flight", seen


def test_a_flight_is_replayed_bit_for_bit(recorded):
    folder, seen = recorded
    env = gymnasium.make("rtgym_ros/Replay-v0", recording=folder, on_mismatch="fail")
    assert env.observation_space == EVERYTHING
    assert env.action_space == Everything.action_space
    for episode in seen:
        observation, _ = env.reset()
        assert same(observation, episode[0][1])
        for action, observation, reward, terminated, truncated, info in episode[1:]:
            replayed = env.step(action)
            assert same(replayed[0], observation)
            assert replayed[1:4] == (reward, terminated, truncated)
            assert replayed[4]["kappa"] == info["kappa"]
            assert replayed[4]["capture_time"] == info["capture_time"]
            assert replayed[4]["ages"]["image"] == 0.03
            assert replayed[4]["task/distance"] == 1 / 3
            assert replayed[4]["action_mismatch"] == 0
            assert "words" not in replayed[4]
    with pytest.raises(ReplayError, match="no episode 4: 4 are in it"):
        env.reset()


def test_what_is_read_says_when_and_which(recorded):
    folder, _ = recorded
    episodes = list(read_episodes(folder))
    assert [episode.number for episode in episodes] == [0, 1, 2, 3]
    assert [episode.facts["seed"] for episode in episodes] == ["0", "1", "2", "3"]
    assert episodes[3].facts == {"seed": "3", "success": "true", "note": "landed"}
    assert {episode.missing for episode in episodes} == {0}
    assert all(episode.is_over for episode in episodes)
    steps = [step for episode in episodes for step in episode.steps]
    assert [step.index for step in steps] == list(range(24))
    assert [step.episode_step for step in steps] == [0, 1, 2, 3, 4, 5] * 4
    last = steps[-1]
    assert (last.stamp_ns, last.start_ns, last.lateness_ns) == (100_250_000_000, 99_000_000_000, -1000)
    assert (last.overrun, last.timed_out) == (True, False)
    assert last.delays == {"observation_delay": 0.02, "kappa": 1.0}
    assert last.executed_action[0][1].tolist() == [0.5, 0.5]


def test_every_file_stands_by_itself(recorded):
    folder, _ = recorded
    for file in recorded_files(folder):
        (run,) = read_runs(file).values()
        assert (run.facts["contract"], run.facts["pilot"], run.facts["format"]) == ("robot: r1\n", "me", "1")
        assert json.loads(run.facts["versions"])["numpy"] == np.__version__
        assert run.observation_space == EVERYTHING
        with file.open("rb") as stream:  # the strict reader: index, checksums
            reader = make_reader(stream, validate_crcs=True)
            assert reader.get_summary().statistics.message_count == sum(1 for _ in reader.iter_messages())
            assert reader.get_header().profile == "ros2"


def test_another_action_is_told(recorded):
    folder, seen = recorded
    (box, number), *_ = seen[0][1]
    other = (np.clip(box + np.float32(0.25), -1, 1) - np.float32(0.125), number)
    expected = float(np.abs(other[0].astype(float) - box).max())

    env = gymnasium.make("rtgym_ros/Replay-v0", recording=folder)
    env.reset()
    with pytest.warns(ReplayWarning, match="time-step 1 of episode 0: the action differs"):
        observation, *_, info = env.step(other)
    assert info["action_mismatch"] == pytest.approx(expected)
    assert same(info["recorded_action"], (box, np.int64(number)))
    assert same(observation, seen[0][1][1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # once an episode
        env.step(other)

    env = gymnasium.make("rtgym_ros/Replay-v0", recording=folder, on_mismatch="fail")
    env.reset(options={"episode": 0})
    with pytest.raises(ReplayError, match="differs"):
        env.step(other)
    env.step(seen[0][1][0])  # nothing was lost


def test_any_episode_in_any_order(recorded):
    folder, seen = recorded
    env = gymnasium.make("rtgym_ros/Replay-v0", recording=folder)
    for number in 2, 0, 3, 3, 1:
        assert same(env.reset(options={"episode": number})[0], seen[number][0][1])
    with pytest.raises(ConfigError, match=r"options\['episode'\] must be"):
        env.reset(options={"episode": "last"})
    with pytest.raises(StateError):
        gymnasium.make("rtgym_ros/Replay-v0", recording=folder).unwrapped.step(seen[0][1][0])


def test_the_pace_of_the_flight(recorded):
    folder, seen = recorded
    time = FakeTimeSource()
    env = gymnasium.make("rtgym_ros/Replay-v0", recording=folder, speed=2.0, time_source=time).unwrapped
    env.reset()
    env._steps[0].stamp_ns = 100_000_000_000  # what reset() returned was stamped by the system's clock
    at = []
    for action, *_ in seen[0][1:]:
        env.step(action)
        at.append(time.now_ns() / 1e6)
    assert at == [25, 50, 75, 100, 125]


def test_spaces_survive_as_text():
    for space in (
        EVERYTHING,
        spaces.Box(-np.inf, np.inf, (), np.float64),
        spaces.Box(np.array([-1.5, -np.inf]), np.array([0.1, 7.0]), dtype=np.float64),
        spaces.Box(-(2**63), 2**63 - 1, (2,), np.int64),
        spaces.Discrete(7, start=3, dtype=np.int32),
        spaces.MultiDiscrete([[2, 3], [4, 5]], start=[[1, 0], [0, 1]]),
        spaces.Dict([("b", spaces.Discrete(2)), ("a", spaces.MultiBinary(3))]),
    ):
        text = space_to_text(space)
        assert space_from_text(text) == space
        assert str(space_from_text(text)) == str(space), "in the same order"
        json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    with pytest.raises(RecordError, match="not the description"):
        space_from_text('{"type": "Box"}')


def test_what_cannot_be_recorded_is_refused_when_it_is_wrapped(tmp_path):
    env = Everything()
    env.observation_space = spaces.Dict({"words": spaces.Text(5)})
    with pytest.raises(ConfigError, match="observation_space/words: a Text cannot be recorded"):
        Record(env, tmp_path)
    with pytest.raises(ConfigError, match="split must be"):
        Record(Everything(), tmp_path, split=0)
    with pytest.raises(RecordError, match=r"no \.mcap file in it"):
        list(read_episodes(tmp_path))
    with pytest.raises(RecordError, match="no such file"):
        list(read_episodes(tmp_path / "x.mcap"))


@pytest.mark.usefixtures("damaged_recordings")
def test_a_file_of_somebody_else(tmp_path):
    from mcap.writer import Writer

    with (tmp_path / "other.mcap").open("wb") as stream:
        writer = Writer(stream)
        writer.start()
        channel = writer.register_channel("/chatter", "json", 0)
        writer.add_message(channel, 0, b"{}", 0)
        writer.finish()
    with pytest.raises(RecordError, match="not one that rtgym_ros recorded"):
        list(read_episodes(tmp_path))
