import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from rclpy.qos import QoSProfile
from rtgym_ros.msg import StepTiming

import rtgym_ros  # noqa: F401
from rtgym_ros.core.errors import InterfaceTimeoutError
from rtgym_ros.nodes.drone_process import DroneProcess
from rtgym_ros.robots.drone.policies import Predictor
from rtgym_ros.robots.drone.task import REACHED_WITHIN
from rtgym_ros.ros.pulled_subscription import PulledSubscription
from rtgym_ros.ros.session import RosSession
from rtgym_ros.ros.stamps import to_nanoseconds

STEP_NS = 50_000_000


def fly(env, policy, seed):
    """Fly an episode; return its info dictionaries, the last position's distance and how it ended."""
    observation, _ = env.reset(seed=seed)
    infos, terminated, truncated = [], False, False
    while not (terminated or truncated):
        observation, reward, terminated, truncated, info = env.step(policy(observation))
        infos.append(info)
    return infos, -reward, terminated


def test_gymnasiums_checker_passes(env, monkeypatch):
    for display in ("DISPLAY", "WAYLAND_DISPLAY"):  # the checker makes one of every render mode: open no windows
        monkeypatch.delenv(display, raising=False)
    check_env(env.unwrapped)


def test_the_predictor_reaches_its_target(env):
    infos, distance, reached = fly(env, Predictor(), seed=1)
    assert reached
    assert distance < REACHED_WITHIN
    assert all(info["observation_delay"] >= 0.02 for info in infos)  # what the drone's radio takes at the least
    assert np.isnan(infos[-1]["action_delay"]) or infos[-1]["action_delay"] >= 0.02


def test_the_same_seed_draws_the_same_target(env):
    first, _ = env.reset(seed=5)
    second, _ = env.reset(seed=5)
    third, _ = env.reset()
    assert first[2] == second[2]
    assert first[3] == second[3]
    assert third[2] != second[2]
    assert all(abs(third[i][0]) <= 0.5 for i in (2, 3))


def test_every_time_step_is_told(env, namespace):
    session = RosSession("listener", namespace, arguments=["program"])
    told = []
    try:
        listener = PulledSubscription(session.node, StepTiming, "step_timing", QoSProfile(depth=1000))
        env.reset()
        for _ in range(400):
            _, _, terminated, truncated, _ = env.step(env.action_space.sample())
            told += [message for message, _ in listener.take()]
            if len(told) >= 10:
                break
            if terminated or truncated:
                env.reset()
    finally:
        session.close()
    assert len(told) >= 10
    for message in told:
        start_ns, lateness_ns = to_nanoseconds(message.start), to_nanoseconds(message.lateness)
        assert to_nanoseconds(message.capture) == to_nanoseconds(message.end) == start_ns + STEP_NS
        assert to_nanoseconds(message.header.stamp) >= start_ns
        assert lateness_ns >= 0
    assert [message.index for message in told] == list(range(told[0].index, told[0].index + len(told)))


def test_the_flight_goes_on_after_the_drone_was_killed_and_restarted(drone, namespace, kill_drone):
    still = np.zeros(2, dtype=np.float32)
    with gymnasium.make("rtgym_ros/Drone-v0", namespace=namespace, config={"ep_max_length": np.inf}) as env:
        env.reset()
        kill_drone(drone)
        silent = [env.step(still)[-1]["observation_delay"] for _ in range(20)][-10:]
        assert silent == sorted(silent)  # nothing new comes, and the environment says so
        assert env.unwrapped.clock.time_steps == 21
        with DroneProcess(namespace):
            ages = (env.step(still)[-1]["observation_delay"] for _ in range(400))
            assert any(age < silent[0] for age in ages)


def test_two_namespaces_do_not_disturb_each_other(env, namespace):
    other_namespace = namespace + "/other"
    with (
        DroneProcess(other_namespace, ("seed:=8",)),
        gymnasium.make("rtgym_ros/Drone-v0", namespace=other_namespace) as other,
    ):
        env.reset(seed=1)
        other.reset(seed=1)
        for _ in range(20):
            env.step(np.array([1.0, 0.0], dtype=np.float32))
            observation, *_ = other.step(np.array([0.0, -1.0], dtype=np.float32))
            assert observation[0] == 0.0
        assert observation[1] < 0.0


def test_a_silent_topic_is_named(namespace):
    with gymnasium.make("rtgym_ros/Drone-v0", namespace=namespace) as env:
        env.unwrapped.interface._observation_timeout = 0.2
        with pytest.raises(InterfaceTimeoutError, match=rf"no message on {namespace}/pose for 0.2 s \(0 publishers\)"):
            env.reset()


def test_flattened_observations(env):
    flat = gymnasium.wrappers.FlattenObservation(env)
    observation, _ = flat.reset(seed=3)
    assert observation.shape == flat.observation_space.shape == (12,)
    assert observation in flat.observation_space


def test_stable_baselines3_accepts_it(env):
    checker = pytest.importorskip("stable_baselines3.common.env_checker", reason="Stable-Baselines3 is not installed")
    checker.check_env(gymnasium.wrappers.FlattenObservation(env), warn=False)


def test_a_video_is_recorded(drone, namespace, tmp_path):
    pytest.importorskip("moviepy", reason="moviepy is not installed (extra 'video')")
    with gymnasium.make("rtgym_ros/Drone-v0", namespace=namespace, render_mode="rgb_array") as env:
        recorded = gymnasium.wrappers.RecordVideo(env, str(tmp_path), episode_trigger=lambda episode: True)
        fly(recorded, Predictor(), seed=2)
        assert recorded.render_mode == "rgb_array"
        recorded.stop_recording()
    (video,) = tmp_path.glob("*.mp4")
    assert video.stat().st_size > 1000
