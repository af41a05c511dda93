"""The figure of alpha, kappa and beta: the numbers in it are those of the ledger that the package keeps."""

from rtgym_ros.delays.ledger import DelayLedger

MS = 1_000_000
SENT = [(number, 50 * number) for number in range(5)]
"""Number of an action, and when it is sent (ms)."""

APPLIED = [(number, 50 * number + 40) for number in range(4)]
SAMPLED, CAPTURED = 140, 200


def counts():
    """Return what the ledger says of the observation that is captured at the end."""
    ledger = DelayLedger()
    for _, at in SENT:
        ledger.sent((at + 1000) * MS)
    stamp = {number: (at + 1000) * MS for number, at in SENT}
    ledger.echo((SAMPLED + 1000) * MS, stamp[1], stamp[2])
    return ledger.observed(
        (SAMPLED + 1000) * MS, (CAPTURED + 1000) * MS, sent_already=True
    )


def draw(sheet, colors):
    """Draw it on a sheet of 250 ms, 330 pixels high."""
    ink, faint, paper, green, amber = colors
    found = counts()
    fills = [paper, green, amber, paper]
    sheet.lane(67, "sent")
    for number, at in SENT:
        sheet.box(at, at + 50, 50, 26, paper, f"a{number}")
        sheet.sent(at, 76)
    sheet.lane(127, "applied")
    for (number, at), fill in zip(APPLIED, fills, strict=True):
        sheet.box(at, min(at + 50, 245), 110, 26, fill, f"a{number}")
    x = sheet.x(SAMPLED)
    sheet.line(x, 110, x, 170, ink, 2)
    sheet.captured(SAMPLED, 110)
    sheet.text(x, 186, "sampled: under a1, a2 from then on", "middle", faint, 12)
    sheet.line(x, 165, sheet.x(CAPTURED), 165, faint, 1, dashed=True)
    sheet.line(sheet.x(CAPTURED), 165, sheet.x(CAPTURED), 84, faint, 1, dashed=True)
    sheet.text(sheet.x(CAPTURED) + 4, 160, "captured, with a4", "start", faint, 12)
    sheet.lane(237, "buffer")
    for place, fill in zip(range(4), (paper, paper, amber, green), strict=True):
        left = 150 - 45 * place
        sheet.box(left, left + 40, 220, 26, fill, f"a{4 - place}")
        notes = {0: "newest: 0", found.alpha: f"alpha = {found.alpha}"}
        notes[found.kappa_total] = f"alpha + kappa = {found.kappa_total}"
        notes[found.total] = f"alpha + beta = {found.total}"
        sheet.text(sheet.x(left + 20), 264, notes[place], "middle", ink, 12)
    sheet.text(
        sheet.x(95),
        288,
        f"one observation: alpha {found.alpha}, kappa {found.kappa}, beta {found.beta}",
        "middle",
        ink,
        13,
    )
    sheet.axis(310, [0, 50, 100, 150, 200, 250])
    return sheet.svg()
