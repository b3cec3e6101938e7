"""Text travels compressed, whoever serves it; what is dense already does not."""

from __future__ import annotations

import gzip

import pytest
from django.test import Client
from django.urls import reverse

GZIP = {"Accept-Encoding": "gzip, deflate, br"}


def test_pages_travel_compressed_and_each_time_of_another_length(client: Client, db: None) -> None:
    plain = client.get(reverse("studio"))
    packed = client.get(reverse("studio"), headers=GZIP)
    assert packed["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed["Vary"]
    assert len(packed.content) * 3 < len(plain.content)
    assert b'id="fabric-form"' in gzip.decompress(packed.content)
    assert len({len(client.get(reverse("studio"), headers=GZIP).content) for _ in range(12)}) > 1, "BREACH"


def test_the_api_travels_compressed(client: Client, db: None) -> None:
    answer = client.get("/api/openapi.json", headers=GZIP)
    assert answer["Content-Encoding"] == "gzip"
    assert b'"openapi"' in gzip.decompress(answer.content)


@pytest.mark.parametrize(("path", "kind"), [("css/base.css", "text/css"), ("js/studio.js", "text/javascript")])
def test_static_files_travel_compressed_without_being_collected(settings, db: None, path: str, kind: str) -> None:
    settings.WHITENOISE_USE_FINDERS = True
    client = Client()
    plain = client.get(f"/static/{path}")
    whole = b"".join(plain.streaming_content)  # type: ignore[arg-type]
    assert "Content-Encoding" not in plain
    packed = client.get(f"/static/{path}", headers=GZIP)
    assert packed["Content-Type"].startswith(kind)
    assert packed["Content-Encoding"] == "gzip"
    assert packed["Content-Length"] == str(len(packed.content))
    assert gzip.decompress(packed.content) == whole
    fresh = client.get(f"/static/{path}", headers={**GZIP, "If-Modified-Since": packed["Last-Modified"]})
    assert fresh.status_code == 304
    part = client.get(f"/static/{path}", headers={**GZIP, "Range": "bytes=0-9"})
    assert (part.status_code, b"".join(part.streaming_content)) == (206, whole[:10])  # type: ignore[arg-type]
    assert "Content-Encoding" not in client.head(f"/static/{path}", headers=GZIP)


def test_pictures_are_left_as_they_are(person, make_pattern, client_of) -> None:
    answer = client_of(person).get(make_pattern(person).tile_url, headers=GZIP)
    assert "Content-Encoding" not in answer
    assert answer.content.startswith(b"\x89PNG")
