"""`recording`: what it prints, what it writes, and one line for what cannot be done."""

import numpy as np
import pytest
from unit_recorder import Recorder as Robot

from rtgym_ros import DEFAULT_CONFIG_DICT, RealTimeEnv
from rtgym_ros.cli.recording import main
from rtgym_ros.core.time_source import FakeTimeSource
from rtgym_ros.record.exports.numpy_file import export_numpy
from rtgym_ros.record.reading import read_episodes
from rtgym_ros.wrappers import Record


@pytest.fixture
def flight(tmp_path, monkeypatch):
    """Three episodes of 4 time-steps in a real-time environment, on stepped time; the last one is left after 2."""
    monkeypatch.setenv("COLUMNS", "160")
    config = {**DEFAULT_CONFIG_DICT, "interface": Robot, "interface_args": (FakeTimeSource(),), "ep_max_length": 4}
    env = Record(RealTimeEnv(config), tmp_path / "flight", contract="robot: r", split=1 << 30)
    for episode in range(3):
        env.reset(seed=40 + episode)
        for _ in range(4 if episode < 2 else 2):
            env.step(np.array([0.5], np.float32))
        env.label(success=episode == 1, note="bumpy" if episode == 0 else "")
    env.close()
    (file,) = (tmp_path / "flight").iterdir()
    return file


def test_info(flight, capsys):
    assert main(["info", str(flight.parent)]) == 0
    output = capsys.readouterr().out
    (row,) = [line.split() for line in output.splitlines() if " 13 " in line]
    assert row[-4:] == ["3", "13", "0.0", "yes"]
    assert "1 file, " in output


def test_info_of_what_was_cut_off(flight, capsys):
    (flight.parent / "cut_off.mcap").write_bytes(flight.read_bytes()[:-100])
    assert main(["info", str(flight.parent)]) == 0
    output = capsys.readouterr().out
    assert f"recording repair {flight.parent / 'cut_off.mcap'}" in output
    assert main(["ls", str(flight.parent)]) == 1
    assert main(["repair", str(flight.parent / "cut_off.mcap")]) == 0
    assert "13 messages; it is cut off" in capsys.readouterr().out
    assert main(["ls", str(flight.parent)]) == 0


def test_ls(flight, capsys):
    assert main(["ls", str(flight)]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()][3:]
    rows = [row for row in rows if row]
    assert [row[1].split(":")[1] for row in rows] == ["0", "1", "2"]
    assert [row[2:4] for row in rows] == [["40", "4"], ["41", "4"], ["42", "2"]]
    assert [row[6] for row in rows] == ["truncated", "truncated", "left"]
    assert [row[7:] for row in rows] == [["failure", "bumpy"], ["success"], ["failure"]]


def test_cut_merge_and_back(flight, tmp_path, capsys):
    first, rest = str(tmp_path / "first.mcap"), str(tmp_path / "rest.mcap")
    assert main(["cut", str(flight), "--episodes", "0", "-o", first]) == 0
    assert main(["cut", str(flight), "--episodes", "1:", "-o", rest]) == 0
    assert main(["merge", first, rest, "-o", str(tmp_path / "all.mcap")]) == 0
    assert "13 messages of 2 files" in capsys.readouterr().out
    again, flown = list(read_episodes(tmp_path / "all.mcap")), list(read_episodes(flight))
    assert [episode.facts for episode in again] == [episode.facts for episode in flown]
    assert [len(episode.steps) for episode in again] == [5, 5, 3]
    assert main(["cut", str(flight), "--from", "1000", "-o", str(tmp_path / "none.mcap")]) == 1
    assert capsys.readouterr().err == "recording: nothing is left after the cut\n"


def test_plot(flight, tmp_path, capsys):
    picture = tmp_path / "plot.png"
    assert main(["plot", str(flight), "-e", "1", "-o", str(picture)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert main(["plot", str(flight), "-e", "3", "-o", str(picture)]) == 1
    assert capsys.readouterr().err == "recording: --episode 3: 3 episodes are in it, counted from 0\n"


def test_export_to_numpy(flight, tmp_path, capsys):
    assert main(["export", "-f", "numpy", str(flight), "-o", str(tmp_path / "flight.npz")]) == 0
    assert "3 episodes, 10 time-steps" in capsys.readouterr().out
    arrays = np.load(tmp_path / "flight.npz")
    assert arrays["episodes"].tolist() == [0] * 4 + [1] * 4 + [2] * 2
    assert arrays["truncations"].tolist() == [False, False, False, True] * 2 + [False] * 2
    row = 0
    for episode in read_episodes(flight):
        for before, after in zip(episode.steps, episode.steps[1:], strict=False):
            for name, part in before.observation:
                np.testing.assert_array_equal(arrays[f"observations/{name}"][row], part)
            for name, part in after.observation:
                np.testing.assert_array_equal(arrays[f"next_observations/{name}"][row], part)
            np.testing.assert_array_equal(arrays["actions"][row], [0.5])
            assert arrays["rewards"][row] == after.reward
            row += 1


def test_incomplete_episodes_are_left_out_and_named(flight, tmp_path):
    from rtgym_ros.record.editing import cut

    begun = []

    def without_the_second(log_time, _):
        begun.append(log_time)
        return len(begun) != 2

    cut(flight, tmp_path / "gap.mcap", without_the_second)
    exported = export_numpy(tmp_path / "gap.mcap", tmp_path / "gap.npz")
    assert exported.skipped == ["episode 0: 1 time-steps are missing"]
    assert exported.episodes == 2


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["info", "nowhere"], 1, "recording: nowhere: there is no such file\n"),
        (["cut", "x.mcap", "-o", "y.mcap", "--episodes", "2-3"], 2, "'2-3' is not A, A:B, A: or :B"),
        (["export", "-f", "csv", "x", "-o", "y"], 2, "invalid choice: 'csv'"),
        (["export", "-f", "minari", "nowhere", "-o", "y-v0"], 1, "recording: minari is not installed: pip install"),
        ([], 2, "COMMAND"),
    ],
)
def test_what_cannot_be_done_is_one_line(arguments, code, words, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    if code == 2:  # a command line that cannot be used
        with pytest.raises(SystemExit, match="2"):
            main(arguments)
    else:
        assert main(arguments) == code
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_the_configuration_is_in_it(flight):
    episode = next(read_episodes(flight))
    assert episode.run.config["time_step_duration"] == DEFAULT_CONFIG_DICT["time_step_duration"]
