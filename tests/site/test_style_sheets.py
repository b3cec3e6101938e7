"""Style sheets say start and end, so that a page may run from right to left."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

SHEETS = Path(settings.BASE_DIR) / "static" / "css"
PHYSICAL = re.compile(
    r"(?<![-\w])(?:(?:margin|padding|border|scroll-margin|scroll-padding)-(?:left|right)|left|right)(?:-\w+)?\s*:"
    r"|(?:text-align|float|clear)\s*:\s*(?:left|right)"
    r"|border-(?:top|bottom)-(?:left|right)-radius"
)
CENTRED = "left: 50%"
"""With a translation of half its width that is the middle, whichever way one reads."""
ON_A_PICTURE = {
    ".handle", ".sheet-of-work", ".ring", ".tile .preview", ".full-tag.before", ".full-tag.after", ".garment-word",
    ".pad::after", ".pad i", ".stage > .ruler",
}  # fmt: skip
"""Laid on pictures, masks and cloth by scripts that count from the left: those are the same for everybody."""


def rules(sheet: str) -> list[tuple[str, str]]:
    """Selectors and declarations of every innermost block."""
    plain = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    return [(" ".join(selector.split()), body) for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", plain)]


def test_no_sheet_says_left_or_right_but_on_pictures():
    wrong, used = [], set()
    for file in sorted(SHEETS.glob("*.css")):
        for selector, body in rules(file.read_text(encoding="utf-8")):
            if not PHYSICAL.search(body.replace(CENTRED, "")):
                continue
            if selector in ON_A_PICTURE:
                used.add(selector)
            else:
                wrong.append(f"{file.name}: {selector}")
    assert wrong == []
    assert used == ON_A_PICTURE, "these need no leave any more"


def test_the_rule_is_one():
    assert PHYSICAL.search("padding-left: 0") and PHYSICAL.search("float: right") and PHYSICAL.search("right: 0")
    assert not PHYSICAL.search("padding-inline-start: 0; text-align: start; inset-inline-end: 0")
