"""The guard behind a cable that is pulled, on simulated time, and with heartbeats: real processes over DDS."""

import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from geometry_msgs.msg import TwistStamped
from guard.cut_link import ENVIRONMENT, CutLink, why_not
from guard.scene import AgentProcess, DriveProcess, GuardProcess, count, received, wait_until, write_contract
from robot_peer import SENSOR, Peer
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Bool

from rtgym_ros.ros.pulled_subscription import PulledSubscription
from rtgym_ros.ros.session import RosSession
from rtgym_ros.ros.stamps import to_time

DRIVEN, SAFE = (0.2, 0.5), (0.0, 0.0)
TIMEOUT_NS, PERIOD_NS = 200_000_000, 50_000_000
HEARTBEATS = "heartbeats: [{topic: alive, type: std_msgs/msg/Bool, fill: {data: true}, rate: 20}]\n"


def test_when_the_network_is_cut_the_robot_gets_the_safe_action_until_it_is_back(namespace, tmp_path, monkeypatch):
    reason = why_not()
    if reason:
        pytest.skip(reason)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    log = tmp_path / "truth.jsonl"
    with (
        CutLink() as link,
        DriveProcess(namespace, log, link.at_robot),
        GuardProcess(write_contract(tmp_path), namespace, before=link.at_robot) as guard,
        AgentProcess(namespace, link.at_agent),
    ):
        wait_until(lambda: log.exists() and count(log, DRIVEN) >= 10)
        link.cut()
        before = len(received(log))
        wait_until(lambda: count(log, SAFE, before) >= 20)
        commands = [values for _, values in received(log)]
        assert set(commands[commands.index(SAFE) :]) == {SAFE}
        link.mend()
        wait_until(lambda: count(log, DRIVEN, len(commands)) >= 5)
        assert guard.exit_code is None


@pytest.mark.parametrize(("of_the_user", "has_shared_memory"), [(None, False), ("DEFAULT", True)])
def test_it_sends_by_udp_unless_told_otherwise(of_the_user, has_shared_memory, namespace, tmp_path, monkeypatch):
    """In shared memory, Fast DDS has publishers wait for third ones: docs/guard.md."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "SUBNET")
    monkeypatch.delenv("FASTDDS_BUILTIN_TRANSPORTS", raising=False)
    if of_the_user:
        monkeypatch.setenv("FASTDDS_BUILTIN_TRANSPORTS", of_the_user)
    with CutLink() as link, GuardProcess(write_contract(tmp_path), namespace, before=link.at_robot) as guard:

        def threads():
            return {file.read_text()[:7] for file in Path(f"/proc/{guard.pid}/task").glob("*/comm")}

        wait_until(lambda: threads() >= {"dds.udp", "dds.asy"})
        assert ("dds.shm" in threads()) == has_shared_memory


@pytest.fixture
def peer(namespace):
    """The other end of the guard, without a robot."""
    with closing(Peer(namespace, {"cmd_vel": TwistStamped}, TwistStamped, "agent/cmd_vel")) as peer:
        yield peer


def twist(speed=DRIVEN[0]):
    message = TwistStamped()
    message.twist.linear.x, message.twist.angular.z = speed, DRIVEN[1]
    return message


def is_safe(message):
    return (message.twist.linear.x, message.twist.angular.z) == SAFE


def test_heartbeats_flow_while_an_input_commands(peer, namespace, tmp_path):
    beats = PulledSubscription(peer.session.node, Bool, f"{namespace}/alive", SENSOR)
    contract = write_contract(tmp_path, more=HEARTBEATS)

    def beaten():
        return len(list(beats.take()))

    def safe_actions():
        return sum(map(is_safe, peer.seen["cmd_vel"].values()))

    with GuardProcess(contract, namespace, ("heartbeats:=true",)):
        node = peer.session.node
        peer.wait_for(lambda: node.count_publishers(f"{namespace}/alive"))
        assert not peer.receives(lambda: beaten() > 0, timeout=0.5), "nobody commands yet"
        total = 0
        for _ in range(400):
            peer.send(twist())
            peer.receives(lambda: False, timeout=0.05)
            total += beaten()
            if total >= 10:
                break
        assert total >= 10
        already = safe_actions()
        peer.wait_for(lambda: safe_actions() >= already + 2)
        beaten()  # those until then
        peer.wait_for(lambda: safe_actions() >= already + 22)
        assert beaten() == 0, "the robot is to notice that nobody commands it"
        peer.send_until(twist, lambda: beaten() > 0)


class SimulatedClock:
    """`/clock` in a thread, at a speed that may be changed."""

    def __init__(self, speed, start_ns=100_000_000_000):
        self.session = RosSession("clock", arguments=["program"])
        self._publisher = self.session.node.create_publisher(Clock, "/clock", 10)
        self.now_ns, self.speed = start_ns, speed
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        last = time.monotonic_ns()
        while not self._ended.wait(0.002):
            now = time.monotonic_ns()
            self.now_ns += int(min(now - last, 10_000_000) * self.speed)  # without leaps where this thread is late
            last = now
            self._publisher.publish(Clock(clock=to_time(self.now_ns)))

    def close(self):
        self._ended.set()
        self._thread.join()
        self.session.close()


@pytest.mark.parametrize("speed", [0.5, 10.0])
def test_on_simulated_time_its_timeout_and_its_rate_are_those_of_the_clock(speed, peer, namespace, tmp_path):
    with (
        closing(SimulatedClock(speed)) as clock,
        GuardProcess(write_contract(tmp_path), namespace, ("use_sim_time:=true",)),
    ):
        sent_ns = []

        def make():
            sent_ns.append(clock.now_ns)
            message = twist()
            message.header.stamp = to_time(clock.now_ns)
            return message

        def forwarded():
            return [stamp for stamp, seen in peer.seen["cmd_vel"].items() if not is_safe(seen)]

        def safe_after(stamp_ns):
            return sorted(stamp for stamp, seen in peer.seen["cmd_vel"].items() if is_safe(seen) and stamp > stamp_ns)

        # Its own stamps are left alone: Peer's `send` would give them this machine's time.
        for _ in range(2000):
            peer._commands._publisher.publish(make())
            if peer.receives(lambda: len(forwarded()) >= 3, timeout=0.01):
                break
        last_ns = sent_ns[-1]
        peer.wait_for(lambda: len(safe_after(last_ns)) >= 5)
        stamps = safe_after(last_ns)
        # The guard knows the time as of the last message of the clock.
        assert stamps[0] - last_ns >= 0.9 * TIMEOUT_NS, "by this machine's clock it would have come too soon"
        assert stamps[-1] - stamps[0] >= (len(stamps) - 2) * PERIOD_NS, "on a grid: one may be late"
        assert stamps[-1] <= clock.now_ns

        # The clock stands still: nothing is sent, whatever this machine's clock says.
        clock.speed = 0.0
        peer.receives(lambda: False, timeout=1.0)
        most = (clock.now_ns - stamps[0]) // PERIOD_NS + 2
        assert len(safe_after(last_ns)) <= most, "20 more came in this second"

        # It is set back: what came before is forgotten, the safe action goes on, and commands count again.
        clock.speed, clock.now_ns = speed, 10_000_000_000
        peer.wait_for(lambda: any(stamp < 50_000_000_000 for stamp in peer.seen["cmd_vel"]))
        back = [seen for stamp, seen in peer.seen["cmd_vel"].items() if stamp < 50_000_000_000]
        assert all(map(is_safe, back))
        for _ in range(2000):
            peer._commands._publisher.publish(make())
            if peer.receives(lambda: min(forwarded(), default=clock.now_ns) < 50_000_000_000, timeout=0.01):
                break
        else:
            raise AssertionError("commands after the jump are not forwarded")
