"""Real-time measures: taken where the system permits it, told where it does not, and undone."""

import gc
import os
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from rtgym_ros.core.config import RealTimeConfig
from rtgym_ros.core.errors import RealtimeWarning
from rtgym_ros.envs.interface import RealTimeGymInterface
from rtgym_ros.envs.real_time_env import RealTimeEnv, RealTimeEnvTS
from rtgym_ros.realtime import garbage
from rtgym_ros.realtime.capabilities import CAP_IPC_LOCK, has_capability
from rtgym_ros.realtime.garbage import SlackCollector
from rtgym_ros.realtime.measures import RealtimeMeasures

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux's")
US = 1_000


def may_use_fifo():
    if not hasattr(os, "SCHED_FIFO"):
        return False
    permitted = []

    def attempt():
        try:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        except OSError:
            return
        permitted.append(True)

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    return bool(permitted)


FIFO = pytest.mark.skipif(not may_use_fifo(), reason="this process may not use SCHED_FIFO")


def config_of(**entries):
    return RealTimeConfig.from_mapping({"interface": RealTimeGymInterface, **entries})


def measures_of(**entries):
    return RealtimeMeasures(config_of(**entries))


def state():
    affinity = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    policy = os.sched_getscheduler(0) if hasattr(os, "sched_getscheduler") else None
    return sys.getswitchinterval(), gc.get_threshold(), is_frozen(), affinity, policy, locked_kb()


def is_frozen():
    return gc.get_freeze_count() > garbage._FEW


def locked_kb():
    file = Path("/proc/self/status")
    lines = file.read_text().splitlines() if file.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("VmLck:")), 0)


@pytest.fixture(autouse=True)
def _everything_is_put_back():
    before = state()
    yield
    assert state() == before


# --- the whole process ---


def test_the_switch_interval_is_short_while_it_is_open():
    before = sys.getswitchinterval()
    measures = measures_of()
    assert sys.getswitchinterval() == before
    measures.open()
    assert sys.getswitchinterval() == pytest.approx(1e-4)
    measures.close()
    measures.close()
    assert sys.getswitchinterval() == before


def test_a_switch_interval_that_is_shorter_already_stays():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    measures = measures_of(switch_interval=1e-3)
    measures.open()
    assert sys.getswitchinterval() == pytest.approx(1e-5)
    measures.close()
    assert sys.getswitchinterval() == pytest.approx(1e-5)
    sys.setswitchinterval(before)


def test_a_switch_interval_that_somebody_else_sets_meanwhile_stays():
    before = sys.getswitchinterval()
    measures = measures_of()
    measures.open()
    sys.setswitchinterval(2e-3)
    measures.close()
    assert sys.getswitchinterval() == pytest.approx(2e-3)
    sys.setswitchinterval(before)


def test_none_leaves_it():
    before = sys.getswitchinterval()
    measures = measures_of(switch_interval=None)
    measures.open()
    assert sys.getswitchinterval() == before
    measures.close()


PLANS = st.lists(
    st.tuples(st.sampled_from([None, 1e-5, 1e-4, 1e-3]), st.sampled_from(["on", "freeze", "slack"]), st.integers(0, 7)),
    max_size=6,
)


@settings(max_examples=12)
@given(PLANS)
def test_measures_of_many_may_be_closed_in_any_order(plans):
    before = state()
    opened = []
    for interval, collection, close_at in plans:
        measures = measures_of(switch_interval=interval, garbage_collection=collection)
        measures.open()
        measures.reset()
        opened.insert(close_at, (interval, collection, measures))
        wanted = [before[0], *(value for value, _, _ in opened if value is not None)]
        assert sys.getswitchinterval() == pytest.approx(min(wanted))
        assert (gc.get_threshold() != before[1]) is any(kind == "slack" for _, kind, _ in opened)
    while opened:
        opened.pop()[2].close()
    assert state() == before


def test_what_is_there_at_the_first_reset_is_frozen_once():
    measures = measures_of(garbage_collection="freeze")
    measures.open()
    assert not is_frozen()
    measures.reset()
    frozen = gc.get_freeze_count()
    assert is_frozen()
    kept = [[] for _ in range(100)]
    measures.reset()
    assert gc.get_freeze_count() <= frozen, "a reset does not freeze what is garbage by the next one"
    assert len(kept) == 100
    measures.close()


def test_warnings_that_are_errors_leave_the_counts_right(monkeypatch):
    monkeypatch.setattr("rtgym_ros.realtime.measures.lock_memory", lambda: "refused")
    with warnings.catch_warnings():
        warnings.simplefilter("error", RealtimeWarning)
        with pytest.raises(RealtimeWarning, match="refused"):
            environment(RealTimeEnv, lock_memory=True, garbage_collection="slack")
    assert (garbage._collectors.number, garbage._freezers.number) == (0, 0)


def test_what_the_program_has_frozen_itself_stays_frozen():
    gc.freeze()
    frozen = gc.get_freeze_count()
    measures = measures_of(garbage_collection="freeze")
    measures.open()
    measures.reset()
    measures.close()
    assert gc.get_freeze_count() >= frozen
    gc.unfreeze()


@pytest.mark.parametrize(
    ("uid_map", "effective", "has_it"),
    [
        ("         0          0 4294967295\n", "000001ffffffffff", True),
        ("         0          0 4294967295\n", "0000000000000000", False),
        ("         0       1000          1\n", "000001ffffffffff", False),
    ],
)
def test_a_capability_counts_where_the_system_counts_it(tmp_path, uid_map, effective, has_it):
    (tmp_path / "uid_map").write_text(uid_map)
    (tmp_path / "status").write_text(f"Name:\tpython\nCapEff:\t{effective}\n")
    assert has_capability(CAP_IPC_LOCK, tmp_path) is has_it
    assert has_capability(CAP_IPC_LOCK, tmp_path / "nowhere") is False


@LINUX
def test_memory_is_locked_while_anybody_wants_it():
    first, second = (measures_of(lock_memory=True) for _ in range(2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RealtimeWarning)
        first.open()
        second.open()
    if first.refusals:
        first.close()
        second.close()
        pytest.skip(f"this process may not lock memory: {first.refusals[0]}")
    first.close()
    assert locked_kb() > 0
    second.close()


# --- the slack ---


class Collections:
    """A garbage collector that takes as long as it is told to, and the clock that says so."""

    def __init__(self, monkeypatch, took_ns):
        self.counts, self.made, self._took_ns, self._now_ns = [0, 0, 0], [], took_ns, 0
        monkeypatch.setattr(garbage.gc, "get_count", lambda: tuple(self.counts))
        self.thresholds = (700, 10, 10)
        monkeypatch.setattr(garbage.gc, "get_threshold", lambda: self.thresholds)
        monkeypatch.setattr(garbage.gc, "set_threshold", self._set_threshold)
        monkeypatch.setattr(garbage.gc, "collect", self._collect)
        self.collector = SlackCollector(lambda: self._now_ns)
        self.collector.open()
        self.made.clear()

    def _collect(self, generation):
        self.made.append(generation)
        self._now_ns += self._took_ns[generation]

    def _set_threshold(self, *thresholds):
        self.thresholds = thresholds

    def made_in(self, slack_ns, *counts):
        self.made.clear()
        self.counts[:] = counts
        self.collector.use_slack(slack_ns)
        return self.made


@pytest.fixture
def collections(monkeypatch):
    collections = Collections(monkeypatch, (10 * US, 100 * US, 1000 * US))
    yield collections
    collections.collector.close()


def test_nothing_is_collected_before_it_is_due(collections):
    assert collections.made_in(10**9, 700, 99, 99) == []


def test_the_oldest_that_is_due_and_fits_is_collected(collections):
    assert collections.made_in(2000 * US, 701, 11, 11) == [2]
    assert collections.made_in(2000 * US, 701, 11, 10) == [1]
    assert collections.made_in(1999 * US, 701, 11, 11) == [1]
    assert collections.made_in(199 * US, 701, 11, 11) == [0]
    assert collections.made_in(19 * US, 701, 11, 11) == []
    assert collections.made_in(-5, 701, 11, 11) == []


def test_without_slack_the_interpreter_collects_far_beyond_the_thresholds(collections):
    assert collections.made_in(0, 10**6, 10**6, 10**6) == []
    assert collections.thresholds == (35_000, 500, 500)


def test_thresholds_that_somebody_sets_meanwhile_stay(collections):
    other = SlackCollector(lambda: 0)
    other.open()
    assert collections.thresholds == (35_000, 500, 500)
    other.close()
    assert collections.thresholds == (35_000, 500, 500)
    collections.thresholds = (5, 5, 5)
    collections.collector.close()
    assert collections.thresholds == (5, 5, 5)
    collections.collector.open()


def test_while_nobody_waits_garbage_does_not_grow_without_bound():
    """A learner trains between two steps."""
    collector = SlackCollector()
    collector.open()
    most = 0
    for _ in range(60 * gc.get_threshold()[0] // 50):
        cycle = []
        cycle.append(cycle)
        most = max(most, gc.get_count()[0])
    collector.close()
    assert most <= 50 * gc.get_threshold()[0] + 1


def test_how_long_it_takes_is_learned_again(collections):
    collections._took_ns = (10 * US, 100 * US, 5000 * US)
    assert collections.made_in(2000 * US, 701, 11, 11) == [2]
    assert collections.made_in(2000 * US, 701, 11, 11) == [1]


def test_garbage_is_really_collected():
    collector = SlackCollector()
    threshold = gc.get_threshold()[0]
    collector.open()
    for _ in range(3 * threshold):
        cycle = []
        cycle.append(cycle)
    assert gc.get_count()[0] > threshold
    collector.use_slack(10**12)
    assert gc.get_count()[0] < threshold
    collector.close()


# --- threads ---


class Robot(RealTimeGymInterface):
    """It writes down how the threads that call it are scheduled."""

    def __init__(self):
        self.scheduled = {}

    def note(self, method):
        self.scheduled[method] = (
            os.sched_getscheduler(0),
            os.sched_getparam(0).sched_priority,
            os.sched_getaffinity(0),
        )

    def get_observation_space(self):
        return spaces.Tuple([spaces.Box(-1, 1, (1,), np.float32)])

    def get_action_space(self):
        return spaces.Box(-1, 1, (1,), np.float32)

    def get_default_action(self):
        return np.zeros(1, np.float32)

    def reset(self, seed=None, options=None):
        return [np.zeros(1, np.float32)], {}

    def send_control(self, control):
        self.note("send_control")

    def get_obs_rew_terminated_info(self):
        self.note("capture")
        return [np.zeros(1, np.float32)], 0.0, False, {}


def environment(env_class, **entries):
    return env_class({"interface": Robot, "time_step_duration": 0.005, "time_step_timeout_factor": 1e6, **entries})


@LINUX
@FIFO
@pytest.mark.parametrize("env_class", [RealTimeEnv, RealTimeEnvTS])
def test_the_clock_thread_has_a_priority_and_no_other_has(env_class):
    before = os.sched_getscheduler(0), os.sched_getparam(0).sched_priority, os.sched_getaffinity(0)
    cpu = max(os.sched_getaffinity(0))
    env = environment(env_class, realtime_priority=7, cpu_affinity=[cpu])
    env.reset()
    for _ in range(3):
        env.step(np.zeros(1, np.float32))
    expected = (os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, 7, {cpu})
    assert env.interface.scheduled == {"send_control": expected, "capture": expected}
    assert env.realtime_refusals == ()
    assert (os.sched_getscheduler(0), os.sched_getparam(0).sched_priority, os.sched_getaffinity(0)) == before
    env.close()


class Starts(Robot):
    """It starts a thread in its reset."""

    def reset(self, seed=None, options=None):
        self.policies = []
        thread = threading.Thread(target=lambda: self.policies.append(os.sched_getscheduler(0)))
        thread.start()
        thread.join()
        return super().reset()


@LINUX
@FIFO
def test_what_the_clock_thread_starts_is_scheduled_as_usual():
    env = environment(RealTimeEnv, interface=Starts, realtime_priority=7)
    env.reset()
    env.close()
    assert env.interface.policies == [os.SCHED_OTHER]


@LINUX
@pytest.mark.parametrize("cpus", [[4000], [10**30], [0, 4000]])
@pytest.mark.parametrize("env_class", [RealTimeEnv, RealTimeEnvTS])
def test_a_cpu_that_is_not_there_is_refused_once_and_the_robot_goes_on(env_class, cpus):
    with pytest.warns(RealtimeWarning, match=r"config\['cpu_affinity'\] = .* may run on the CPUs \[0") as given:
        env = environment(env_class, cpu_affinity=cpus)
    assert len(given) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error", RealtimeWarning)
        env.reset()
        env.step(np.zeros(1, np.float32))
    assert len(env.realtime_refusals) == 1
    env.close()


REFUSED = """
import os, resource, sys, warnings
sys.path.insert(0, {folder!r})
from test_realtime_measures import *
resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
resource.setrlimit(resource.RLIMIT_MEMLOCK, (65536, 65536))
os.setgroups([]); os.setgid(65534); os.setuid(65534)
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    env = environment(RealTimeEnv, realtime_priority=80, lock_memory=True)
    env.reset()
    env.step(np.zeros(1, np.float32))
print(*env.realtime_refusals, sep=chr(10))
assert [str(w.message) for w in told if w.category is RealtimeWarning] == list(env.realtime_refusals)
env.close()
"""


@LINUX
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become nobody")
def test_without_the_right_it_says_which_one_is_missing():
    program = REFUSED.format(folder=str(Path(__file__).parent))
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[2]
    )
    assert ended.returncode == 0, ended.stderr
    memory, priority = ended.stdout.splitlines()
    assert memory.startswith("config['lock_memory'] = True was refused, the environment goes on without it: ")
    assert "RLIMIT_MEMLOCK (it is 64 kB" in memory
    assert "CAP_IPC_LOCK" in memory
    assert priority.startswith("config['realtime_priority'] = 80 was refused")
    assert "RLIMIT_RTPRIO of at least 80 (it is 0)" in priority
    assert "--cap-add SYS_NICE" in priority


def test_off_linux_every_measure_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    measures = measures_of(realtime_priority=5, cpu_affinity=[0], lock_memory=True, switch_interval=None)
    measures.open()
    measures.schedule_this_thread()
    assert [line.endswith("offered on Linux only, and this is darwin") for line in measures.refusals] == [True] * 3
    measures.close()


@LINUX
def test_a_forked_process_keeps_nothing_of_it():
    before = state()[:5]
    env = environment(RealTimeEnv, garbage_collection="slack", cpu_affinity=[max(os.sched_getaffinity(0))])
    env.reset()
    child = os.fork()
    if child == 0:
        os._exit(0 if state()[:5] == before else 1)
    assert os.waitpid(child, 0)[1] == 0
    env.close()
