"""Who may keep an answer: nobody, where it is a person's own."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse

from studio.api import tokens
from studio.looks.models import Look

pytestmark = pytest.mark.django_db
PAGES = ("studio", "restyle", "imagine", "gallery", "looks", "restyled-wall", "imagined-wall", "account")


@pytest.mark.parametrize("name", PAGES)
def test_a_persons_pages_are_kept_nowhere(client_of, person, make_person, name):
    for who in (person, make_person("guest-1", is_guest=True)):
        assert client_of(who).get(reverse(name)).headers["Cache-Control"] == "private, no-store"
    assert client_of(None).get(reverse(name)).headers["Cache-Control"] == "private, no-cache"


def test_nor_are_redirects_refusals_and_programs_answers(client_of, person):
    client = client_of(person)
    headers = {"Authorization": f"Bearer {tokens.make(person, 'test')[1]}"}
    answers = [
        client.post(reverse("fabric-new"), {"pattern_type": "dotted", "engine": "drawn", "count": 1}),
        client.get("/nowhere/"),
        client_of(None).get(reverse("tokens")),
        client_of(None).get("/api/v1/jobs", headers=headers),
        client_of(None).get("/api/v1/jobs"),
    ]
    assert [answer.status_code for answer in answers] == [302, 404, 302, 200, 401]
    assert all("no-store" in answer.headers["Cache-Control"] for answer in answers)


def test_a_signed_address_is_kept_nowhere_whichever_route_sends_there(
    client_of, person, make_pattern, make_photo, make_garment, settings, monkeypatch
):
    """It is worth nothing five minutes later; a file from here may be kept as before."""
    pattern, photo, garment = make_pattern(person), make_photo(person), make_garment()
    pattern.large = default_storage.save(f"{pattern.folder}/large.png", ContentFile(b"large"))
    pattern.save()
    look = Look.objects.create(owner=person, garment=garment, file="looks/x.png", thumb="looks/x.webp")
    look.parts.create(pattern=pattern)
    settings.S3_BUCKET = "bucket"
    monkeypatch.setattr(
        default_storage._wrapped, "url", lambda name, parameters=None: f"https://bucket.example/{name}", raising=False
    )
    client, program = client_of(person), {"Authorization": f"Bearer {tokens.make(person, 'test')[1]}"}
    routes = [pattern.large_url, photo.url_of("labels"), garment.url_of("labels"), look.file_url]
    routes += [f"/api/v1/patterns/{pattern.pk}/files/large", f"/api/v1/garments/{garment.slug}/files/labels"]
    routes += [f"/api/v1/photos/{photo.pk}/files/labels", f"/api/v1/looks/{look.pk}/files/file"]
    for route in routes:
        answer = client.get(route, headers=program if route.startswith("/api") else {})
        assert (answer.status_code, answer.headers["Cache-Control"]) == (302, "private, no-store"), route
    assert client.get(pattern.tile_url).headers["Cache-Control"] == "private, max-age=86400"
    assert client.get(photo.image_url).headers["Cache-Control"] == "private, no-cache"
