"""The jobs of the studio, each handler in the module of its subject."""

from .painting import imagine, restyle, text_mask
from .tapping import tap
from .wearing import NO_CLOTH, _fits, mend, recipe_of, segment, wear

__all__ = ["NO_CLOTH", "_fits", "imagine", "mend", "recipe_of", "restyle", "segment", "tap", "text_mask", "wear"]
