"""Installed, offline, and the style page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.urls import reverse
from PIL import Image

from studio.shell import tokens, views

pytestmark = pytest.mark.django_db


def test_the_manifest_names_rooms_and_icons_that_are_there(client):
    answer = client.get(reverse("manifest"))
    assert answer["Content-Type"] == "application/manifest+json"
    said = json.loads(answer.content)
    assert (said["name"], said["start_url"], said["display"]) == ("Toile", "/", "standalone")
    for shortcut in said["shortcuts"]:
        assert client.get(shortcut["url"]).status_code == 200
    sides = set()
    for icon in said["icons"]:
        path = finders.find(icon["src"].removeprefix("/static/"))
        assert path, icon
        if icon["type"] == "image/png":
            with Image.open(path) as image:
                assert "x".join(map(str, image.size)) == icon["sizes"]
            sides.add((icon["sizes"], icon["purpose"]))
    assert sides == {(side, purpose) for side in ("192x192", "512x512") for purpose in ("any", "maskable")}
    assert f'<link rel="manifest" href="{reverse("manifest")}">' in client.get("/").content.decode()


def test_the_manifest_has_the_ground_of_the_sheet():
    grounds = next(token for _, found in tokens.groups() for token in found if token.name == "paper").value
    assert grounds == f"light-dark({views.PAPER}, {views.CHARCOAL})"


def test_the_worker_keeps_what_is_there_and_nobodys(client, person, client_of):
    answer = client.get(reverse("service-worker"))
    assert answer["Content-Type"] == "text/javascript"
    assert client_of(person).get(reverse("service-worker")).content == answer.content
    kept = json.loads(re.search(r"const KEPT = (.*);", answer.content.decode())[1])
    assert kept[0] == reverse("offline")
    for address in kept[1:]:
        assert finders.find(address.removeprefix("/static/")), address


def test_the_offline_page_is_made_of_what_is_kept_and_of_nobody(client, person, client_of):
    page = client_of(person).get(reverse("offline"))
    assert page.content == client.get(reverse("offline")).content
    text = page.content.decode()
    assert person.username not in text
    assert "csrf" not in text
    kept = json.loads(re.search(r"const KEPT = (.*);", client.get(reverse("service-worker")).content.decode())[1])
    wanted = re.findall(r'(?:src|href)="(/static/[^"]+)"', text)
    assert set(wanted) <= set(kept)


def test_another_page_is_another_worker(client, monkeypatch):
    before = client.get(reverse("service-worker")).content
    monkeypatch.setattr(views, "_offline_page", lambda: "another")
    assert client.get(reverse("service-worker")).content != before


def test_the_style_page_shows_every_token_and_drawing(client):
    page = client.get(reverse("style")).content.decode()
    sheet = Path(finders.find("css/tokens.css")).read_text(encoding="utf-8")
    for name in set(re.findall(r"^  --([a-z0-9-]+):", sheet, re.MULTILINE)):
        assert f"<code>--{name}</code>" in page
    for name in tokens.icons():
        assert f"<code>{name}</code>" in page
    assert "Try again" in page
    assert "40 %" in page


@pytest.mark.parametrize("name", ["manifest", "service-worker", "offline", "style"])
def test_nothing_is_posted_here(client, name):
    assert client.post(reverse(name)).status_code == 405
