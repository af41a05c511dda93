"""What is missing is said in one line, before anything is started."""

import sys

import pytest

from rtgym_ros.train import programs


@pytest.mark.parametrize(
    ("program", "missing", "said"),
    [
        (programs.server, "msgspec", "train_server: msgspec is not installed: pip install 'rtgym_ros[train]'\n"),
        (programs.trainer, "torch", "train_trainer: torch is not installed: pip install 'rtgym_ros[train]'\n"),
        (
            programs.worker,
            "safetensors",
            "train_worker: safetensors is not installed: pip install 'rtgym_ros[worker]'\n",
        ),
        (programs.local, "rich", "train_local: rich is not installed: pip install 'rtgym_ros[train]'\n"),
        (programs.keys, "cryptography", "train_keys: cryptography is not installed: pip install 'rtgym_ros[train]'\n"),
    ],
)
def test_a_missing_package_is_named(program, missing, said, monkeypatch, capsys):
    monkeypatch.setattr(programs, "find_spec", lambda name: None if name == missing else name)
    assert program() == 2
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("name", ["server", "worker", "keys"])
def test_they_are_the_programs_they_say(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["program", "--help"])
    with pytest.raises(SystemExit) as ended:
        getattr(programs, name)()
    assert ended.value.code == 0
    assert f"train_{name}" in capsys.readouterr().out
