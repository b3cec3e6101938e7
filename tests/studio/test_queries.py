"""The number of queries of a page or list does not grow with what is on it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ml_backend.models import Job
from ml_backend.serving import jobs
from patterns.models import Favourite, Pattern
from studio.api import tokens
from studio.collections.models import Board, BoardItem
from studio.colour.models import SavedPalette
from studio.imagine.models import Imagining
from studio.looks.models import Look
from studio.photos.models import Mask, Photo
from studio.restyle.models import Restyle

pytestmark = pytest.mark.django_db

FEW, MANY = 2, 20

PAGES = [
    "/", "/restyle/", "/imagine/", "/gallery/", "/gallery/?whose=mine", "/gallery/?whose=favourites", "/gallery/looks/",
    "/gallery/looks/?whose=mine", "/gallery/restyled/", "/gallery/restyled/?whose=mine", "/gallery/imagined/",
    "/gallery/imagined/?whose=mine", "/account/", "/accounts/tokens/", "/accounts/delete/",
    "/fabrics/mix/?of={pattern}", "/gallery/{pattern}/", "/restyle/?batch={batch}", "/restyle/batch/{batch}/",
    "/fabrics/cells/?{ids}", "/gallery/?near=9c2a2e", "/fabrics/inks/?fabric={pattern}", "/palettes/",
    "/photos/{photo}/suggestions/", "/collections/", "/collections/{board}/", "/trends/", "/gallery/?whose=fresh",
]  # fmt: skip
LISTS = [
    f"/api/v1/{path}"
    for path in (
        "jobs?limit=100", "jobs?active=true", "photos", "masks", "restyles", "restyles?whose=public", "imaginings",
        "imaginings?whose=public", "patterns", "patterns?whose=public", "patterns?whose=favourites",
        "patterns?whose=public&near=9c2a2e", "palettes", "looks", "looks?whose=public", "collections", "garments",
        "models", "options", "limits",
    )
]  # fmt: skip
STATES = ("queued", "running", "done", "failed")


@pytest.fixture
def stock(person, other, make_pattern, make_photo, make_garment):
    """``stock(n)``: n more of everything, in every state, of two people, published and not."""
    make_garment("dress")

    def job(owner: Any, kind: str, state: str) -> Job:
        return Job.objects.create(owner=owner, kind=kind, state=state)

    batches = {"owner": person, "params": {"prompt": "a dress", "seed": 7, "engine": "fabric"}}

    def add(count: int) -> None:
        first = make_pattern(person)
        board, _ = Board.objects.get_or_create(owner=person, name="all")
        photo = make_photo(person)
        for number in range(count):
            for state in STATES:
                Pattern.objects.create(
                    owner=person, job=job(person, "generate", state), pattern_type="floral", seed=number, engine="drawn"
                )
                Photo.objects.create(owner=person, job=job(person, "segment", state), image="x.jpg", width=9, height=9)
                Mask.objects.create(
                    owner=person, photo=photo, job=job(person, "text-mask", state), params={"prompt": "the dress"}
                )
            theirs = make_pattern(other, public=True)
            mine = make_pattern(person, public=number % 2 == 0, parent=theirs)
            mine.large_job = job(person, "upscale", "queued")
            mine.save()
            Favourite.objects.create(user=person, pattern=theirs)
            for owner, pattern in ((person, mine), (other, theirs)):
                for public in (True, False):
                    worn = {"photo": photo} if public and owner == person else {"garment": _garment()}
                    done = job(owner, "wear", "done")
                    files = {"file": "x.png", "thumb": "x.webp"}
                    look = Look.objects.create(owner=owner, job=done, public=public, **worn, **files)
                    for place, one in enumerate((pattern, theirs)):
                        look.parts.create(place=place, pattern=one, params={"garments": [("skirt", "top")[place]]})
            on_it = {"board": board, "place": number}
            BoardItem.objects.create(**on_it, pattern=mine, scale_cm=9)
            BoardItem.objects.create(**on_it, look=look)
            Board.objects.create(owner=person, name="another").items.create(place=1, pattern=mine)
            make_pattern(person, fresh_until=timezone.now() + timedelta(days=1))
            look = Look.objects.create(owner=person, job=job(person, "wear", "queued"), garment=_garment())
            look.parts.create(pattern=first)
            for model, more in ((Restyle, {"photo": photo}), (Imagining, {})):
                for state in STATES:
                    made = {"file": "x.png", "thumb": "x.webp", "public": True} if state == "done" else {}
                    one, batch = job(person, model.__name__.lower(), state), uuid.uuid4()
                    for place in range(2):
                        model.objects.create(**batches, **more, **made, job=one, batch=batch, number=place)
            SavedPalette.objects.create(owner=person, name=f"{count} {number}", colours=["#ffffff", "#20305a"])
            tokens.make(person, f"token {count} {number}") if number < 5 else None

    return add


def _garment() -> Any:
    from studio.photos.models import Garment

    return Garment.objects.get()


def asked(client: Any, path: str, token: str) -> int:
    """How many queries the answer takes."""
    cache.clear()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = client.get(path, headers={"Authorization": f"Bearer {token}", "HX-Request": "true"} if "batch/" in path
                            else {"Authorization": f"Bearer {token}"})  # fmt: skip
    assert answer.status_code == 200, (path, answer.content[:300])
    return len(queries)


def test_pages_and_lists_ask_as_often_for_many_as_for_few(stock, person, client_of):
    """All are asked with a few things and again with many: one set of rows for all addresses, for rows are slow."""
    client, token = client_of(person), tokens.make(person, "the program")[1]

    def counts() -> dict[str, int]:
        ids = "&".join(f"id={pk}" for pk in Pattern.objects.of(person).values_list("pk", flat=True)[:60])
        named = {
            "board": Board.objects.get(name="all").pk,
            "pattern": Pattern.objects.of(person).ready().first().pk,
            "batch": Restyle.objects.first().batch,
            "photo": Photo.objects.of(person).ready().first().pk,
        }
        paths = [path.format(**named, ids=ids) for path in PAGES] + LISTS
        return {kind: asked(client, path, token) for kind, path in zip([*PAGES, *LISTS], paths, strict=True)}

    stock(FEW)
    counts()  # whatever is looked up once and remembered
    few = counts()
    stock(MANY - FEW)
    many = counts()
    assert {path: (few[path], many[path]) for path in few if many[path] > few[path]} == {}
    assert max(many.values()) <= 45, many  # /api/v1/models: a few for each capability


def test_places_are_asked_for_in_two_queries(person, other, make_person):
    third = make_person()
    rows = [
        Job.objects.create(owner=owner, kind="generate", queue=queue)
        for _ in range(12)
        for owner in (person, other, third)
        for queue in ("default", "gpu")
    ]
    with CaptureQueriesContext(connection) as queries:
        found = jobs.places(rows)
    assert len(queries) == 2
    for queue in ("default", "gpu"):
        assert sorted(found[row.pk] for row in rows if row.queue == queue) == list(range(1, 37))
    with CaptureQueriesContext(connection) as queries:
        assert jobs.places([Job(owner=person, kind="x", state="done")]).popitem()[1] == 0
    assert len(queries) == 0


def test_a_place_is_that_in_which_jobs_start(person, other, make_person):
    owners = [person, other, make_person()]
    for number in range(15):
        Job.objects.create(owner=owners[(number * 7) % 5 % 3], kind="generate")
    for _ in range(4):
        jobs.claim("default")
    waiting = {row.pk: row for row in Job.objects.filter(state="queued")}
    places = jobs.places(waiting.values())
    for expected in range(1, len(waiting) + 1):
        claimed = jobs.claim("default")
        assert places[claimed.job.pk] == expected


def test_the_studio_tells_the_places_of_waiting_cells(client_of, person, make_garment):
    make_garment("dress")
    for seed in range(12):
        job = Job.objects.create(owner=person, kind="generate")
        Pattern.objects.create(owner=person, job=job, pattern_type="floral", seed=seed, engine="drawn")
    page = client_of(person).get("/").content.decode()
    for place in range(1, 13):
        assert f"<span>place {place}</span>" in page
