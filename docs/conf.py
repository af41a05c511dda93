"""How these pages are built: `./dev docs`.

Sphinx, because rosdoc2, which makes docs.ros.org, runs Sphinx: there they build as they are (see ../rosdoc2.yaml).
MyST Markdown, because the README is Markdown, and repositories show it too.
"""

import importlib.util
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

# rosdoc2 runs this text from a folder of its own, with path, release and theme set.
if (package := Path(__file__).parents[1] / "package.xml").exists():
    sys.path.insert(0, str(package.parent))
    release = ET.parse(package).findtext("version")
    html_theme = "furo"
    html_static_path = ["_static"]
    html_css_files = ["tables.css"]

project = "rtgym_ros"
author = "The rtgym_ros maintainers"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_title = "rtgym_ros"
html_show_copyright = False

# ::: for directives, so that ``` is left for what the tests run.
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

# The ROS 2 side is read everywhere, where there is a ROS 2 and where there is none.
autodoc_mock_imports = [
    "builtin_interfaces",
    "geometry_msgs",
    "ray",  # half of it may be there, with another library
    "rcl_interfaces",
    "rclpy",
    "rtgym_ros.msg",
    # A ROS 2 has none of what recording and distant training are made of, and most machines nothing that learns.
    *(
        name
        for name in (
            "mcap",
            "msgspec",
            "nats",
            "onnxscript",
            "safetensors",
            "stable_baselines3",
            "torch",
            "zstandard",
        )
        if importlib.util.find_spec(name) is None
    ),
]
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
napoleon_use_ivar = True
napoleon_use_rtype = False
