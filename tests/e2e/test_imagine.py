"""From words to pictures, in a real browser, with a painter that is quick."""

from __future__ import annotations

import re
import zipfile

import pytest

from ml_backend.serving import registry
from ml_backend.words.builder import CHOICES, Outfit
from studio.imagine.models import Imagining
from studio.photos.models import Photo
from tests.studio.painters import Painter, stand_in

from .test_journey import READY, UNNAMED, WAIT, until

PICTURES = ".picture[data-state='done']"


@pytest.fixture
def painter(monkeypatch):
    """Finishes pictures whose words say "slow" only when the test lets it.  Ask for it before ``worker``."""
    painter = Painter()
    stand_in(monkeypatch, painter)
    monkeypatch.setattr(registry, "serves", lambda capability: True)
    monkeypatch.setattr(registry, "loras", lambda capability="imagine", person=None: {"linen": "a"})
    return painter


def words(page):
    return page.locator("#prompt").input_value()


def choose(page, engine):
    if not page.is_visible("#drawer .engine"):
        page.click("#drawer summary")
    page.click(f"label:has([name='engine'][value='{engine}'])")


def ask(page, prompt, count):
    page.fill("#prompt", prompt)
    page.select_option("[name='count']", str(count))
    page.click("#imagine")


def test_the_builder_writes_the_servers_sentence_and_ones_own_words_win(page, painter, shop, complaints):
    page.goto(f"{shop}/imagine/")
    for number in range(12):
        chosen = {}
        for place, (name, choices) in enumerate(CHOICES.items()):
            # Every part is left out now and then, and the words go round.
            chosen[name] = "" if (number + place) % 4 == 0 else choices[(7 * number + place) % len(choices)]
            page.select_option(f"[name='{name}']", chosen[name])
        outfit = Outfit(**chosen)
        assert words(page) == outfit.sentence()
        assert page.inner_text("[data-determiner]") == outfit.determiner
    page.fill("#prompt", "a shirt of my own")
    page.select_option("[name='colour']", "Teal")
    assert words(page) == "a shirt of my own"
    page.get_by_role("button", name="Use the sentence instead").click()
    assert "Teal" in words(page)
    page.get_by_role("link", name="catalogue hoodie").click()
    assert words(page) == "an image of a 2011 Casual Fall Grey Men's Hoodie"
    assert page.locator("[name='season']").input_value() == "Fall"
    page.select_option("[name='season']", "Winter")
    assert "Winter" in words(page)
    page.get_by_role("link", name="linen shirt").click()
    assert page.locator("[name='season']").input_value() == ""
    page.select_option("[name='colour']", "Red")
    page.get_by_role("button", name="clear").click()
    assert "linen" in words(page), "clearing the builder leaves one's own words"


def test_an_engine_shows_the_settings_that_it_heeds(page, painter, shop, worker, complaints):
    page.goto(f"{shop}/imagine/")
    page.click("#drawer summary")
    diffusion = ("negative", "steps", "guidance", "scheduler", "lora-linen")
    assert page.is_checked("[name='engine'][value='fabric']")
    assert not any(page.is_visible(f"#{name}") for name in diffusion)
    assert page.is_visible("#size")
    assert page.is_visible("#seed")
    choose(page, "diffusion")
    assert all(page.is_visible(f"#{name}") for name in diffusion)
    assert "small model that ships here sketches" in page.inner_text(".how")
    page.fill("#steps", "9")
    page.fill("#seed", "5")
    assert page.inner_text("[data-set]") == "steps 9 · seed 5"
    page.wait_for_url(re.compile("engine=diffusion"))

    page.focus("[name='engine']:checked")
    page.keyboard.press("ArrowLeft")
    assert page.is_checked("[name='engine'][value='fabric']")
    assert page.inner_text("[data-set]") == "seed 5", "what is not heeded is not said either"
    assert "takes seconds" in page.inner_text(".how")
    ask(page, "a red dress", 1)
    page.wait_for_selector(PICTURES, timeout=WAIT)
    made = Imagining.objects.get()
    assert (made.engine, made.params["steps"], made.seed) == ("fabric", None, 5)
    assert painter.loaded == ["imagine-fabric"]
    assert page.inner_text(".batch-head .help") == "fabric · seed 5"

    page.goto(f"{shop}/imagine/?remix={made.pk}")
    assert page.is_checked("[name='engine'][value='fabric']")
    choose(page, "diffusion")
    page.reload()
    assert page.is_checked("[name='engine'][value='diffusion']"), "what was chosen last survives a refresh"
    assert page.input_value("#seed") == "5"


def test_pictures_arrive_one_by_one_and_can_be_seen_saved_and_worn(page, painter, shop, worker, complaints, tmp_path):
    page.goto(f"{shop}/imagine/")
    choose(page, "diffusion")
    page.fill("#seed", "40")
    page.fill("#steps", "9")
    page.locator("#lora-linen").fill("0.5")
    assert "seed 40" in page.inner_text("[data-set]")
    ask(page, "a slow coat", 3)
    page.wait_for_selector(".batch[data-follow] progress", timeout=WAIT)
    page.wait_for_selector("[data-preview]", timeout=WAIT)
    painter.go_on()
    page.wait_for_selector(PICTURES, timeout=WAIT)
    assert page.locator(".picture").count() == 3
    assert page.locator(PICTURES).count() == 1, "the first is there before the others"
    until(page, "document.querySelector('#live').textContent === '1 of 3 pictures are here'")
    assert "%" in page.inner_text(".batch-job")
    painter.go_on(2)
    page.wait_for_selector(".batch:not([data-follow])", timeout=WAIT)
    assert page.locator(PICTURES).count() == 3
    assert page.locator(".batch-job").count() == 0
    assert [row.params["loras"] for row in Imagining.objects.all()] == [["linen:0.5"]] * 3

    page.locator(f"{PICTURES} a[data-full]").first.click()
    assert page.inner_text("#full [data-seed]") == "seed 40"
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#full [data-seed]") == "seed 41"
    assert page.inner_text("#full [data-number]") == "2 of 3"
    with page.expect_download(timeout=WAIT) as download:
        page.keyboard.press("d")
    assert download.value.suggested_filename == "toile-imagine-41.png"
    page.keyboard.press("Escape")
    page.locator("#full").wait_for(state="hidden")
    assert page.evaluate("document.activeElement.dataset.seed") == "41", "the focus comes back"

    with page.expect_download(timeout=WAIT) as download:
        page.get_by_role("link", name="download all").click()
    saved = tmp_path / "all.zip"
    download.value.save_as(saved)
    with zipfile.ZipFile(saved) as archive:
        assert len(archive.namelist()) == 3

    page.locator(PICTURES).first.hover()
    page.get_by_role("button", name="wear it").first.click()
    page.wait_for_url(re.compile(r"photo="))
    page.wait_for_selector(READY, timeout=WAIT)
    assert Photo.objects.get().source.startswith("imagining:")


def test_cancel_keeps_what_is_there_and_try_again_makes_the_rest(page, painter, shop, worker, complaints):
    page.goto(f"{shop}/imagine/")
    ask(page, "a slow coat", 3)
    painter.go_on()
    page.wait_for_selector(PICTURES, timeout=WAIT)
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_selector(".batch-job:has-text('Cancelled')", timeout=WAIT)
    assert page.locator(".picture").count() == page.locator(PICTURES).count() == 1
    painter.go_on(9)
    page.get_by_role("button", name="Try again").click()
    until(page, f'document.querySelectorAll("{PICTURES}").length === 3')
    assert Imagining.objects.exclude(file="").count() == 3
    seeds = sorted({request.seed for request in painter.asked})
    assert [sum(one.seed == seed for one in painter.asked) for seed in seeds] == [1, 2, 1], "what was there stayed"


def test_a_refusal_is_shown_in_words_and_a_batch_goes_when_asked(page, painter, shop, worker, complaints):
    page.goto(f"{shop}/imagine/")
    ask(page, "something forbidden", 2)
    page.wait_for_selector(".refused", timeout=WAIT)
    assert page.locator(".refused").count() == 2
    page.get_by_role("link", name="delete all").click()
    page.get_by_role("button", name="Keep").click()
    assert Imagining.objects.count() == 2
    page.get_by_role("link", name="delete all").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.wait_for_selector("text=The pictures are gone.")
    assert not Imagining.objects.exists()


def test_published_it_hangs_in_the_gallery_and_is_remixed(page, new_page, painter, shop, worker, complaints):
    page.goto(f"{shop}/imagine/")
    ask(page, "an image of a Red Dress", 1)
    page.wait_for_selector(PICTURES, timeout=WAIT)
    page.locator(f"{PICTURES} a[data-full]").click()
    page.locator("#full").get_by_role("button", name="Publish").click()
    page.wait_for_selector("text=Everybody can see this picture now.")
    visitor = new_page()
    visitor.goto(f"{shop}/gallery/imagined/")
    visitor.get_by_role("searchbox").fill("red")
    visitor.get_by_role("button", name="Seek").click()
    visitor.wait_for_url(re.compile("sought="))
    visitor.locator(".piece").hover()
    visitor.get_by_role("link", name="Remix").click()
    visitor.wait_for_url(re.compile("remix="))
    assert words(visitor) == "an image of a Red Dress"
    assert visitor.locator("[name='article']").input_value() == "Dress"
    assert visitor.locator("#seed").input_value() == str(Imagining.objects.get().seed)
    assert visitor.locator("#drawer").get_attribute("open") is not None


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_a_large_picture_fits_above_the_buttons(new_page, painter, shop, worker, width, height):
    painter.side = 1600
    page = new_page(viewport={"width": width, "height": height})
    page.goto(f"{shop}/imagine/")
    ask(page, "a large coat", 1)
    page.locator(f"{PICTURES} a[data-full]").click()
    picture = page.locator("#full [data-image]")
    until(page, "document.querySelector('#full [data-image]').complete")
    shown, foot = picture.bounding_box(), page.locator("#full figcaption").bounding_box()
    assert shown["y"] >= 0
    assert shown["y"] + shown["height"] <= foot["y"] + 1
    assert shown["x"] >= 0
    assert shown["x"] + shown["width"] <= width


def test_the_keyboard_asks_and_explains(page, painter, shop, complaints):
    page.goto(f"{shop}/imagine/")
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    page.keyboard.press("Escape")
    page.locator("#keys").wait_for(state="hidden")
    page.keyboard.press("w")
    page.keyboard.type("a coat")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".batch:has-text('place 1')", timeout=WAIT)
    page.click("body", position={"x": 5, "y": 300})
    page.keyboard.press("g")
    until(page, "document.querySelectorAll('.batch').length === 2")
    assert page.locator("#said a").count() == 1, "the same words once"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_holds_it_all_and_everything_has_a_name(new_page, painter, shop, worker, scheme):
    size = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "color_scheme": scheme}
    page = new_page(**size)
    page.goto(f"{shop}/imagine/")
    ask(page, "an image of a 2011 Casual Fall White Men's Sweater", 2)
    page.wait_for_selector(".batch:not([data-follow])", timeout=WAIT)
    item = page.locator(f"{PICTURES} a[data-full]").first.get_attribute("href")
    for path in ("/imagine/", item, "/gallery/imagined/?whose=mine", "/gallery/restyled/"):
        page.goto(shop + path)
        assert page.evaluate("document.documentElement.scrollWidth") == 390, path
        assert page.evaluate(UNNAMED) == [], path
    page.goto(f"{shop}/imagine/")
    page.locator(f"{PICTURES} a[data-full]").first.tap()
    assert page.locator("#full [data-download]").is_visible()


def test_the_main_path_without_scripts(new_page, painter, shop, worker):
    page = new_page(java_script_enabled=False)
    page.goto(f"{shop}/imagine/")
    page.select_option("[name='colour']", "Red")
    page.select_option("[name='article']", "Dress")
    page.select_option("[name='count']", "2")
    page.click("#imagine")
    page.wait_for_selector(PICTURES, timeout=WAIT)
    page.locator(f"{PICTURES} a").first.click(timeout=WAIT)
    assert page.inner_text("h1") == "an image of a Red Dress"
    with page.expect_download(timeout=WAIT) as download:
        page.get_by_role("link", name="Download PNG").click()
    assert download.value.suggested_filename.startswith("toile-imagine-")
    page.get_by_role("button", name="Publish it").click()
    assert "Everybody can see this picture now." in page.inner_text("body")
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete it").click()
    assert Imagining.objects.count() == 1
