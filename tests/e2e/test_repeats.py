"""The repeat studio in a browser: a repeat that is chosen is made, and the stage swaps to it."""

from __future__ import annotations

from playwright.sync_api import expect

from patterns.models import Pattern
from studio.account.models import User
from studio.gallery.starters import HOUSE

from .test_journey import open_studio, until

RULER = """() => {
  const box = document.querySelector("[data-stage-ruler]").getBoundingClientRect();
  return [".caption", ".stage-tools", ".handle span", ".outfit:not([hidden])"].filter((one) => {
    const other = document.querySelector(one)?.getBoundingClientRect();
    const across = other?.width && box.left < other.right && other.left < box.right;
    return across && box.top < other.bottom && other.top < box.bottom;
  });
}"""
"""What the ruler of the stage lies upon."""
FIVE = ["#f5ece0", "#9c2a2e", "#dca690", "#66704f", "#101820"]
LAID = "JSON.stringify(history.state.fit.repeat)"


def test_a_repeat_is_made_worn_and_found_again(page, shop, make_pattern, worker, complaints):
    house = User.objects.get(username=HOUSE)
    fabric = make_pattern(house, pattern_type="floral", seed=7, public=True, palette=FIVE)
    open_studio(page, shop, f"?pattern={fabric.pk}")
    said = page.locator("[data-repeat-said]")
    expect(said).to_have_text("repeats every 18 × 18 cm, basic")
    ruler = page.locator("[data-repeat-view] [data-ruler]")
    expect(ruler).to_have_text("10 cm")

    page.get_by_title("half-drop").click()
    expect(said).to_have_text("Making this fabric for half-drop; until then it stays basic.")
    assert page.evaluate(LAID) == '"basic"'
    expect(said).to_have_text("repeats every 18 × 18 cm, half-drop", timeout=90_000)
    until(page, f"{LAID} === '\"half-drop\"'")
    made = Pattern.objects.get(repeat="half-drop")
    assert made.parent_id == fabric.pk
    assert str(made.pk) in page.url

    page.get_by_title("basic").click()
    expect(said).to_have_text("repeats every 18 × 18 cm, basic", timeout=90_000)
    until(page, f"location.search.includes('{fabric.pk}')")
    page.get_by_title("half-drop").click()
    expect(said).to_have_text("repeats every 18 × 18 cm, half-drop", timeout=90_000)
    assert Pattern.objects.filter(repeat="half-drop").count() == 1

    page.locator("#scale").fill("40")
    expect(said).to_have_text("repeats every 40 × 40 cm, half-drop")
    expect(ruler).to_have_text("20 cm")
    page.locator("[data-repeat-view] canvas").drag_to(
        page.locator("[data-repeat-view] canvas"),
        source_position={"x": 60, "y": 60},
        target_position={"x": 90, "y": 60},
    )
    until(page, "history.state.fit.offset_x !== 0")

    for width, height in ((375, 812), (1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        until(page, "document.querySelector('[data-stage-ruler]').checkVisibility()")
        assert page.evaluate(RULER) == [], width
