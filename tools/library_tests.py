"""Run the tests of other libraries, each in an environment of its own: ``./dev test --libraries [NAME...]``.

``test/libraries/NAME/`` has a ``requirements.txt`` beside its tests. Its environment has these requirements first, and
behind them what the environment of ``./dev`` has (ROS 2, the messages, pytest): each library brings the versions of
NumPy, Gymnasium and PyTorch that it wants. Each is given a quarter of an hour for its tests; one that hangs says where.
"""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = ROOT / "test" / "libraries"
ENVIRONMENTS = Path(sys.prefix, ".dev", "libraries")
INSTALL_S = 1800.0
TESTS_S = 900.0


def main():
    known = sorted(file.parent.name for file in LIBRARIES.glob("*/requirements.txt"))
    wanted = sys.argv[1:] or known
    unknown = sorted(set(wanted) - set(known))
    if unknown or not wanted:
        sys.exit(f"dev: test/libraries has no {', '.join(unknown) or 'tests'}; it has: {', '.join(known) or 'nothing'}")
    failed = [name for name in wanted if not passes(name)]
    print(f"{len(wanted) - len(failed)} passed, {len(failed)} failed: {' '.join(failed)}" if failed
          else f"{len(wanted)} passed, 0 failed")  # fmt: skip
    sys.exit(bool(failed))


def passes(name):
    """Make the environment of a library and run its tests; return whether both went well."""
    print(f"dev: {name}", file=sys.stderr)
    environment = ENVIRONMENTS / name
    python = environment / "bin" / "python"
    uv = [Path(sys.prefix, "bin", "uv")]
    made = [*uv, "venv", "-q", "--allow-existing", "--python", sys.executable, environment]
    install = [*uv, "pip", "install", "-q", "--python", python, "-r", LIBRARIES / name / "requirements.txt"]
    if ended(made, INSTALL_S):
        return False
    options = torch_options()
    if ended([*install, *options], INSTALL_S):
        if not options:
            return False
        # A library may want another PyTorch than the one whose wheel is in the folder.
        print("dev: once more, with PyTorch from the index", file=sys.stderr)
        if ended(install, INSTALL_S):
            return False
    site = environment / Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)
    # What .pth files add comes last: the library's own packages are found first.
    (site / "dev.pth").write_text(sysconfig.get_path("purelib") + "\n")
    print("dev:", versions(uv, python), file=sys.stderr)
    # The loader's path to the libraries of ROS 2 was set when this Python started, for its children too.
    tests = [python, "-m", "pytest", LIBRARIES / name]
    try:
        passed = ended(tests, TESTS_S) == 0
    finally:
        end_processes_of(environment)
    shutil.rmtree(environment)  # one has a gigabyte; what was fetched stays in uv's cache
    return passed


def ended(command, timeout_s):
    """Run a command and return its exit code; all of its processes are ended after ``timeout_s`` seconds."""
    # A group of its own: a library's workers outlive a process that is killed.
    process = subprocess.Popen(
        list(map(str, command)), cwd=ROOT, env={**os.environ, "PYTHONFAULTHANDLER": "1"}, start_new_session=True
    )
    try:
        return process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        print(f"dev: {command[0]} has not ended after {timeout_s:g} s; its threads are in:", file=sys.stderr)
        process.send_signal(signal.SIGABRT)  # has Python write down its stacks
        with suppress(subprocess.TimeoutExpired):
            process.wait(5.0)
        return 1
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def end_processes_of(environment):
    """Kill what a library has left running in sessions of its own, as Ray does with its servers."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid != os.getpid() and any(word.startswith(f"{environment}/") for word in process.cmdline()[:2]):
                print(f"dev: left running, ended: {process.pid} {process.name()}", file=sys.stderr)
                process.kill()


def versions(uv, python):
    """Return what an environment brought of its own, a name with its version each."""
    listed = [*uv, "pip", "freeze", "--python", python]
    told = subprocess.run(list(map(str, listed)), check=False, capture_output=True, text=True)
    return " ".join(told.stdout.split("\n"))


def torch_options():
    """Return options with which uv takes PyTorch for the CPU: from a folder of wheels that there is, or its index."""
    folder = os.environ.get("UV_FIND_LINKS") or os.environ.get("PIP_FIND_LINKS") or "/nowhere"
    wheels = sorted(Path(folder).glob("torch-*+cpu-*.whl"))
    if not wheels:
        os.environ.setdefault("UV_TORCH_BACKEND", "cpu")
        return []
    constraints = ENVIRONMENTS / "constraints.txt"
    constraints.parent.mkdir(parents=True, exist_ok=True)
    constraints.write_text(f"torch=={wheels[-1].name.split('-')[1].split('+')[0]}\n")
    return ["--find-links", folder, "-c", constraints]


if __name__ == "__main__":
    main()
