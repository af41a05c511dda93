"""Write the tables of docs/nodes.md: the parameters that the nodes declare. Run it in ``./dev shell``, which has ROS 2.

python tools/generate_node_tables.py [--check]
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

PAGE = ROOT / "docs" / "nodes.md"
BEGIN = "<!-- parameters: python tools/generate_node_tables.py -->\n"
END = "<!-- end of the parameters -->"


def page() -> str:
    """Return the page with the tables that belong into it."""
    from rtgym_ros.nodes.arm_node import ArmNode
    from rtgym_ros.nodes.drive_node import DriveNode
    from rtgym_ros.nodes.drone_node import DroneNode
    from rtgym_ros.ros import contract_interface
    from rtgym_ros.ros.hosting.host_parameters import FIXED, RECORD_FOLDER, RUNTIME
    from rtgym_ros.ros.ros_interface import PARAMETERS

    robots = {"drone": DroneNode.parameters, "drive": DriveNode.parameters, "arm": ArmNode.parameters}
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    tables = [
        *_table("the node of an environment", PARAMETERS),
        *_table(
            "the node of an environment under a contract, and of `env_node`, besides those",
            (*contract_interface.PARAMETERS, *RUNTIME, RECORD_FOLDER),
        ),
        *_table("`env_node` alone", [each for each in FIXED if each is not RECORD_FOLDER]),
    ]
    for name, parameters in robots.items():
        tables += _table(f"`{name}`", parameters)
    return before + BEGIN + "\n".join(["", *tables, END]) + rest.split(END)[1]


def _table(node, parameters):
    yield from (f"| parameter of {node} | default | allowed | what |", "| --- | --- | --- | --- |")
    for each in parameters:
        default = f"`{str(each.default).lower()}`" if isinstance(each.default, bool) else f"`{each.default!r}`"
        bounds = f"{each.low:g} to {each.high:g}" if hasattr(each, "low") else each.allowed
        yield f"| `{each.name}` | {default} | {bounds} | {each.description} |"
    yield ""


if __name__ == "__main__":
    if "--check" not in sys.argv:
        PAGE.write_text(page(), encoding="utf-8")
    elif page() != PAGE.read_text(encoding="utf-8"):
        sys.exit(f"{PAGE} is not up to date: run tools/generate_node_tables.py")
