"""Restyling a photo in a real browser: painting, finding by words, asking, comparing."""

from __future__ import annotations

import io
import re
import zipfile

import numpy as np
import pytest
from django.core.files.storage import default_storage
from PIL import Image

from studio.photos.models import Mask
from studio.restyle.models import Restyle
from tests.studio.restylers import NOTE, Restyler, stand_in

from .conftest import at_work
from .test_journey import UNNAMED, WAIT, photo_file, until

READY = "[data-table][data-state='ready']"
MARKED = "#mask-status[data-mask]"
DONE = ".batch:not([data-follow]) .tile:nth-child(2)"


@pytest.fixture
def worker(live_server, monkeypatch):
    """Does queued jobs as they come, by quick stand-ins for the models."""
    restyler = Restyler(pause=8.0)
    stand_in(monkeypatch, restyler)
    with at_work():
        yield restyler


def lay(page, url, tmp_path, picture):
    """Open the page and lay a photo of one's own on the table."""
    page.goto(f"{url}/restyle/")
    page.wait_for_selector(READY, timeout=WAIT)
    page.set_input_files("#photo-file", photo_file(tmp_path, picture))
    page.wait_for_url(re.compile("photo="), timeout=WAIT)
    page.wait_for_selector(READY, timeout=WAIT)


def lay_bare(page, url):
    """Open the page with a garment and nothing of it marked."""
    page.goto(f"{url}/restyle/?garment=dress")
    page.wait_for_selector(READY, timeout=WAIT)
    page.click("[data-do='clear']")


SHARE = """() => {
  const canvas = document.querySelector("[data-wash]");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let marked = 0;
  for (let at = 3; at < data.length; at += 4) marked += data[at] > 0;
  return marked / (data.length / 4);
}"""


def marked(page):
    """Share of the picture under the wash, when it has come to rest."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return page.evaluate(SHARE)


def middle(page):
    box = page.locator("[data-frame]").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def paint(page, dx=80, dy=40):
    x, y = middle(page)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=6)
    page.mouse.up()


def test_words_mark_words_ask_and_pictures_come(page, shop, worker, complaints, tmp_path, picture):
    lay(page, shop, tmp_path, picture)
    page.click("[data-phrase='the dress']")
    page.wait_for_selector(MARKED, timeout=WAIT)
    assert "Found “the dress”." in page.inner_text("#mask-status")
    until(page, "document.querySelector('[data-do=grow]').disabled === false")
    by_words = marked(page)
    assert 0.1 < by_words < 0.5
    page.wait_for_url(re.compile("mask="))

    paint(page, dx=150, dy=-60)
    assert marked(page) > by_words
    page.fill("#prompt", "red silk")
    page.select_option("#count", "2")
    page.click("#ask")
    page.wait_for_selector(DONE, timeout=WAIT)
    assert page.locator(".tile").count() == 3
    assert page.locator(".tile").first.inner_text() == "original"
    assert NOTE in page.inner_text(".batch-notes")
    page.wait_for_url(re.compile("batch="))

    drawn = Mask.objects.get(origin="brush")
    assert set(Restyle.objects.values_list("mask", flat=True)) == {drawn.pk}
    with default_storage.open(str(drawn.file)) as file, Image.open(file) as image:
        assert image.size == (300, 400)
        assert abs(float((np.asarray(image) > 0).mean()) - marked(page)) < 0.01

    with page.expect_download(timeout=WAIT) as download:
        page.click("#zip")
    packed = tmp_path / "all.zip"
    download.value.save_as(packed)
    with zipfile.ZipFile(packed) as archive:
        assert len(archive.namelist()) == 2
        with Image.open(io.BytesIO(archive.read(archive.namelist()[0]))) as made:
            assert made.size == (300, 400)

    here = page.url
    page.reload()
    page.wait_for_selector(READY)
    assert page.input_value("#prompt") == "red silk"
    assert page.locator(".tile").count() == 3
    assert page.url == here


def test_the_brush_and_the_way_back(page, shop, complaints):
    lay_bare(page, shop)
    assert marked(page) == 0
    paint(page)
    painted = marked(page)
    assert painted > 0
    page.click("[data-do='grow']")
    grown = marked(page)
    assert grown > painted
    page.click("[data-do='shrink']")
    assert marked(page) < grown
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    assert marked(page) == painted
    page.keyboard.press("Control+Shift+z")
    assert marked(page) == grown
    page.keyboard.press("i")
    assert marked(page) > 0.5
    page.click("[data-do='clear']")
    assert marked(page) == 0
    page.click("[data-do='undo']")
    page.keyboard.press("Control+z")
    page.click("[data-do='feather']")
    assert marked(page) > grown
    page.keyboard.press("e")
    before = marked(page)
    paint(page)
    assert marked(page) < before


def test_a_painted_mask_survives_a_refresh_and_goes_out_and_in(page, shop, complaints, tmp_path):
    lay_bare(page, shop)
    paint(page)
    painted = marked(page)
    page.click(".tools .menu summary")
    with page.expect_download() as download:
        page.click("[data-do='export']")
    saved = tmp_path / "mask.png"
    download.value.save_as(saved)
    with Image.open(saved) as image:
        assert image.size == (120, 160)
        assert float((np.asarray(image.convert("L")) > 0).mean()) == pytest.approx(painted, abs=2e-3)
    until(page, "Object.keys(sessionStorage).some((key) => key.startsWith('toile:mask:'))")
    page.reload()
    page.wait_for_selector(READY)
    until(page, "document.querySelector('[data-do=grow]').disabled === false")
    assert marked(page) == pytest.approx(painted, abs=2e-3)
    page.click("[data-do='clear']")
    page.set_input_files("#mask-file", saved)
    until(page, "document.querySelector('[data-do=grow]').disabled === false")
    assert marked(page) == pytest.approx(painted, abs=2e-3)


def test_the_keyboard_paints_and_compares(page, shop, complaints):
    lay_bare(page, shop)
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    page.keyboard.press("Escape")
    page.focus("[data-frame]")
    page.keyboard.press("Enter")
    dab = marked(page)
    assert dab > 0
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    assert marked(page) > dab
    size = page.input_value("#brush-size")
    page.keyboard.press("]")
    assert float(page.input_value("#brush-size")) > float(size)
    page.keyboard.down("Space")
    assert page.locator("[data-table][data-comparing]").count() == 1
    page.keyboard.up("Space")
    assert page.locator("[data-table][data-comparing]").count() == 0
    page.keyboard.press("+")
    assert page.inner_text("[data-zoom-word]") == "150 %"
    page.keyboard.press("0")
    assert page.inner_text("[data-zoom-word]") == "100 %"


def test_fingers_paint_and_two_of_them_move(new_page, shop):
    page = new_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.goto(f"{shop}/restyle/?garment=dress")
    page.wait_for_selector(READY, timeout=WAIT)
    page.click("label:has(#tab-mask)")
    page.click("[data-do='clear']")
    x, y = middle(page)
    touch = page.context.new_cdp_session(page)

    def send(kind, *points):
        found = [{"x": px, "y": py, "id": number} for number, (px, py) in enumerate(points)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": found})

    send("touchStart", (x, y))
    for step in range(1, 6):
        send("touchMove", (x + 10 * step, y + 6 * step))
    send("touchEnd")
    painted = marked(page)
    assert painted > 0
    send("touchStart", (x - 20, y))
    send("touchStart", (x - 20, y), (x + 20, y))
    for step in range(1, 6):
        send("touchMove", (x - 20 - 8 * step, y), (x + 20 + 8 * step, y))
    send("touchEnd")
    assert float(page.text_content("[data-zoom-word]").removesuffix(" %")) > 120
    assert marked(page) == painted, "the first finger of two leaves no dab"


def test_a_picture_large_beside_the_original_and_what_can_be_done_with_it(
    page, shop, worker, complaints, tmp_path, picture
):
    lay(page, shop, tmp_path, picture)
    page.fill("#region", "the dress")
    page.fill("#prompt", "red linen")
    page.select_option("#count", "2")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(DONE, timeout=WAIT)
    until(page, "document.querySelector('[data-do=grow]').disabled === false")
    page.locator("a.shown").nth(1).click()
    assert page.locator("#full").is_visible()
    page.locator("[data-slide]").fill("40")
    assert "40%" in page.locator("[data-compared]").get_attribute("style")
    page.locator("[data-turn='1']").click()
    assert "Variation 2" in page.inner_text("#full [data-caption]")
    page.click("#full form[data-publish] button")
    page.wait_for_selector(".tile:has-text('published')", timeout=WAIT)
    assert Restyle.objects.filter(public=True).count() == 1

    page.locator("[data-again]").first.click()
    seed = str(Restyle.objects.get(number=0).seed)
    assert page.input_value("#seed") == seed
    assert page.input_value("#count") == "1"
    page.fill("#prompt", "blue linen")
    page.keyboard.press("Enter")
    page.wait_for_selector(".batch:has-text('blue linen'):not([data-follow])", timeout=WAIT)
    assert Restyle.objects.get(params__prompt="blue linen").seed == int(seed)

    page.locator("a.shown").nth(1).click()
    page.click("#full [data-remove]")
    page.get_by_role("button", name="Keep it").click()
    page.locator("a.shown").nth(1).click()
    page.click("#full [data-remove]")
    page.get_by_role("button", name="Delete it").click()
    page.wait_for_selector("text=The picture is gone.", timeout=WAIT)
    assert Restyle.objects.count() == 2


def test_other_words_typed_since_are_looked_for_first(page, shop, worker, complaints, tmp_path, picture):
    lay(page, shop, tmp_path, picture)
    page.click("[data-phrase='the dress']")
    page.wait_for_selector(MARKED, timeout=WAIT)
    page.wait_for_url(re.compile("mask="))
    page.fill("#region", "a scarf")
    page.fill("#prompt", "red linen")
    page.click("#ask")
    page.wait_for_selector(DONE, timeout=WAIT)
    assert set(Restyle.objects.values_list("mask__params__prompt", flat=True)) == {"a scarf"}
    page.wait_for_selector("#mask-status:has-text('Perhaps this is “a scarf”')", timeout=WAIT)


def test_a_garment_lies_there_marked_and_needs_no_words_for_it(page, shop, worker, complaints):
    page.goto(f"{shop}/restyle/?garment=dress")
    page.wait_for_selector(READY, timeout=WAIT)
    until(page, "document.querySelector('[data-do=clear]').disabled === false")
    assert marked(page) > 0.05
    assert page.locator("[data-do='undo']").is_disabled()
    assert page.input_value("#region") == "the dress"
    page.fill("#prompt", "red linen")
    assert not page.is_visible("label:has([name='engine'])"), "the starter alone is no choice to put in front"
    page.click(".advanced summary")
    page.click("label:has-text('a small sketching model')")
    begun = page.is_checked("#sketch")
    page.set_checked("#sketch", not begun)
    page.wait_for_url(re.compile("sketch=none" if begun else "sketch=fabric"), timeout=WAIT)
    page.click("#ask")
    page.wait_for_selector(DONE, timeout=WAIT)
    assert set(Restyle.objects.values_list("mask__params__prompt", flat=True)) == {"the dress"}
    assert {request.sketch for request in worker.asked} == {"none" if begun else "fabric"}


def test_it_can_be_cancelled_and_tried_again(page, shop, worker, complaints, tmp_path, picture):
    lay(page, shop, tmp_path, picture)
    page.fill("#region", "the dress")
    page.fill("#prompt", "slow linen")
    page.click("#ask")
    page.wait_for_selector(".tile img.preview", timeout=WAIT)
    page.locator(".tile").get_by_role("button", name="Cancel").click()
    page.wait_for_selector(".tile:has-text('Cancelled')", timeout=WAIT)
    worker.pause = 0
    page.locator(".tile").get_by_role("button", name="Try again").click()
    page.wait_for_selector(".batch:not([data-follow]) .tile:nth-child(4) a.shown", timeout=WAIT)
    assert Restyle.objects.exclude(file="").count() == 3


def test_what_is_missing_is_said_before_anything_is_sent(page, shop, complaints):
    lay_bare(page, shop)
    page.fill("#region", "")
    page.click("#ask")
    page.wait_for_selector("#toast:has-text('Say what it should become')")
    assert page.evaluate("document.activeElement.id") == "prompt"
    page.fill("#prompt", "red")
    page.click("#ask")
    page.wait_for_selector("#toast:has-text('Mark what to change first')")
    assert page.evaluate("document.activeElement.id") == "region"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_holds_it_all(new_page, shop, scheme):
    page = new_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, color_scheme=scheme)
    page.goto(f"{shop}/restyle/?garment=dress")
    page.wait_for_selector(READY, timeout=WAIT)
    shown = {"picture": ".sources", "mask": ".brush-bar", "style": ".into", "made": ".variations"}
    for tab, panel in shown.items():
        page.click(f"label:has(#tab-{tab})")
        assert page.locator(panel).is_visible()
        assert page.locator("[data-frame]").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_the_main_path_without_scripts(new_page, shop, worker, tmp_path, picture):
    page = new_page(java_script_enabled=False)
    page.goto(f"{shop}/restyle/")
    page.set_input_files("#photo-file", photo_file(tmp_path, picture))
    page.click("text=Upload")
    page.wait_for_url(re.compile("photo="), timeout=WAIT)
    page.fill("#region", "the dress, a top hat")
    page.click("#find")
    page.wait_for_selector(MARKED, timeout=WAIT)
    assert "Could not find “a top hat” here." in page.inner_text("#mask-status")
    assert page.locator(".fitted .wash").is_visible()
    page.fill("#prompt", "red linen")
    page.select_option("#count", "1")
    page.click("#ask")
    page.wait_for_selector(DONE, timeout=WAIT)
    with page.expect_download(timeout=WAIT) as download:
        page.locator(".tile .does a[download]").click()
    assert download.value.suggested_filename.endswith(".png")


def test_everything_has_a_name(page, shop, worker, complaints, tmp_path, picture):
    page.goto(f"{shop}/restyle/?garment=dress")
    page.wait_for_selector(READY, timeout=WAIT)
    assert page.evaluate(UNNAMED) == []
    lay(page, shop, tmp_path, picture)
    page.fill("#region", "the dress")
    page.fill("#prompt", "red linen")
    page.click("#ask")
    page.wait_for_selector(DONE, timeout=WAIT)
    assert page.evaluate(UNNAMED) == []
    page.goto(f"{shop}/restyle/{Restyle.objects.all()[0].pk}/")
    assert page.evaluate(UNNAMED) == []
