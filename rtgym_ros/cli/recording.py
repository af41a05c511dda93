"""``ros2 run rtgym_ros recording COMMAND``: look at recordings, repair, cut, merge and export them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rtgym_ros.core.errors import RtgymError
from rtgym_ros.core.one_line_parser import OneLineParser

_INTERRUPTED = 128 + 2
"""The exit code of a program that SIGINT has ended."""

_FROM_BAG = "Make episodes of a bag of rosbag2: what an environment under the contract would have observed and sent."

FORMATS = ("numpy", "parquet", "replay-buffer", "minari", "lerobot")
_EXTRAS = {"mcap": "record", "zstandard": "record", "rich": "report", "matplotlib": "report", "rclpy": "ros"}
_PACKAGES = {
    "minari": "minari[hdf5]",
    "h5py": "minari[hdf5]",
    "PIL": "pillow",
    "stable_baselines3": "stable-baselines3",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 0, 1 after an error that is told in one line, and 130 after Ctrl-C."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except KeyboardInterrupt:
        sys.stderr.write("recording: interrupted\n")
        return _INTERRUPTED
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        package = f"rtgym_ros[{_EXTRAS[name]}]" if name in _EXTRAS else _PACKAGES.get(name, name)
        sys.stderr.write(f"recording: {name} is not installed: pip install '{package}'\n")
        return 1
    except (RtgymError, OSError, ValueError) as error:
        sys.stderr.write(f"recording: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser("recording", description="Look at recordings, repair, cut, merge and export them.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=OneLineParser)

    def command(
        name: str, run: Callable[[argparse.Namespace], None], words: str, several: bool = True
    ) -> OneLineParser:
        added: OneLineParser = commands.add_parser(name, help=words, description=words)
        added.set_defaults(run=run)
        added.add_argument("paths", nargs="+" if several else 1, type=Path, metavar="PATH", help="file or folder")
        return added

    command("info", _info, "What is in them: runs, environments, time-steps, what is missing.")
    command("ls", _ls, "Their episodes, a line each.")
    plot = command("plot", _plot, "Draw an episode: observations, actions, rewards, ages, lateness.")
    plot.add_argument("-e", "--episode", type=int, default=0, metavar="N", help="counted from 0 (default 0)")
    plot.add_argument("-o", "--output", type=Path, help="picture to write; without it a window is shown")
    repair = command("repair", _repair, "Mend files that were cut off or damaged, in place unless -o is given.")
    repair.add_argument("-o", "--output", type=Path, help="file to write, for one PATH")
    merge = command("merge", _merge, "Put recordings into one file, in this order.")
    merge.add_argument("-o", "--output", type=Path, required=True, help="file to write")
    cut = command("cut", _cut, "Take a part of a file.", several=False)
    cut.add_argument("-o", "--output", type=Path, required=True, help="file to write")
    cut.add_argument("--episodes", type=_range, metavar="A:B", help="numbers in the run, half open; A, A: or :B too")
    cut.add_argument("--from", dest="begin", type=float, default=0.0, metavar="S", help="s after the first message")
    cut.add_argument(
        "--to", dest="end", type=float, default=float("inf"), metavar="S", help="s after the first message"
    )
    export = command("export", _export, "Make a data set of them.")
    export.add_argument("-f", "--format", required=True, choices=FORMATS)
    export.add_argument("-o", "--output", required=True, help="file or folder; with minari the data set's id")
    export.add_argument("--repo-id", default="rtgym_ros/recording", help="lerobot: USER/NAME (default %(default)s)")
    export.add_argument("--task", default="", help="lerobot: what the robot does, in words")
    export.add_argument("--fps", type=int, help="lerobot: frames a second (default: the rate of the time-steps)")
    export.add_argument("--video", action="store_true", help="lerobot: images as video, smaller and with loss")
    rerun = command("rerun", _rerun, "Make observations again from recorded messages; are they the same bits?")
    rerun.add_argument("--contract", type=Path, metavar="FILE", help="another contract than the recorded one")
    bag = commands.add_parser("from-bag", help="Make episodes of a rosbag2.", description=_FROM_BAG)
    bag.set_defaults(run=_from_bag)
    bag.add_argument("bag", type=Path, metavar="BAG", help=".mcap or .db3 file, or a folder of them")
    bag.add_argument("contract", metavar="CONTRACT", help="YAML file, or drone, diff_drive, arm")
    bag.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="of the recording")
    bag.add_argument("--namespace", default="", metavar="NS", help="where the robot's topics are in the bag")
    bag.add_argument("--no-task", action="store_true", help="no rewards: without the contract's task")
    bag.add_argument("--seed", type=int, default=0, metavar="N", help="of the task (default 0)")
    bag.add_argument("--allow-code-beside", action="store_true", help="code beside the contract may be imported")
    return parser


def _range(text: str) -> range:
    begin, colon, end = text.partition(":")
    try:
        first = int(begin or 0)
        return range(first, int(end) if end else sys.maxsize if colon else first + 1)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not A, A:B, A: or :B") from None


def _info(options: argparse.Namespace) -> None:
    from rtgym_ros.cli.recording_tables import show_summary
    from rtgym_ros.record.summary import summarise

    show_summary(summarise(options.paths))


def _ls(options: argparse.Namespace) -> None:
    from rtgym_ros.cli.recording_tables import show_episodes
    from rtgym_ros.record.reading import read_episodes

    show_episodes(read_episodes(options.paths))


def _plot(options: argparse.Namespace) -> None:
    from rtgym_ros.record.errors import RecordError
    from rtgym_ros.record.plot import plot_episode
    from rtgym_ros.record.reading import read_episodes

    count = 0
    for episode in read_episodes(options.paths):
        if count == options.episode:
            plot_episode(episode, options.output)
            return
        count += 1
    raise RecordError(f"--episode {options.episode}: {count} episodes are in it, counted from 0")


def _repair(options: argparse.Namespace) -> None:
    from rtgym_ros.record.editing import repair
    from rtgym_ros.record.errors import RecordError
    from rtgym_ros.record.reading import recorded_files

    files = recorded_files(options.paths)
    if options.output is not None and len(files) > 1:
        raise RecordError(f"-o is for one file, and these are {len(files)}")
    for file in files:
        edited = repair(file, options.output)
        wrong = "; ".join(edited.damage) or "nothing was wrong"
        sys.stdout.write(f"{options.output or file}: {edited.messages} messages; {wrong}\n")


def _merge(options: argparse.Namespace) -> None:
    from rtgym_ros.record.editing import merge
    from rtgym_ros.record.reading import recorded_files

    files = recorded_files(options.paths)
    edited = merge(files, options.output)
    sys.stdout.write(f"{options.output}: {edited.messages} messages of {len(files)} files\n")


def _cut(options: argparse.Namespace) -> None:
    from rtgym_ros.record.editing import cut, first_log_time_ns

    (file,) = options.paths
    begin_ns = first_log_time_ns(file)

    def keep(log_time_ns: int, episode: int | None) -> bool:
        within = options.begin <= (log_time_ns - begin_ns) / 1e9 < options.end
        return within and (options.episodes is None or (episode is not None and episode in options.episodes))

    edited = cut(file, options.output, keep)
    sys.stdout.write(f"{options.output}: {edited.messages} messages\n")


def _export(options: argparse.Namespace) -> None:
    from rtgym_ros.cli.recording_tables import busy

    with busy(f"exporting to {options.format}"):
        if options.format == "numpy":
            from rtgym_ros.record.exports.numpy_file import export_numpy

            exported = export_numpy(options.paths, options.output)
        elif options.format == "parquet":
            from rtgym_ros.record.exports.parquet_file import export_parquet

            exported = export_parquet(options.paths, options.output)
        elif options.format == "replay-buffer":
            from rtgym_ros.record.exports.replay_buffer import export_replay_buffer

            exported = export_replay_buffer(options.paths, options.output)
        elif options.format == "minari":
            from rtgym_ros.record.exports.minari_dataset import export_minari

            exported = export_minari(options.paths, options.output)
        else:
            from rtgym_ros.record.exports.lerobot_dataset import export_lerobot

            exported = export_lerobot(
                options.paths, options.output, options.repo_id, task=options.task, fps=options.fps, video=options.video
            )
    for line in exported.skipped:
        sys.stderr.write(f"recording: left out: {line}\n")
    sys.stdout.write(f"{options.output}: {exported.episodes} episodes, {exported.steps} time-steps\n")


def _rerun(options: argparse.Namespace) -> None:
    from rtgym_ros.record.errors import RecordError
    from rtgym_ros.ros.contract.rerun import rerun

    observations = different = 0
    for made in rerun(options.paths, options.contract):
        observations += 1
        different += bool(made.differences)
        for line in made.differences:
            sys.stdout.write(f"{line}\n")
    if different:
        raise RecordError(f"{different} of {observations} observations differ from what was recorded")
    words = "made again" if options.contract is not None else "made again, the same bits"
    sys.stdout.write(f"{observations} observations {words}\n")


def _from_bag(options: argparse.Namespace) -> None:
    from rtgym_ros.cli.recording_tables import busy
    from rtgym_ros.contract.grammar.reader import read_contract
    from rtgym_ros.contract.shipped import find_contract
    from rtgym_ros.ros.contract.from_bag import from_bag

    with busy(f"reading {options.bag}"):
        done = from_bag(
            options.bag,
            read_contract(find_contract(options.contract)),
            options.output,
            namespace=options.namespace,
            with_task=not options.no_task,
            seed=options.seed,
            allow_code_beside=options.allow_code_beside,
        )
    gaps = f", {done.gaps} cut off where observations were too old" if done.gaps else ""
    sys.stdout.write(f"{options.output}: {done.episodes} episodes, {done.steps} time-steps{gaps}\n")


if __name__ == "__main__":
    sys.exit(main())
