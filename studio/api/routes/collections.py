"""Collections: boards of patterns and looks, what goes with a hero, and private links."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Status

from ml_backend.errors import BadInput
from patterns.models import Pattern

from ...collections import services, sheet
from ...collections.models import Board, BoardItem
from ...looks.models import Look
from ...zipping import zipped
from .. import schemas, serializers
from ..auth import owner
from ..idempotency import PARAMETER, makes
from ..things import page, private

router = Router(tags=["Collections"])
BYTES = {"schema": {"type": "string", "format": "binary"}}
ZIP = {"responses": {200: {"description": "A zip archive.", "content": {"application/zip": BYTES}}}}


def _board(request: HttpRequest, pk: uuid.UUID) -> Board:
    return get_object_or_404(Board.objects.of(request.user), pk=pk)


def _item(request: HttpRequest, pk: uuid.UUID, item: uuid.UUID) -> BoardItem:
    rows = BoardItem.objects.select_related("board__owner", "pattern", "look")
    return get_object_or_404(rows, pk=item, board=_board(request, pk))


@router.get(
    "",
    response={200: schemas.Page[schemas.Collection], **schemas.refusals(422)},
    operation_id="list_collections",
    summary="Collections",
)
def listed(request: HttpRequest, sought: Query[schemas.Paging]) -> schemas.Page[schemas.Collection]:
    """Your own, newest first."""
    return page(request, Board.objects.of(request.user), sought, lambda some: serializers.collections(request, some))


@router.post(
    "",
    response={201: schemas.Collection, **schemas.refusals(400, 409, 422)},
    operation_id="make_collection",
    summary="Begin a collection",
    openapi_extra={"parameters": [PARAMETER]},
)
@makes()
def make(request: HttpRequest, body: schemas.NewCollection) -> Status[schemas.Collection]:
    """An empty one."""
    return Status(201, serializers.collection(request, services.make(owner(request), body.name, body.notes)))


@router.get(
    "/{uuid:pk}",
    response={200: schemas.Collection, **schemas.refusals(404)},
    operation_id="get_collection",
    summary="One collection",
    url_name="collection",
)
def one(request: HttpRequest, pk: uuid.UUID) -> schemas.Collection:
    """With what is on it, in its order. Your own."""
    return serializers.collection(request, _board(request, pk))


@router.patch(
    "/{uuid:pk}",
    response={200: schemas.Collection, **schemas.refusals(400, 404, 422)},
    operation_id="change_collection",
    summary="Another name, other notes",
)
def change(request: HttpRequest, pk: uuid.UUID, body: schemas.NewCollection) -> schemas.Collection:
    """Both are set."""
    found = _board(request, pk)
    services.change(found, body.name, body.notes)
    return serializers.collection(request, found)


@router.delete(
    "/{uuid:pk}",
    response={204: None, **schemas.refusals(404)},
    operation_id="delete_collection",
    summary="Delete a collection",
)
def delete(request: HttpRequest, pk: uuid.UUID) -> Status[None]:
    """Its links go with it; patterns and looks are kept."""
    _board(request, pk).delete()
    return Status(204, None)


@router.get(
    "/{uuid:pk}/zip",
    response={200: None, **schemas.refusals(404)},
    operation_id="download_collection",
    summary="Everything on it in one file",
    openapi_extra=ZIP,
)
def download(request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Tiles, looks, recipes and a contact sheet."""
    found = _board(request, pk)
    items = list(found.seen_items.with_parts())
    return private(zipped(sheet.entries(found, items), sheet.file_title(found)))


@router.post(
    "/{uuid:pk}/items",
    response={201: schemas.Collection, **schemas.refusals(400, 404, 409, 422)},
    operation_id="add_to_collection",
    summary="Add a pattern or a look",
    openapi_extra={"parameters": [PARAMETER]},
)
@makes()
def add(request: HttpRequest, pk: uuid.UUID, body: schemas.NewItem) -> Status[schemas.Collection]:
    """Your own or a published one. The first pattern is the hero; what is there already is not added again."""
    found = _board(request, pk)
    if (body.pattern is None) == (body.look is None):
        raise BadInput("Name exactly one of pattern and look.")
    if body.pattern is not None:
        services.add(found, get_object_or_404(Pattern.objects.visible_to(request.user), pk=body.pattern))
    else:
        services.add(found, get_object_or_404(Look.objects.visible_to(request.user), pk=body.look))
    return Status(201, serializers.collection(request, found))


@router.patch(
    "/{uuid:pk}/items/{uuid:item}",
    response={200: schemas.Collection, **schemas.refusals(400, 404, 422)},
    operation_id="change_in_collection",
    summary="A note, a part, another place",
)
def change_item(request: HttpRequest, pk: uuid.UUID, item: uuid.UUID, body: schemas.ItemChange) -> schemas.Collection:
    """What is null stays as it is."""
    found = _item(request, pk, item)
    if body.note is not None:
        services.note(found, body.note)
    if body.part is not None:
        services.play(found, body.part)
    if body.by:
        services.move(found, body.by)
    return serializers.collection(request, found.board)


@router.delete(
    "/{uuid:pk}/items/{uuid:item}",
    response={204: None, **schemas.refusals(404)},
    operation_id="take_out_of_collection",
    summary="Take something out",
)
def take_out(request: HttpRequest, pk: uuid.UUID, item: uuid.UUID) -> Status[None]:
    """The pattern or look itself is kept."""
    _item(request, pk, item).delete()
    return Status(204, None)


@router.post(
    "/{uuid:pk}/items/{uuid:item}/matches",
    response={202: schemas.Collection, **schemas.refusals(400, 404, 409, 422, 429)},
    operation_id="match_hero",
    summary="Make what goes with a hero",
    openapi_extra={"parameters": [PARAMETER]},
)
@makes()
def match(request: HttpRequest, pk: uuid.UUID, item: uuid.UUID) -> Status[schemas.Collection]:
    """Three coordinates and two blenders in its colours; a job each."""
    found = _item(request, pk, item)
    services.match(found)
    return Status(202, serializers.collection(request, found.board))


@router.post(
    "/{uuid:pk}/links",
    response={201: schemas.CollectionLink, **schemas.refusals(400, 404, 409, 422)},
    operation_id="share_collection",
    summary="A private link",
    openapi_extra={"parameters": [PARAMETER]},
)
@makes()
def share(request: HttpRequest, pk: uuid.UUID, body: schemas.Sharing) -> Status[schemas.CollectionLink]:
    """Whoever has it sees the collection, and nothing else, until it expires or is revoked."""
    return Status(201, serializers.link(request, services.share(_board(request, pk), body.days)))


@router.delete(
    "/{uuid:pk}/links/{uuid:link}",
    response={204: None, **schemas.refusals(404)},
    operation_id="revoke_link",
    summary="Revoke a private link",
)
def revoke(request: HttpRequest, pk: uuid.UUID, link: uuid.UUID) -> Status[None]:
    """It opens nothing from now on."""
    get_object_or_404(_board(request, pk).links, pk=link).delete()
    return Status(204, None)
