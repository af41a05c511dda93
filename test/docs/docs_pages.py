"""The pages of the documentation and their blocks of code."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^ *(?P<fence>`{3,}|~{3,})(?P<info>.*)$")
_INCLUDED = re.compile(r"^:::\{literalinclude\} (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the word after it, and the number of its first line of code."""

    page: "Page"
    line: int
    language: str
    word: str
    code: str

    def __str__(self):
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Page:
    """A Markdown file."""

    path: Path

    def __str__(self):
        return str(self.path.relative_to(ROOT))

    @cached_property
    def text(self):
        return self.path.read_text()

    @cached_property
    def prose(self):
        """The text outside of the fenced blocks."""
        inside, lines = False, []
        for line in self.text.splitlines():
            if _FENCE.match(line):
                inside = not inside
            elif not inside:
                lines.append(line)
        return "\n".join(lines)

    @cached_property
    def blocks(self):
        """Every fenced block but those of Sphinx ({eval-rst}), which the build runs."""
        blocks, opened, code = [], None, []
        for number, line in enumerate(self.text.splitlines(), 1):
            match = _FENCE.match(line)
            if opened is None:
                if match:
                    opened, code = (number + 1, match["fence"], *f"{match['info'].strip()} ".split(" ", 1)), []
            elif match and match["fence"].startswith(opened[1]) and not match["info"].strip():
                first, _, language, word = opened
                if not language.startswith("{"):
                    text = "".join(f"{line}\n" for line in code)
                    blocks.append(Block(self, first, language, word.strip(), text))
                opened = None
            else:
                code.append(line)
        assert opened is None, f"{self}:{opened}: the block does not end"
        return blocks

    @property
    def files(self):
        """What the reader is asked to save: a block whose language is followed by a name, or a file that is shown."""
        saved = {block.word: block.code for block in self.blocks if "." in block.word}
        return saved | {name: (self.path.parent / name).read_text() for name in _INCLUDED.findall(self.text)}

    def table(self, heading):
        """Return the rows of the first table after a line that contains ``heading``: lists of the cells' text."""
        lines = iter(self.text.splitlines())
        for line in lines:
            if heading in line:
                break
        rows = []
        for line in lines:
            if line.startswith("|"):
                rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))])
            elif rows:
                break
        return rows[2:]


PAGES = [Page(path) for path in sorted(DOCS.rglob("*.md"))]
