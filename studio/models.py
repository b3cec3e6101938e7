"""The rows of every room, for Django, which looks for them here."""

from .account.models import User
from .counting import Counter
from .curation.models import ComparedPicture, Comparison, ModelUpload, Vote
from .gallery.models import ShopWindow
from .imagine.models import Imagining
from .looks.models import Look, LookPart
from .photos.models import Garment, Mask, Photo
from .printing.models import PressProfile, Print
from .restyle.models import Restyle
from .workshop.models import DataSet, TrainingPicture

__all__ = [
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
    "ShopWindow",
    "TrainingPicture",
    "User",
    "Vote",
]
