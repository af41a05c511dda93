"""Says at the end how many blocks of code were run, and why the others were not."""

import re
from collections import Counter

from docs_pages import PAGES

_PAGE_TEST = "test_what_a_page_says_is_so"


def write_summary(terminalreporter):
    """Count the blocks of the pages that were run and of those that were skipped."""
    blocks = {str(page): sum(block.language != "text" for block in page.blocks) for page in PAGES}
    run, skipped = 0, Counter()
    for outcome in ("passed", "failed", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            match = re.search(rf"{_PAGE_TEST}\[(.+)\]", report.nodeid)
            installs = "test_what_installs_is_not_run_here" in report.nodeid
            number = blocks[match[1]] if match else int(installs)
            if not number or (outcome != "skipped" and report.when != "call"):
                continue
            if outcome == "skipped":
                skipped[report.longrepr[2].removeprefix("Skipped: ")] += number
            else:
                run += number
    if run or skipped:
        run -= sum(number for reason, number in skipped.items() if "installs packages" in reason)
        terminalreporter.write_line(f"blocks of code in docs/: {run} run, {sum(skipped.values())} skipped")
        for reason, number in skipped.items():
            terminalreporter.write_line(f"  {number} skipped: {reason}")
