"""Collections: boards of fabrics and looks that belong together, and the private links by which others see them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from patterns.made import Viewer
from patterns.models import Pattern

from ..looks.models import Look

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

MOST_NAME = 80
MOST_NOTES = 2000
MOST_NOTE = 300


class BoardQuerySet(models.QuerySet["Board"]):
    def of(self, person: Viewer) -> Self:
        return self.filter(owner_id=person.pk) if person.pk else self.none()


class Board(models.Model):
    """A person's collection.  Nobody else sees it, but for who has one of its :class:`links <BoardLink>`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="boards")
    name = models.CharField(max_length=MOST_NAME)
    notes = models.TextField(max_length=MOST_NOTES, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = BoardQuerySet.as_manager()

    if TYPE_CHECKING:
        items: RelatedManager[BoardItem]
        links: RelatedManager[BoardLink]

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["owner", "-created_at"], name="board_mine")]

    def __str__(self) -> str:
        return self.name

    @property
    def seen_items(self) -> BoardItemQuerySet:
        """What is on it, in its order, as far as its owner may see it."""
        return BoardItem.objects.filter(board=self).seen_by(self.owner_id)

    @property
    def open_links(self) -> BoardLinkQuerySet:
        return BoardLink.objects.filter(board=self).open()


class BoardItemQuerySet(models.QuerySet["BoardItem"]):
    def seen_by(self, owner_id: int) -> Self:
        """Those whose fabric or look the board's owner may see: what others take back is shown no more."""
        fabric = Q(pattern__owner_id=owner_id) | Q(pattern__public=True)
        look = Q(look__owner_id=owner_id) | Q(look__public=True)
        return self.filter(fabric | look).select_related("pattern__job", "look__garment", "look__photo")

    def with_parts(self) -> Self:
        return self.prefetch_related("look__parts__pattern")


class BoardItem(models.Model):
    """A fabric or a look on a board, with the part that it plays there, how large it is worn, and a note."""

    class Part(models.TextChoices):
        HERO = "hero", "Hero"
        COORDINATE = "coordinate", "Coordinate"
        BLENDER = "blender", "Blender"
        NONE = "", "No part"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    board = models.ForeignKey(Board, models.CASCADE, related_name="items")
    place = models.PositiveIntegerField()
    part = models.CharField(max_length=10, choices=Part.choices, blank=True)
    pattern = models.ForeignKey(Pattern, models.CASCADE, null=True, blank=True, related_name="board_items")
    look = models.ForeignKey(Look, models.CASCADE, null=True, blank=True, related_name="board_items")
    scale_cm = models.FloatField(null=True, blank=True)
    """Side of the tile on the cloth, of a fabric."""
    note = models.CharField(max_length=MOST_NOTE, blank=True)

    objects = BoardItemQuerySet.as_manager()

    class Meta:
        ordering = ["place", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(pattern__isnull=False, look__isnull=True) | Q(pattern__isnull=True, look__isnull=False),
                name="item_is_one_thing",
            ),
            models.UniqueConstraint(fields=["board", "pattern"], name="fabric_once_on_a_board"),
            models.UniqueConstraint(fields=["board", "look"], name="look_once_on_a_board"),
        ]

    def __str__(self) -> str:
        return f"item {self.place} of {self.board_id}"

    @property
    def thing(self) -> Pattern | Look:
        thing = self.pattern or self.look
        assert thing is not None  # the check constraint holds
        return thing

    @property
    def shown_cm(self) -> float:
        """How much cloth a page shows of it, a side: of all others as much, so that they can be compared."""
        return 80.0 if self.part == self.Part.HERO else 40.0


class BoardLinkQuerySet(models.QuerySet["BoardLink"]):
    def open(self) -> Self:
        return self.filter(expires_at__gt=timezone.now())


class BoardLink(models.Model):
    """An address by which whoever has it sees one board, until it expires or is revoked.

    What nobody can guess about it is not kept: it is made of the id and the secret of this site.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    board = models.ForeignKey(Board, models.CASCADE, related_name="links")
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)

    objects = BoardLinkQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"link to {self.board_id}"

    def get_absolute_url(self) -> str:
        return reverse("shared-board", args=[self.pk, self.secret])

    @property
    def secret(self) -> str:
        return salted_hmac("toile.shared-board", str(self.pk), algorithm="sha256").hexdigest()[:40]

    def opens_with(self, secret: str) -> bool:
        return constant_time_compare(secret, self.secret)

    @property
    def expired(self) -> bool:
        return self.expires_at <= timezone.now()
