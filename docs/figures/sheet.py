"""A drawing with a time axis, as SVG, and the colours of the figures."""

from xml.sax.saxutils import escape

INK, FAINT, PAPER = "#1f2328", "#5b6270", "#fbfbf9"
THINKING, BLUE, GREEN, AMBER, RED = (
    "#e3e5e8",
    "#cfe0f7",
    "#cdebd3",
    "#fbe3b0",
    "#c0362c",
)
LEFT, RIGHT, WIDTH = 110, 24, 800


class Sheet:
    """A drawing with a time axis: x from milliseconds, y in pixels. It has a paper of its own: for dark pages too."""

    def __init__(self, title, last_ms, height):
        self._scale = (WIDTH - LEFT - RIGHT) / last_ms
        self._height = height
        self._dots = []
        self._parts = [
            f"<title>{escape(title)}</title>",
            f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8" fill="{PAPER}" stroke="#d0d3d8"/>',
        ]

    def x(self, ms):
        return round(LEFT + ms * self._scale, 1)

    def text(self, x, y, text, anchor="middle", color=INK, size=13, style=""):
        self._parts.append(
            f'<text x="{x}" y="{y}" font-size="{size}" fill="{color}" text-anchor="{anchor}"{style}>'
            f"{escape(text)}</text>"
        )

    def lane(self, y, name):
        self.text(12, y, name, "start", FAINT)

    def box(self, start_ms, end_ms, y, height, fill, label="", dashed=False):
        x, width = self.x(start_ms), round((end_ms - start_ms) * self._scale, 1)
        dash = ' stroke-dasharray="4 3"' if dashed else ""
        self._parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="3" fill="{fill}" stroke="{FAINT}"{dash}/>'
        )
        if label:
            self.text(round(x + width / 2, 1), y + height / 2 + 4.5, label)

    def line(self, x1, y1, x2, y2, color=FAINT, width=1, dashed=False):
        dash = ' stroke-dasharray="4 3"' if dashed else ""
        self._parts.append(
            f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{color}" stroke-width="{width}"{dash}/>'
        )

    def sent(self, ms, y):
        """Draw an arrow that leaves the bottom of a time-step."""
        x = self.x(ms)
        self.line(x, y, x, y + 14, INK, 2)
        self._parts.append(f'<path d="M{x - 4} {y + 12} h8 l-4 7 z" fill="{INK}"/>')

    def captured(self, ms, y):
        """Draw a dot at the top of a time-step, over everything else."""
        self._dots.append(self._dot(self.x(ms), y))

    @staticmethod
    def _dot(x, y):
        return f'<circle cx="{x}" cy="{y}" r="4.5" fill="{PAPER}" stroke="{INK}" stroke-width="2"/>'

    def axis(self, y, ticks_ms):
        self.line(LEFT, y, WIDTH - RIGHT, y)
        for ms in ticks_ms:
            self.line(self.x(ms), y, self.x(ms), y + 5)
            self.text(self.x(ms), y + 19, f"{ms:g}", color=FAINT, size=12)
        self.text(12, y + 19, "ms", "start", FAINT, 12)

    def legend(self, y, words):
        x = LEFT
        for mark, word in words:
            if mark == "send":
                self.line(x + 6, y - 11, x + 6, y - 4, INK, 2)
                self._parts.append(
                    f'<path d="M{x + 2} {y - 6} h8 l-4 7 z" fill="{INK}"/>'
                )
            elif mark == "capture":
                self._parts.append(self._dot(x + 6, y - 4.5))
            else:
                self._parts.append(
                    f'<rect x="{x}" y="{y - 10}" width="12" height="11" rx="2" fill="{mark}" stroke="{FAINT}"/>'
                )
            self.text(x + 18, y, word, "start", FAINT, 12)
            x += 34 + 6.3 * len(word)

    def svg(self):
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self._height}" width="{WIDTH}" '
            f'height="{self._height}" font-family="system-ui, sans-serif" role="img">'
        )
        return "\n".join([head, *self._parts, *self._dots, "</svg>", ""])
