import ctypes
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from rtgym_ros.cli import doctor
from rtgym_ros.realtime.advice import advise, shortest_for
from rtgym_ros.realtime.latency_probe import LatencyProbe, Measurement, Setting, all_of, settings
from rtgym_ros.realtime.machine_facts import MachineFacts, parse_cpu_list, read_facts

ROOT = Path(__file__).parents[2]
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of Linux")
US = 1000

ROBOT = {
    "proc/sys/kernel/osrelease": "6.8.1-rt\n",
    "proc/version": "Linux version 6.8.1 #1 SMP PREEMPT_RT\n",
    "proc/cpuinfo": "processor : 0\nflags\t\t: fpu tsc\n",
    "proc/self/status": "Name:\tpython\nCapEff:\t0000000000804000\nCpus_allowed_list:\t1-2\n",
    "proc/self/limits": (
        "Limit                     Soft Limit           Hard Limit           Units     \n"
        "Max locked memory         unlimited            unlimited            bytes     \n"
        "Max realtime priority     42                   99                   \n"
    ),
    "proc/self/timerslack_ns": "50000\n",
    "proc/self/cgroup": "0::/user/robot\n",
    "proc/sys/kernel/sched_rt_runtime_us": "-1\n",
    "sys/devices/system/cpu/isolated": "3\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "schedutil\n",
    "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor": "performance\n",
    "sys/devices/system/cpu/cpu2/cpufreq/scaling_governor": "powersave\n",
    "sys/devices/system/cpu/cpu1/cpuidle/state0/name": "POLL\n",
    "sys/devices/system/cpu/cpu1/cpuidle/state0/latency": "0\n",
    "sys/devices/system/cpu/cpu1/cpuidle/state1/name": "C6\n",
    "sys/devices/system/cpu/cpu1/cpuidle/state1/latency": "133\n",
    "sys/devices/system/cpu/cpu1/cpuidle/state1/disable": "0\n",
    "sys/devices/system/cpu/cpu1/cpuidle/state2/name": "C10\n",
    "sys/devices/system/cpu/cpu1/cpuidle/state2/latency": "890\n",
    "sys/devices/system/cpu/cpu1/cpuidle/state2/disable": "1\n",
    "sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc\n",
    "sys/fs/cgroup/user/robot/cpu.max": "max 100000\n",
    "sys/fs/cgroup/user/cpu.max": "150000 100000\n",
}
SOUND = MachineFacts(
    system="Linux",
    preempt_rt=True,
    is_virtual=False,
    container="",
    usable_cpus=(0, 1),
    isolated_cpus=(1,),
    governors=("performance",),
    idle_state="C1",
    idle_latency_s=2e-6,
    clock_source="tsc",
    rtprio_limit=99,
    memlock_limit_bytes=float("inf"),
    may_set_priority=False,
    may_lock_memory=False,
    cpu_quota=float("inf"),
    sched_rt_runtime_us=950_000,
)


def facts_of(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return read_facts(folder)


def changed(**values):
    return MachineFacts(**{**vars(SOUND), **values})


def measured(setting, done_us):
    measurement = Measurement(setting)
    measurement.lateness.add(done_us * US)
    measurement.done.add(done_us * US)
    return measurement


def test_the_facts_of_a_machine(tmp_path):
    facts = facts_of(tmp_path, ROBOT)
    assert (facts.system, facts.kernel) == ("Linux", "6.8.1-rt")
    assert (facts.preempt_rt, facts.is_virtual, facts.container) == (True, False, "")
    assert (facts.usable_cpus, facts.isolated_cpus) == ((1, 2), (3,))
    assert facts.governors == ("performance", "powersave")
    assert (facts.idle_state, facts.idle_latency_s) == ("C6", 133e-6)
    assert (facts.clock_source, facts.timer_slack_s) == ("tsc", 50e-6)
    assert (facts.rtprio_limit, facts.memlock_limit_bytes) == (42, float("inf"))
    assert (facts.may_set_priority, facts.may_lock_memory) == (True, True)
    assert (facts.cpu_quota, facts.cpu_quota_period_s) == (1.5, 0.1)
    assert facts.sched_rt_runtime_us == -1
    assert facts.switch_interval_s == sys.getswitchinterval()


def test_a_container_in_a_virtual_machine_with_control_groups_of_version_1(tmp_path):
    files = {
        "proc/cpuinfo": "flags : fpu hypervisor\n",
        "proc/version": "Linux version 6.8.1 #1 SMP PREEMPT_DYNAMIC\n",
        "proc/self/status": "CapEff:\t0000000000000000\n",
        "proc/self/cgroup": "3:cpu,cpuacct:/docker/a\n2:memory:/docker/a\n",
        "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000\n",
        "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        ".dockerenv": "",
    }
    facts = facts_of(tmp_path, {"proc/sys/kernel/osrelease": "6.8.1\n", **files})
    assert (facts.preempt_rt, facts.is_virtual, facts.container) == (False, True, "Docker")
    assert (facts.may_set_priority, facts.may_lock_memory) == (False, False)
    assert (facts.cpu_quota, facts.cpu_quota_period_s) == (0.5, 0.1)


def test_what_no_file_tells_is_not_known(tmp_path):
    facts = facts_of(tmp_path, {"proc/sys/kernel/osrelease": "6.8.1\n"})
    for name in ("usable_cpus", "isolated_cpus", "governors", "idle_state", "timer_slack_s", "rtprio_limit"):
        assert getattr(facts, name) is None, name
    assert facts.cpu_quota is None
    assert facts.may_set_priority is None


@pytest.mark.parametrize(
    ("text", "cpus"),
    [(None, None), ("", ()), ("0", (0,)), ("0-2,5", (0, 1, 2, 5)), ("0-1,4-5\n", (0, 1, 4, 5)), ("(null)", None)],
)
def test_lists_of_cpus(text, cpus):
    assert parse_cpu_list(text) == cpus


@pytest.mark.parametrize(
    ("done_us", "step_s"),
    [(5, 1e-4), (10, 1e-4), (10.1, 2e-4), (199, 2e-3), (200, 2e-3), (201, 5e-3), (2000, 0.02), (2001, None)],
)
def test_the_shortest_safe_time_step(done_us, step_s):
    assert shortest_for(done_us * US) == step_s


def test_of_nothing_there_is_no_shortest_time_step():
    assert shortest_for(float("nan")) is None


def test_a_machine_that_is_set_up_needs_no_advice():
    assert advise(SOUND, []) == []


@pytest.mark.parametrize(
    ("values", "change"),
    [
        ({"cpu_quota": 0.5, "cpu_quota_period_s": 0.1}, "docker update --cpu-quota -1 CONTAINER"),
        ({"sched_rt_runtime_us": 0}, "sudo sysctl -w kernel.sched_rt_runtime_us=950000"),
        ({"is_virtual": True}, "virsh vcpupin"),
        ({"rtprio_limit": 9}, 'echo "$USER - rtprio 10" | sudo tee -a /etc/security/limits.d/realtime.conf'),
        ({"rtprio_limit": 0, "container": "Docker"}, "docker run --ulimit rtprio=10 --cap-add SYS_NICE ..."),
        ({"memlock_limit_bytes": 8192}, 'echo "$USER - memlock unlimited" | sudo tee'),
        ({"memlock_limit_bytes": 8192, "container": "Docker"}, "docker run --ulimit memlock=-1 --cap-add IPC_LOCK ..."),
        ({"idle_latency_s": 133e-6}, "sudo cpupower idle-set -D 20"),
        ({"governors": ("performance", "powersave")}, "sudo cpupower frequency-set -g performance"),
        ({"governors": ("powersave",), "container": "Docker"}, "on the host: sudo cpupower frequency-set"),
        ({"clock_source": "hpet"}, "kernel parameters clocksource=tsc"),
        ({"isolated_cpus": ()}, "kernel parameters isolcpus=1 nohz_full=1 rcu_nocbs=1"),
        ({"preempt_rt": False}, "sudo apt install linux-image-rt-amd64"),
    ],
)
def test_what_is_wrong_is_told_with_its_command(values, change):
    (advice,) = advise(changed(**values), [])
    assert advice.change.startswith(change) or change in advice.change
    assert "\n" not in advice.reason + advice.change


@pytest.mark.parametrize(
    "values",
    [
        {"may_set_priority": True, "rtprio_limit": 0},
        {"may_lock_memory": True, "memlock_limit_bytes": 0},
        {"usable_cpus": (0,), "isolated_cpus": ()},
        {"governors": None, "idle_latency_s": None, "preempt_rt": None, "cpu_quota": None, "isolated_cpus": None},
        {"may_set_priority": None, "may_lock_memory": None, "rtprio_limit": None, "memlock_limit_bytes": None},
    ],
)
def test_what_does_not_apply_or_is_not_known_is_not_told(values):
    assert advise(changed(**values), []) == []


def test_the_longest_stalls_come_first():
    facts = changed(preempt_rt=False, governors=("powersave",), rtprio_limit=0, cpu_quota=1.0, cpu_quota_period_s=0.1)
    reasons = [each.reason for each in advise(facts, [])]
    order = ["control group", "realtime_priority", "governor", "PREEMPT_RT"]
    assert [word in reason for word, reason in zip(order, reasons, strict=True)] == [True] * 4


def test_a_measure_that_is_permitted_and_helps_is_told():
    plain, fifo, cpu = (measured(setting, 300) for setting in settings(1)[2:5])
    assert advise(SOUND, [plain, fifo, cpu]) == []
    fifo = measured(fifo.setting, 90)
    (advice,) = advise(SOUND, [plain, fifo, cpu])
    assert advice.change == "config.update(realtime_priority=10)"


def test_elsewhere_it_says_what_cannot_be_known(monkeypatch, tmp_path):
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    facts = read_facts(tmp_path)
    assert (facts.system, facts.governors, facts.is_virtual) == ("Darwin", None, None)
    assert [each.change for each in advise(facts, [])] == ["run it on Linux"]
    text = doctor._to_text(facts, [], advise(facts, []))
    assert "governor             not known" in text


def test_elsewhere_only_the_clock_is_measured(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    measurements = LatencyProbe(settings(0), 0.02).run()
    assert [bool(each.refused) for each in measurements] == [True, True, False, True, True, True]
    assert measurements[2].lateness.count > 0
    assert all("darwin" in each.refused[0] for each in measurements if each.refused)


@LINUX
def test_the_probe_measures_what_is_permitted():
    measurements = LatencyProbe(settings(min(os.sched_getaffinity(0))), 0.2).run()
    names = [each.setting.name for each in measurements]
    assert names[:3] == ["sleep, timer slack 50 us", "sleep, timer slack 1 ns", "sleep and spin"]
    for each in measurements:
        assert bool(each.refused) == (each.lateness.count == 0), each.setting
        assert each.done.count == each.lateness.count
        assert each.done.max_ns >= each.lateness.max_ns >= 0


@LINUX
def test_a_refusal_is_told_and_the_rest_is_measured():
    measurements = LatencyProbe([Setting("sleep and spin"), Setting("nowhere", cpus=(4095,))], 0.02).run()
    assert measurements[0].lateness.count > 0
    assert measurements[1].lateness.count == 0
    (reason,) = measurements[1].refused
    assert "this process may run on the CPUs" in reason
    assert f"nowhere: {reason}" in doctor._to_text(SOUND, measurements, [])


def test_all_measures_at_once():
    fifo, cpu, lock = settings(1)[3:]
    assert all_of([fifo, cpu, lock]).config == {"realtime_priority": 10, "cpu_affinity": (1,), "lock_memory": True}
    assert all_of([cpu, lock]).config == {"cpu_affinity": (1,), "lock_memory": True}


@LINUX
def test_everything_is_as_it_was():
    def state():
        locked = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmLck")]
        slack_ns = ctypes.CDLL(None).prctl(30, 0, 0, 0, 0)  # PR_GET_TIMERSLACK
        limits = [resource.getrlimit(limit) for limit in (resource.RLIMIT_RTPRIO, resource.RLIMIT_MEMLOCK)]
        return os.sched_getaffinity(0), os.sched_getscheduler(0), slack_ns, limits, locked, sys.getswitchinterval()

    before = state()
    assert doctor.main(["--seconds", "0.1"]) == 0
    assert state() == before


def test_json_is_json(capsys):
    assert doctor.main(["--json", "--seconds", "0.1"]) == 0
    report = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert list(report) == ["facts", "period_s", "formula", "ladder_s", "settings", "advice"]
    assert set(report["facts"]) == set(vars(SOUND))
    spins = next(each for each in report["settings"] if each["name"] == "sleep and spin")
    assert set(spins["lateness_s"]) == set(spins["done_s"]) == {"p50", "p99", "p99.9", "max"}


def test_the_text_tells_the_formula(capsys):
    assert doctor.main(["--seconds", "0.1"]) == 0
    text = capsys.readouterr().out
    for title in ("What this machine is", "How late a thread wakes up", "time-step: the shortest of 20, 10, 5"):
        assert title in text


@pytest.mark.parametrize("arguments", [["--seconds", "0"], ["--seconds", "nan"], ["--seconds", "x"], ["--fast"]])
def test_bad_arguments_are_told_in_one_line(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        doctor.main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_an_interruption_ends_it():
    program = """
import os, signal, sys, threading, time
from rtgym_ros.cli import doctor

def interrupt():
    while not any(thread.name.startswith("rtgym_ros") for thread in threading.enumerate()):
        time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=interrupt).start()
sys.exit(doctor.main(["--seconds", "60"]))
"""
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "doctor: interrupted\n")
