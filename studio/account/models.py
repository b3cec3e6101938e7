"""People."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext

MOST_PUBLIC_NAME = 40
"""Characters of the name that stands under what somebody publishes."""


class User(AbstractUser):
    """A person.  A guest is a row without a usable password that only its session can enter."""

    is_guest = models.BooleanField(default=False)
    origin = models.CharField(max_length=24, blank=True, editable=False)
    """Of a guest, a keyed hash of the address where it was made, see :mod:`studio.address`."""

    public_name = models.CharField(max_length=MOST_PUBLIC_NAME, blank=True)
    """Chosen to be shown under what this person publishes; empty: nobody is told whose it is."""

    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(Lower("public_name"), condition=~Q(public_name=""), name="public_name_once")
        ]

    @property
    def called(self) -> str:
        """What the page calls this person."""
        return gettext("Guest") if self.is_guest else self.get_short_name() or self.username

    @property
    def turn(self) -> str:
        """Who takes turns at the workers: a member alone; the guests of one address together, however many."""
        return f"guests of {self.origin}" if self.is_guest and self.origin else f"person {self.pk}"

    @property
    def quota(self) -> int:
        """Bytes of files that may be kept; 0 is no limit."""
        return int(settings.GUEST_QUOTA_BYTES if self.is_guest else settings.MEMBER_QUOTA_BYTES)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """A new password ends what the old one opened: programs' tokens too, sessions anyway."""
        # Django sets this aside for its own hooks until the row is saved; a hash that is only renewed sets nothing.
        new_password = self.pk is not None and getattr(self, "_password", None) is not None
        super().save(*args, **kwargs)
        if new_password:
            self.api_tokens.all().delete()
