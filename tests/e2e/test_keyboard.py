"""Without a mouse: whatever can be pressed comes by Tab, and the way from a cloth to a print is walked by keys."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from patterns.models import Pattern
from studio.cloth.models import ClothPhoto
from studio.collections import services as collections
from studio.collections.models import Board
from studio.printing.models import Print

from ..studio.cloth.test_cloth import checked
from .test_access import sign_in
from .test_journey import READY, WAIT, until

OPEN_ALL = "() => document.querySelectorAll('details').forEach((one) => { one.open = true; })"
NUMBER_ALL = """() => {
  const pressed = "a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button], [role=slider]";
  const shown = (one) => one.checkVisibility({ visibilityProperty: true }) && !one.matches(":disabled");
  const names = [];
  const count = (one, what) => {
    one.dataset.walked = names.length;
    names.push(`${what}: ${one.outerHTML.slice(0, 120)}`);
  };
  for (const one of document.querySelectorAll(pressed)) {
    if (!shown(one)) continue;
    // of radio buttons of one name the chosen one is reached, and arrows go on from there
    const chosen = one.type === "radio" && document.querySelector(`[type=radio][name="${one.name}"]:checked`);
    if (chosen && chosen !== one) continue;
    count(one, one.localName);
  }
  // what looks as if it could be taken, and is neither a control nor in one
  for (const one of document.querySelectorAll("main *, header *")) {
    const takes = /pointer|grab|resize|crosshair|move/.test(getComputedStyle(one).cursor);
    const above = one.parentElement && getComputedStyle(one.parentElement).cursor === getComputedStyle(one).cursor;
    if (!takes || above || !shown(one) || "walked" in one.dataset) continue;
    if (one.closest("label, [data-walked], TWINS") || one.querySelector("[data-walked]")) continue;
    count(one, "looks pressable");
  }
  document.activeElement?.blur();
  return names;
}""".replace("TWINS", ".pad")
"""The pad of the shift has two sliders that do the same."""


def unreached(page) -> list[str]:
    """What of the page can be pressed, and does not come by Tab."""
    page.evaluate(OPEN_ALL)
    until(page, "!document.querySelector('.htmx-request')")
    names = page.evaluate(NUMBER_ALL)
    seen: set[int] = set()
    for _ in range(len(names) + 30):
        page.keyboard.press("Tab")
        at = page.evaluate("document.activeElement?.dataset?.walked ?? -1")
        seen.add(int(at))
    return [name for number, name in enumerate(names) if number not in seen]


def to(page, selector: str, most: int = 250):
    """Tab until what ``selector`` means has the focus."""
    for _ in range(most):
        if page.evaluate("(one) => document.activeElement?.matches(one) ?? false", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} is not reached by Tab")


def press(page, *keys: str):
    for key in keys:
        page.keyboard.press(key)


@pytest.fixture
def addresses(shop, person, make_pattern, make_photo, client_of) -> list[str]:
    """The new pages, each with something on it."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    fabric = make_pattern(person, repeat="half-drop", mended=True)
    board = collections.make(person, "Summer")
    for thing in (fabric, make_pattern(person)):
        collections.add(board, thing)
    collections.share(board, 7)
    Print.objects.create(owner=person, pattern=fabric, title="toile-dotted-1", file=str(fabric.tile))
    client_of(person).post(reverse("cloth-new"), {"image": SimpleUploadedFile("cloth.jpg", checked())})
    return [
        reverse("studio") + f"?pattern={fabric.pk}",
        reverse("inks") + f"?fabric={fabric.pk}",
        reverse("print", args=[fabric.pk]),
        reverse("cloth", args=[ClothPhoto.objects.get().pk]),
        reverse("board", args=[board.pk]),
        reverse("pattern", args=[fabric.pk]),
        *(reverse(name) for name in ("cloths", "palettes", "boards", "trends", "prints")),
    ]


def test_whatever_can_be_pressed_comes_by_tab(page, shop, person, addresses, complaints):
    sign_in(page, shop, person)
    missed = {}
    for address in addresses:
        page.goto(shop + address)
        if "?pattern=" in address:
            page.wait_for_selector(READY, timeout=WAIT)
        if found := unreached(page):
            missed[address] = found
    assert missed == {}


def test_from_a_cloth_to_a_print_and_a_board_by_keys_alone(page, shop, person, worker, complaints, client_of):
    from django.core.files.uploadedfile import SimpleUploadedFile

    client_of(person).post(reverse("cloth-new"), {"image": SimpleUploadedFile("cloth.jpg", checked(640, 80))})
    sign_in(page, shop, person)
    page.goto(shop + reverse("cloth", args=[ClothPhoto.objects.get().pk]))

    # a corner is walked in, and with Shift farther
    to(page, "[data-corner='4']")
    press(page, "Shift+ArrowLeft", "ArrowLeft", "Shift+ArrowUp")
    assert page.locator("[name='corner_4']").input_value() == "94.5"
    assert page.locator("[name='corner_5']").input_value() == "95.0"
    until(page, "!document.querySelector('#found').hasAttribute('aria-busy')")
    to(page, "#cloth-form .button.primary")
    press(page, "Enter")
    page.wait_for_selector(".cell.chosen[data-engine='photographed']", timeout=WAIT)

    # another repeat by arrows among the radio buttons, and the lattice shifted within it
    to(page, "[name='repeat'][type='radio']")
    press(page, "ArrowRight")
    said = page.locator("[data-repeat-said]")
    expect(said).to_contain_text("cm, half-drop", timeout=WAIT)
    to(page, "[data-repeat-view] canvas")
    press(page, "ArrowRight", "ArrowRight", "Shift+ArrowDown")
    until(page, "Math.hypot(history.state.fit.offset_x - 0.04, history.state.fit.offset_y - 0.1) < 1e-6")
    to(page, "#scale")
    press(page, "ArrowRight", "ArrowRight")
    expect(said).to_contain_text("17 × 17 cm")
    to(page, "#turn")
    press(page, "ArrowRight")
    until(page, "history.state.fit.rotate === 1")

    # inks: locked, moved up, dyed
    page.evaluate("document.activeElement.blur()")
    to(page, "#inks > summary")
    press(page, "Enter")
    page.wait_for_selector("#inks-table .ink", timeout=WAIT)
    to(page, "#lock-1")
    press(page, "Space")
    until(page, "document.activeElement.id === 'lock-1' && document.activeElement.checked")
    to(page, "#inks-colourways")
    press(page, "Enter")
    until(page, "document.querySelectorAll('#tray .cell[data-pattern]:not([data-follow])').length >= 5")
    dropped = Pattern.objects.get(repeat="half-drop", parent__repeat="basic")
    assert Pattern.objects.filter(parent=dropped).count() == 3

    # the print dialog
    to(page, "#downloads > summary")
    press(page, "Enter")
    to(page, "[data-print-link]")
    press(page, "Enter")
    page.wait_for_selector(".plan-words", timeout=WAIT)
    to(page, "[name='kind']")
    press(page, "ArrowRight")
    to(page, "#id_width")
    page.keyboard.type("5")
    to(page, "#id_height")
    page.keyboard.type("4")
    page.wait_for_selector(".plan-words:has-text('5 × 4 cm')", timeout=WAIT)
    to(page, ".print-form .button.primary")
    press(page, "Enter")
    page.locator("#made").get_by_role("link", name="Download").wait_for(timeout=WAIT)
    assert Print.objects.get().params["kind"] == "panel"

    # and onto a board
    to(page, ".printing-cloth .help a")
    press(page, "Enter")
    page.wait_for_url("**/gallery/*/")
    page.evaluate("document.activeElement.blur()")
    to(page, "form[action='/collections/add/'] button, form[action='/collections/add/'] select")
    while not page.evaluate("document.activeElement.localName === 'button'"):
        press(page, "Tab")
    press(page, "Enter")
    page.wait_for_url("**/collections/*/**")
    assert Board.objects.get().items.count() == 1
