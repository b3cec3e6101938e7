"""What the room of a test makes."""

from __future__ import annotations

from typing import Any

from django.db import models

from patterns.made import Published, PublishedQuerySet


class PostcardQuerySet(PublishedQuerySet["Postcard"]):
    pass


class Postcard(Published):
    words = models.CharField(max_length=100)
    file = models.FileField(max_length=255, blank=True)

    objects = PostcardQuerySet.as_manager()

    called = "postcard"
    file_fields = ("file",)

    class Meta(Published.Meta):
        pass

    def twins(self) -> models.QuerySet[Any]:
        return Postcard.objects.filter(owner_id=self.owner_id, words=self.words)
