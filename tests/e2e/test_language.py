"""A language is chosen in the browser; scripts speak it; pages run from right to left."""

from __future__ import annotations

import pytest
from django.utils import translation

from .test_access import sign_in

OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
OUTSIDE = """() => [...document.querySelectorAll("main *, header *, footer *")].filter((one) => {
  const box = one.getBoundingClientRect();
  if (!box.width || !box.height || (box.right <= innerWidth + 1 && box.left >= -1)) return false;
  for (let up = one; up && up !== document.body; up = up.parentElement) {
    const style = getComputedStyle(up);
    if (style.overflowX !== "visible" || style.clipPath !== "none" || style.visibility === "hidden") return false;
  }
  return true;
}).map((one) => `${one.tagName}.${one.className} ${one.textContent.trim().slice(0, 30)}`)"""
PAGES = ("/", "/restyle/", "/imagine/", "/gallery/", "/account/", "/collections/", "/trends/", "/palettes/")


@pytest.fixture
def _hebrew(settings):
    """A language that runs from right to left, for tests alone; its words are English."""
    caches = (translation.trans_real.get_languages, translation.trans_real._get_supported_language_variant)
    settings.LANGUAGES = [*settings.LANGUAGES, ("he", "עברית")]
    for one in caches:
        one.cache_clear()
    yield
    for one in caches:
        one.cache_clear()


def test_a_language_is_chosen_by_keyboard_and_scripts_speak_it(page, shop, complaints):
    page.goto(f"{shop}/gallery/")
    choice = page.locator("footer .languages").get_by_role("button", name="Français")
    choice.focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Galerie").wait_for()
    assert page.evaluate("document.documentElement.lang") == "fr"
    page.goto(shop)
    page.locator("[data-state='ready'] canvas").wait_for()
    assert page.locator(".stage canvas").get_attribute("aria-label").startswith("robe")
    page.evaluate("window.dispatchEvent(new Event('offline'))")
    assert page.locator("#toast").inner_text().startswith("Vous êtes hors ligne.")
    page.get_by_label("sauté", exact=True).check(force=True)
    page.wait_for_function("() => document.querySelector('[data-repeat-said]').textContent.includes('sauté')")
    page.locator("summary", has_text="Invité").click()
    page.locator(".sheet .languages").get_by_role("button", name="English").click()
    page.wait_for_function("document.documentElement.lang === 'en'")


def test_a_language_is_chosen_without_scripts_on_a_phone(new_page, shop):
    page = new_page(java_script_enabled=False, viewport={"width": 375, "height": 720})
    page.goto(f"{shop}/accounts/sign-up/")
    page.locator("footer .languages").get_by_role("button", name="Español").click()
    assert page.locator("h1").inner_text() == "Registrarse"
    page.goto(f"{shop}/gallery/")
    assert page.locator("h1").inner_text() == "Galería"


@pytest.mark.parametrize("size", [(1280, 800), (375, 720)])
@pytest.mark.parametrize("language", ["he", "fr"])
def test_nothing_leaves_the_page_from_right_to_left_or_in_longer_words(
    new_page, shop, person, make_photo, _hebrew, language, size
):
    page = new_page(viewport={"width": size[0], "height": size[1]})
    make_photo(person)
    page.context.add_cookies([{"name": "django_language", "value": language, "url": shop}])
    sign_in(page, shop, person)
    for address in PAGES:
        page.goto(f"{shop}{address}")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.dir") == ("rtl" if language == "he" else "ltr")
        assert page.evaluate(OVERFLOW) <= 0, address
        assert page.evaluate(OUTSIDE) == [], address


def test_the_offline_page_speaks_the_language_that_was_chosen(new_page, live_server):
    page = new_page(service_workers="allow", locale="es-ES")
    page.goto(f"{live_server.url}/style/")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.context.set_offline(True)
    page.goto(f"{live_server.url}/gallery/")
    page.get_by_role("heading", name="La red no está").wait_for()
    page.context.add_cookies([{"name": "django_language", "value": "zh-hans", "url": live_server.url}])
    page.reload()
    page.get_by_role("heading", name="网络不在").wait_for()
