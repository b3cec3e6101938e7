"""Every page before axe: no violation by day or by night, on a desk, and on a phone with every drawer open.

No page is named here.  The routes of the site are walked, each is asked for the rows below, and what answers with a
whole page of HTML is looked at: a new page is, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone

from ..ml_backend.icc import cmyk_profile
from ..studio.cloth.test_cloth import checked
from .test_access import sign_in

DESK = {"width": 1280, "height": 800}
PHONE = {"width": 375, "height": 720}
VIOLATIONS = """(rules) => axe.run(document, {resultTypes: ["violations"], ...(rules ? {runOnly: rules} : {})}).then(
  (found) => found.violations.map((one) =>
  `${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" AND ")}`))"""
COLOURS = ["color-contrast"]
"""All that the hour changes on a page that was looked at already."""
OPEN_ALL = "() => document.querySelectorAll('details').forEach((one) => { one.open = true; })"
AT_REST = """() => !document.querySelector('.htmx-request') &&
  !document.getAnimations().some((one) => one instanceof CSSTransition)"""

ELSEWHERE = {
    "admin/": "Django's own pages, for staff who mend rows; Django looks after them",
    "api/v1/": "answers programs, not browsers",
    "files/": "stored files",
}
"""Beginnings of routes that answer no page of ours, and why."""


@pytest.fixture(scope="module")
def axe() -> str:
    base = pytest.importorskip(
        "axe_playwright_python.base", reason="axe is not installed (requirements-dev.txt): PAGES WERE NOT LOOKED AT"
    )
    return Path(base.AXE_FILE_PATH).read_text(encoding="utf-8")


def routes(resolver: Any = None, before: str = "", room: str = "") -> Iterator[tuple[str, str, list[str]]]:
    """Every route of the site that may answer a page of ours, its name, and the names of its parts."""
    for one in (resolver or get_resolver()).url_patterns:
        route = before + str(one.pattern)
        if hasattr(one, "url_patterns"):
            yield from routes(one, route, f"{room}{one.namespace}:" if one.namespace else room)
        elif not route.startswith(tuple(ELSEWHERE)):
            assert one.name, f"{route} has no name"
            yield route, room + one.name, list(one.pattern.converters)


class Site:
    """Rows of ``owner``'s of every kind: what a part of a route stands for, and what may follow a page's address."""

    def __init__(self, owner: Any, make: dict[str, Any]) -> None:
        from ml_backend.models import Job, ModelVersion, TrainingRun
        from patterns.models import Favourite
        from studio.api import tokens
        from studio.cloth.models import ClothPhoto
        from studio.collections import services as collections
        from studio.colour.models import SavedPalette
        from studio.curation.models import Comparison, ModelUpload
        from studio.imagine.models import Imagining
        from studio.looks.models import Look
        from studio.photos.models import Garment, Mask
        from studio.printing import services as printing
        from studio.printing.models import Print
        from studio.restyle.models import Restyle
        from studio.trends import services as trends
        from studio.trends.models import Tally
        from studio.workshop.models import DataSet, TrainingPicture

        fabric = make["pattern"](owner, public=True)
        fresh = make["pattern"](owner, fresh_until=timezone.now() + timedelta(days=7))
        half_drop = make["pattern"](owner, repeat="half-drop", mended=True)
        photo, waiting = make["photo"](owner), make["photo"](owner)
        job = Job.objects.create(owner=owner, kind="generate", state="failed")
        files = {"file": str(fabric.tile), "thumb": str(fabric.thumb)}
        Favourite.objects.create(user=owner, pattern=fabric)
        cloth = ClothPhoto(owner=owner, width=320, height=320)
        cloth.image = cloth.thumb = make["stored"](checked())
        cloth.save()
        looks = [Look.objects.create(owner=owner, garment=Garment.objects.first(), public=True, **files) for _ in "12"]
        for look in looks:
            look.parts.create(pattern=fabric, params={})
        mask = Mask.objects.create(owner=owner, photo=photo, origin="brush", file=str(fabric.tile))
        words = {"prompt": "a red dress", "seed": 7, "engine": "fabric"}
        restyle = Restyle.objects.create(owner=owner, photo=photo, mask=mask, params=words, public=True, **files)
        imagined = Imagining.objects.create(owner=owner, params=words, public=True, **files)
        board = collections.make(owner, "Summer", "Linen.")
        for thing in (fabric, half_drop, *looks):
            collections.add(board, thing)
        link = collections.share(board, 7)
        for start, value in ((trends.start_of("week", timezone.now().date()), kind) for kind in ("floral", "plaid")):
            Tally.objects.create(period="week", start=start, what="worn", by="type", value=value, count=9, people=7)
        palette = SavedPalette.objects.create(owner=owner, name="Sea", colours=["#ffffff", "#20305a", "#1f9a93"])
        profile = printing.add_profile(owner, SimpleUploadedFile("mill.icc", cmyk_profile()))
        printed = Print.objects.create(owner=owner, pattern=fabric, title="toile-dotted-1", file=str(fabric.tile))
        data_set = DataSet.objects.create(owner=owner, name="Block prints")
        taught = TrainingPicture.objects.create(
            data_set=data_set, number=1, image=files["file"], thumb=files["thumb"], width=64, height=64, caption="a dot"
        )
        curve = [{"step": step, "loss": 1 / step} for step in range(1, 9)]
        run = TrainingRun.objects.create(owner=owner, name="prints", recipe="lora", config={"steps": 9}, curve=curve)
        version = ModelVersion.objects.create(name="ours", capability="generate", sha256="a" * 64)
        upload = ModelUpload.objects.create(owner=owner, name="a.safetensors", size=9)
        comparison = Comparison.objects.create(
            owner=owner, one="xgan-starter@0123456789ab", work="generate", params={"words": ["floral"], "seeds": [1]}
        )
        token, _ = tokens.make(owner, "loom")
        self.shared = link.get_absolute_url()
        self.rows: dict[str, dict[str, Any]] = {
            "fabrics/": {"pk": fabric.pk, "suffix": "gpl"},
            "jobs/": {"pk": job.pk},
            "words/": {"language": "fr", "version": "0"},
            "palettes/": {"pk": palette.pk, "suffix": "gpl"},
            "photos/": {"pk": photo.pk, "name": "skirt", "mask": mask.pk},
            "cloth/": {"pk": cloth.pk},
            "looks/": {"pk": looks[0].pk},
            "gallery/": {"pk": fabric.pk, "name": "floral", "side": 128, "profile": profile.pk},
            "gallery/looks/": {"pk": looks[0].pk},
            "gallery/<uuid:pk>/print/proof/": {"pk": fabric.pk, "name": "soft", "profile": profile.pk},
            "restyle/": {"pk": restyle.pk},
            "restyle/mask/": {"pk": mask.pk},
            "restyle/batch/": {"pk": restyle.batch},
            "imagine/": {"pk": imagined.pk, "batch": imagined.batch},
            "take-down/": {"kind": "fabric", "pk": fabric.pk},
            "window/": {"pk": fabric.pk},
            "collections/": {"pk": board.pk, "item": board.items.first().pk, "link": link.pk},
            "shared/": {"pk": link.pk, "secret": link.secret, "item": board.items.first().pk, "name": "tile"},
            "prints/": {"pk": printed.pk},
            "prints/profiles/": {"pk": profile.pk},
            "workshop/data/": {"pk": data_set.pk, "picture": taught.pk},
            "workshop/runs/": {"pk": run.pk, "step": 1},
            "workshop/models/": {"pk": version.pk, "number": 0, "capability": "generate", "folder": "xgan-starter"},
            "workshop/models/add/": {"pk": upload.pk},
            "workshop/comparisons/": {"pk": comparison.pk},
            "accounts/tokens/": {"pk": token.pk},
        }
        beside = "&".join(f"look={look.pk}" for look in looks)
        self.queries: dict[str, list[str]] = {
            "studio": [f"photo={photo.pk}", f"photo={waiting.pk}&pattern={half_drop.pk}", f"pattern={fresh.pk}"],
            "gallery": ["", "whose=mine", "whose=fresh", "whose=favourites", "near=%23204f8f"],
            "restyle": [f"photo={photo.pk}", "garment=dress"],
            "inks": [f"fabric={half_drop.pk}"],
            "looks-beside": [beside],
            "models-figures": ["of=xgan-starter&of=dcgan-starter"],
            "window": ["garment=dress"],
        }

    def address(self, route: str, name: str, needed: list[str]) -> str:
        """Of a route; an assertion names the row that is missing here."""
        beginning = max((start for start in self.rows if route.startswith(start)), key=len, default="")
        known = self.rows.get(beginning, {})
        assert set(needed) <= set(known), f"say in Site.rows what {route} stands for: {set(needed) - set(known)}"
        return reverse(name, kwargs={part: known[part] for part in needed})

    def pages(self, client: Client) -> list[str]:
        """The addresses at which ``client`` is answered with a page."""
        found = []
        for route, name, needed in routes():
            address = self.address(route, name, needed)
            for query in self.queries.get(name, [""]):
                asked = address + (f"?{query}" if query else "")
                answer = client.get(asked)
                if answer.status_code == 200 and is_page(answer):
                    found.append(asked)
        return found


def is_page(answer: Any) -> bool:
    """Whether it is a whole one, and not a piece that a page fetches."""
    if answer.streaming or not answer.headers["Content-Type"].startswith("text/html"):
        return False
    return bool(answer.content.lstrip()[:15].lower() == b"<!doctype html>")


@pytest.fixture
def site(shop: str, staff: Any, make_pattern: Any, make_photo: Any) -> Site:
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage

    def stored(data: bytes) -> str:
        return str(default_storage.save("cloth.jpg", ContentFile(data)))

    return Site(staff, {"pattern": make_pattern, "photo": make_photo, "stored": stored})


def looked_at(page: Any, shop: str, addresses: list[str]) -> dict[str, list[str]]:
    """What axe finds on each: as it opens on a desk, and with every drawer open on a phone, by day and by night."""
    wrong: dict[str, list[str]] = {}
    for address in addresses:
        page.set_viewport_size(DESK)
        page.emulate_media(color_scheme="light")
        page.goto(shop + address)
        if address == "/api/docs":
            page.locator(".opblock").first.wait_for()
        found = page.evaluate(VIOLATIONS)
        page.emulate_media(color_scheme="dark")
        page.wait_for_function(AT_REST)
        found += page.evaluate(VIOLATIONS, COLOURS)
        page.set_viewport_size(PHONE)
        page.evaluate(OPEN_ALL)
        page.wait_for_function(AT_REST)
        found += page.evaluate(VIOLATIONS)
        page.emulate_media(color_scheme="light")
        page.wait_for_function(AT_REST)
        found += page.evaluate(VIOLATIONS, COLOURS)
        if found:
            wrong[address] = found
    return wrong


def test_no_page_of_staff_has_a_violation(new_page, shop, site, staff, client_of, axe):
    """Axe is a script of the test's own, which the content policy of the pages rightly keeps out."""
    addresses = site.pages(client_of(staff))
    assert len(addresses) > 60 and {"/style/", "/offline/", "/trends/", "/prints/", "/cloth/"} <= set(addresses)
    page = new_page(bypass_csp=True)
    page.add_init_script(axe)
    sign_in(page, shop, staff)
    assert looked_at(page, shop, addresses) == {}


def test_no_page_of_visitors_and_guests_has_a_violation(new_page, shop, site, make_person, make_pattern, axe):
    """What they see otherwise than members do: the rooms, the doors, what is theirs, and what is not there."""
    page = new_page(bypass_csp=True)
    page.add_init_script(axe)
    doors = [reverse(name) for name in ("studio", "gallery", "imagine", "sign-in", "sign-up", "cloths")]
    gone = ["/shared/0b9f7c1e-52b1-4a43-9d2c-2f4c7a1f8e10/none/", "/nowhere/"]
    assert looked_at(page, shop, [*doors, f"{reverse('restyle')}?garment=dress", site.shared, *gone]) == {}
    guest = make_person(is_guest=True)
    make_pattern(guest)
    sign_in(page, shop, guest)
    assert looked_at(page, shop, [reverse("account"), f"{reverse('gallery')}?whose=mine", reverse("studio")]) == {}
