"""What people type stands in no address that the server makes, and so in no log of addresses."""

from __future__ import annotations

import logging
import re
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from fashion_site.logs import NoQuery
from ml_backend.requests import ImagineRequest, RestyleRequest
from studio import said
from studio.imagine import forms as imagining
from studio.imagine.models import Imagining
from studio.restyle import forms as restyling
from studio.restyle.models import Restyle

pytestmark = pytest.mark.django_db
SECRET = "velvet for my mother's funeral"


def addresses(page) -> str:
    return " ".join(re.findall(r'(?:href|action|hx-get|hx-post)="([^"]*)"', page.content.decode()))


def batch(model, owner, request, **fields):
    made = {"owner": owner, "batch": uuid.uuid4(), "created_at": timezone.now(), "params": request.to_dict()}
    return model.objects.create(**{**made, **fields})


@pytest.mark.parametrize("wrong", [{"count": 99}, {"region": "", "mask": ""}, {"photo": ""}])
def test_a_refused_form_comes_back_with_its_words_and_an_address_without(client_of, person, make_photo, wrong):
    client, photo = client_of(person), make_photo(person)
    at = f"/restyle/?photo={photo.pk}&prompt=old"
    form = {"photo": photo.pk, "region": "the black dress", "prompt": SECRET, "negative_prompt": "lace", "next": at}
    answer = client.post(reverse("restyle-ask"), {**form, **wrong})
    assert answer.status_code == 302
    assert answer.url == f"/restyle/?photo={photo.pk}"
    wanted = client.get(answer.url).context["wanted"]
    assert (wanted.prompt, wanted.settings) == (SECRET, {"negative_prompt": "lace"})
    assert wanted.region == wrong.get("region", "the black dress")
    assert client.get(answer.url).context["wanted"].prompt == ""


def test_what_the_page_keeps_behind_the_hash_is_left_to_it(client_of, person, picture):
    upload = SimpleUploadedFile("me.jpg", picture(120, 160), "image/jpeg")
    at = "/restyle/?engine=fabric#prompt=velvet"
    answer = client_of(person).post(
        reverse("restyle-photo"), {"image": upload, "next": at}, headers={"HX-Request": "true"}
    )
    assert re.fullmatch(r"/restyle/\?engine=fabric&photo=[0-9a-f-]{36}#prompt=velvet", answer.headers["HX-Redirect"])


def test_restyle_links_name_words_by_keys(client_of, person, other, make_photo):
    client, photo = client_of(person), make_photo(person)
    batch(Restyle, person, RestyleRequest(SECRET, 7), photo=photo, file="x.png")
    page = client.get("/restyle/")
    assert SECRET in page.context["history"][0].text
    links = addresses(page)
    assert not [word for word in ("velvet", "funeral", "jersey", "dress,", "prompt=", "region=") if word in links]
    key = said.key_of(SECRET)
    assert f"said={key}" in links
    assert client.get("/restyle/", {"said": key}).context["wanted"].prompt == SECRET
    assert client_of(other).get("/restyle/", {"said": key}).context["wanted"].prompt == ""
    preset = restyling.PRESETS[1]
    assert client.get("/restyle/", {"preset": preset.key}).context["wanted"].prompt == preset.prompt
    common = said.key_of("the skirt")
    assert client.get("/restyle/", {"common": common}).context["wanted"].region == "the skirt"


def test_imagine_links_name_words_by_keys(client_of, person, other):
    client = client_of(person)
    batch(Imagining, person, ImagineRequest(SECRET, 7), file="x.png")
    page = client.get("/imagine/")
    links = addresses(page)
    assert not [word for word in ("velvet", "funeral", "flannel", "Yellow", "prompt=") if word in links]
    key = said.key_of(SECRET)
    assert f"said={key}" in links
    assert client.get("/imagine/", {"said": key}).context["wanted"].prompt == SECRET
    assert client_of(other).get("/imagine/", {"said": key}).context["wanted"].prompt == ""
    preset = imagining.PRESETS[3]
    assert client.get("/imagine/", {"said": preset.key}).context["wanted"].prompt == preset.text


def test_only_the_newest_searches_are_kept(client):
    for number in range(said.MOST_SOUGHT + 5):
        client.post(reverse("imagined-wall"), {"q": f"word {number}"})
    assert list(client.session["sought"].values())[-1] == f"word {said.MOST_SOUGHT + 4}"
    assert len(client.session["sought"]) == said.MOST_SOUGHT


@pytest.mark.parametrize(
    ("path", "logged"), [("/imagine/?prompt=velvet", "/imagine/"), ("/imagine/", "/imagine/"), ("/a%3Fb?c?d", "/a%3Fb")]
)
def test_the_servers_own_log_has_no_queries(path, logged):
    args = ("127.0.0.1:1", "GET", path, "1.1", 200)
    record = logging.LogRecord("uvicorn.access", logging.INFO, "", 0, '%s - "%s %s HTTP/%s" %d', args, None)
    assert NoQuery().filter(record)
    assert record.getMessage() == f'127.0.0.1:1 - "GET {logged} HTTP/1.1" 200'


def test_the_log_is_so_when_the_server_starts():
    from fashion_site import asgi

    assert asgi.application
    assert any(isinstance(one, NoQuery) for one in logging.getLogger("uvicorn.access").filters)


def test_other_lines_are_left_as_they_are():
    record = logging.LogRecord("uvicorn.access", logging.INFO, "", 0, "Started?", None, None)
    assert NoQuery().filter(record)
    assert record.getMessage() == "Started?"
