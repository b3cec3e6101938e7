"""The jobs of every room, for the workers, which look for them here."""

from .cloth import jobs as cloth
from .curation import jobs as curation
from .imagine import jobs as imagine
from .looks import jobs as looks
from .photos import jobs as photos
from .printing import jobs as printing
from .restyle import jobs as restyle
from .workshop import jobs as workshop

__all__ = ["cloth", "curation", "imagine", "looks", "photos", "printing", "restyle", "workshop"]
