"""The pages build, without ROS 2 and without a warning, and their figures show what the package does."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from docs_pages import DOCS, PAGES, ROOT

BUILD = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("rclpy", "geometry_msgs", "builtin_interfaces") or name.startswith("rtgym_ros.msg"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Refuse())
from sphinx.cmd.build import main
sys.exit(main(sys.argv[1:]))
"""


BY_HAND = {"clock_thread.svg"}  # shows who calls whom, and nothing that is counted or timed


@pytest.mark.timeout(400)
def test_sphinx_builds_the_pages_where_there_is_no_ros(tmp_path):
    for module in ("sphinx", "myst_parser", "furo"):
        pytest.importorskip(module, reason=f"{module} is not installed (extra 'docs')")
    ended = subprocess.run(
        [sys.executable, "-c", BUILD, "-W", "--keep-going", "-q", str(DOCS), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    for page in PAGES:
        html = tmp_path / page.path.relative_to(DOCS).with_suffix(".html")
        assert "<h1>" in html.read_text(), page
    reference = (tmp_path / "api.html").read_text()
    for name in ("RealTimeEnv.benchmark_statistics", "core.config.RealTimeConfig", "RosInterface.subscribe_latest"):
        assert f'{name}"' in reference, name


def test_the_figures_show_what_the_package_does():
    location = importlib.util.spec_from_file_location("draw", DOCS / "figures" / "draw.py")
    draw = importlib.util.module_from_spec(location)
    path = list(sys.path)
    location.loader.exec_module(draw)
    sys.path[:] = path
    drawn = draw.figures()
    assert {file.name for file in (DOCS / "figures").glob("*.svg")} == set(drawn) | BY_HAND
    for name, text in drawn.items():
        assert (DOCS / "figures" / name).read_text() == text, f"run docs/figures/draw.py: {name} is another one now"
        assert any(f"figures/{name})" in page.text for page in PAGES), f"no page shows {name}"


def test_rosdoc2_finds_the_pages():
    kind, settings = yaml.safe_load_all((ROOT / "rosdoc2.yaml").read_text())
    (builder,) = settings["builders"]
    assert (kind["type"], kind["version"]) == ("rosdoc2 config", 1)
    assert Path(ROOT / builder["sphinx"]["user_doc_dir"], "conf.py").exists()
