"""Print files and tech packs that people had made, and their printers' colour profiles."""

from __future__ import annotations

from django.db import models

from ml_backend.printing.plan import PrintRequest, said
from patterns.made import Made, MadeQuerySet
from patterns.models import Pattern


class PressProfileQuerySet(MadeQuerySet["PressProfile"]):
    """A profile is its owner's alone."""


class PressProfile(Made):
    """A printer's CMYK profile, tried before it was kept (:mod:`ml_backend.printing.press`)."""

    name = models.CharField(max_length=80)
    """As it calls itself."""
    file = models.FileField(max_length=255, blank=True)

    objects = PressProfileQuerySet.as_manager()

    file_fields = ("file",)

    class Meta(Made.Meta):
        pass

    def __str__(self) -> str:
        return self.name

    def file_title(self, name: str) -> str:  # noqa: ARG002
        return self.name


class PrintQuerySet(MadeQuerySet["Print"]):
    """A print is its owner's alone."""


class Print(Made):
    """One file for a printer or a maker, of a fabric that may be deleted later: the file stays.

    ``params`` is a :class:`PrintRequest`, of a tech pack a :class:`~studio.printing.requests.PackRequest`; ``facts``
    what the file holds, told when it is done (pixels, real detail, what is out of gamut, models and licences).
    """

    class Kind(models.TextChoices):
        PRINT = "print", "print file"
        PACK = "pack", "tech pack"

    pattern = models.ForeignKey(Pattern, models.SET_NULL, null=True, blank=True, related_name="prints")
    profile = models.ForeignKey(PressProfile, models.SET_NULL, null=True, blank=True, related_name="prints")
    kind = models.CharField(max_length=5, choices=Kind.choices, default=Kind.PRINT)
    title = models.CharField(max_length=160)
    """What the file is called, without its ending."""
    params = models.JSONField(default=dict)
    facts = models.JSONField(default=dict, blank=True)
    in_cmyk = models.BooleanField(default=False)
    """Whether it was asked for in a profile, which may be deleted before it is made."""
    size = models.PositiveBigIntegerField(default=0)
    """Bytes of the file."""
    file = models.FileField(max_length=255, blank=True)

    objects = PrintQuerySet.as_manager()

    file_fields = ("file",)

    class Meta(Made.Meta):
        pass

    def __str__(self) -> str:
        return self.title

    def file_title(self, name: str) -> str:  # noqa: ARG002
        return self.title

    @property
    def request(self) -> PrintRequest:
        return PrintRequest.from_dict(self.params)

    @property
    def words(self) -> str:
        """What it is, in a sentence."""
        if self.kind == self.Kind.PACK:
            return "A tech pack: tile, repeat, colourways and flats, A4 pages as PDF."
        told = said(self.request, len(self.facts.get("plates", ())))
        return told + (" In the printer’s CMYK." if self.in_cmyk else "")
