"""Text from outside that cannot be read or stored: refused in one place, in words, and never an error of ours.

The same on every database; ``tests/production`` runs this file on PostgreSQL as well.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_from_bytes

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client
from django.test.client import BOUNDARY, encode_multipart
from django.urls import URLPattern, get_resolver
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from ml_backend.models import Job
from studio.account.models import User
from studio.api import tokens
from studio.imagine.models import Imagining
from studio.looks.models import Look
from studio.photos.models import Mask
from studio.restyle.models import Restyle
from studio.storable import SENTENCE, TOO_LONG, is_storable

pytestmark = pytest.mark.django_db

MULTIPART = f"multipart/form-data;boundary={BOUNDARY}"
HTMX = {"HX-Request": "true"}


def test_what_can_be_stored():
    for text in ("", "a", "é", "漢", "😀", "\x7f", "￿", "‮"):
        assert is_storable(text)
    for text in ("\0", "a\0b", "\ud800", "\udfff", "a\udc80"):
        assert not is_storable(text)


# --- each way in ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/gallery/%00/", "/%00", "/admin/ml_backend/modelversion/%00/change/"])
def test_an_address(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert "We cannot read this" in answer.content.decode()


@pytest.mark.parametrize("query", ["q=%00", "%00=q", "q=a&q=b%00", "type=%00", "page=%00"])
def test_a_query(client, query):
    answer = client.get(f"/gallery/imagined/?{query}")
    assert (answer.status_code, SENTENCE in answer.content.decode()) == (400, True)
    short = client.get(f"/gallery/imagined/?{query}", headers=HTMX)
    assert (short.status_code, short.content.decode()) == (400, SENTENCE)


@pytest.mark.parametrize("charset", ["utf-7", "unicode_escape", "utf-16", "latin-1"])
def test_a_request_in_another_encoding(client, charset):
    """Some make lone surrogates of plain ASCII."""
    answer = client.get(
        r"/gallery/imagined/?q=%2B2AA-\ud800", headers={"Content-Type": f"text/plain; charset={charset}"}
    )
    assert answer.status_code == 400
    assert client.get("/gallery/", headers={"Content-Type": "text/plain; charset=UTF-8"}).status_code == 200


@pytest.mark.parametrize("value", [r'"\000\000\000\000\000\000\000\000"', r'"abcdefgh\000"'])
def test_a_cookie(client, value):
    """Quoted cookies can spell any character; the session is looked up by what they say."""
    for name in ("sessionid", "csrftoken", "theme"):
        answer = client.get("/", headers={"Cookie": f"{name}={value}"})
        assert answer.status_code == 400


def test_a_form_field(client):
    for data in ({"prompt": "a\0b"}, {"pro\0mpt": "a"}):
        answer = client.post("/imagine/ask/", data, headers=HTMX)
        assert (answer.status_code, answer.content.decode()) == (400, SENTENCE)
        plain = client.post("/imagine/ask/", "&".join(f"{quote(k)}={quote(v)}" for k, v in data.items()),
                            content_type="application/x-www-form-urlencoded")  # fmt: skip
        assert plain.status_code == 400
    assert not User.objects.exists()
    assert not Job.objects.exists()


def part(header: str, content: bytes = b"x") -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {header}\r\n"
    kind = "Content-Type: image/jpeg\r\n"
    return head.encode() + kind.encode() + b"\r\n" + content + f"\r\n--{BOUNDARY}--\r\n".encode()


LARGE = b"x" * (3 * 1024 * 1024)
"""Of this size an upload lies in a temporary file, whose name ends as the upload's does."""


@pytest.mark.parametrize(
    ("header", "content", "said"),
    [
        (f'name="image"; filename="a.{"b" * 300}"', LARGE, TOO_LONG),
    ],
)
@pytest.mark.parametrize("path", ["/photos/", "/api/v1/photos"])
def test_the_name_of_a_file(client, person, header, content, said, path):
    headers = {**HTMX, "Authorization": f"Bearer {tokens.make(person, 'test')[1]}"}
    answer = client.post(path, part(header, content), content_type=MULTIPART, headers=headers)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not Job.objects.exists()


def test_fields_longer_than_any_form_has(client):
    answer = client.post("/imagine/ask/", {"prompt": "a" * 70_000}, headers=HTMX)
    assert (answer.status_code, answer.content.decode()) == (413, TOO_LONG)


def test_the_api_says_it_in_its_own_shape(client, person):
    headers = {"Authorization": f"Bearer {tokens.make(person, 'test')[1]}"}
    for path in ("/api/v1/patterns?colour=%00", "/api/v1/jobs/%00"):
        answer = client.get(path, headers=headers)
        assert answer.json()["error"]["message"] == SENTENCE
    sent = client.post("/api/v1/imaginings", r'{"prompt": "\ud800"}', content_type="application/json", headers=headers)
    assert (sent.status_code, sent.json()["error"]) == (422, {"code": "invalid", "message": SENTENCE})


def test_what_django_refuses_by_itself_is_a_page_too(client):
    answer = client.post("/imagine/ask/", b"--x", content_type="multipart/form-data; boundary=" + "x" * 300)
    assert answer.status_code == 400
    assert "We cannot read this" in answer.content.decode()


# --- any of it anywhere -----------------------------------------------------------------------------------------------


def routes(patterns: Any = None, before: str = "") -> list[str]:
    """All addresses of the site, as Django writes them."""
    found = []
    for one in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(one.pattern)
        found += [route] if isinstance(one, URLPattern) else routes(one.url_patterns, route)
    return found


ROUTES = sorted(set(routes()))
PART = re.compile(r"<(?:(\w+):)?(\w+)>")

NASTY = (
    "", "\0", "a\0b", "\ud800", "\udfff😀", "\x1b[2J", "\r\nX: y", "\u202e\u202d", "a" * 4000, "9" * 400, "-1",
    "1e400", "NaN", "0x1", "None", "null", "[]", "{}", "' OR 1=1 --", "%", "%s%n", "../../etc", "٣", "2147483648",
    "9223372036854775808", "😀" * 99, "true", "#7a1f2b,#f3e9dc", "floral", "dress", "diffusion", "mine", "the dress",
    "dcgan-starter",
)  # fmt: skip
CHARACTERS = st.characters(exclude_categories=())
TEXTS = st.sampled_from(NASTY) | st.text(CHARACTERS, max_size=12)
NAMES = (
    "amount", "article", "batch", "built", "colour", "colours_of", "count", "download", "email", "engine", "format",
    "garment", "garments", "grow", "guidance", "id", "image", "imagining", "like", "limit", "lora-linen", "loras",
    "mask", "model", "morph_to", "move", "name", "negative_prompt", "next", "of", "offset", "offset_x", "on",
    "palette", "password", "password1", "pattern", "pattern_type", "photo", "prompt", "public", "q", "region",
    "remix", "repeat", "restyle", "scale_cm", "scheduler", "seed", "size", "sketch", "steps", "strength", "type",
    "username", "vary_of", "whose", "with", "page", "again", "look",
)  # fmt: skip
VALUES = st.recursive(
    TEXTS | st.none() | st.booleans() | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
FIELDS = st.dictionaries(st.sampled_from(NAMES) | TEXTS, VALUES, max_size=5)


WORDS = ("prompt", "pattern_type", "username", "password", "name", "q")
PLAIN = {
    "method": "post", "pick": 1, "names": ["a"] * 3, "query": {}, "body": "json", "fields": {}, "raw": b"",
    "charset": "", "cookie": "", "key": "", "htmx": False,
}  # fmt: skip
"""A request with nothing in it, for the examples that every address gets besides what chance brings."""


@st.composite
def requests(draw: Any) -> dict[str, Any]:
    """Method, query, body and headers of a request, all of them meant badly."""
    return {
        "method": draw(st.sampled_from(("get", "post", "patch", "delete"))),
        "pick": draw(st.integers(0, 3)),
        "names": draw(st.lists(TEXTS, min_size=3, max_size=3)),
        "query": draw(st.dictionaries(st.sampled_from(NAMES) | TEXTS, TEXTS, max_size=4)),
        "body": draw(st.sampled_from(("json", "form", "multipart", "file", "raw"))),
        "fields": draw(FIELDS),
        "raw": draw(st.binary(max_size=20)),
        "charset": draw(st.sampled_from(("", "", "", "utf-8", "utf-7"))),
        "cookie": draw(st.sampled_from(("", "", "", r'sessionid="\000abcdefgh"'))),
        "key": draw(st.sampled_from(("", "", "k", "\x7f", "k" * 300))),
        "htmx": draw(st.booleans()),
    }


def address(route: str, asked: dict[str, Any], known: dict[str, list[str]]) -> str:
    """A path of ``route``: with things that are there, and now and then with what is not."""
    texts = itertools.cycle(asked["names"])

    def fill(found: re.Match[str]) -> str:
        kind = found[1] or "str"
        if kind in ("uuid", "slug") and asked["pick"]:
            choices = (
                known.get(route.split("<")[0].strip("/").rsplit("/", 1)[-1], []) if kind == "uuid" else known[kind]
            )
            choices = choices or known["uuid"]
            return choices[asked["pick"] % len(choices)]
        return next(texts)

    plain = re.sub(r"\(\?P<\w+>[^)]*\)\$?", lambda _: next(texts), route.replace("^", "").replace("\\Z", ""))
    return "/" + quote_from_bytes(PART.sub(fill, plain).encode("utf-8", "surrogatepass"), safe="/")


def urlencoded(fields: dict[str, Any]) -> str:
    def plain(text: Any) -> str:
        return quote_from_bytes(str(text).encode("utf-8", "surrogatepass"), safe="")

    return "&".join(f"{plain(name)}={plain(value)}" for name, value in fields.items())


def body_of(asked: dict[str, Any]) -> tuple[bytes, str]:
    """(body, content type)."""
    fields = asked["fields"]
    if asked["body"] == "json":
        return json.dumps(fields).encode(), "application/json"
    if asked["body"] == "raw":
        return asked["raw"], "application/json"
    if asked["body"] == "form":
        return urlencoded(fields).encode(), "application/x-www-form-urlencoded"
    plain = {name: str(value) for name, value in fields.items()}
    if asked["body"] == "file":
        ending = asked["names"][0].encode("utf-8", "replace").decode()
        plain["image"] = plain["file"] = plain["mask"] = SimpleUploadedFile(f"a.{ending}", asked["raw"])
    clean = {name.encode("utf-8", "replace").decode(): value for name, value in plain.items()}
    encoded = encode_multipart(
        BOUNDARY,
        {name: v.encode("utf-8", "replace").decode() if isinstance(v, str) else v for name, v in clean.items()},
    )
    return encoded, MULTIPART


@pytest.fixture
def known(person, make_pattern, make_photo, make_garment, picture) -> dict[str, list[str]]:
    """Something of each kind to ask for, by the part of the address that stands before it."""
    pattern, photo, garment = make_pattern(person, public=True), make_photo(person), make_garment("dress")
    job = Job.objects.create(owner=person, kind="generate", state="failed")
    for name, format in (("x.png", "PNG"), ("x.webp", "WEBP")):
        default_storage.save(name, ContentFile(picture(format=format)))
    common = {
        "owner": person,
        "job": job,
        "params": {"prompt": "a dress", "seed": 7, "engine": "fabric"},
        "file": "x.png",
    }
    mask = Mask.objects.create(owner=person, photo=photo, origin="brush", file="x.png")
    restyle = Restyle.objects.create(**common, photo=photo, mask=mask)
    imagining = Imagining.objects.create(**common)
    look = Look.objects.create(owner=person, garment=garment, file="x.png", thumb="x.webp")
    look.parts.create(pattern=pattern)
    groups = {
        "gallery": pattern, "fabrics": pattern, "patterns": pattern, "photos": photo, "looks": look, "restyle": restyle,
        "restyles": restyle, "imagine": imagining, "imaginings": imagining, "mask": mask, "masks": mask, "jobs": job,
    }  # fmt: skip
    found = {name: [str(row.pk)] for name, row in groups.items()}
    found["batch"] = [str(restyle.batch), str(imagining.batch)]
    found["uuid"] = [pk for pks in found.values() for pk in pks]
    found["slug"] = ["dress", "file", "thumb", "tile"]
    return found


SHARES = 8
"""What there is to ask for takes longer to make than an address takes to ask: it serves a share of all addresses."""


@pytest.mark.parametrize("share", range(SHARES))
def test_no_text_breaks_any_page(
    share: int, known: dict[str, list[str]], person: User, client_of: Callable[..., Client]
):
    person.is_staff = person.is_superuser = True
    person.save()
    token = tokens.make(person, "test")[1]
    for route in ROUTES[share::SHARES]:
        attack(route, known, person, client_of, token)


def attack(route: str, known: dict[str, list[str]], person: User, client_of: Callable[..., Client], token: str) -> None:
    """Requests that are meant badly, to one address; none of them leaves anything behind."""

    # SQLite keeps nearly everything: it is asked the worst, and PostgreSQL whatever else comes to mind.
    @settings(
        max_examples=4, derandomize=True, database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate) if connection.vendor == "postgresql" else (Phase.explicit,),
    )  # fmt: skip
    @given(asked=requests())
    @example(asked={**PLAIN, "method": "get", "names": ["\0"] * 3, "query": {"q": "a\0b", "page": "\0"}})
    @example(asked={**PLAIN, "key": "k", "htmx": True, "fields": {"public": True, **dict.fromkeys(WORDS, "\ud800")}})
    @example(asked={**PLAIN, "body": "form", "fields": {"next": "/\0", **dict.fromkeys(WORDS, "a\0b")}})
    def ask(asked: dict[str, Any]) -> None:
        with transaction.atomic():
            answer = sent(asked)
            transaction.set_rollback(True)
        assert answer.status_code < 500, (route, asked, answer.content[:300])
        if answer.status_code == 400:
            assert len(answer.content) > 20, "a refusal says something"

    def sent(asked: dict[str, Any]) -> Any:
        client = client_of(person)
        body, kind = body_of(asked)
        headers = {"Authorization": f"Bearer {token}"}
        headers |= {"Idempotency-Key": asked["key"]} if asked["key"] else {}
        headers |= HTMX if asked["htmx"] else {}
        headers |= {"Cookie": asked["cookie"]} if asked["cookie"] else {}
        kind += f"; charset={asked['charset']}" if asked["charset"] else ""
        path = f"{address(route, asked, known)}?{urlencoded(asked['query'])}"
        more = {} if asked["method"] == "get" else {"data": body, "content_type": kind}
        return getattr(client, asked["method"])(path, headers=headers, **more)

    ask()


def test_all_routes_are_walked():
    assert len(ROUTES) > 100
    for name in ("imagine/ask/", "api/v1/patterns", "files/patterns/<uuid:pk>/<slug:name>", "accounts/sign-up/"):
        assert name in ROUTES, name
