"""One clock follows whatever a page shows being made, through all that can come between, and stops when it is done."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from ml_backend.models import Job
from ml_backend.serving import jobs
from patterns import services
from patterns.models import Pattern

from .test_journey import READY, WAIT, open_studio, until

FOLLOWED = "document.querySelectorAll('[data-follow]').length"
TOAST = "document.querySelector('#toast:not([hidden])')?.textContent ?? ''"
LIVE = "document.querySelector('#live').textContent"
AWAY = "The order book does not answer just now. Nothing of yours is lost."


@pytest.fixture
def asked(page):
    """The addresses that the page's scripts have asked since, without their queries, in order."""
    heard = []
    page.on(
        "request",
        lambda one: one.headers.get("hx-request") and one.method == "GET" and heard.append(one.url.partition("?")[0]),
    )
    return heard


def quiet(page, asked, milliseconds):
    """Whether the page asks nothing for so long."""
    page.wait_for_timeout(300)  # an answer that is under way
    asked.clear()
    page.wait_for_timeout(milliseconds)
    return asked == []


def order_fabrics(page, shop):
    """Four drawn fabrics, which nobody makes yet."""
    open_studio(page, shop)
    page.check("[name='engine'][value='drawn']", force=True)
    page.click("#again")
    until(page, f"{FOLLOWED} === 4")


def hide(page, hidden):
    page.evaluate(
        """(hidden) => {
          Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def all_there(page):
    until(page, f"{FOLLOWED} === 0")
    assert page.locator(".cell[data-pattern]").count() >= 4
    assert page.locator(".cell:has-text('waiting')").count() == 0


def test_three_things_at_once_are_followed_and_then_it_is_quiet(page, shop, complaints, asked, work_off, monkeypatch):
    monkeypatch.setattr(services, "LARGE_SIZE", 256)
    monkeypatch.setattr(services.ask_large, "__defaults__", (256,))
    open_studio(page, shop)
    page.click("#downloads summary")
    page.click("#downloads button[value='png']")
    page.wait_for_selector("#look-status[data-follow]", timeout=WAIT)
    page.click("#downloads summary")
    page.click("#downloads [data-large]")
    page.wait_for_selector("#large-status[data-follow]", timeout=WAIT)
    page.click("#again")
    until(page, f"{FOLLOWED} === 6")
    asked.clear()
    page.wait_for_timeout(6000)
    for word in ("/cells/", "/looks/", "/large/"):
        assert 2 <= sum(word in address for address in asked) <= 12, f"{word} in growing pauses, four cells as one"

    row = Pattern.objects.filter(tile="").first()
    Pattern.objects.filter(pk=row.pk).delete()
    until(page, f"!document.getElementById('cell-{row.pk}')")
    jobs.cancel(row.job)
    Job.objects.filter(kind="generate").update(state=Job.State.CANCELLED)
    work_off()
    until(page, f"{FOLLOWED} === 0")
    assert page.locator(".cell:has-text('Cancelled')").count() == 3
    page.wait_for_selector("#look-status:has-text('Your look is ready')")
    page.wait_for_selector("#large-status:has-text('The large pattern is ready')")
    assert quiet(page, asked, 4000), asked


def test_a_server_that_is_away_is_said_once_and_asked_less_until_it_is_back(page, shop, asked, work_off):
    order_fabrics(page, shop)
    answers = [
        lambda route: route.fulfill(status=503, body=AWAY, content_type="text/plain", headers={"Retry-After": "30"}),
        lambda route: route.abort(),
    ]
    for answer in answers:
        page.route("**/fabrics/cells/**", answer)
        if answer is answers[0]:
            until(page, f"{TOAST} === '{AWAY}'")
            page.keyboard.press("Escape")
        asked.clear()
        page.wait_for_timeout(4000)
        assert page.evaluate(TOAST) == "", "what is known is not said again"
        assert len(asked) <= 7
        page.unroute("**/fabrics/cells/**")
    assert page.evaluate(FOLLOWED) == 4, "what is being made stays on the page"
    work_off()
    all_there(page)
    assert quiet(page, asked, 3000), asked


def test_a_hidden_tab_asks_rarely_and_knows_everything_when_it_is_shown_again(page, shop, complaints, asked, work_off):
    order_fabrics(page, shop)
    hide(page, True)
    assert quiet(page, asked, 5000), asked
    work_off()
    hide(page, False)
    all_there(page)


def test_back_and_refresh_in_the_middle_go_on_following(page, shop, complaints, work_off):
    order_fabrics(page, shop)
    page.wait_for_url(re.compile("pattern="))
    page.reload()
    page.wait_for_selector(READY, timeout=WAIT)
    assert page.evaluate(FOLLOWED) == 4
    page.goto(f"{shop}/gallery/")
    page.go_back()
    page.wait_for_selector(READY, timeout=WAIT)
    work_off()
    all_there(page)


def test_news_leave_focus_and_what_is_open_and_are_told(page, shop, complaints, work_off):
    order_fabrics(page, shop)
    until(page, f"{LIVE} === 'Waiting, place 1'")
    row = Pattern.objects.filter(tile="").first()
    cell = f"#cell-{row.pk}"
    page.focus(f"#cancel-{row.job_id}")
    Job.objects.filter(pk=row.job_id).update(state=Job.State.RUNNING, stage="Mixing the dyes", progress=0.25)
    page.wait_for_selector(f"{cell}:has-text('25 %')")
    until(page, f"{LIVE} === 'Mixing the dyes'")
    assert page.evaluate("document.activeElement.id") == f"cancel-{row.job_id}"

    page.goto(f"{shop}{reverse('pattern', args=[row.pk])}")
    page.click("a[data-dialog='delete']")
    keep = page.get_by_role("button", name="Keep it")
    keep.focus()
    Job.objects.filter(pk=row.job_id).update(progress=0.5)
    page.wait_for_selector(".item-job:has-text('50 %')", timeout=WAIT)
    assert page.locator("#delete[open]").count() == 1
    assert keep.evaluate("(one) => one === document.activeElement")
    keep.click()
    Job.objects.filter(pk=row.job_id).update(state=Job.State.QUEUED)
    work_off()
    page.wait_for_selector(".item-picture.cloth", timeout=WAIT)
