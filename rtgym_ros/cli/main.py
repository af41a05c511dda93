"""``rtgym_ros PROGRAM``: every program of this package under one name; inside ROS 2, ``ros2 run rtgym_ros PROGRAM``."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from rtgym_ros.core.errors import nearest

_GROUP = "rtgym_ros.programs"
_INTERRUPTED = 130


def main() -> int:
    """Run the program that the command line names.

    Returns:
        Its exit code; 2 where there is none of that name, 130 where Ctrl-C came before it was ready for that. While it
        is imported, Ctrl-C ends the process by the signal.
    """
    try:
        return _run()
    except KeyboardInterrupt:
        return _INTERRUPTED


def _run() -> int:
    programs = find_programs()
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in ("-h", "--help"):
        names = "\n".join(f"  {program}" for program in sorted(programs))
        sys.stdout.write(f"usage: rtgym_ros PROGRAM [ARGUMENTS]\n\n{names}\n\nrtgym_ros PROGRAM --help says more.\n")
        return 0
    if name not in programs:
        hint = nearest(name, programs) or ": rtgym_ros --help lists them"
        sys.stderr.write(f"rtgym_ros: there is no program {name!r}{hint}\n")
        return 2
    sys.argv = [f"rtgym_ros {name}", *sys.argv[2:]]
    return programs[name]()


def find_programs() -> dict[str, Callable[[], int]]:
    """Return the programs by name: those that pip has installed, else those of the workspace that is sourced.

    Raises:
        SystemExit: neither is there.
    """
    found = entry_points(group=_GROUP)
    if found:
        return {entry.name: lambda entry=entry: _load(entry)() for entry in found}  # type: ignore[misc]
    folder = _workspace_folder()
    files = [file for file in folder.iterdir() if file.name != "rtgym_ros"] if folder is not None else []
    if not files:
        sys.exit("rtgym_ros: this package is not installed: pip install it, or source the workspace it is built in")
    return {file.name: lambda file=file: _replace_by(file) for file in files}  # type: ignore[misc]


def _load(entry: EntryPoint) -> Callable[[], int]:
    """Import a program.

    Raises:
        SystemExit: what it needs is not installed.
    """
    try:
        with _ended_by_ctrl_c():
            return entry.load()  # type: ignore[no-any-return]
    except ModuleNotFoundError as error:
        sys.exit(
            f"rtgym_ros {entry.name}: {error}: `pip install 'rtgym_ros[ros,tutorial]'` brings ROS 2 and what draws, "
            "or source an install of ROS 2"
        )


@contextmanager
def _ended_by_ctrl_c() -> Iterator[None]:
    """Have the system end the process on Ctrl-C: modules that are being imported may swallow a KeyboardInterrupt."""
    is_pythons = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if is_pythons:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        if is_pythons:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _workspace_folder() -> Path | None:
    try:
        from ament_index_python.packages import PackageNotFoundError, get_package_prefix
    except ImportError:
        return None
    try:
        folder = Path(get_package_prefix("rtgym_ros"), "lib", "rtgym_ros")
    except PackageNotFoundError:
        return None
    return folder if folder.is_dir() else None


def _replace_by(file: Path) -> int:
    os.execv(file, [str(file), *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
