"""A LoRA of one's own: chosen with its strength on pages and by programs; to everybody else there is no such thing."""

from __future__ import annotations

import pytest
from django.urls import reverse

from ml_backend.errors import BadInput
from ml_backend.models import Job, ModelVersion
from ml_backend.packaging.package import save_folder_manifest
from ml_backend.requests import ImagineRequest
from ml_backend.serving import curation, jobs, registry
from ml_backend.serving.jobs import kinds
from studio.api import tokens
from studio.imagine.models import Imagining
from studio.imagine.services import ask_imagine
from tests.ml_backend.tiny import tiny_lora
from tests.studio.api.conftest import Program

pytestmark = pytest.mark.django_db

ASKED = {"prompt": "a red dress", "engine": "diffusion", "lora-prints": "0.8"}


@pytest.fixture
def own(person, tmp_path):
    """A candidate of Ana's, called prints."""
    return make(person, tmp_path / "prints", 1)


def make(owner, folder, seed):
    tiny_lora(folder / "pytorch_lora_weights.safetensors", seed=seed)
    save_folder_manifest(folder, name="prints", capability="lora", architecture="lora")
    version = curation.add(folder, descent=curation.Descent(owner=owner))
    # the small model that ships has an embedding width of its own
    ModelVersion.objects.filter(pk=version.pk).update(manifest={**version.manifest, "text_width": None})
    return version


@pytest.mark.parametrize("page", ["restyle", "imagine"])
def test_its_owner_is_offered_it_and_nobody_else(own, person, other, staff, client_of, page):
    address = reverse(page)
    assert 'name="lora-prints"' in client_of(person).get(address).content.decode()
    for who in (other, staff, None):
        assert "prints" not in client_of(who).get(address).content.decode(), who


def test_it_is_asked_for_by_its_owner_alone(own, person, other, client_of):
    client_of(person).post(reverse("imagine-ask"), ASKED)
    asked = Imagining.objects.filter(owner=person).first()
    assert asked.params["loras"] == ["prints:0.8"]
    client_of(other).post(reverse("imagine-ask"), ASKED)
    assert Imagining.objects.filter(owner=other).first().params["loras"] == []


def test_programs_of_others_are_told_that_there_is_none(own, person, other, make_person):
    body = {"prompt": "a dress", "engine": "diffusion", "loras": ["prints:0.5"]}
    mine, theirs = (Program(tokens.make(who, "test")[1]) for who in (person, other))
    assert "prints" in mine.get("/models").json()["loras"]
    assert mine.post("/imaginings", body).status_code == 202
    assert "prints" not in theirs.get("/models").json()["loras"]
    refused = theirs.post("/imaginings", body)
    assert refused.status_code == 422
    nonsense = theirs.post("/imaginings", {**body, "loras": ["nonsense:0.5"]})
    assert refused.content == nonsense.content.replace(b"nonsense", b"prints"), "as unknown as any"
    assert Program().post("/imaginings", body).status_code == 401


def test_of_two_with_one_name_each_gets_their_own_and_the_house_none(own, person, other, tmp_path):
    theirs = make(other, tmp_path / "other" / "prints", 2)
    for who, version in ((person, own), (other, theirs)):
        file = registry.loras("imagine", who)["prints"]
        assert version.sha256 in str(file)
        with registry.working_for(who.pk):
            assert registry.Loras(None)["prints"] == file, "a pipeline that stays loaded asks for whom it works"
    assert "prints" not in registry.loras("imagine")
    assert "prints" not in registry.Loras(None)


def test_a_job_has_what_its_owner_has(own, person, other, monkeypatch):
    had = {}

    def look(job, report, should_stop):
        had[job.owner_id] = "prints" in registry.Loras(None)
        return lambda: None

    monkeypatch.setitem(kinds.handlers, "test-look", look)
    for who in (person, other):
        jobs.submit(who, "test-look")
    jobs.work_off("default", beating=False)
    assert had == {person.pk: True, other.pk: False}
    assert "prints" not in registry.Loras(None), "and nobody after it"
    assert Job.objects.filter(state="done").count() == 2


def test_published_it_is_everybodys_and_retired_nobodys(own, person, other):
    curation.offer(own)
    own.refresh_from_db()
    assert own.owner is None
    assert "prints" in registry.loras("imagine", other)
    curation.withdraw(own)
    for who in (person, other):
        with pytest.raises(BadInput, match="There is no LoRA called prints"):
            ask_imagine(who, ImagineRequest("a dress", 1, loras=("prints:1",)))
