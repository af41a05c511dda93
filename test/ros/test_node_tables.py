"""docs/nodes.md lists the parameters that the nodes declare."""

from tools import generate_node_tables


def test_the_tables_are_up_to_date():
    assert generate_node_tables.page() == generate_node_tables.PAGE.read_text(), "run tools/generate_node_tables.py"
