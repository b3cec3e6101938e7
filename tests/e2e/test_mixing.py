"""Two fabrics into one, and the choice of the model, in a real browser."""

from __future__ import annotations

import re

import pytest

from ml_backend.models import Job
from ml_backend.serving import curation
from patterns.models import Pattern
from studio.account.models import User
from studio.gallery.starters import HOUSE

from .test_journey import WAIT, open_studio, until

COLOURS = ["#101820", "#f2aa4c", "#335577", "#ffffff"]


@pytest.fixture
def second_model(tmp_path, db):
    """A tiny model beside the starter, so that there is something to choose; its fabrics are quick to make."""
    import torch

    from ml_backend.networks.dcgan import DCGANConfig, Generator
    from ml_backend.packaging import save_package

    torch.manual_seed(0)
    config = DCGANConfig(size=16, maps=4, latent=8)
    network = Generator(config)
    package = save_package(
        tmp_path / "meadow",
        name="meadow-gan",
        capability="generate",
        architecture="dcgan",
        config=config,
        state_dict=network.state_dict(),
    )
    version = curation.add(package.path)
    curation.offer(version)
    return version


@pytest.fixture
def fabrics(shop, second_model, make_pattern):
    """Two fabrics of the house that the tiny model dreamed."""
    atelier = User.objects.get(username=HOUSE)
    values = {"engine": "dreamed", "model": second_model.reference, "public": True}
    plaid = make_pattern(atelier, pattern_type="plaid", seed=12, palette=COLOURS, **values)
    return plaid, make_pattern(atelier, pattern_type="floral", seed=7, **values)


def test_blend_mix_and_come_back(page, shop, fabrics, worker, complaints, second_model):
    plaid, floral = fabrics
    open_studio(page, shop, f"?pattern={floral.pk}")
    assert page.locator("#model").input_value() == second_model.reference
    page.keyboard.press("b")
    until(page, "document.activeElement.name === 'move' && document.querySelector('#mix').open")

    page.keyboard.press("ArrowRight")
    assert page.locator(f"#with-{plaid.pk}").is_disabled(), "no drawing of another type"
    page.keyboard.press("ArrowLeft")
    page.locator(f"label:has(#with-{plaid.pk})").click()
    assert page.locator("#mix [data-other-picture]").is_visible()
    page.locator("#mix-amount").fill("0.3")
    assert page.locator("[data-out-amount]").text_content() == "30 %"
    page.click("#mix-make")
    page.wait_for_selector(".cell.chosen[data-seeds='seed 7, 30 % of plaid 12']", timeout=WAIT)
    assert page.locator("[data-caption-small]").text_content() == "dreamed, seed 7, 30 % of plaid 12"
    blend = Pattern.objects.get(morph_to=12)
    page.wait_for_url(re.compile(f"pattern={blend.pk}"))
    until(page, f"document.querySelector('#mix-form [name=of]').value === '{blend.pk}'")
    assert page.locator("#mix-amount").input_value() == "0.3"

    page.reload()
    page.wait_for_selector("#stage[data-state='ready']")
    assert page.locator(f"#with-{plaid.pk}").is_checked()
    assert page.locator("#mix-amount").input_value() == "0.3"

    page.locator("#mix label:has([value='colours'])").click()
    page.locator(f"label:has(#with-{plaid.pk})").click()
    assert not page.locator("#mix-amount").is_visible()
    page.click("#mix-make")
    until(page, f"document.querySelector('.cell.chosen')?.dataset.pattern !== '{blend.pk}'")
    coloured = Pattern.objects.get(parent=blend)
    assert coloured.partner_id == plaid.pk
    assert set(coloured.palette) >= set(COLOURS)
    assert Job.objects.count() == 1, "colours take no work"


def test_what_cannot_be_blended_says_so_and_the_page_goes_on(page, shop, fabrics, make_pattern, complaints):
    drawn = Pattern.objects.filter(engine="drawn").first()
    open_studio(page, shop, f"?pattern={drawn.pk}")
    page.click("#mix summary")
    assert page.locator("#mix [value='blend']").is_disabled()
    assert "drawn in one piece" in page.locator("#mix").inner_text()
    page.locator(f".cell[data-pattern='{fabrics[0].pk}'] a").click()
    until(page, "!document.querySelector('#mix [value=\"blend\"]').disabled")
    page.locator("#mix label:has(#with-seed)").click()
    page.locator("#mix-amount").fill("0.8")
    page.click("#mix-make")
    page.wait_for_selector("#toast:not([hidden])")
    assert "give its seed" in page.locator("#toast").inner_text()
    complaints.clear()  # the browser's own line about the 422
    assert page.locator("#mix-make").is_enabled()


def test_new_fabrics_come_into_the_drawer_and_leave_what_was_set(page, shop, fabrics, worker, complaints):
    open_studio(page, shop, f"?pattern={fabrics[1].pk}")
    page.click("#mix summary")
    page.locator("#mix label:has(#with-seed)").click()
    page.fill("#mix-seed", "41")
    page.locator("#mix-amount").fill("0.8")
    before = page.locator("#mix .other").count()
    page.click("#mix-make")
    page.wait_for_selector(".cell.chosen[data-seeds='seed 7, 80 % of seed 41']", timeout=WAIT)
    until(page, f"document.querySelectorAll('#mix .other').length > {before}")
    assert page.locator("#mix-seed").input_value() == "41"
    assert page.locator("#mix-amount").input_value() == "0.8"
    assert page.locator("#with-seed").is_checked()
