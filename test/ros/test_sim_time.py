"""A robot of forty lines, flown on a /clock that the test advances: every time is exact."""

import threading

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from gymnasium import spaces
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Float64

from rtgym_ros import RealTimeEnv
from rtgym_ros.core.errors import ClockJumpError, InterfaceTimeoutError
from rtgym_ros.core.time_source import NS_PER_S
from rtgym_ros.nodes.drone_process import DroneProcess
from rtgym_ros.ros.latest_subscription import LatestSubscription
from rtgym_ros.ros.ros_interface import RosInterface
from rtgym_ros.ros.session import RosSession
from rtgym_ros.ros.stamps import to_time

TICK_NS = 10_000_000
START_NS = 1_700_000_000 * NS_PER_S


class Thermostat(RosInterface):
    """Observes a temperature, sends a power."""

    def __init__(self, namespace, *parameters):
        overrides = [text for parameter in ("use_sim_time:=true", *parameters) for text in ("-p", parameter)]
        super().__init__("thermostat", namespace, arguments=["program", "--ros-args", *overrides])
        self._temperature = self.subscribe_latest(Float64, "temperature")
        self._power = self.advertise_command(Float64, "power")
        self.captures = []

    def get_observation_space(self):
        return spaces.Tuple([spaces.Box(-50.0, 150.0, shape=(1,))])

    def get_action_space(self):
        return spaces.Box(0.0, 1.0, shape=(1,))

    def get_default_action(self):
        return np.zeros(1, dtype=np.float32)

    def reset(self, seed=None, options=None):
        self.wait_for_observations()
        return self._observe(), {}

    def get_obs_rew_terminated_info(self):
        self.captures.append(self.get_time_source().now_ns())
        return self._observe(), 0.0, False, {}

    def send_control(self, control):
        self._power.publish(Float64(data=float(control[0])))

    def _observe(self):
        self._temperature.pull()
        return [np.array([self._temperature.latest.data], dtype=np.float32)]


class World:
    """Publishes /clock, a tick at a time, and the temperature."""

    def __init__(self, namespace):
        self.session = RosSession("world", namespace, arguments=["program"])
        self._clock = self.session.node.create_publisher(Clock, "/clock", 1)
        self._temperature = self.session.node.create_publisher(Float64, "temperature", 1)
        self.now_ns = START_NS
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._stopped.wait(0.005):
            self.publish_clock()
            self._temperature.publish(Float64(data=20.0))
            self.now_ns += TICK_NS

    def publish_clock(self):
        self._clock.publish(Clock(clock=to_time(self.now_ns)))

    def set_back(self, seconds):
        self.now_ns -= seconds * NS_PER_S

    def stand_still(self):
        self._stopped.set()
        self._thread.join()

    def close(self):
        self.stand_still()
        self.session.close()


@pytest.fixture
def world(namespace):
    world = World(namespace)
    yield world
    world.close()


def test_time_steps_follow_the_simulated_clock(world, namespace):
    config = {"interface": Thermostat, "interface_args": (namespace,), "time_step_duration": 0.05}
    with RealTimeEnv(config) as env:
        env.reset()
        for _ in range(30):
            observation, *_ = env.step(np.ones(1, dtype=np.float32))
        captures = env.interface.captures
        assert observation[0] == 20.0
        assert all(now_ns % TICK_NS == 0 and now_ns >= START_NS for now_ns in captures)
        # Ticks may be lost between the processes, but over the whole the grid holds to within one tick.
        assert all(now_ns >= captures[0] + 5 * i * TICK_NS - TICK_NS for i, now_ns in enumerate(captures))
        assert captures == sorted(captures)


def test_the_drone_flies_on_the_simulated_clock(world, namespace):
    with DroneProcess(namespace, ("use_sim_time:=true",)):
        pose = LatestSubscription(world.session.node, PoseStamped, "pose", depth=32)
        stamps = []
        for _ in range(2000):
            stamps += [raw.stamp_ns for raw in pose.pull()]
            if len(stamps) >= 20:
                break
            threading.Event().wait(0.01)
    assert len(stamps) >= 20
    assert {(stamp - START_NS) % TICK_NS for stamp in stamps} == {0}
    assert min(stamps) >= START_NS
    assert max(stamps) <= world.now_ns


def test_a_clock_that_stands_still_is_named(world, namespace):
    config = {"interface": Thermostat, "interface_args": (namespace, "clock_timeout:=0.3")}
    with RealTimeEnv(config) as env:
        env.reset()
        world.stand_still()
        with pytest.raises(InterfaceTimeoutError, match=r"/clock has stood still for 0\.3 s"):
            step_often(env)


def test_a_clock_that_is_set_back_ends_the_wait_and_is_counted_once(world, namespace):
    interface = Thermostat(namespace)
    try:
        clock = interface.get_time_source()
        clock.sleep_until_ns(clock.now_ns() + 5 * TICK_NS)
        world.set_back(15)
        with pytest.raises(ClockJumpError, match=r"/clock was set back by 1[45]"):
            clock.sleep_until_ns(clock.now_ns() + 10 * NS_PER_S)
        clock.sleep_until_ns(clock.now_ns() + 5 * TICK_NS)
    finally:
        interface.close()


def test_clock_messages_that_were_overtaken_on_the_network_are_no_jump(world, namespace):
    interface = Thermostat(namespace)
    try:
        clock = interface.get_time_source()
        now_ns = clock.now_ns()
        world.stand_still()
        clock._sent_ns += NS_PER_S // 2  # what comes now was sent before
        clock._now_ns = now_ns + NS_PER_S
        world.publish_clock()
        clock.sleep_until_ns(now_ns + NS_PER_S)
        assert clock.now_ns() == now_ns + NS_PER_S
    finally:
        interface.close()


def test_a_blocking_callback_of_the_users_stops_no_clock(world, namespace):
    interface = Thermostat(namespace)
    release, blocking = threading.Event(), threading.Event()

    def block():
        blocking.set()
        release.wait(60.0)

    try:
        interface.node.create_timer(0.001, block)
        assert blocking.wait(10.0)
        clock, node_clock = interface.get_time_source(), interface.node.get_clock()
        node_before_ns = node_clock.now().nanoseconds
        clock.sleep_until_ns(clock.now_ns() + 20 * TICK_NS)
        for _ in range(1000):
            if node_clock.now().nanoseconds > node_before_ns:
                break
            threading.Event().wait(0.01)
        assert node_clock.now().nanoseconds > node_before_ns
    finally:
        release.set()
        interface.close()


def step_often(env):
    for _ in range(100):
        env.step(np.ones(1, dtype=np.float32))


def test_a_missing_clock_is_named(namespace):
    with pytest.raises(InterfaceTimeoutError, match=r"no message on /clock for 0.3 s \(0 publishers\)"):
        Thermostat(namespace, "observation_timeout:=0.3")
