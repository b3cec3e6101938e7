"""A newcomer's way through the studio, in a real browser."""

from __future__ import annotations

import io
import re
import time

import numpy as np
import pytest
from PIL import Image

from ml_backend.images import read_recipe
from studio.looks.models import Look
from studio.photos.models import Photo

READY = "#stage[data-state='ready']"
WAIT = 90_000


def open_studio(page, url, query=""):
    page.goto(f"{url}/{query}")
    page.wait_for_selector(READY, timeout=WAIT)
    settle(page)


def until(page, condition):
    """Wait for an expression; the page's own policy forbids Playwright's way, which evaluates text."""
    end = time.monotonic() + WAIT / 1000
    while not page.evaluate(condition):
        assert time.monotonic() < end, condition
        page.wait_for_timeout(50)


def settle(page):
    """Two frames, so that what was asked for is drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def seen(page):
    """The stage's pixels, when it has come to rest, and without what is said above it on the first visit only."""
    page.evaluate("() => document.querySelector('.welcome')?.remove()")
    page.wait_for_timeout(400)
    settle(page)
    return np.asarray(Image.open(io.BytesIO(page.locator("#stage canvas").screenshot())).convert("RGB"), np.float32)


def differ(one, two):
    return float(np.abs(one - two).mean())


def photo_file(tmp_path, picture):
    file = tmp_path / "me.jpg"
    file.write_bytes(picture(300, 400))
    return file


def test_choose_generate_wear_tune_and_take_away(page, shop, worker, complaints, tmp_path):
    open_studio(page, shop)
    first = seen(page)
    assert first.std() > 5, "the stage is dressed at once"

    page.click("label.type:has([value='striped'])")
    page.wait_for_selector(".cell.chosen[data-type='striped']", timeout=WAIT)
    until(page, "!document.querySelector('.cell[data-follow]')")
    assert page.locator(".cell[data-type='striped']").count() == 4
    striped = seen(page)
    assert differ(first, striped) > 1

    page.click("#wearable-garment-skirt")
    page.wait_for_selector("#wearable-garment-skirt[aria-current]")
    page.locator("#scale").fill("40")
    page.locator("#turn").fill("45")
    tuned = seen(page)
    assert differ(striped, tuned) > 1
    page.locator("#turn").dispatch_event("change")
    page.wait_for_url(re.compile("on=skirt.*scale_cm=40.*rotate=45"))

    page.click("#downloads summary")
    with page.expect_download(timeout=WAIT) as download:
        page.click("#downloads button[value='png']")
    saved = tmp_path / "look.png"
    download.value.save_as(saved)
    assert download.value.suggested_filename.startswith("toile-look-striped")
    with Image.open(saved) as look:
        assert look.size == (120, 160)
        recipe = read_recipe(look)
    assert recipe is not None
    assert "45" in str(recipe)
    assert Look.objects.get().outfit.parts[0].scale_cm == 40


def test_a_refresh_and_a_second_tab_keep_the_place_and_back_undoes(page, shop, complaints):
    open_studio(page, shop)
    cells = page.locator(".cell a")
    cells.nth(1).click()
    page.wait_for_selector(".cell:nth-child(2).chosen")
    page.locator("#scale").fill("31")
    page.locator("#scale").dispatch_event("change")
    page.wait_for_url(re.compile("scale_cm=31"))
    here = page.url
    page.reload()
    page.wait_for_selector(READY)
    assert page.locator("#scale").input_value() == "31"
    assert page.locator(".cell:nth-child(2)").get_attribute("class") == "cell chosen"
    tab = page.context.new_page()
    open_studio(tab, shop, here.removeprefix(f"{shop}/"))
    assert tab.locator("#scale").input_value() == "31"
    page.click("[data-undo]")
    until(page, "document.querySelector('#scale').value === '18'")
    page.locator(".moment").first.click()
    until(page, "document.querySelector('#scale').value === '31'")


def test_recolouring_shows_before_the_server_answers_and_is_kept(page, shop, complaints):
    open_studio(page, shop)
    before = seen(page)
    name = page.locator(".cell.chosen").get_attribute("data-pattern")
    page.click("label:has([data-name='Porcelain'])")
    until(page, f"document.querySelector('.cell.chosen')?.dataset.pattern !== '{name}'")
    assert differ(before, seen(page)) > 1
    count = page.locator(".cell").count()
    page.locator(f".cell[data-pattern='{name}'] a").click()
    page.click("label:has([data-name='Porcelain'])")
    until(page, f"document.querySelector('.cell.chosen')?.dataset.pattern !== '{name}'")
    assert page.locator(".cell").count() == count


def test_hands_move_scale_and_compare(page, shop, complaints):
    open_studio(page, shop)
    box = page.locator("#stage canvas").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    before = seen(page)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y + 25, steps=4)
    page.mouse.up()
    assert float(page.locator("#shift-x").input_value()) > 0
    assert differ(before, seen(page)) > 0.5
    page.mouse.wheel(0, -300)
    until(page, "Number(document.querySelector('#scale').value) > 18")
    page.locator("#stage canvas").focus()
    page.keyboard.press("Shift")
    worn = seen(page)
    page.keyboard.down("Space")
    plain = seen(page)
    page.keyboard.up("Space")
    assert differ(worn, plain) > 1
    assert differ(worn, seen(page)) < 0.5
    handle = page.locator("[data-handle]")
    handle.focus()
    page.keyboard.press("End")
    assert handle.get_attribute("aria-valuenow") == "100"
    assert differ(plain, seen(page)) < differ(worn, plain) / 2


FROM_A_CLOSED_DIALOG = """() => {
  const keys = document.getElementById("keys");
  keys.showModal();
  keys.close();
  keys.querySelector("button").dispatchEvent(new KeyboardEvent("keydown", { key: "d", bubbles: true }));
}"""


def test_the_keyboard_reaches_everything(page, shop, worker, complaints):
    open_studio(page, shop)
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    page.keyboard.press("Escape")
    page.locator("#keys").wait_for(state="hidden")
    page.keyboard.press("d")
    assert page.evaluate("document.activeElement.value") == "png"
    page.keyboard.press("Escape")
    page.evaluate(FROM_A_CLOSED_DIALOG)
    assert page.evaluate("document.activeElement.value") == "png", "typed before the focus has left the dialog"
    page.keyboard.press("Escape")
    assert not page.locator("#downloads").get_attribute("open")
    page.locator("#stage canvas").focus()
    page.keyboard.press("g")
    page.wait_for_selector(".cell[data-engine]:nth-child(4)", timeout=WAIT)
    page.locator("#turn").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("[data-out='rotate']").inner_text() == "1°"


def test_a_photo_of_ones_own_comes_and_goes(page, shop, worker, complaints, tmp_path, picture):
    open_studio(page, shop)
    page.set_input_files("#photo-file", photo_file(tmp_path, picture))
    page.wait_for_selector(".wearable[data-kind='photo'][data-maps][aria-current]", timeout=WAIT)
    page.wait_for_url(re.compile("photo="))
    page.wait_for_selector(READY)
    dressed = seen(page)
    page.keyboard.down("Space")
    assert differ(dressed, seen(page)) > 1
    page.keyboard.up("Space")
    assert not page.locator("#stage-job").is_visible()
    page.click("[data-photo-delete]")
    assert "go for good" in page.inner_text("main")
    page.click("text=Delete it")
    page.wait_for_selector(READY)
    assert not Photo.objects.exists()
    assert page.locator(".wearable[data-kind='photo']").count() == 0


def test_what_is_no_photo_is_explained(page, shop, tmp_path):
    open_studio(page, shop)
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no picture")
    page.set_input_files("#photo-file", bad)
    page.wait_for_selector("#toast:not([hidden]):has-text('Nothing was kept')", timeout=WAIT)
    assert page.locator(READY).count() == 1


def test_waiting_work_can_be_cancelled_and_tried_again(page, shop, complaints):
    open_studio(page, shop)
    page.click("#again")
    page.wait_for_selector(".cell[data-follow]")
    assert "place 1" in page.locator(".cell").first.inner_text()
    page.wait_for_url(re.compile("pattern="))
    page.reload()
    page.locator(".cell").first.get_by_role("button", name="Cancel").click()
    page.wait_for_selector(".cell:has-text('Cancelled')")
    page.get_by_role("button", name="Try again").click()
    until(page, "document.querySelectorAll('.cell[data-follow]').length === 4")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_holds_it_all(new_page, shop, scheme):
    size = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "color_scheme": scheme}
    page = new_page(**size)
    open_studio(page, shop)
    assert seen(page).std() > 5
    for tab, panel in (("garment", ".garments"), ("fit", ".fit"), ("save", ".save"), ("fabric", ".fabric")):
        page.click(f"label:has(#tab-{tab})")
        assert page.locator(panel).is_visible()
        assert page.locator("#stage canvas").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 390
    for path in ("/gallery/", "/account/", "/accounts/sign-up/"):
        page.goto(shop + path)
        assert page.evaluate("document.documentElement.scrollWidth") == 390, path


def test_the_main_path_without_scripts(new_page, shop, worker, tmp_path, picture):
    page = new_page(java_script_enabled=False)
    page.goto(f"{shop}/?on=skirt")
    assert page.locator(".still").is_visible()
    page.check("[value='zigzag']", force=True)
    page.check("[value='drawn']", force=True)
    page.click("text=Make four")
    page.wait_for_selector(".cell.chosen[data-type='zigzag']", timeout=WAIT)
    page.set_input_files("#photo-file", photo_file(tmp_path, picture))
    page.click("text=Upload")
    page.wait_for_selector(".wearable[data-kind='photo'][data-maps][aria-current]", timeout=WAIT)
    page.click("#downloads summary")
    page.click("#downloads button[value='jpeg']")
    with page.expect_download(timeout=WAIT) as download:
        page.get_by_role("link", name="Download JPEG").click(timeout=WAIT)
    assert download.value.suggested_filename.endswith(".jpg")
    look = Look.objects.get()
    assert (look.patterns[0].pattern_type, look.format) == ("zigzag", "jpeg")
    assert look.photo is not None


def test_the_gallery_remixes_likes_publishes_and_deletes(page, shop, complaints, make_pattern, make_person):
    page.goto(f"{shop}/accounts/sign-up/")
    page.get_by_label("Your name here").fill("ana")
    page.get_by_label("Password", exact=True).fill("s3wing-kit-7")
    page.get_by_label("Password, once more").fill("s3wing-kit-7")
    page.get_by_role("button", name="Sign up").click()
    page.wait_for_selector("text=Welcome, ana")
    page.goto(f"{shop}/gallery/?type=paisley")
    page.locator(".piece").hover()
    page.get_by_role("button", name="Favourite").click()
    page.wait_for_selector("button[aria-pressed='true']")
    page.get_by_role("link", name="Wear it").click()
    page.wait_for_selector(READY)
    assert page.locator("input[name='pattern_type']:checked").get_attribute("value") == "paisley"
    theirs = page.get_attribute("a[data-page]", "href")
    page.click("label:has([data-name='Bauhaus'])")
    page.click(f"a[data-page]:not([href='{theirs}'])")
    page.get_by_role("button", name="Publish it").click()
    page.wait_for_selector("text=Everybody can see this fabric now.")
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Keep it").click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete it").click()
    page.wait_for_selector("text=The fabric and its files are gone.")


UNNAMED = """() => {
  const named = (one) => one.getAttribute("aria-label") || one.getAttribute("aria-labelledby") || one.labels?.length
    || one.title || one.textContent.trim() || one.querySelector("img[alt]:not([alt=''])");
  const bad = [];
  const controls = "a[href], button, input:not([type=hidden]), select, summary, [role=slider]";
  for (const one of document.querySelectorAll(controls))
    if (!named(one)) bad.push(one.outerHTML.slice(0, 120));
  for (const one of document.querySelectorAll("img:not([alt])")) bad.push(one.outerHTML.slice(0, 120));
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) bad.push(`twice: ${id}`);
  if (document.querySelectorAll("h1").length !== 1) bad.push("not one h1");
  if (document.querySelectorAll("main").length !== 1) bad.push("not one main");
  for (const one of document.querySelectorAll("body *")) {
    if (one.children.length || !one.textContent.trim() || !one.checkVisibility()) continue;
    if (parseFloat(getComputedStyle(one).fontSize) < 13) bad.push(`small: ${one.outerHTML.slice(0, 80)}`);
  }
  return bad;
}"""


def test_everything_has_a_name(page, shop, make_pattern, person):
    fabric = make_pattern(person, public=True)
    for path in (
        "/",
        "/gallery/",
        f"/gallery/{fabric.pk}/",
        "/gallery/looks/",
        "/account/",
        "/accounts/sign-in/",
        "/nowhere/",
    ):
        page.goto(shop + path)
        assert page.evaluate(UNNAMED) == [], path
