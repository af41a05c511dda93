"""Programs written for Real-Time Gym, run as they are: real interpreters, compared with what plain Python does."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ANNOUNCED = "rtgym_ros.compat: rtgym and gym_real_time are rtgym_ros in this program"
GYM_IS_GYMNASIUM = "rtgym_ros.compat: gym, which this program imports, is Gymnasium here"


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a dedented file and returns its name."""

    def write(name, text):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))
        return name

    return write


@pytest.fixture
def python(tmp_path):
    """Return a function that runs Python in the folder of the test, where ``site-packages`` is a place for packages."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", ""), str(tmp_path / "site-packages")]))

    def python(*arguments):
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    return python


@pytest.fixture
def run(python):
    """Return a function that runs a program under the alias and returns how it ended."""

    def run(*arguments):
        return python("-m", "rtgym_ros.compat", *arguments)

    return run


def lines_of(ended):
    """Return what a program that ended well printed."""
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


def told_by(ended):
    """Return what a program told on stderr after the announcement, which names an rtgym that is installed here."""
    announcement, _, rest = ended.stderr.partition("\n")
    assert announcement.startswith(ANNOUNCED)
    return rest


# --- as under plain Python ---

PROBE = """
    import sys
    print(__name__, __file__, __package__, __spec__ and __spec__.name, __doc__)
    print(sys.argv, sys.path[0], sys.modules["__main__"].__dict__ is globals(), "annotations" in globals())
    import neighbour

    def fail():
        raise ValueError("here")

    match sys.argv[1:]:
        case ["exit"]: sys.exit(3)
        case ["interrupt"]: raise KeyboardInterrupt
        case ["fail"]: fail()
"""


@pytest.mark.parametrize("how", [["--option", "-m", "x"], ["exit"], ["interrupt"], ["fail"]])
def test_a_script_finds_what_plain_python_gives_it(python, run, write, how):
    write("neighbour.py", "print('imported')")
    script = write("folder/probe.py", PROBE)
    write("folder/neighbour.py", "print('imported from the folder of the script')")
    plain, ended = python(script, *how), run(script, *how)
    assert (ended.stdout, ended.returncode) == (plain.stdout, plain.returncode)
    assert told_by(ended) == plain.stderr, "the traceback has no frame of ours"


@pytest.mark.parametrize("how", [["--option"], ["fail"]])
def test_a_module_finds_what_plain_python_gives_it(python, run, write, how):
    write("neighbour.py", "")
    write("package/__init__.py", "")
    write("package/probe.py", PROBE)
    plain, ended = python("-m", "package.probe", *how), run("-m", "package.probe", *how)
    assert (ended.stdout, ended.returncode) == (plain.stdout, plain.returncode)
    assert told_by(ended).splitlines()[-3:] == plain.stderr.splitlines()[-3:]


def test_a_syntax_error_is_the_scripts_own(python, run, write):
    script = write("wrong.py", "def f(:\n")
    assert told_by(run(script)) == python(script).stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "no program given; usage:"),
        (["--gym", "-m"], "no program given; usage:"),
        (["missing.py"], "can't open 'missing.py': No such file or directory"),
        (["--fast", "missing.py"], "unknown option '--fast'; usage:"),
    ],
)
def test_without_a_program_there_is_one_line(run, arguments, reason):
    ended = run(*arguments)
    assert (ended.stdout, ended.returncode) == ("", 2)
    assert ended.stderr.startswith(f"rtgym_ros.compat: {reason}")
    assert ended.stderr.count("\n") == 1


def test_help(run):
    assert "SCRIPT [ARGS...], or -m MODULE [ARGS...]" in lines_of(run("--help"))[0]


# --- the alias ---


def test_the_names_lead_here(run, write):
    script = write(
        "names.py",
        """
        import gym_real_time, rtgym
        import rtgym_ros
        from gym_real_time.envs.real_time_env import GymRealTimeInterface
        from rtgym.envs.real_time_env import DEFAULT_CONFIG_DICT, RealTimeEnv
        from rtgym.tuto.dummy_drone import DummyRCDrone
        assert rtgym.DummyRCDrone is DummyRCDrone is rtgym_ros.DummyRCDrone
        assert issubclass(RealTimeEnv, rtgym_ros.RealTimeEnv)
        assert DEFAULT_CONFIG_DICT is rtgym.envs.real_time_env.DEFAULT_CONFIG_DICT is rtgym_ros.DEFAULT_CONFIG_DICT
        assert issubclass(rtgym.envs.RealTimeEnvTS, rtgym_ros.RealTimeEnv)
        assert rtgym.RealTimeGymInterface is DEFAULT_CONFIG_DICT["interface"]
        assert GymRealTimeInterface is gym_real_time.GymRealTimeInterface is rtgym_ros.GymRealTimeInterface
        assert gym_real_time.DEFAULT_CONFIG_DICT["ep_max_length"] == 1000
        """,
    )
    lines_of(run(script))


MISSING = {
    "from rtgym import RealTimeGymInterfase": "(did you mean 'RealTimeGymInterface'?)",
    "import rtgym; rtgym.RealTimeGymInterfase": "(did you mean 'RealTimeGymInterface'?)",
    "from rtgym.envs.utils.benchmark import Benchmark": "; the nearest is rtgym_ros.core.benchmark.PolyakBenchmark",
    "import rtgym.tuto.tuto": "; the nearest is python -m rtgym_ros.nodes.drone_tutorial",
    "from gym_real_time.envs import unheard_of": "gym_real_time.envs.unheard_of is not in rtgym_ros.compat, which",
}


def test_what_is_missing_is_named_with_the_nearest(run, write):
    script = write(
        "missing_names.py",
        """
        import sys
        for statement in sys.argv[1:]:
            try:
                exec(statement)
            except (ImportError, AttributeError) as error:
                print(error)
        """,
    )
    told = lines_of(run(script, *MISSING))
    assert len(told) == len(MISSING)
    for line, expected in zip(told, MISSING.values(), strict=True):
        assert expected in line


def test_asking_whether_there_is_a_name_is_no_error(run, write):
    script = write("ask.py", "import rtgym\nprint(hasattr(rtgym, 'x'), getattr(rtgym, 'x', 3))")
    assert lines_of(run(script)) == ["False 3"]


def test_what_is_stricter_here_is_as_in_real_time_gym(run, write):
    script = write(
        "defaults.py",
        """
        import rtgym
        from rtgym_ros.core.config import RealTimeConfig
        for config in ({"interface": print}, dict(rtgym.DEFAULT_CONFIG_DICT, interface=print)):
            entries = RealTimeConfig.from_mapping(config)
            print(entries.observation_check, entries.time_in_info, entries.interface_timeout, entries.agent_timeout)
        """,
    )
    assert lines_of(run(script)) == ["warn False 3600.0 inf"] * 2


def test_it_wins_over_an_installed_rtgym_and_says_so(run, write):
    write("site-packages/rtgym/__init__.py", "raise RuntimeError('the real one')")
    write("site-packages/rtgym-0.16.dist-info/METADATA", "Metadata-Version: 2.1\nName: rtgym\nVersion: 0.16\n")
    ended = run(write("program.py", "import rtgym\nprint(rtgym.DummyRCDrone.__module__)"))
    assert lines_of(ended) == ["rtgym_ros.robots.drone.dummy_rc_drone"]
    assert ended.stderr == f"{ANNOUNCED}; rtgym 0.16 is installed and not used\n"


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_processes_of_multiprocessing_have_it_too(run, write, method):
    script = write(
        "processes.py",
        f"""
        import multiprocessing
        import rtgym

        class Mine(rtgym.RealTimeGymInterface):
            pass

        def tell(queue, cls):
            queue.put((cls is Mine, rtgym.DEFAULT_CONFIG_DICT["observation_check"], rtgym.__name__))

        def begin(queue, context):
            process = context.Process(target=tell, args=(queue, Mine))
            process.start()
            return process

        def begin_another(queue):
            begin(queue, multiprocessing.get_context({method!r})).join()

        if __name__ == "__main__":
            context = multiprocessing.get_context({method!r})
            queue = context.Queue()
            begin(queue, context)
            context.Process(target=begin_another, args=(queue,)).start()
            print(queue.get(timeout=60), queue.get(timeout=60))
        """,
    )
    assert lines_of(run(script)) == ["(True, 'warn', 'rtgym') (True, 'warn', 'rtgym')"]


def test_pytest_runs_under_it(run, write):
    write("test_something.py", "from rtgym import RealTimeGymInterface\ndef test_it(): assert RealTimeGymInterface")
    assert "1 passed" in lines_of(run("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_something.py"))[-1]


# --- environments ---

INTERFACE = """
    import numpy as np
    from {gym} import spaces

    class Line({base}):
        place = speed = 0.0

        def get_observation_space(self):
            return spaces.Tuple((spaces.Box(-1.0, 1.0, shape=(1,)),))

        def get_action_space(self):
            return spaces.Box(-1.0, 1.0, shape=(1,))

        def get_default_action(self):
            return np.zeros(1, dtype="float32")

        def send_control(self, control):
            self.speed = control[0]
"""
MODERN = (
    INTERFACE.format(gym="gymnasium", base="rtgym.RealTimeGymInterface")
    + """
        def reset(self, seed=None, options=None):
            return [np.array([self.place])], {}

        def get_obs_rew_terminated_info(self):
            self.place += 0.1 * self.speed
            return [np.array([self.place])], self.place, self.place > 2.0, {}
"""
)
OLDER = (
    INTERFACE.format(gym="gym", base="gym_real_time.GymRealTimeInterface")
    + """
        def reset(self):
            return [self.place]

        def get_obs_rew_done(self):
            self.place += 0.1 * self.speed
            return [self.place], self.place, self.place > 2.0

    config = gym_real_time.DEFAULT_CONFIG_DICT
    config["interface"] = Line
    config["time_step_duration"] = config["start_obs_capture"] = 0.002
    config["time_step_timeout_factor"] = 1e6
    config["async_threading"] = True
"""
)


@pytest.mark.parametrize("env_id", ["real-time-gym-v1", "rtgym:real-time-gym-ts-v1"])
def test_an_observation_outside_of_its_space_is_handed_out(run, write, env_id):
    script = write(
        "fly.py",
        "import gymnasium, rtgym\n"
        + textwrap.dedent(MODERN)
        + textwrap.dedent(
            f"""
            config = {{"interface": Line, "time_step_duration": 0.002, "time_step_timeout_factor": 1e6}}
            env = gymnasium.make({env_id!r}, config=config)
            env.reset()
            terminated = False
            while not terminated:
                observation, reward, terminated, truncated, info = env.step(np.ones(1, dtype="float32"))
            print(f"{{observation[0].item():.3f}}", reward > 2.0)
            """
        ),
    )
    ended = run(script)
    assert lines_of(ended)[-1].endswith("True")
    assert ended.stderr.count("ObservationWarning") == 1


def test_a_program_of_the_older_generation_runs_unchanged(run, write):
    script = write(
        "older.py",
        "import gym, gym.spaces, gym_real_time\n"
        + textwrap.dedent(OLDER)
        + textwrap.dedent(
            """
            env = gym.make("gym_real_time:gym-rt-v0", config=config)
            assert isinstance(env.action_space, gym.spaces.Box)
            observation = env.reset()
            assert observation[0] == 0.0, observation
            done = False
            while not done:
                observation, reward, done, info = env.step(1.0)
            env.wait()
            env.close()
            print(type(observation[0]).__name__, reward > 2.0)
            """
        ),
    )
    ended = run(script)
    assert lines_of(ended)[0].endswith(" True")
    assert told_by(ended).splitlines()[0] == GYM_IS_GYMNASIUM


def test_the_older_id_gives_five_values_with_gymnasium(run, write):
    script = write(
        "older_with_gymnasium.py",
        "import gymnasium, gym_real_time\n"
        + textwrap.dedent(OLDER).replace("from gym import", "from gymnasium import")
        + textwrap.dedent(
            """
            env = gymnasium.make("gym_real_time:gym-rt-v0", config=config)
            observation, info = env.reset()
            print(len(env.step(np.ones(1, dtype="float32"))))
            """
        ),
    )
    assert lines_of(run(script)) == ["5"]


@pytest.mark.parametrize("capture", ["get_obs_rew_done_info", "get_obs_rew_terminated_info"])
def test_an_rtgym_before_0_8_has_the_values_of_its_gym(run, write, capture):
    older = capture.endswith("done_info")
    script = write(
        "early.py",
        "import gym, rtgym\n"
        + textwrap.dedent(MODERN)
        .replace("from gymnasium", "from gym")
        .replace("get_obs_rew_terminated_info", capture)
        .replace("reset(self, seed=None, options=None)", "reset(self)")
        .replace(
            "[np.array([self.place])], {}\n", "[np.array([self.place])]\n" if older else "([np.zeros(1)], {})\n", 1
        )
        + textwrap.dedent(
            """
            config = dict(rtgym.DEFAULT_CONFIG_DICT, interface=Line, time_step_duration=0.002, benchmark=True)
            env = gym.make("rtgym:real-time-gym-v0", config=config)
            print(type(env.reset()[-1]).__name__, len(env.step(np.ones(1, dtype="float32"))), len(env.benchmarks()))
            """
        ),
    )
    assert lines_of(run(script)) == ["ndarray 4 6" if older else "dict 5 6"]


def test_other_environments_of_gym_are_gymnasiums(run, write):
    script = write(
        "cart_pole.py",
        """
        import gym
        from gym.envs.registration import register
        from gym.wrappers import TimeLimit
        import gymnasium
        assert (register, TimeLimit) == (gymnasium.register, gymnasium.wrappers.TimeLimit)
        assert issubclass(gym.Wrapper, gym.Env)
        assert gym.spaces is gymnasium.spaces
        print(type(gym.make("CartPole-v1").unwrapped).__name__)
        """,
    )
    assert lines_of(run(script)) == ["CartPoleEnv"]


def test_a_library_that_looks_for_gym_is_told_the_truth(run, write):
    write(
        "site-packages/library.py",
        """
        import importlib.util
        try:
            import gym
        except ImportError:
            print("no gym", importlib.util.find_spec("gym"))
        """,
    )
    ended = run(write("learn.py", "import library"))
    assert lines_of(ended) == ["no gym None"]
    assert told_by(ended) == ""
    ended = run(write("old.py", "import library\nimport gym, gym.spaces\nprint(gym.__name__)"))
    assert lines_of(ended) == ["no gym None", "gym"]
    assert told_by(ended) == f"{GYM_IS_GYMNASIUM}\n"


def test_an_installed_gym_stays_unless_told_otherwise(run, write):
    write("site-packages/gym/__init__.py", "which = 'installed'")
    script = write("which.py", "import gym\nprint(getattr(gym, 'which', 'replaced'))")
    ended = run(script)
    assert lines_of(ended) == ["installed"]
    assert "gym, which this program imports, is the installed one; --gym puts Gymnasium in its place" in ended.stderr
    ended = run("--gym", script)
    assert lines_of(ended) == ["replaced"]
    assert GYM_IS_GYMNASIUM in ended.stderr
    metadata = "Metadata-Version: 2.1\nName: rtgym\nVersion: {}\nRequires-Dist: {}\n"
    write("site-packages/rtgym-0.6.dist-info/METADATA", metadata.format("0.6", "gym"))
    assert lines_of(run(script)) == ["replaced"], "an old rtgym brought it along"
    write("site-packages/rtgym-0.6.dist-info/METADATA", metadata.format("0.8", "gymnasium"))
    assert lines_of(run(script)) == ["installed"]
