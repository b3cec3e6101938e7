"""What text can be kept, and what is said where it cannot."""

from __future__ import annotations

import re

SENTENCE = (
    "This holds text that cannot be read or kept: a null character, half of a character, or something that is not "
    "UTF-8. Nothing was changed; take it out and send it again."
)
TOO_LONG = "This is more text than can be taken at once. Nothing was changed; please send less."

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def is_storable(text: str) -> bool:
    """Whether every database of ours can keep ``text``."""
    return _UNSTORABLE.search(text) is None
