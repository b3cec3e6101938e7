"""The rows of every room, for Django, which looks for them here."""

from .account.models import User
from .cloth.models import ClothPhoto
from .counting import Counter
from .curation.models import ComparedPicture, Comparison, ModelUpload, Vote
from .gallery.models import ShopWindow
from .imagine.models import Imagining
from .looks.models import Look, LookPart
from .photos.models import Garment, Mask, Photo
from .restyle.models import Restyle
from .workshop.models import DataSet, TrainingPicture

__all__ = [
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
    "Restyle",
    "ShopWindow",
    "TrainingPicture",
    "User",
    "Vote",
]
