"""Several garments of one photo, each in a fabric of its own, in a real browser."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image

from ml_backend.images import read_recipe
from studio.looks.models import Look
from studio.photos.models import Photo

from .test_journey import READY, WAIT, differ, open_studio, photo_file, seen, until

PHOTO = ".wearable[data-kind='photo'][data-maps][aria-current]"
JACKET, SKIRT = "[data-garment='outerwear']", "[data-garment='skirt']"


class JacketAndSkirt:
    """What the segmentation of any photo finds here: a jacket above a smaller skirt."""

    def __init__(self, width: int, height: int) -> None:
        self.labels = np.zeros((height, width), np.uint8)
        self.labels[height // 8 : height * 5 // 8, width // 4 : -width // 4] = 2
        self.labels[height * 5 // 8 : -height // 8, width // 4 : -width // 4] = 4
        self.mask = (self.labels > 0).astype(np.float32)


@pytest.fixture
def two(monkeypatch, worker):
    monkeypatch.setattr("tests.e2e.conftest.FoundCloth", JacketAndSkirt)


@pytest.fixture
def upload(page, shop, two, tmp_path, picture):
    def make(at=page):
        open_studio(at, shop)
        at.set_input_files("#photo-file", photo_file(tmp_path, picture))
        at.wait_for_selector(PHOTO, timeout=WAIT, state="attached")
        at.wait_for_url(re.compile("photo=.*garments=outerwear"))
        at.wait_for_selector(READY)

    return make


def halves(picture):
    """The middle of the jacket and of the skirt on a stage that shows a photo of 3 to 4."""
    height, width = picture.shape[:2]
    middle = slice(width // 2 - height // 8, width // 2 + height // 8)
    return picture[height // 5 : height // 2, middle], picture[height * 11 // 16 : height * 13 // 16, middle]


def pressed(page):
    return page.eval_on_selector_all(
        "[data-garment][aria-pressed='true']", "all => all.map(one => one.dataset.garment)"
    )


def tap(page, garment):
    """Click on the picture where the jacket or the skirt is."""
    box = page.locator("#stage canvas").bounding_box()
    page.mouse.click(
        box["x"] + box["width"] / 2 + 9, box["y"] + box["height"] * (0.35 if garment == "outerwear" else 0.72)
    )


def choose_fabric(page, number):
    page.locator(".cell a").nth(number).click()
    page.wait_for_selector(f".cell:nth-child({number + 1}).chosen")


def test_one_tap_chooses_one_fabric_dresses_and_the_download_wears_both(page, shop, upload, complaints, tmp_path):
    upload()
    assert pressed(page) == ["outerwear"], "the largest is chosen, nobody's default is everything"
    opened = halves(seen(page))
    page.keyboard.down("Space")
    plain = halves(seen(page))
    page.keyboard.up("Space")
    assert differ(opened[0], plain[0]) > 4
    assert differ(opened[1], plain[1]) < 1, "the skirt is as photographed"

    tap(page, "skirt")
    until(page, "document.querySelector(\"[data-garment='skirt']\").getAttribute('aria-pressed') === 'true'")
    assert "as photographed" in page.inner_text(SKIRT)
    assert page.locator(".cell.chosen").count() == 0
    choose_fabric(page, 1)
    page.wait_for_url(re.compile("garments=skirt&wear=outerwear_"))
    both = halves(seen(page))
    assert differ(both[0], opened[0]) < 1, "the jacket goes on wearing what it wore"
    assert differ(both[1], plain[1]) > 4
    page.locator("#scale").fill("9")
    page.locator("#scale").dispatch_event("change")
    page.wait_for_url(re.compile("scale_cm=9"))
    tuned = halves(seen(page))
    assert differ(tuned[0], both[0]) < 1, "each garment has a fit of its own"
    assert differ(tuned[1], both[1]) > 1

    page.reload()
    page.wait_for_selector(READY)
    kept = halves(seen(page))
    assert pressed(page) == ["skirt"]
    assert differ(kept[0], tuned[0]) < 1
    assert differ(kept[1], tuned[1]) < 1

    page.click("#downloads summary")
    with page.expect_download(timeout=WAIT) as download:
        page.click("#downloads button[value='png']")
    saved = tmp_path / "look.png"
    download.value.save_as(saved)
    look = Look.objects.get()
    skirt, jacket = look.outfit.parts
    assert (skirt.garments, skirt.scale_cm) == (("skirt",), 9)
    assert (jacket.garments, jacket.scale_cm) == (("outerwear",), 18)
    assert len(look.patterns) == 2
    with Image.open(saved) as image:
        assert len(read_recipe(image)["parts"]) == 2
        worn = np.asarray(image.convert("RGB"), np.float32)
    with Photo.objects.get().image.open() as file, Image.open(file) as image:
        before = np.asarray(image.convert("RGB"), np.float32)
    changed = np.abs(worn - before).mean(-1)
    assert changed[100:200, 120:180].mean() > 4
    assert changed[270:330, 120:180].mean() > 4
    assert changed[:40].max() == 0

    page.goto(f"{shop}/gallery/looks/{look.pk}/")
    assert "Skirt" in page.inner_text(".recipe")
    assert "Jacket" in page.inner_text(".recipe")
    page.get_by_role("link", name="Remix in the studio").click()
    page.wait_for_selector(READY)
    remixed = halves(seen(page))
    assert differ(remixed[0], kept[0]) < 1
    assert differ(remixed[1], kept[1]) < 1


def test_undo_walks_outfits_and_history_brings_them_back(page, shop, upload, complaints):
    upload()
    page.click(SKIRT)
    choose_fabric(page, 1)
    both = halves(seen(page))
    page.click("[data-take-off]")
    until(page, "document.querySelector(\"[data-garment='skirt'] small\").textContent === 'as photographed'")
    bare = halves(seen(page))
    assert differ(bare[1], both[1]) > 4
    assert differ(bare[0], both[0]) < 1
    page.click("[data-undo]")
    until(page, "document.querySelector(\"[data-garment='skirt'] small\").textContent !== 'as photographed'")
    again = halves(seen(page))
    assert differ(again[1], both[1]) < 1
    page.click("[data-everything]")
    page.wait_for_url(re.compile("garments=all"))
    assert pressed(page) == ["outerwear", "skirt"]
    assert differ(halves(seen(page))[0], both[0]) > 1, "the jacket wears the skirt's fabric"
    page.locator(".moment").nth(1).click()
    page.wait_for_url(re.compile("wear=outerwear_"))
    assert differ(halves(seen(page))[0], both[0]) < 1


def test_garments_are_outlined_on_hover_and_focus_and_the_keyboard_chooses(page, shop, upload, complaints):
    upload()
    until(page, "document.querySelector('[data-outlines]').hasAttribute('hidden')")
    box = page.locator("#stage canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.72)
    until(page, "document.querySelector('[data-outlines]').dataset.shown === 'skirt'")
    assert page.inner_text(".garment-word") == "skirt"
    page.mouse.move(box["x"] + 4, box["y"] + 4)
    until(page, "document.querySelector('[data-outlines]').hasAttribute('hidden')")
    page.focus(JACKET)
    until(page, "document.querySelector('[data-outlines]').dataset.shown === 'outerwear'")
    page.keyboard.press("Tab")
    until(page, "document.querySelector('[data-outlines]').dataset.shown === 'skirt'")
    page.keyboard.press("Enter")
    until(page, "document.querySelector(\"[data-garment='skirt']\").getAttribute('aria-pressed') === 'true'")
    assert "as photographed" in page.locator("#live").inner_text()
    page.keyboard.press("n")
    until(page, "document.querySelector(\"[data-garment='outerwear']\").getAttribute('aria-pressed') === 'true'")
    assert "jacket in" in page.get_attribute("#stage canvas", "aria-label")
    assert "skirt as photographed" in page.get_attribute("#stage canvas", "aria-label")


def test_a_drag_moves_the_chosen_fabric_and_a_tap_does_not(page, shop, upload, complaints):
    upload()
    box = page.locator("#stage canvas").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.35
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 3, y)
    page.mouse.up()
    assert page.locator("#shift-x").input_value() == "0"
    page.mouse.down()
    page.mouse.move(x + 20, y + 12, steps=4)
    page.mouse.up()
    assert float(page.locator("#shift-x").input_value()) > 0


def test_a_phone_shows_the_garments_and_taps_them(new_page, shop, upload):
    size = {"viewport": {"width": 375, "height": 812}, "has_touch": True, "is_mobile": True}
    page = new_page(**size)
    upload(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    assert page.locator(SKIRT).is_visible()
    box = page.locator("#stage canvas").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.72)
    until(page, "document.querySelector(\"[data-garment='skirt']\").getAttribute('aria-pressed') === 'true'")
    choose_fabric(page, 1)
    page.wait_for_url(re.compile("wear=outerwear_"))


def test_without_scripts_garments_are_chosen_by_links_and_boxes(new_page, shop, two, tmp_path, picture):
    page = new_page(java_script_enabled=False)
    page.goto(f"{shop}/?on=skirt")
    page.set_input_files("#photo-file", photo_file(tmp_path, picture))
    page.click("text=Upload")
    page.wait_for_selector(PHOTO, timeout=WAIT)
    boxes = page.locator("#wear-on input")
    assert [boxes.nth(at).is_checked() for at in range(2)] == [True, False]
    page.locator(".cell a").nth(0).click()
    page.click(".outfit a:has-text('skirt')")
    assert "as photographed" in page.inner_text(".outfit a[aria-current]")
    page.locator(".cell a").nth(1).click()
    page.click("#downloads summary")
    page.click("#downloads button[value='png']")
    page.get_by_role("link", name="Download PNG").wait_for(timeout=WAIT)
    look = Look.objects.get()
    assert [part.garments for part in look.outfit.parts] == [("skirt",), ("outerwear",)]
    assert len(look.patterns) == 2


def test_two_fabrics_without_webgl(page, shop, upload, complaints):
    upload()
    page.click(SKIRT)
    choose_fabric(page, 1)
    page.wait_for_url(re.compile("wear=outerwear_"))
    both = halves(seen(page))
    page.goto(f"{page.url}&flat=")
    page.wait_for_selector("#stage[data-renderer='2d'][data-state='ready']")
    flat = halves(seen(page))
    page.keyboard.down("Space")
    plain = halves(seen(page))
    page.keyboard.up("Space")
    for one, other, photo in zip(both, flat, plain, strict=True):
        assert differ(other, photo) > 4
        assert differ(one, other) < differ(one, photo) / 2, "either way the same look"


def paint(page, down, across=0.5):
    """One dab of the brush on the table, at shares of the photo's height and width."""
    box = page.locator("#mend [data-photo-shown]").bounding_box()
    x, y = box["x"] + box["width"] * across, box["y"] + box["height"] * down
    page.mouse.move(x - 12, y)
    page.mouse.down()
    page.mouse.move(x + 12, y, steps=3)
    page.mouse.up()


def test_the_edge_is_mended_by_hand_undone_and_found_again(page, shop, upload, complaints):
    from studio import pictures

    upload()
    before = halves(seen(page))
    page.click("[data-mend]")
    page.wait_for_selector("#mend [data-table][data-state='ready']")
    assert "jacket" in page.inner_text("#mend-title")
    assert page.locator("#mend [data-do='save']").is_disabled()
    paint(page, 0.3)
    page.locator("#mend [data-size]").fill("120")
    assert page.locator("#mend [data-do='save']").is_disabled(), "where it was jacket already nothing changes"
    paint(page, 0.75)
    page.keyboard.press("Control+z")
    assert page.locator("#mend [data-do='save']").is_disabled()
    page.click("#mend [data-do='redo']")
    page.click("#mend [data-do='save']")
    until(page, "document.querySelector('[data-kind=photo][data-mended]') !== null")
    page.wait_for_selector("#mend", state="hidden")
    photo = Photo.objects.get()
    labels = pictures.load_labels(str(photo.labels))
    assert labels[300, 150] == 2, "the jacket has it now"
    assert labels[300, 220] == 4, "the rest of the skirt is the skirt's"
    assert photo.mended
    until(page, "!document.querySelector('#stage-job .job')")
    mended = halves(seen(page))
    assert differ(mended[1], before[1]) > 4, "and wears the jacket's fabric there"

    page.click("[data-mend]")
    page.wait_for_selector("#mend [data-table][data-state='ready']")
    page.click("#mend [data-do='as-found']")
    until(page, "document.querySelector('[data-kind=photo][data-maps]:not([data-mended])') !== null")
    assert differ(halves(seen(page))[1], before[1]) < 2
    photo.refresh_from_db()
    assert not photo.mended
    assert pictures.load_labels(str(photo.labels))[300, 150] == 4


def looked(page):
    until(page, "document.querySelector('#mend [data-looking]').hidden")


def test_a_tap_adds_what_is_there_and_another_takes_it_away(page, shop, upload, complaints):
    from studio import pictures
    from studio.photos.models import Mask

    upload()
    page.click("[data-mend]")
    page.wait_for_selector("#mend [data-table][data-state='ready']")
    box = page.locator("#mend [data-photo-shown]").bounding_box()

    def tap(across, down, **how):
        page.mouse.click(box["x"] + box["width"] * across, box["y"] + box["height"] * down, **how)
        looked(page)

    page.keyboard.press("t")
    assert page.get_attribute("#mend [data-tool='tap']", "aria-pressed") == "true"
    tap(0.5, 0.75)
    assert page.inner_text("#live") == "Added"
    page.keyboard.press("Control+z")
    assert page.locator("#mend [data-do='save']").is_disabled(), "a tap is one step"
    page.keyboard.press("Control+Shift+z")
    page.keyboard.down("Alt")
    tap(0.5, 0.3)
    page.keyboard.up("Alt")
    assert page.inner_text("#live") == "Taken away"
    page.click("#mend [data-tool='not']")
    tap(0.5, 0.9)
    assert "Nothing could be told" not in page.inner_text("#toast")
    page.click("#mend [data-do='save']")
    page.wait_for_selector("#mend", state="hidden")
    until(page, "document.querySelector('[data-kind=photo][data-mended]') !== null")
    photo = Photo.objects.get()
    labels = pictures.load_labels(str(photo.labels))
    height, width = labels.shape
    assert labels[round(height * 0.75), width // 2] == 2, "what was tapped is the jacket's"
    assert labels[round(height * 0.75), width // 2 + 40] == 4
    assert labels[round(height * 0.3), width // 2] == 0, "what was tapped away is nobody's"
    assert labels[round(height * 0.3), width // 2 + 40] == 2
    assert not Mask.objects.exists(), "no draft is left behind"


def test_the_keyboard_taps_and_a_phone_has_room_for_it(new_page, shop, upload):
    size = {"viewport": {"width": 375, "height": 812}, "has_touch": True, "is_mobile": True}
    page = new_page(**size)
    upload(page)
    page.click("[data-mend]")
    page.wait_for_selector("#mend [data-table][data-state='ready']")
    for name in ("tap", "not"):
        edge = page.locator(f"#mend [data-tool='{name}']").bounding_box()
        assert 0 <= edge["x"] <= 375 - edge["width"]
    page.focus("#mend [data-frame]")
    page.keyboard.press("n")
    page.keyboard.press("Enter")
    looked(page)
    assert page.locator("#mend [data-do='save']").is_enabled()
    box = page.locator("#mend [data-photo-shown]").bounding_box()
    page.click("#mend [data-tool='tap']")
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.75)
    looked(page)
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    assert page.locator("#mend [data-do='save']").is_disabled()


def test_strokes_that_are_not_saved_are_asked_for(page, shop, upload, complaints):
    upload()
    page.click("[data-mend]")
    page.wait_for_selector("#mend [data-table][data-state='ready']")
    page.keyboard.press("Escape")
    page.wait_for_selector("#mend", state="hidden")
    page.click("[data-mend]")
    page.wait_for_selector("#mend [data-table][data-state='ready']")
    paint(page, 0.75)
    page.click("#mend [data-do='leave']")
    assert page.locator("#mend").is_visible()
    page.click("#mend [data-do='leave']")
    page.wait_for_selector("#mend", state="hidden")
    assert not Photo.objects.get().mended
