"""What a person does in the studio.  Every function raises :class:`BadInput` with a sentence for the page."""

from .looks import Part, ask_look, ask_outfit, publish
from .mending import ask_as_found, ask_mend, garment_mask
from .photos import Source, add_photo, find_cloth, garment_of, photo_of
from .tapping import ask_tap, read_taps
from .words import MAX_COUNT, add_mask, ask_imagine, ask_mask, ask_restyle, prompts_of, words_for

__all__ = [
    "MAX_COUNT",
    "Part",
    "Source",
    "add_mask",
    "add_photo",
    "ask_as_found",
    "ask_imagine",
    "ask_look",
    "ask_mask",
    "ask_mend",
    "ask_outfit",
    "ask_restyle",
    "ask_tap",
    "find_cloth",
    "garment_mask",
    "garment_of",
    "photo_of",
    "prompts_of",
    "publish",
    "read_taps",
    "words_for",
]
