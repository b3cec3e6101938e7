"""As a designer uses it: four fabrics in sight, kept or discarded; photos laid in order; a collection shared."""

from __future__ import annotations

from patterns.models import Pattern
from studio.collections.models import Board
from studio.photos.models import Photo

from .test_access import sign_in

IN_SIGHT = """() => [...document.querySelectorAll("#tray .cell[data-pattern]")].slice(0, 4).map((cell) => {
  const box = cell.getBoundingClientRect();
  const seen = document.elementFromPoint(box.x + box.width / 2, box.y + box.height - 4);
  return box.top >= 0 && box.bottom <= innerHeight && cell.contains(seen);
})"""

CAPTION = """() => {
  const box = (one) => document.querySelector(one).getBoundingClientRect();
  return box(".stage canvas").top - box(".caption").bottom;
}"""


LIES = "(at) => document.querySelectorAll('.wearable[data-kind=photo]')[at].dataset.name === 'By the sea'"


def test_four_new_fabrics_are_in_sight_and_one_is_kept_and_one_discarded(new_page, shop, worker):
    page = new_page(viewport={"width": 1440, "height": 900})
    page.goto(shop)
    page.get_by_text("Design a fabric, see it worn.").wait_for()
    page.locator("[data-state='ready'] canvas").wait_for()
    page.get_by_role("button", name="Again").click()
    page.wait_for_function("() => document.querySelectorAll('#tray .cell[data-fresh]').length === 4")
    assert page.evaluate(IN_SIGHT) == [True] * 4
    assert page.evaluate(CAPTION) >= 0, "nothing lies on the picture"
    page.wait_for_function("() => document.querySelector('#tray .chosen[data-fresh]') !== null")
    page.get_by_text("New: goes on").wait_for()
    page.keyboard.press("k")
    page.get_by_text("Newest first", exact=True).wait_for()
    assert Pattern.objects.filter(owner__is_guest=True).kept().count() == 1
    page.locator("#tray .cell[data-fresh] a").first.click()
    page.get_by_text("New: goes on").wait_for()
    page.keyboard.press("x")
    page.get_by_role("button", name="Bring it back").wait_for()
    assert page.locator("#tray .cell[data-fresh]").count() == 2
    page.get_by_role("button", name="Bring it back").click()
    page.wait_for_function("() => document.querySelector('#shelf-note .link') === null")
    assert Pattern.objects.filter(owner__is_guest=True).kept().count() == 2
    for width, height in ((1024, 768), (375, 720)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate(CAPTION) >= 0, width


def test_photos_are_named_and_laid_by_keyboard(page, shop, person, make_photo, complaints):
    first, second = make_photo(person), make_photo(person)
    sign_in(page, shop, person)
    page.goto(f"{shop}/?photo={second.pk}")
    page.locator("[data-state='ready'] canvas").wait_for()
    page.wait_for_load_state("networkidle")
    page.get_by_label("Name of this photo").fill("By the sea")
    page.keyboard.press("Enter")
    page.locator(f"#wearable-photo-{second.pk}").get_by_text("By the sea").wait_for()
    page.get_by_role("button", name="Move this photo to the right").click()
    page.wait_for_function(LIES, arg=1)
    page.locator(f"#wearable-photo-{second.pk}").focus()
    page.keyboard.press("Alt+ArrowLeft")
    page.wait_for_function(LIES, arg=0)
    assert list(Photo.objects.of(person).as_strip()) == [second, first]


def test_a_hero_gets_what_goes_with_it_and_the_collection_is_shared(new_page, shop, person, make_pattern, worker):
    fabric = make_pattern(person, pattern_type="floral")
    page = new_page()
    sign_in(page, shop, person)
    page.goto(f"{shop}/gallery/{fabric.pk}/")
    page.get_by_role("button", name="Add to a collection").click()
    page.get_by_role("button", name="Make what goes with it").click()
    page.wait_for_function("() => document.querySelectorAll('a.board-cloth').length === 6")
    page.get_by_label("Note on thing 1").fill("the dress")
    page.keyboard.press("Tab")
    page.wait_for_function("() => !document.querySelector('.htmx-request')")
    page.get_by_role("button", name="Make a link").click()
    address = page.get_by_role("textbox", name="Private link 1").input_value()
    board = Board.objects.get()
    assert [item.part for item in board.items.all()] == ["hero", *["coordinate"] * 3, *["blender"] * 2]
    visitor = new_page(viewport={"width": 375, "height": 720})
    visitor.goto(address)
    visitor.get_by_text("the dress", exact=True).wait_for()
    assert visitor.locator(".board-cloth").count() == 6
    assert visitor.evaluate("document.documentElement.scrollWidth") == 375
