"""Staff at work in a real browser: a model comes in, is compared without names, is promoted and rolled back."""

from __future__ import annotations

import itertools
import re
from types import SimpleNamespace

import pytest
from PIL import Image

from ml_backend.models import ModelVersion
from ml_backend.serving import curation, loading, registry
from studio.curation import uploading
from tests.e2e.test_access import MISNAMED, TWICE, sign_in
from tests.ml_backend.tiny import tiny_lora
from tests.studio.curation.conftest import kept as kept

PART = 2_000


@pytest.fixture
def staffs_page(page, shop, staff):
    sign_in(page, shop, staff)
    return page


@pytest.mark.parametrize(("width", "scheme"), [(375, "dark"), (1280, "light")])
def test_every_page_fits_and_is_named(new_page, shop, staff, kept, width, scheme):
    parent = kept("a-very-long-name-of-a-model-that-somebody-trained-on-many-summer-florals", "generate")
    card = "# Card\n\n| one | two | three |\n| - | - | - |\n| " + "wide " * 40 + "| 2 | 3 |\n"
    version = kept("florals", "generate", card=card, descent=curation.Descent(parent=parent))
    curation.serve(version, staff)
    page = new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    sign_in(page, shop, staff)
    for path in (
        "models/",
        f"models/{version.pk}/",
        f"models/{version.pk}/compare/",
        "models/starters/unet-starter/",
        f"models/figures/?of={version.pk}&of={parent.pk}&of=xgan-starter",
        "models/log/",
        "models/add/",
        "comparisons/",
    ):
        assert page.goto(f"{shop}/workshop/{path}").status == 200
        assert page.evaluate("document.documentElement.scrollWidth") == width, path
        assert page.evaluate(MISNAMED) == [], path
        assert page.evaluate(TWICE) == [], path
        levels = page.evaluate("[...document.querySelectorAll('main :is(h1,h2,h3,h4)')].map((one) => +one.tagName[1])")
        assert levels[0] == 1, path
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels)), (path, levels)


def test_a_model_file_is_sent_in_parts_through_a_break_and_becomes_a_draft(
    staffs_page, shop, worker, complaints, tmp_path, monkeypatch
):
    monkeypatch.setattr(uploading, "PART", PART)
    tiny_lora(tmp_path / "linen.safetensors")
    page = staffs_page
    sent = []
    page.on("request", lambda request: sent.append(request.url) if request.url.endswith("/part/") else None)

    broken = []

    def break_once(route):
        if broken:
            return route.continue_()
        broken.append(route.request.url)
        return route.fulfill(status=503, body="away")

    page.route("**/part/", break_once)
    page.goto(f"{shop}/workshop/models/add/")
    page.set_input_files("#model-file", tmp_path / "linen.safetensors")
    page.get_by_role("button", name="Send it").click()
    page.get_by_text("It is a draft now:").wait_for()
    size = (tmp_path / "linen.safetensors").stat().st_size
    assert len(sent) == -(-size // PART) + 1, "only what broke off is sent again"
    page.get_by_role("link", name="linen", exact=True).click()
    page.get_by_role("button", name="Make it a candidate").click()
    page.get_by_role("button", name="Let people choose it").click()
    page.get_by_text("linen is serving now.").wait_for()
    assert list(registry.Loras(None)) == ["linen"]
    complaints[:] = [one for one in complaints if "503" not in one]


def test_a_file_that_is_no_model_is_refused_in_words(staffs_page, shop, tmp_path):
    (tmp_path / "bad.safetensors").write_bytes(b"PK\x03\x04" * 500)
    page = staffs_page
    page.goto(f"{shop}/workshop/models/add/")
    page.set_input_files("#model-file", tmp_path / "bad.safetensors")
    page.get_by_role("button", name="Send it").click()
    page.get_by_text("This is no safetensors file. Nothing was kept").wait_for()


def test_two_are_compared_blind_and_the_better_one_serves(
    staffs_page, shop, worker, complaints, kept, staff, monkeypatch
):
    old, new = kept("old", "generate"), kept("new", "generate")
    curation.serve(old, staff)
    real = loading.pipeline

    def pipeline(name, model=None):
        if name != "generate":
            return real(name, model)
        colour = "#9c2a2e" if model == new.reference else "#66704f"
        return lambda request, should_stop=None: SimpleNamespace(image=Image.new("RGB", (64, 64), colour))

    monkeypatch.setattr(loading, "pipeline", pipeline)
    page = staffs_page
    page.goto(f"{shop}/workshop/models/{new.pk}/")
    page.get_by_role("link", name="Compare: generate").click()
    assert page.get_by_label("with", exact=True).input_value() == old.reference
    for name in ("striped", "plaid", "dotted", "zigzag", "geometric"):
        page.get_by_label(name).uncheck(force=True)
    page.get_by_role("button", name="Have them made").click()
    page.get_by_role("group", name=re.compile("seed 2")).wait_for()
    assert new.reference not in page.inner_text("main")
    for pair in page.get_by_role("group", name=re.compile("floral")).all():
        pair.get_by_label("the first").check()
    page.get_by_role("button", name="Count my choices").click()
    page.get_by_text("2 choices by 1 person who did not know which was which.").wait_for()
    assert new.reference in page.inner_text("main")
    page.get_by_role("link", name="new", exact=True).click()
    page.get_by_role("button", name="Make it the default").click()
    page.get_by_text("new is the default now.").wait_for()
    assert registry.reference("generate") == new.reference
    page.get_by_role("navigation", name="Workshop").get_by_role("link", name="Models").click()
    page.get_by_role("button", name="Roll back generate").click()
    page.get_by_text(f"{old.reference} serves again.").wait_for()
    assert ModelVersion.objects.get(default=True) == old
