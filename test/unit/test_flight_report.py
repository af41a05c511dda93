"""Flying episodes and what is shown of them, on the simulated drone and a fake clock."""

import importlib.util
import io

import numpy as np
import pytest
from gymnasium import spaces

from rtgym_ros import RealTimeEnv, RealTimeGymInterface
from rtgym_ros.core.time_source import FakeTimeSource, to_ns
from rtgym_ros.robots.delay_line import Newest
from rtgym_ros.robots.drone.flight import Episode, fly_episode
from rtgym_ros.robots.drone.policies import Predictor, hover, make_p_controller
from rtgym_ros.robots.drone.simulated_drone import DroneParameters, SimulatedDrone
from rtgym_ros.robots.drone.task import EPISODE_TIME_STEPS, MAX_SPEED, TIME_STEP_DURATION, draw_target, score


def needs(module):
    return pytest.mark.skipif(importlib.util.find_spec(module) is None, reason=f"{module} is not installed")


class SimulatedTutorial(RealTimeGymInterface):
    """The tutorial's drone and task on a fake clock."""

    def __init__(self, clock, tells_age):
        self.clock, self.tells_age = clock, tells_age
        self.drone = SimulatedDrone(DroneParameters(), np.random.default_rng(7), clock.now_ns())
        self.seen = Newest(-1, (0.0, 0.0))

    def get_observation_space(self):
        return spaces.Tuple((spaces.Box(-1, 1, (1,)),) * 4)

    def get_action_space(self):
        return spaces.Box(-MAX_SPEED, MAX_SPEED, (2,))

    def get_default_action(self):
        return np.zeros(2, dtype=np.float32)

    def observe(self):
        for sample in self.drone.advance(self.clock.now_ns()):
            self.seen.offer(sample.stamp_ns, sample.reading)
        return [np.array([value], dtype=np.float32) for value in (*self.seen.message, *self.target)]

    def reset(self, seed=None, options=None):
        self.target = draw_target(self.np_random)
        return self.observe(), {}

    def get_obs_rew_terminated_info(self):
        observation = self.observe()
        reward, reached = score(np.array(self.seen.message), self.target)
        info = {"observation_delay": (self.clock.now_ns() - self.seen.stamp_ns) / 1e9} if self.tells_age else {}
        return observation, reward, reached, info

    def send_control(self, control):
        self.observe()
        now_ns = self.clock.now_ns()
        self.drone.command(now_ns, now_ns, tuple(control.tolist()))


@pytest.fixture
def make_tutorial():
    envs = []

    def make(tells_age=True):
        clock = FakeTimeSource()
        config = {
            "interface": SimulatedTutorial,
            "interface_args": (clock, tells_age),
            "time_step_duration": TIME_STEP_DURATION,
            "ep_max_length": EPISODE_TIME_STEPS,
            "act_buf_len": 4,
            "benchmark": True,
            "benchmark_type": "trace",
        }
        envs.append(RealTimeEnv(config, time_source=clock))
        return envs[-1]

    yield make
    for env in envs:
        env.close()


def fly(env, name, policy, number=1, seed=0, step=lambda episode: None):
    episodes = []
    fly_episode(env, name, policy, number, seed, episodes.append, step)
    assert len(episodes) == 1
    return episodes[0]


def test_the_predictor_reaches_every_target(make_tutorial):
    env = make_tutorial()
    episodes = [fly(env, "predictor", Predictor(), number, number) for number in range(1, 11)]
    assert [episode.reached for episode in episodes] == [True] * 10
    assert all(episode.distance < 0.011 for episode in episodes)
    assert env.clock.timeouts == 0


def test_a_flight_is_written_down(make_tutorial):
    heard = []
    env = make_tutorial()
    episode = fly(env, "p-controller", make_p_controller(3.0), 4, 9, step=lambda e: heard.append(e.time_steps))
    assert (episode.policy, episode.number, episode.finished) == ("p-controller", 4, True)
    assert heard == list(range(1, episode.time_steps + 1))
    assert len(episode.observation_ages) == episode.time_steps
    assert all(0.02 <= age < 0.07 for age in episode.observation_ages)
    distances = np.hypot(*(np.array(episode.positions[1:]) - episode.target).T)
    assert episode.episode_return == pytest.approx(-distances.sum(), rel=1e-5)
    assert episode.distance == pytest.approx(distances[-1])


def test_hovering_ends_without_the_target_after_the_greatest_length(make_tutorial):
    episode = fly(make_tutorial(tells_age=False), "hover", hover, seed=3)
    assert (episode.reached, episode.finished, episode.time_steps) == (False, True, EPISODE_TIME_STEPS)
    assert episode.observation_ages == []
    assert episode.distance == pytest.approx(np.hypot(*episode.target))


def test_timeouts_are_counted_for_their_episode_alone(make_tutorial):
    env = make_tutorial()
    clock = env.interface.clock

    def dawdle(observation):
        if env.clock.time_steps in (3, 6):
            clock.advance_ns(to_ns(1.0))
        return hover(observation)

    with pytest.warns(RuntimeWarning, match="timed out"):
        first = fly(env, "hover", dawdle)
    assert (first.timeouts, first.overruns) == (2, 0)
    assert len(first.starts) == first.time_steps
    assert sorted(set(np.diff(first.starts).round(6))) == [0.05, 1.0]
    assert fly(env, "hover", hover).timeouts == 0


def episode_of(policy="hover", number=1, **changes):
    positions = [(0.0, 0.0), (0.0, 0.0), (0.3, 0.3)]
    episode = Episode(policy, number, (0.3, 0.4), positions, [0.03, 0.05], -0.6, True, True, 2)
    for name, value in changes.items():
        setattr(episode, name, value)
    return episode


def test_what_an_episode_knows_of_itself():
    assert episode_of().time_steps == 2
    assert episode_of().distance == pytest.approx(0.1)
    assert episode_of(positions=[(0.0, 0.0)]).time_steps == 0


def text_of(table):
    from rich.console import Console

    out = io.StringIO()
    Console(file=out, width=200).print(table)
    return [" ".join(line.split()) for line in out.getvalue().splitlines() if line.strip()]


@needs("rich")
def test_the_table_of_the_episodes():
    from rtgym_ros.robots.drone.report import episode_table

    episodes = [
        episode_of("hover", 1),
        episode_of("hover", 2, episode_return=-0.4, reached=False, timeouts=1),
        episode_of("predictor", 1, finished=False, reached=False),
    ]
    lines = text_of(episode_table(episodes))
    assert "hover 1 -0.60 2 0.100 m yes 2" in lines
    assert "hover 2 -0.40 2 0.100 m no 1" in lines
    assert "hover mean -0.50 2.0 0.100 m 50 % 3" in lines
    assert "predictor 1 -0.60 2 0.100 m cut short 2" in lines
    assert sum("mean" in line for line in lines) == 1, "no mean of one"


@needs("rich")
def test_the_table_of_the_durations():
    from rtgym_ros.core.benchmark import DURATIONS
    from rtgym_ros.robots.drone.report import timing_table

    durations = {name: np.array([]) for name in DURATIONS}
    durations["time_step_duration"] = np.array([0.049, 0.051])
    lines = text_of(timing_table(durations, [episode_of()]))
    assert "time-step (send to send) 50.000 1.000 51.000 2" in lines
    assert "age of the pose at capture 40.000 10.000 50.000 2" in lines
    assert not any("capture 0" in line or line.startswith("inference") for line in lines)


@needs("rich")
@pytest.mark.parametrize(("terminal", "kind"), [(True, "xterm"), (True, "dumb"), (False, "xterm")])
def test_the_live_lines(terminal, kind, monkeypatch):
    from rich.console import Console

    from rtgym_ros.robots.drone.report import LiveLines

    monkeypatch.setenv("TERM", kind)
    out = io.StringIO()
    with LiveLines(Console(file=out, force_terminal=terminal, width=160)) as lines:
        for reached in (True, False):
            episode = episode_of(finished=False, reached=reached)
            lines.begin(episode)
            lines.step(episode)
            before = out.getvalue()
            episode.finished = True
            lines.step(episode)
            assert out.getvalue() != before
    text = out.getvalue()
    assert "10.0 cm from the target, reached" in text
    assert "10.0 cm from the target, not reached" in text
    if not terminal or kind == "dumb":
        assert [line.split()[:3] for line in text.splitlines() if line] == [["hover", "episode", "1"]] * 2


@needs("rich")
@pytest.mark.parametrize("ascii_only", [False, True])
def test_the_picture_for_a_terminal(ascii_only):
    """4 rows of 8 characters for 2 m by 2 m: 0.25 m by 0.5 m a character."""
    from rtgym_ros.robots.drone.terminal_picture import flight_picture

    positions = [(-0.95, -0.8), (-0.95, 0.8), (0.3, 0.8)]
    lines = text_of(flight_picture(episode_of("hover", 2, target=(0.9, -0.9), positions=positions), 4, ascii_only))
    assert lines[0].strip("╭╮─ ") == "hover, episode 2"
    assert lines[-1].strip("╰╯─ ") == "O drone X target"
    drawn = [line.strip("│").strip() for line in lines[1:-1]]
    assert drawn == ([".....O", ".", ".", ". X"] if ascii_only else ["⡖⠒⠒⠒⠒O", "⡇", "⡇", "⠇ X"])


@needs("rich")
@pytest.mark.parametrize("height", [24, 8])
def test_the_live_line_below_a_picture(height, monkeypatch):
    from rich.console import Console

    from rtgym_ros.robots.drone.report import LiveLines

    monkeypatch.setenv("TERM", "xterm")
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=80, height=height)
    with LiveLines(console, picture=True) as lines:
        for number in (1, 2):
            lines.begin(episode_of(number=number))
            lines.step(episode_of(number=number, finished=False))
            lines.step(episode_of(number=number))
    text = out.getvalue()
    assert text.count("2 time-steps,  10.0 cm from the target, reached\n") == 2, "a line stays of every episode"
    last = text[text.rindex("╭") :]
    assert "hover, episode 2" in last
    assert "episode 1" not in last, "one bar, that of the episode that is flown"
    assert last.count("\n") < height


@needs("matplotlib")
@pytest.mark.parametrize("ages", [[0.03, 0.05], []])
def test_the_plot_is_a_picture(tmp_path, ages):
    from rtgym_ros.robots.drone.plot import save_plot

    path = tmp_path / "flight.png"
    episodes = [episode_of("hover", observation_ages=ages), episode_of("predictor")]
    save_plot(path, episodes, np.array([0.05, 0.051]), 0.05)
    assert path.read_bytes().startswith(b"\x89PNG")


@needs("matplotlib")
def test_a_plot_that_cannot_be_written_says_so(tmp_path):
    from rtgym_ros.robots.drone.plot import save_plot

    with pytest.raises(OSError, match="no_such_folder"):
        save_plot(tmp_path / "no_such_folder" / "flight.png", [episode_of()], np.array([]), 0.05)
