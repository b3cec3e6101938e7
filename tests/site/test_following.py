"""Pages follow what is being made in one way: no timer, no poller and no htmx interval beside it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from django.template import Context, Template
from django.test import Client
from django.urls import reverse

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "static" / "js").rglob("*.js"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
DECISION = (ROOT / "docs" / "decisions" / "0029-one-follower.md").read_text(encoding="utf-8")
LIBRARIES = (ROOT / "docs" / "decisions" / "0001-dependencies.md").read_text(encoding="utf-8")


def drawn(tag, **context):
    return Template(f"{{% load cloth %}}<p {tag}></p>").render(Context(context))


def test_the_tag_says_where_to_ask_and_whether_there_is_something_to_follow():
    address = reverse("pattern", args=["0b7f2f9e-58a4-4d9c-a3c1-2f41c7e0a001"])
    coming = drawn('{% follow "pattern" pk active=coming %}', pk=address.split("/")[-2], coming=True)
    assert f'hx-get="{address}"' in coming
    assert 'hx-swap="morph"' in coming
    assert "data-follow" in coming
    assert "hx-select" not in coming
    there = drawn('{% follow "pattern" pk active=coming target="#main" %}', pk=address.split("/")[-2], coming=None)
    assert f'hx-get="{address}"' in there, "it is looked at once more when somebody tries again"
    assert "data-follow" not in there
    assert 'hx-target="#main" hx-select="#main"' in there


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_a_clock_of_its_own(path):
    triggers = re.findall(r'hx-trigger="([^"]*)"', path.read_text(encoding="utf-8"))
    clocks = [one for one in triggers if re.search("every|delay|follow", one)]
    assert clocks == [], "{% follow %} says it"


def test_every_timer_of_the_scripts_is_told_in_the_decision():
    told = {name: int(count) for name, count in re.findall(r"^\| `([\w/]+\.js)` \| (\d+) \|", DECISION, re.MULTILINE)}
    found = {}
    for path in SCRIPTS:
        text = path.read_text(encoding="utf-8")
        assert "setInterval" not in text, path
        if count := text.count("setTimeout("):
            found[path.relative_to(ROOT / "static" / "js").as_posix()] = count
    assert found == told


def test_what_came_from_others_is_what_they_published():
    (path,) = (ROOT / "static" / "vendor").glob("*.js")
    assert path.name in (ROOT / "templates" / "base.html").read_text(encoding="utf-8")
    assert hashlib.sha256(path.read_bytes()).hexdigest() in LIBRARIES


def test_whoever_answers_knows_whether_htmx_asks(settings):
    """Even the refusal of a host, which comes before every other middleware."""
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["toile.example"]
    client = Client(raise_request_exception=False)
    told = client.get("/", headers={"host": "elsewhere.example", "HX-Request": "true"})
    assert (told.status_code, told.headers["Content-Type"]) == (400, "text/plain; charset=utf-8")
    page = client.get("/", headers={"host": "elsewhere.example"})
    assert (page.status_code, page.headers["Content-Type"]) == (400, "text/html; charset=utf-8")
