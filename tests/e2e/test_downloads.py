"""What is saved arrives with the one press that asked for it, under a name of its own, and the first view is light."""

from __future__ import annotations

import gzip
import json

from ml_backend.models import Job
from patterns import services
from patterns.models import Pattern
from studio.gallery import starters
from studio.workspace.views import FIRST

from .test_journey import READY, WAIT, open_studio


def ask(page, what):
    page.click("#downloads summary")
    page.click(f"#downloads {what}")


def test_a_download_follows_though_the_page_was_loaded_anew_meanwhile(page, shop, complaints, work_off):
    open_studio(page, shop)
    ask(page, "button[value='png']")
    page.wait_for_selector("#look-status:has-text('waiting')")
    page.reload()
    page.wait_for_selector("#look-status:has-text('waiting')", timeout=WAIT)
    with page.expect_download(timeout=WAIT) as download:
        work_off()
    assert download.value.suggested_filename.startswith("toile-look-")
    page.wait_for_selector("#look-status:has-text('Your look is ready')")
    page.reload()
    page.wait_for_timeout(500)
    assert page.locator("#look-status").count() == 0, "what has arrived is not saved again"


def test_a_download_that_was_cancelled_and_tried_again_follows_too(page, shop, complaints, work_off):
    open_studio(page, shop)
    ask(page, "button[value='jpeg']")
    page.locator("#look-status").get_by_role("button", name="Cancel").click()
    page.wait_for_selector("#look-status:has-text('Cancelled')")
    page.locator("#look-status").get_by_role("button", name="Try again").click()
    page.wait_for_selector("#look-status:has-text('waiting')")
    with page.expect_download(timeout=WAIT) as download:
        work_off()
    assert download.value.suggested_filename.endswith(".jpg")


def test_tile_and_print_size_have_names_of_their_own(page, shop, complaints, work_off, monkeypatch):
    monkeypatch.setattr(services, "LARGE_SIZE", 256)
    monkeypatch.setattr(services.ask_large, "__defaults__", (256,))
    open_studio(page, shop)
    fabric = Pattern.objects.get(pk=page.evaluate("document.querySelector('#look-form').elements.pattern.value"))
    stem = f"toile-{fabric.pattern_type}-{fabric.seed}"
    page.click("#downloads summary")
    with page.expect_download(timeout=WAIT) as tile:
        page.click("[data-tile-link]")
    assert tile.value.suggested_filename == f"{stem}-{fabric.size}px.png"
    ask(page, "[data-large]")
    page.wait_for_selector("#large-status:has-text('waiting')")
    with page.expect_download(timeout=WAIT) as large:
        work_off()
    assert large.value.suggested_filename == f"{stem}-256px.png"
    count = Pattern.objects.count()
    with page.expect_download(timeout=WAIT):
        ask(page, "[data-large]")
    assert Pattern.objects.count() == count, "somebody else's fabric is copied once"
    assert Job.objects.filter(kind="upscale").count() == 1


BUDGET = 500 * 1024
"""Bytes that the first view of the studio may transfer, headers included."""


def weigh(page, address):
    """Bytes over the wire of everything that a first visit fetches."""
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    names, sizes = {}, {}
    wire.on("Network.requestWillBeSent", lambda event: names.__setitem__(event["requestId"], event["request"]["url"]))
    wire.on("Network.loadingFinished", lambda event: sizes.__setitem__(event["requestId"], event["encodedDataLength"]))
    page.goto(address)
    page.wait_for_selector(READY, timeout=WAIT)
    page.wait_for_load_state("networkidle")
    return {names[key]: packed(page, names[key], size) for key, size in sizes.items()}


def packed(page, address, size):
    """The tests' server hands static files out by itself, as they lie there; ours compresses those that are text."""
    if "/static/" not in address or not address.endswith((".js", ".css", ".svg")):
        return size
    return len(gzip.compress(page.request.get(address).body())) + 400


def test_the_first_view_is_light(new_page, live_server, tmp_path):
    """As a fresh installation shows it: the garments, and the fabrics that are newest among those that ship."""
    starters.load_garments()
    listed = json.loads(starters.SAMPLES.read_text(encoding="utf-8"))
    newest = tmp_path / "samples.json"
    newest.write_text(json.dumps([one for one in listed if one["engine"] == "drawn"][-FIRST:]), encoding="utf-8")
    starters.load_samples(newest)
    for width, height in ((1280, 800), (375, 740)):
        page = new_page(viewport={"width": width, "height": height})
        weights = weigh(page, str(live_server.url))
        heaviest = sorted(weights.items(), key=lambda one: -one[1])[:5]
        assert len(weights) > 20, "a view with its pictures"
        assert any("/web" in name for name in weights), "it wears a fabric"
        assert sum(weights.values()) <= BUDGET, heaviest
