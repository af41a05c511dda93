"""Hold the imports of rtgym_ros to section 4 of the design: an allow-list, so that a new dependency is a decision."""

import ast
import sys
from pathlib import Path

PACKAGE = "rtgym_ros"
ROOT = Path(__file__).resolve().parents[1] / PACKAGE
# Folder: the folders of rtgym_ros and the packages, beside its own and the standard library, that it may import.
# The files beside the folders are what `import rtgym_ros` runs; ros/ and nodes/ may import anything.
ALLOWED = {
    "": {"rtgym_ros.core", "rtgym_ros.envs", "rtgym_ros.robots", "rtgym_ros.compat"},
    "core": {"numpy"},
    "realtime": {"rtgym_ros.core", "numpy"},
    "envs": {"rtgym_ros.core", "rtgym_ros.realtime", "gymnasium", "numpy"},
    "wrappers": {"rtgym_ros.core", "rtgym_ros.delays", "rtgym_ros.envs", "rtgym_ros.record", "gymnasium", "numpy"},
    "delays": {"rtgym_ros.core", "numpy", "matplotlib"},  # matplotlib: where a picture is drawn
    "robots": {"rtgym_ros.core", "rtgym_ros.envs", "rtgym_ros.delays", "gymnasium", "numpy"}
    | {"rtgym_ros.contract"}  # Task
    | {"cv2", "matplotlib", "rich"},  # what draws is imported when something is drawn
    "contract": {"rtgym_ros.core", "gymnasium", "numpy", "yaml", "jsonschema", "cv2"},
    "record": {"rtgym_ros.core", "rtgym_ros.delays", "gymnasium", "numpy", "mcap", "zstandard"}
    | {"minari", "lerobot", "stable_baselines3", "torch", "pyarrow", "matplotlib"},  # where one exports or draws
    "policies": {"rtgym_ros.core", "gymnasium", "numpy"} | {"onnxruntime", "safetensors"},  # where a file wants it
    "cli": {"rtgym_ros.core", "rtgym_ros.realtime", "rtgym_ros.contract", "rtgym_ros.delays", "rtgym_ros.record"}
    | {"rtgym_ros.policies", "rtgym_ros.wrappers"}  # what flies a policy
    | {"rtgym_ros.ros", "rtgym_ros.nodes", "rclpy"}  # what looks at a robot, or flies it, imports them when it does
    | {"ament_index_python", "numpy", "rich"},
    "compat": {"rtgym_ros.core", "rtgym_ros.envs", "rtgym_ros.robots", "gymnasium", "numpy"},
    "libraries": {"rtgym_ros.core", "rtgym_ros.policies", "gymnasium", "numpy"}
    | {"rtgym_ros.train"}  # where a library is the learner of a run
    | {"onnxscript", "stable_baselines3", "torch", "ray"},
    "testing": {"rtgym_ros.core", "rtgym_ros.envs", "gymnasium", "numpy"},
    "train": {"rtgym_ros.core", "gymnasium", "numpy", "typing_extensions"}
    | {"rtgym_ros.policies"}  # what the workers fly
    | {"rtgym_ros.record", "rtgym_ros.wrappers"}  # recordings, where they are asked for
    | {"msgspec", "nats", "yaml", "cryptography"}  # what is sent, and how
    | {
        "torch",
        "stable_baselines3",
        "sb3_contrib",
        "wandb",
        "matplotlib",
        "rich",
    },  # the trainer, and what shows it
}


def imported(tree, package):
    """Yield line and dotted name of every import, wherever in the file it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            # `from rtgym_ros import ros` names a folder in its second half.
            yield from ((node.lineno, f"{base}.{alias.name}" if base == PACKAGE else base) for alias in node.names)


def violations():
    for file in sorted(ROOT.rglob("*.py")):
        inside = file.relative_to(ROOT).parts
        folder = inside[0] if len(inside) > 1 else ""
        if folder in ("ros", "nodes", "msg"):
            continue
        allowed = ALLOWED.get(folder, set()) | {f"{PACKAGE}.{folder}"} | sys.stdlib_module_names
        for line, name in imported(ast.parse(file.read_text()), [PACKAGE, *inside[:-1]]):
            parts = name.split(".")
            target = ".".join(parts[:2]) if parts[0] == PACKAGE else parts[0]
            if target not in allowed:
                yield f"{file.relative_to(ROOT.parent)}:{line}: {folder or PACKAGE} must not import {target}"


if __name__ == "__main__":
    found = list(violations())
    print(*(found or ["Imports: as the design wants them."]), sep="\n")
    sys.exit(bool(found))
