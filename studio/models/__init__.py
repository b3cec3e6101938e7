"""People, what can be worn, how it looks, and what is made from words."""

from .counter import Counter
from .look import Look, LookPart, LookQuerySet
from .user import User
from .wearable import Garment, Photo, PhotoQuerySet, Wearable
from .window import ShopWindow
from .words import REFUSED, FromWords, FromWordsQuerySet, Imagining, Mask, MaskQuerySet, Restyle

__all__ = [
    "REFUSED",
    "Counter",
    "FromWords",
    "FromWordsQuerySet",
    "Garment",
    "Imagining",
    "Look",
    "LookPart",
    "LookQuerySet",
    "Mask",
    "MaskQuerySet",
    "Photo",
    "PhotoQuerySet",
    "Restyle",
    "ShopWindow",
    "User",
    "Wearable",
]
