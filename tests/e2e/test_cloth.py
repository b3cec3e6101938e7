"""A cloth of one's own, in the browser: dragged corners find another repeat, and what is kept is worn in the studio."""

from __future__ import annotations

from django.urls import reverse

from patterns.models import Pattern

from ..studio.cloth.test_cloth import checked
from .test_journey import WAIT, until


def test_from_a_photo_to_a_fabric(page, shop, complaints, work_off, tmp_path):
    page.set_viewport_size({"width": 1280, "height": 1000})
    photo = tmp_path / "cloth.jpg"
    photo.write_bytes(checked(640, 80))
    page.goto(shop + reverse("cloths"))
    page.set_input_files("#cloth-file", photo)
    page.get_by_role("button", name="Upload").click()
    page.wait_for_selector("#found:has-text('A repeat was found')", timeout=WAIT)
    width = page.locator("[name='repeat_width']")
    assert abs(float(width.input_value()) - 128) < 4
    assert page.locator("#cells polygon").count() == 9

    for label, x, y in (("Upper right", 0.5, 0.0), ("Lower right", 0.5, 0.5), ("Lower left", 0.0, 0.5)):
        corner = page.get_by_role("button", name=f"{label} corner")
        page.locator(".ring").scroll_into_view_if_needed()
        box, ring = corner.bounding_box(), page.locator(".ring").bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(ring["x"] + x * ring["width"], ring["y"] + y * ring["height"], steps=4)
        page.mouse.up()
    # half the cloth is seen twice as large
    until(page, "Math.abs(document.querySelector('[name=repeat_width]').value - 256) < 8")

    page.get_by_role("button", name="Lower left corner").focus()
    page.keyboard.press("ArrowUp")
    assert page.locator("[name='corner_7']").input_value() == "49.5"
    page.wait_for_timeout(500)
    page.wait_for_selector("#found:not([aria-busy])", timeout=WAIT)

    page.get_by_role("button", name="Keep as a fabric").click()
    page.wait_for_selector(".cell[data-follow]", timeout=WAIT)
    work_off()
    page.wait_for_selector(".cell.chosen[data-engine='photographed']", timeout=WAIT)
    fabric = Pattern.objects.get(engine="photographed")
    assert fabric.ready and not fabric.public and fabric.cloth["corners"][3] < 0.02


def test_a_named_design_is_chosen_beneath_its_type(page, shop, complaints):
    page.goto(shop + "/")
    page.locator("input[name='pattern_type'][value='plaid']").check(force=True)
    options = page.locator("#subtype optgroup:not([hidden]) option")
    assert "houndstooth" in options.all_text_contents() and "leopard" not in options.all_text_contents()
    page.select_option("#subtype", "houndstooth")
    for _ in range(300):
        if Pattern.objects.filter(subtype="houndstooth").exists():
            break
        page.wait_for_timeout(100)
    assert {(row.subtype, row.engine) for row in Pattern.objects.filter(subtype="houndstooth")} == {
        ("houndstooth", "drawn")
    }
    assert page.locator(".designs .help").is_visible() and not page.locator("#fabric-form fieldset.engine").is_visible()
