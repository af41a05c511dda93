"""The table of differences in docs/migrating.md is the one that the differential test goes by."""

import runpy

from docs_pages import DOCS, ROOT


def test_the_page_shows_every_difference():
    table = runpy.run_path(str(ROOT / "test" / "differential" / "differences.py"))["table"]()
    text = (DOCS / "migrating.md").read_text()
    _, _, section = text.partition("## What differs on purpose\n")
    shown = [line for line in section.split("\n## ")[0].splitlines() if line.startswith("|")]
    assert shown == table, "paste what `python test/differential/differences.py` prints"
