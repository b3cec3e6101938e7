"""The rows of every room, for Django, which looks for them here."""

from .account.models import User
from .cloth.models import ClothPhoto
from .collections.models import Board, BoardItem, BoardLink
from .colour.models import SavedPalette
from .counting import Counter
from .curation.models import ComparedPicture, Comparison, ModelUpload, Vote
from .gallery.models import ShopWindow
from .imagine.models import Imagining
from .looks.models import Look, LookPart
from .photos.models import Garment, Mask, Photo
from .printing.models import PressProfile, Print
from .restyle.models import Restyle
from .trends.models import Seen, Tally, TallyKey
from .workshop.models import DataSet, TrainingPicture

__all__ = [
    "Board",
    "BoardItem",
    "BoardLink",
    "ClothPhoto",
    "ComparedPicture",
    "Comparison",
    "Counter",
    "DataSet",
    "Garment",
    "Imagining",
    "Look",
    "LookPart",
    "Mask",
    "ModelUpload",
    "Photo",
    "PressProfile",
    "Print",
    "Restyle",
    "SavedPalette",
    "Seen",
    "ShopWindow",
    "Tally",
    "TallyKey",
    "TrainingPicture",
    "User",
    "Vote",
]
