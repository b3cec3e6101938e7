"""Every page before axe: no violation, by day on a desk and by night on a phone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from .test_access import sign_in

LIGHTS = {
    "by day on a desk": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "by night on a phone": {"viewport": {"width": 375, "height": 720}, "color_scheme": "dark"},
}
ANONYMOUS = ["/", "/gallery/", "/accounts/sign-in/", "/accounts/sign-up/", "/restyle/?garment=dress", "/imagine/"]
VIOLATIONS = """() => axe.run(document, {resultTypes: ["violations"]}).then((found) => found.violations.map((one) =>
  `${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" AND ")}`))"""


@pytest.fixture(scope="module")
def axe() -> str:
    base = pytest.importorskip(
        "axe_playwright_python.base", reason="axe is not installed (requirements-dev.txt): PAGES WERE NOT LOOKED AT"
    )
    return Path(base.AXE_FILE_PATH).read_text(encoding="utf-8")


@pytest.fixture
def pages(shop: str, staff: Any, make_pattern: Any, make_photo: Any) -> list[str]:
    """The addresses of every kind of page, each with something on it."""
    from ml_backend.models import TrainingRun
    from patterns.models import Favourite
    from studio.collections import services as collections
    from studio.curation.models import Comparison
    from studio.imagine.models import Imagining
    from studio.looks.models import Look
    from studio.photos.models import Garment
    from studio.trends import services as trends
    from studio.trends.models import Tally
    from studio.workshop.models import DataSet

    fabric = make_pattern(staff, public=True)
    fresh = make_pattern(staff, fresh_until=timezone.now() + timedelta(days=7))
    photo = make_photo(staff)
    Favourite.objects.create(user=staff, pattern=fabric)
    files = {"file": str(fabric.tile), "thumb": str(fabric.thumb), "public": True}
    looks = [Look.objects.create(owner=staff, garment=Garment.objects.first(), **files) for _ in range(2)]
    for look in looks:
        look.parts.create(pattern=fabric, params={})
    imagined = Imagining.objects.create(owner=staff, params={"prompt": "a red dress", "seed": 7}, **files)
    board = collections.make(staff, "Summer", "Linen.")
    for thing in (fabric, *looks):
        collections.add(board, thing)
    link = collections.share(board, 7)
    for start, value in ((trends.start_of("week", timezone.now().date()), kind) for kind in ("floral", "plaid")):
        Tally.objects.create(period="week", start=start, what="worn", by="type", value=value, count=9, people=7)
    data_set = DataSet.objects.create(owner=staff, name="Block prints")
    curve = [{"step": step, "loss": 1 / step} for step in range(1, 9)]
    run = TrainingRun.objects.create(owner=staff, name="prints", recipe="lora", config={"steps": 9}, curve=curve)
    comparison = Comparison.objects.create(
        owner=staff, one="xgan-starter@0123456789ab", work="generate", params={"words": ["floral"], "seeds": [1]}
    )
    beside = "&".join(f"look={look.pk}" for look in looks)
    return [
        f"/?photo={photo.pk}", f"/?pattern={fresh.pk}", f"/gallery/{fabric.pk}/", f"/gallery/{fresh.pk}/",
        "/gallery/?whose=mine", "/gallery/?whose=fresh", "/gallery/?whose=favourites", "/gallery/looks/",
        f"/gallery/looks/{looks[0].pk}/", "/gallery/restyled/", "/gallery/imagined/", f"/imagine/{imagined.pk}/",
        "/collections/", f"/collections/{board.pk}/", f"/collections/side-by-side/?{beside}", link.get_absolute_url(),
        "/shared/0b9f7c1e-52b1-4a43-9d2c-2f4c7a1f8e10/none/", "/trends/", "/account/", "/accounts/tokens/",
        "/accounts/password/", "/accounts/delete/", f"/gallery/{fabric.pk}/delete/", "/workshop/models/",
        "/workshop/models/figures/?of=xgan-starter&of=dcgan-starter", "/workshop/models/starters/xgan-starter/",
        "/workshop/models/log/", "/workshop/models/add/", "/workshop/comparisons/",
        f"/workshop/comparisons/{comparison.pk}/", "/workshop/data/", f"/workshop/data/{data_set.pk}/",
        "/workshop/runs/", f"/workshop/runs/{run.pk}/", "/api/docs",
    ]  # fmt: skip


@pytest.mark.parametrize("lights", LIGHTS)
def test_no_page_has_a_violation(new_page, shop, staff, pages, axe, lights):
    """Axe is a script of the test's own, which the content policy of the pages rightly keeps out."""
    wrong = {}
    for addresses, who in ((ANONYMOUS, None), (pages, staff)):
        page = new_page(**LIGHTS[lights], bypass_csp=True)
        page.add_init_script(axe)
        if who is not None:
            sign_in(page, shop, who)
        for address in addresses:
            answer = page.goto(shop + address)
            assert answer.status == (404 if address.endswith("/none/") else 200), address
            if address == "/api/docs":
                page.locator(".opblock").first.wait_for()
            if found := page.evaluate(VIOLATIONS):
                wrong[address] = found
    assert wrong == {}
