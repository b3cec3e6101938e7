"""From a dozen pictures dropped into a browser to a model that has learned from them and serves; nothing stands in."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from ml_backend.models import ModelVersion, TrainingRun
from studio.restyle.models import Restyle
from studio.workshop.models import DataSet

from .conftest import at_work
from .test_access import sign_in
from .test_journey import WAIT

DROP = """(pictures) => {
  const carried = new DataTransfer();
  for (const [name, text] of pictures) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    carried.items.add(new File([bytes], name, { type: "image/png" }));
  }
  const event = (kind) => new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true });
  const field = document.getElementById("drop");
  field.dispatchEvent(event("dragover"));
  field.dispatchEvent(event("drop"));
}"""


@pytest.fixture
def worker(live_server, settings):
    """Does queued jobs as they come, training in a child process of its own, at the pace of everything else."""
    settings.TRAINING_NICE = 0
    with at_work():
        yield


def prints(count=12, side=96):
    """Stripes in two colours each: [(file name, base64 of a PNG)]."""
    rng, made = np.random.default_rng(3), []
    for number in range(count):
        picture = np.empty((side, side, 3), np.uint8)
        picture[:] = rng.integers(150, 255, 3)
        picture[:, (np.arange(side) // (5 + number)) % 2 == 0] = rng.integers(0, 120, 3)
        target = io.BytesIO()
        Image.fromarray(picture).save(target, "PNG")
        made.append([f"print-{number}.png", base64.b64encode(target.getvalue()).decode()])
    return made


@pytest.mark.slow
def test_twelve_pictures_become_a_model_that_restyles(page, shop, worker, complaints, staff):
    sign_in(page, shop, staff)
    page.goto(f"{shop}/workshop/data/")
    page.fill("#new-name", "Awnings")
    page.select_option("#new-side", "128")
    page.click("text=Make it")
    page.wait_for_selector("#drop")
    page.evaluate(DROP, prints())
    page.wait_for_selector("button:enabled:has-text('Freeze 12 pictures')", timeout=WAIT)
    first = page.locator(".training-picture textarea").first
    assert first.input_value(), "a caption is suggested"
    first.fill("a striped awning fabric")
    page.click("text=Words for captions")
    with page.expect_response(re.compile("/captions/")):
        page.click("[data-hint='cotton']")
    page.click("button:has-text('Freeze 12 pictures')")
    page.wait_for_selector("text=Frozen on")
    assert page.locator("text=a striped awning fabric, cotton").count() == 1
    assert page.locator("textarea").count() == 0

    page.click("text=Train with it")
    page.fill("#run-name", "awnings")
    page.click("summary:has-text('Settings')")
    for name, value in {"steps": "1", "resolution": "32", "batch": "1", "rank": "2"}.items():
        page.fill(f"#id_{name}", value)
    page.click("button:has-text('Begin')")
    page.wait_for_selector("#run .why:has-text('Done.')", timeout=4 * WAIT)
    page.wait_for_selector("#run .samples img")
    page.click("#run-keep")
    page.click("#run .learned a:has-text('awnings@')", timeout=WAIT)
    page.click("button:has-text('Let people choose it')")
    page.wait_for_selector(".status-serving")

    page.goto(f"{shop}/restyle/?garment=dress")
    page.wait_for_selector("[data-table][data-state='ready']", timeout=WAIT)
    page.fill("#prompt", "striped awning fabric")
    page.select_option("#count", "1")
    page.click("details.advanced > summary")
    page.locator("input[name=engine][value=diffusion]").check(force=True)
    page.fill("#lora-awnings", "0.9")
    page.fill("#steps", "10")
    page.click("#ask")
    page.wait_for_selector(".batch:not([data-follow]) .tile:nth-child(2)", timeout=3 * WAIT)

    made, version = Restyle.objects.get(), ModelVersion.objects.get(capability="lora")
    assert made.ready, made.job.message
    assert made.recipe["restyle"]["loras"] == ["awnings:0.9"]
    assert version.status == "serving"
    assert version.reference in made.job.version.splitlines(), "the job tells that it ran with it"
    run, data_set = TrainingRun.objects.get(), DataSet.objects.get()
    assert version.data_sha256 == run.data_sha256 == data_set.sha256
    assert run.result == version


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_workshop_fits_a_phone_and_is_kept_to_the_keyboard(new_page, shop, staff, scheme, make_person):
    page = new_page(viewport={"width": 375, "height": 720}, color_scheme=scheme)
    sign_in(page, shop, staff)
    made = DataSet.objects.create(owner=staff, name="A data set with quite a long name, for a small screen")
    run = TrainingRun.objects.create(owner=staff, name="a-run-with-a-long-name", recipe="lora", config={"steps": 9})
    for path in ("data/", f"data/{made.pk}/", "runs/", f"runs/{run.pk}/"):
        page.goto(f"{shop}/workshop/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") == 375, path
    page.goto(f"{shop}/workshop/data/{made.pk}/")
    page.focus("#images")
    outline = page.evaluate("getComputedStyle(document.querySelector('.drop .button')).outlineStyle")
    assert outline == "solid", "who cannot see the file field sees where they are"
