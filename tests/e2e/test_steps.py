"""The way back through what was shown, and what the keys of the fabric panel order."""

from __future__ import annotations

import re

from patterns.models import Pattern

from .test_journey import READY, WAIT, differ, open_studio, seen, until

CHOSEN = "document.querySelector('#look-form').elements.pattern.value"


def chosen(page):
    return page.evaluate(CHOSEN)


def comes_back(page, fabric):
    until(page, f"{CHOSEN} === '{fabric}' && document.querySelector('#stage').dataset.state === 'ready'")
    return seen(page)


def make_four(page, kind):
    """Press a type and wait until one of its fabrics is worn; which one."""
    page.click(f"label.type:has([value='{kind}'])")
    page.wait_for_selector(f".cell.chosen[data-type='{kind}']", timeout=WAIT)
    until(page, "!document.querySelector('.cell[data-follow]')")
    return chosen(page)


def test_new_fabrics_are_steps_that_undo_and_back_walk(page, shop, worker, complaints):
    open_studio(page, shop)
    page.check("[name='engine'][value='drawn']", force=True)
    first = chosen(page)
    plain = seen(page)
    assert page.locator("[data-undo]").is_disabled()
    striped = make_four(page, "striped")
    stripes = seen(page)
    assert page.locator("[data-undo]").is_enabled()
    zigzag = make_four(page, "zigzag")
    assert len({first, striped, zigzag}) == 3

    page.click("[data-undo]")
    assert differ(stripes, comes_back(page, striped)) < 0.5
    page.reload()
    page.wait_for_selector(READY)
    assert differ(stripes, comes_back(page, striped)) < 0.5, "a step shows the same after a reload"
    page.go_back()
    assert differ(plain, comes_back(page, first)) < 0.5
    assert page.url.startswith(shop), "Back stays in the studio while there is something to go back to"
    assert page.locator("[data-undo]").is_disabled()
    page.reload()
    page.wait_for_selector(READY)
    assert differ(plain, comes_back(page, first)) < 0.5, "the first step too, though newer fabrics are there now"
    page.go_forward()
    comes_back(page, striped)
    page.go_forward()
    comes_back(page, zigzag)


def test_back_while_a_fabric_is_made_shows_the_one_before_and_forward_waits_again(page, shop, complaints, work_off):
    open_studio(page, shop)
    page.check("[name='engine'][value='drawn']", force=True)
    first = chosen(page)
    page.click("#again")
    page.wait_for_url(re.compile("pattern="))
    coming = page.locator(".cell[data-follow]").first.get_attribute("data-follow")
    page.go_back()
    comes_back(page, first)
    work_off()
    until(page, "!document.querySelector('.cell[data-follow]')")
    assert chosen(page) == first, "what came meanwhile does not push itself forward"
    page.go_forward()
    comes_back(page, coming)
    page.click("[data-undo]")
    comes_back(page, first)


def test_a_look_from_the_history_is_a_step_too(page, shop, complaints, make_garment, client):
    open_studio(page, shop)
    page.locator(".cell a").nth(1).click()
    second = chosen(page)
    page.evaluate(
        "document.querySelector('.brand').insertAdjacentHTML('afterend', '<a id=link href=\"/?on=skirt\">x</a>')"
    )
    page.click("#link")
    page.wait_for_url(re.compile(r"/\?on=skirt$"))
    page.wait_for_selector(READY)
    until(page, "!document.querySelector('[data-undo]').disabled")
    page.click("[data-undo]")
    page.wait_for_url(re.compile("on=dress"))
    comes_back(page, second)


def test_arrows_only_show_and_enter_space_and_clicks_make(page, shop, complaints):
    open_studio(page, shop)
    before = Pattern.objects.count()
    worn = seen(page)
    page.focus("[name='pattern_type']:checked")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(300)
    kind = page.evaluate("document.activeElement.value")
    assert page.is_checked(f"[name='pattern_type'][value='{kind}']")
    assert differ(worn, seen(page)) > 1, "the sample is on the stage"
    page.focus("#scale")
    assert differ(worn, seen(page)) < 0.5, "turning to something else brings back what is worn"
    page.click("label:has([name='engine'][value='drawn'])")
    page.focus("[name='palette']:checked")
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(500)
    assert Pattern.objects.count() == before, "nothing was ordered so far"

    page.focus("[name='pattern_type']:checked")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    until(page, "document.querySelectorAll('.cell[data-follow]').length === 4")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    until(page, "document.querySelectorAll('.cell[data-follow]').length === 8")
    page.click("label.type:has([value='camouflage'])")
    until(page, "document.querySelectorAll('.cell[data-follow]').length === 12")
    made = Pattern.objects.filter(tile="").values_list("pattern_type", "engine")
    assert len(made) == 12
    assert {engine for _, engine in made} == {"drawn"}
