"""Postcards, of a test."""

from __future__ import annotations

from ninja import Router

from ...postcards.models import Postcard
from .. import schemas, serializers
from ..things import Kind, add_routes

router = Router(tags=["Postcards"])

add_routes(
    router,
    Kind(
        Postcard,
        schemas.Postcard,
        serializers.postcard,
        lambda rows: rows.select_related("job"),
        several="Postcards",
        one="One postcard",
        one_says="Your own, or a published one.",
        file="A postcard's file",
        file_says="``file``.",
        delete_says="For good.",
        listing=schemas.Whose,
    ),
)
