"""What a retired model made opens as before, and is made again by that very model while it is kept."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from ml_backend.errors import BadInput
from ml_backend.requests import GenerateRequest, TextMaskRequest
from ml_backend.serving import curation, loading, registry
from patterns import mixing, services
from studio.imagine.models import Imagining
from studio.restyle.models import Restyle
from studio.restyle.services import ask_mask
from tests.studio.painters import Painter, stand_in

pytestmark = pytest.mark.django_db

PARAMS = {"prompt": "a red dress", "seed": 7, "engine": "diffusion"}


@pytest.fixture
def retired(kept):
    """A model that served ``capability`` and has retired."""

    def make(capability):
        old = kept("old", capability)
        curation.serve(old)
        curation.withdraw(old)
        return old

    return make


def made_by(model, work, person, make_photo):
    recipe = {"recipe": {work: {**PARAMS, "model": model.reference}}, "params": PARAMS, "file": "x/x.png"}
    if work == "imagine":
        return Imagining.objects.create(owner=person, **recipe)
    return Restyle.objects.create(owner=person, photo=make_photo(person), **recipe)


def test_a_mask_tells_the_model_that_found_it_whatever_is_promoted_meanwhile(
    kept, person, make_photo, work_off, monkeypatch
):
    old, new = kept("old", "text-mask"), kept("new", "text-mask")
    curation.serve(old)
    phrase = SimpleNamespace(text="the dress", subtract=False, confidence=0.9, known=True)
    found = SimpleNamespace(mask=np.ones((160, 120), np.float32), phrases=(phrase,))

    def pipeline(name, model=None):
        registry.serving(name)
        curation.serve(new)
        return lambda *given, **options: found

    monkeypatch.setattr(loading, "pipeline", pipeline)
    mask = ask_mask(person, make_photo(person), TextMaskRequest("the dress"))
    work_off()
    mask.refresh_from_db()
    assert mask.params["model"] == mask.job.version == old.reference
    assert registry.reference("text-mask") == new.reference


@pytest.mark.parametrize("work", ["imagine", "restyle"])
def test_a_remix_offers_the_retired_model_and_only_while_it_is_kept(work, retired, person, client_of, make_photo):
    old = retired(work)
    made, client = made_by(old, work, person, make_photo), client_of(person)
    page = client.get(f"/{work}/?remix={made.pk}").content.decode()
    assert f'name="model" value="{old.reference}" checked' in page
    assert "has retired. The settings can let it make this again." in page
    curation.remove(old)
    page = client.get(f"/{work}/?remix={made.pk}").content.decode()
    assert 'name="model"' not in page
    assert f"{old.reference}, no longer serves; another one makes it now." in page


def test_it_is_asked_for_by_the_form_and_runs(retired, person, client_of, work_off, monkeypatch):
    old, painter = retired("imagine"), Painter()
    stand_in(monkeypatch, painter)
    client = client_of(person)
    client.post("/imagine/ask/", {**PARAMS, "count": 1, "model": old.reference})
    assert Imagining.objects.get().params["model"] == old.reference
    work_off()
    assert [request.model for request in painter.asked] == [old.reference]
    refused = client.post("/imagine/ask/", {**PARAMS, "count": 1, "model": "old"}, headers={"HX-Request": "true"})
    assert refused.status_code == 422, "by its name alone nobody chooses it any more"
    assert Imagining.objects.count() == 1


def test_drafts_candidates_and_private_ones_make_nothing_again(kept, person):
    draft, candidate = kept("a", "imagine", status="draft"), kept("b", "imagine")
    private = kept("c", "imagine", descent=curation.Descent(owner=person), status="draft")
    curation.withdraw(private)
    for version in (draft, candidate, private):
        assert not registry.can_make_again("imagine", version.reference)
        with pytest.raises(BadInput):
            registry.resolve("imagine", version.reference)


def test_a_fabric_of_a_retired_model_has_neighbours(retired, person, make_pattern):
    old = retired("generate")
    fabric = make_pattern(person, engine="dreamed", model=old.reference)
    assert mixing.why_alone(fabric) == ""
    asked = services.ask(
        person, GenerateRequest("floral", 3, vary_of=fabric.seed, vary_amount=0.3, model=old.reference)
    )
    assert asked.request.model == old.reference
    curation.remove(old)
    assert mixing.why_alone(fabric) == mixing.RETIRED
