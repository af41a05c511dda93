"""The drone on a fake clock, to the nanosecond, and its one thread."""

import gc
import inspect
import threading

import numpy as np
import pytest

from rtgym_ros import DummyRCDrone
from rtgym_ros.core.time_source import FakeTimeSource, MonotonicTimeSource
from rtgym_ros.robots.drone.simulated_drone import DroneParameters, SimulatedDrone

MS = 1_000_000


def drone_threads():
    return [thread for thread in threading.enumerate() if thread.name == "rtgym_ros drone"]


@pytest.fixture
def clock():
    return FakeTimeSource(start_ns=123)


@pytest.fixture
def make_drone(clock):
    drones = []

    def make(**arguments):
        drones.append(DummyRCDrone(time_source=clock, **arguments))
        return drones[-1]

    yield make
    for drone in drones:
        drone.close()


def test_its_constructor_is_that_of_real_time_gym():
    signature = inspect.signature(DummyRCDrone.__init__)
    defaults = {name: parameter.default for name, parameter in list(signature.parameters.items())[1:]}
    assert list(defaults.items())[:7] == [
        ("mass", 1.0),
        ("friction", 1.0),
        ("communication_delay_min", 0.02),
        ("communication_delay_max", 0.05),
        ("max_vel", 2.0),
        ("world_size", 1.0),
        ("control_sleep", 0.01),
    ]
    assert all(default is None for default in list(defaults.values())[7:])


def test_without_delay_it_is_seen_where_it_is(make_drone, clock):
    drone = make_drone(communication_delay_min=0, communication_delay_max=0)
    assert drone.get_observation() == (0.0, 0.0)
    clock.advance_ns(5 * MS)
    drone.send_control(1.0, -0.5)
    for ticks in range(5):
        clock.advance_ns(5 * MS)
        assert drone.get_observation() == pytest.approx((0.01 * ticks, -0.005 * ticks))
        clock.advance_ns(5 * MS)


def test_constant_delays_are_exact(make_drone, clock):
    drone = make_drone(communication_delay_min=0.02, communication_delay_max=0.02)
    drone.send_control(1.0, 0.0)  # arrives after 20 ms; the sample after 30 ms is the first that has moved
    clock.advance_ns(50 * MS - 1)
    assert drone.get_observation() == (0.0, 0.0)
    clock.advance_ns(1)
    assert drone.get_observation() == (0.01, 0.0)


def test_an_observation_that_was_overtaken_is_dropped(make_drone, clock):
    drone = make_drone(seed=1, communication_delay_max=0.2)
    drone.send_control(0.3, 0.0)
    seen = []
    for _ in range(1000):
        clock.advance_ns(1 * MS)
        seen.append(drone.get_observation()[0])
    assert seen == sorted(seen)
    assert 0.2 < seen[-1] <= 0.3


def test_it_flies_as_the_simulation_with_its_seed(make_drone, clock):
    drone = make_drone(seed=5)
    twin = SimulatedDrone(DroneParameters(), np.random.default_rng(5), clock.now_ns())
    newest = (-1, (0.0, 0.0))
    for step in range(100):
        newest = max([newest, *((sample.stamp_ns, sample.reading) for sample in twin.advance(clock.now_ns()))])
        assert drone.get_observation() == newest[1]
        velocity = (np.cos(step / 10), np.sin(step / 10))
        drone.send_control(*velocity)
        twin.command(clock.now_ns(), clock.now_ns(), velocity)
        clock.advance_ns(17 * MS)
    assert newest[1] != (0.0, 0.0)


def test_a_flight_does_not_depend_on_when_its_thread_ran(make_drone, clock):
    looked_at, left_alone = make_drone(seed=2), make_drone(seed=2)
    for speed in np.linspace(-2, 2, 20):
        clock.advance_ns(30 * MS)
        looked_at.get_observation()
        looked_at.send_control(speed, 1.0)
        left_alone.send_control(speed, 1.0)
    clock.advance_ns(60 * MS)
    assert looked_at.get_observation() == left_alone.get_observation()


def test_its_speed_and_its_world_are_limited(make_drone, clock):
    drone = make_drone(communication_delay_min=0, communication_delay_max=0, max_vel=1.0, world_size=0.5)
    clock.advance_ns(5 * MS)
    drone.send_control(3.0, -4.0)
    clock.advance_ns(505 * MS)
    assert drone.get_observation() == pytest.approx((0.3, -0.4))
    clock.advance_ns(10_000 * MS)
    assert drone.get_observation() == (0.5, -0.5)


def test_its_sampling_period_is_control_sleep(make_drone, clock):
    drone = make_drone(communication_delay_min=0, communication_delay_max=0, control_sleep=0.1)
    drone.get_observation()
    clock.advance_ns(1)
    drone.send_control(1.0, 0.0)
    seen = []
    for _ in range(3):
        clock.advance_ns(100 * MS)
        seen.append(drone.get_observation()[0])
    assert seen == pytest.approx([0.0, 0.1, 0.2])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"communication_delay_min": -0.01}, "0 <= communication_delay_min <= communication_delay_max, got -0.01"),
        ({"communication_delay_min": 0.06}, "got 0.06 and 0.05"),
        ({"communication_delay_min": float("nan")}, "got nan and 0.05"),
        ({"max_vel": 0}, "max_vel must be positive, got 0"),
        ({"world_size": -1.0}, "world_size must be positive, got -1.0"),
        ({"control_sleep": 0.0}, "control_sleep must be positive, got 0.0"),
        ({"control_sleep": float("nan")}, "control_sleep must be positive, got nan"),
    ],
)
def test_bad_arguments_are_named_and_start_no_thread(arguments, message):
    with pytest.raises(ValueError, match=message):
        DummyRCDrone(**arguments)
    assert drone_threads() == []


def test_its_arguments_can_be_read(make_drone):
    drone = make_drone(mass=2.0, friction=3.0, max_vel=4.0)
    assert (drone.mass, drone.friction) == (2.0, 3.0)
    assert (drone.max_vel, drone.world_size, drone.control_sleep) == (4.0, 1.0, 0.01)
    assert (drone.communication_delay_min, drone.communication_delay_max) == (0.02, 0.05)


def test_one_thread_serves_all_its_messages(make_drone, clock):
    before = threading.active_count()
    drone = make_drone()
    for _ in range(200):
        drone.send_control(1.0, 1.0)
        drone.get_observation()
        clock.advance_ns(1 * MS)
        assert threading.active_count() == before + 1
    assert len(drone_threads()) == 1


def test_its_thread_ends_with_close_and_close_again_does_nothing(make_drone):
    drone = make_drone()
    drone.close()
    assert drone_threads() == []
    drone.close()


def test_its_thread_ends_when_it_is_forgotten(make_drone, clock):
    drone = DummyRCDrone(time_source=clock)
    assert len(drone_threads()) == 1
    del drone
    gc.collect()
    assert drone_threads() == []


def test_it_may_be_forgotten_in_its_own_thread(monkeypatch):
    """The garbage collector runs in whichever thread happens to allocate."""
    failures, collected = [], threading.Event()
    monkeypatch.setattr("sys.unraisablehook", failures.append)

    class CollectingClock(FakeTimeSource):
        """Drops the last reference to the drone where its own thread reads the clock."""

        holder: list = []  # noqa: RUF012

        def now_ns(self):
            if threading.current_thread().name == "rtgym_ros drone" and self.holder:
                self.holder.clear()
                collected.set()
            return super().now_ns()

    clock = CollectingClock()
    clock.holder.append(DummyRCDrone(time_source=clock))
    assert collected.wait(30)
    for thread in drone_threads():
        thread.join(30)
    assert drone_threads() == []
    assert [str(failure.exc_value) for failure in failures] == []


def test_in_real_time_it_flies_by_itself():
    drone = DummyRCDrone(communication_delay_min=0.0, communication_delay_max=0.001, seed=1)
    clock = MonotonicTimeSource()
    try:
        drone.send_control(2.0, 2.0)
        deadline_ns = clock.now_ns() + 30_000 * MS
        while drone.get_observation() != (1.0, 1.0) and clock.now_ns() < deadline_ns:
            clock.sleep_until_ns(clock.now_ns() + 5 * MS)
        assert drone.get_observation() == (1.0, 1.0)
    finally:
        drone.close()


@pytest.mark.parametrize("velocity", [(float("nan"), 0.0), (0.0, float("inf"))])
def test_a_velocity_that_is_not_finite_is_refused(make_drone, velocity):
    with pytest.raises(ValueError, match="must be finite"):
        make_drone().send_control(*velocity)
