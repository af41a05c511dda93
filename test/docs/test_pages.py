"""Every block of every page is run, and its output compared with the one that the page shows."""

import importlib.util
import os
import re
import shutil
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from docs_pages import PAGES, ROOT, Page
from docs_runner import Reader, environment, same

os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
os.environ.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))

# Every block is of one of these kinds: language -> the words that may follow it; a file name may follow some.
# Pieces of YAML are parts of contracts: test_patterns.py of the unit tests reads them.
KINDS = {
    "python": {""},
    "bash": {"", "background", "alone", "no-run", "workspace"},
    "text": {"", "similar", "diagram"},
    "yaml": {"piece"},
}
FILES = {"python": ".py", "yaml": ".yaml"}
# What some commands need besides this package, and not every machine has.
NEEDED = {
    "./dev train": ("torch", "stable_baselines3", "nats"),
    "train_trainer": ("torch", "stable_baselines3"),
    "train_server": ("nats",),
    "train_keys": ("cryptography",),
    "export_sb3.py": ("stable_baselines3", "onnxscript", "onnxruntime"),
    "export_torch.py": ("torch", "onnxscript", "onnxruntime"),
}
# Programs for libraries that clash with each other: `./dev test --libraries` runs each beside its library.
OF_LIBRARIES = ("learn_sb3.py", "learn_torchrl.py", "learn_rllib.py")
WORKSPACE = "ros2 "  # what a sourced ROS 2 has, and its wheels do not
# Blocks that install something on the machine or build in a workspace: .ci/run does the same in its own order.
NOT_RUN = ("no-run", "workspace")

BLOCKS = [block for page in PAGES for block in page.blocks]
INSTALLING = [block for block in BLOCKS if block.word in NOT_RUN]
ELSEWHERE = [
    block
    for page in PAGES
    for command, output in pairwise([*page.blocks, None])
    if command.language == "bash" and any(program in command.code for program in OF_LIBRARIES)
    for block in (command, output)
]
COMMANDS_OF_A_WORKSPACE = [
    block for block in BLOCKS if block.language == "bash" and WORKSPACE in block.code and block not in INSTALLING
]


def all_files():
    files = {}
    for page in PAGES:
        for name, text in page.files.items():
            assert files.setdefault(name, text) == text, f"{page} and another page save different files as {name}"
    return files


def skip_without_what_it_needs(page):
    needs_ros = any(
        name in block.code for block in page.blocks for name in ("rtgym_ros.ros", "Drone-v0", "Contract-v0")
    )
    if needs_ros and importlib.util.find_spec("rclpy") is None:
        pytest.skip("rclpy is not installed")
    for command, modules in NEEDED.items():
        if any(block.language == "bash" and command in block.code for block in page.blocks):
            missing = [module for module in modules if importlib.util.find_spec(module) is None]
            if missing:
                pytest.skip(f"{command} needs {', '.join(missing)}, not installed")
    if any("RecordVideo" in block.code for block in page.blocks) and importlib.util.find_spec("moviepy") is None:
        pytest.skip("RecordVideo needs moviepy, not installed")
    is_called = any(
        re.search(r"^rtgym_ros ", block.code, re.MULTILINE) for block in page.blocks if block.word != "diagram"
    )
    if is_called and shutil.which("rtgym_ros", path=environment()["PATH"]) is None:
        pytest.skip("there is no rtgym_ros here: a workspace has `ros2 run rtgym_ros` in its place")
    calls_dev = any(block.language == "bash" and "./dev" in block.code for block in page.blocks)
    if calls_dev and not Path(sys.prefix, ".dev", "made").exists():
        pytest.skip("./dev has not made the environment of this test")


def run(reader, blocks):
    """Run blocks one after the other; what they print stands in the text that follows them."""
    output, printed_by = None, None
    for block in [*blocks, None]:
        if block is not None and block.word == "diagram":
            continue
        if block is not None and block.language == "text":
            assert output is not None, f"{block}: an output of nothing"
            if not same(output, block.code, block.word == "similar"):
                pytest.fail(f"{block}\nexpected:\n{block.code}\ngot:\n{output}", pytrace=False)
            output = None
            continue
        if output and printed_by.language == "python":
            pytest.fail(f"{printed_by} prints what the page does not show:\n{output}", pytrace=False)
        if block is None or "." in block.word or block.language == "yaml":
            output = None
            continue
        output, printed_by = reader.python(block) if block.language == "python" else reader.bash(block), block


@pytest.mark.timeout(400)  # a page has many blocks; each of them is bounded
@pytest.mark.parametrize("page", [page for page in PAGES if page.blocks], ids=str)
def test_what_a_page_says_is_so(page, tmp_path):
    skip_without_what_it_needs(page)
    with Reader(tmp_path, all_files()) as reader:
        run(
            reader, [block for block in page.blocks if block not in (*COMMANDS_OF_A_WORKSPACE, *INSTALLING, *ELSEWHERE)]
        )


@pytest.mark.parametrize("block", COMMANDS_OF_A_WORKSPACE, ids=str)
def test_what_a_page_says_of_a_workspace_is_so(block, tmp_path):
    if shutil.which("ros2") is None:
        pytest.skip("there is no ros2 here: it does not come with the wheels of ROS 2")
    with Reader(tmp_path, all_files()) as reader:
        run(reader, [block])


@pytest.mark.parametrize("block", INSTALLING, ids=str)
def test_what_installs_is_not_run_here(block):
    pytest.skip("it installs packages or builds a workspace: .ci/run does")


def test_each_library_runs_its_program():
    tests = "\n".join(file.read_text() for file in (ROOT / "test" / "libraries").glob("*/test_*.py"))
    for program in OF_LIBRARIES:
        assert any(program in block.code for block in ELSEWHERE), program
        assert f'run_as_documented("{program}")' in tests, program


def test_there_are_pages_and_no_block_is_of_an_unknown_kind():
    assert len(PAGES) > 10
    assert len(BLOCKS) > 50
    for block in BLOCKS:
        assert block.language in KINDS, f"{block}: nobody knows how to test {block.language!r}"
        is_file = block.word.endswith(FILES.get(block.language, "/"))
        assert is_file or block.word in KINDS[block.language], f"{block}: nobody knows what {block.word!r} means"


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_no_code_hides_where_nobody_runs_it(page):
    directives = set(re.findall(r"^ *(?::::|```|~~~)+\{([\w-]+)\}", page.text, re.MULTILINE))
    assert directives <= {"toctree", "literalinclude", "eval-rst"}
    assert not re.search(r"^( {4}|\t)", page.prose, re.MULTILINE), "an indented block"
    assert not re.search(r"^ *\.\. (code|literal|parsed|prompt|doctest)", page.text, re.MULTILINE)


def test_files_are_used():
    """A file that a page lets the reader save is imported or named by a block that is run."""
    run_blocks = "\n".join(block.code for block in BLOCKS if block.language in ("python", "bash"))
    for name in all_files():
        stem, suffix = name.rsplit(".", 1)
        assert name in run_blocks or (suffix == "py" and f"from {stem} import" in run_blocks), name


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "yaml"], ids=str)
def test_yaml_is_yaml(block):
    assert yaml.safe_load(block.code)


@pytest.mark.parametrize(
    ("output", "expected", "similar", "is_same"),
    [
        ("1 ms\n", "1 ms\n", False, True),
        ("1 ms\n", "2 ms\n", False, False),
        ("1.25 ms\n", "  -7 ms\n", True, True),
        ("1 s\n", "1 ms\n", True, False),
        ("1 2\n", "1\n", True, False),
        ("50 ms send a1\n", "51 ms send a2\n", True, False),
    ],
)
def test_the_comparison_itself(output, expected, similar, is_same):
    assert same(output, expected, similar) is is_same


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("```python\nraise OSError('broken')\n```\n", "OSError: broken"),
        ("```python\nprint(1)\n```\n```text\n2\n```\n", "expected:\n2\n\ngot:\n1"),
        ("```python\nprint(1)\n```\n", "prints what the page does not show"),
        ("```bash\nfalse\n```\n", "page.md:2"),
        ("```text\n1\n```\n", "an output of nothing"),
        ("```python\nimport warnings\nwarnings.warn('bad')\n```\n", "UserWarning: bad"),
        ("```bash background\ntrue\n```\n```bash\nsleep 1\n```\n", "ended before the page did"),
    ],
)
def test_a_page_that_is_wrong_fails(text, complaint, tmp_path, monkeypatch):
    monkeypatch.setattr("docs_pages.ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text(text)
    (folder := tmp_path / "reader").mkdir()
    with pytest.raises((AssertionError, pytest.fail.Exception)) as error, Reader(folder, {}) as reader:
        run(reader, Page(page).blocks)
    assert complaint in str(error.value)
