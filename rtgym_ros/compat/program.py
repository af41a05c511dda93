"""Running a script or a module in this process as if Python had been started with it."""

from __future__ import annotations

import builtins
import os
import runpy
import sys
from collections.abc import Sequence
from importlib.machinery import SourceFileLoader
from types import ModuleType, TracebackType


def run_script(script: str, source: bytes, arguments: Sequence[str]) -> None:
    """Run a script as ``python script arguments`` does; whatever it raises comes out.

    The module that it runs in stays there after its last line, for threads, exit functions and pickles of its classes.

    Args:
        script: its path, as given.
        source: what it contains.
        arguments: its arguments.
    """
    path = os.path.abspath(script)
    main = ModuleType("__main__")
    vars(main).update(
        __annotations__={},
        __builtins__=builtins,
        __cached__=None,
        __file__=path,
        __loader__=SourceFileLoader("__main__", path),
    )
    sys.modules["__main__"] = main
    sys.argv[:] = [script, *arguments]
    if not getattr(sys.flags, "safe_path", sys.flags.isolated):
        sys.path[0] = os.path.dirname(os.path.realpath(script))
    exec(compile(source, path, "exec", dont_inherit=True), vars(main))


def run_module(module: str, arguments: Sequence[str]) -> None:
    """Run a module as ``python -m module arguments`` does; whatever it raises comes out."""
    sys.argv[:] = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def hide_our_frames() -> None:
    """Let the traceback of an error that nobody catches begin with the program, not with what runs it."""
    sys.excepthook = _excepthook


def _excepthook(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    while traceback is not None and _is_ours(traceback):
        traceback = traceback.tb_next
    sys.__excepthook__(kind, error.with_traceback(traceback), traceback)


def _is_ours(traceback: TracebackType) -> bool:
    names = traceback.tb_frame.f_globals
    return names.get("__name__") == "runpy" or names.get("__package__") == __package__
