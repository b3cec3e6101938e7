"""People."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person.  A guest is a row without a usable password that only its session can enter."""

    is_guest = models.BooleanField(default=False)

    @property
    def called(self) -> str:
        """What the page calls this person."""
        return "Guest" if self.is_guest else self.get_short_name() or self.username
