"""The ink table in a real browser: inks are replaced before one's eyes, locked, moved, and dyed."""

from __future__ import annotations

import io

from PIL import Image

from ml_backend.palettes.facts import called
from patterns.models import Pattern

from .test_journey import WAIT, differ, open_studio, seen, until

TABLE = "#inks-table .ink"


def test_inks_are_tried_locked_moved_and_dyed(page, shop, complaints, new_page):
    fabric = Pattern.objects.get(pattern_type="floral")
    open_studio(page, shop, f"?pattern={fabric.pk}")
    before = seen(page)
    page.click("#inks > summary")
    page.wait_for_selector(TABLE, timeout=WAIT)
    assert page.locator(TABLE).count() == 4

    page.locator("#ink-1").fill("#1f9a93")
    assert differ(before, seen(page)) > 1, "the stage wears it while it is chosen"
    until(page, f"document.querySelector('#inks-table').innerText.includes('{called('#1f9a93').capitalize()}')")
    page.locator("#lock-1").focus()
    page.keyboard.press("Space")
    until(page, "document.activeElement.id === 'lock-1' && document.activeElement.checked")
    page.locator("button[value='1-up']").click()
    until(page, "document.querySelector('#ink-0').value === '#1f9a93' && document.querySelector('#lock-0').checked")

    page.click("#inks-dye")
    until(page, "document.querySelector('.cell.chosen')?.dataset.palette.startsWith('#1f9a93')")
    made = Pattern.objects.get(parent=fabric)
    assert made.palette[:2] == ["#1f9a93", fabric.palette[0]]
    until(page, f"document.querySelector('#inks-form [name=fabric]').value === '{made.pk}'")

    page.locator("label:has(#sight-deutan)").click()
    worn = page.evaluate("getComputedStyle(document.querySelector('#stage canvas')).filter")
    assert "as-deutan" in worn
    page.locator("label:has(#sight-all)").click()

    picture = io.BytesIO()
    Image.new("RGB", (90, 90), "#22478f").save(picture, "PNG")
    page.set_input_files("#mood-file", {"name": "mood.png", "mimeType": "image/png", "buffer": picture.getvalue()})
    until(page, "document.querySelector('#inks-table').innerText.includes('as ground')")
    page.click("#inks-colourways")
    until(page, f"document.querySelector('.cell.chosen')?.dataset.pattern !== '{made.pk}'")
    assert Pattern.objects.filter(parent=made).count() == 3


def test_the_page_of_its_own_dyes_several(page, shop, complaints):
    fabric = Pattern.objects.get(pattern_type="floral")
    page.goto(f"{shop}/fabrics/inks/?fabric={fabric.pk}")
    page.locator("button[value='1-up']").click()
    until(page, f"document.querySelector('#ink-0').value === '{fabric.palette[1]}'")
    page.click("#inks-colourways")
    page.wait_for_url("**/?pattern=*")
    assert Pattern.objects.filter(parent=fabric).count() == 3


def test_without_scripts_the_table_is_a_page(new_page, shop):
    fabric = Pattern.objects.get(pattern_type="floral")
    page = new_page(java_script_enabled=False)
    page.goto(f"{shop}/?pattern={fabric.pk}")
    page.click("#inks > summary")
    page.click("text=Open the ink table")
    page.locator("#lock-1").check()
    page.locator("button[value='1-up']").click()
    assert page.locator("#lock-0").is_checked()
    page.click("#inks-dye")
    page.wait_for_url("**/?pattern=*")
    assert Pattern.objects.get(parent=fabric).palette[0] == fabric.palette[1]
