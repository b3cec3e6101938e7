"""Pictures from words alone."""

from __future__ import annotations

from ml_backend.requests import ImagineRequest

from ..batches import FromWords, FromWordsQuerySet


class ImaginingQuerySet(FromWordsQuerySet["Imagining"]):
    pass


class Imagining(FromWords):
    """A picture from words alone.  ``params``: :class:`ImagineRequest`."""

    objects = ImaginingQuerySet.as_manager()

    file_route = "imagining-file"

    class Meta(FromWords.Meta):
        pass

    @property
    def request(self) -> ImagineRequest:
        return ImagineRequest.from_dict(self.params)
