"""A model that is served elsewhere does a job's work as one of ours would: pictures, faults, cancelling, curation."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from PIL import Image

from ml_backend.errors import BadInput, BadPackage
from ml_backend.models import CurationEvent, Job, ModelVersion
from ml_backend.packaging import Manifest
from ml_backend.pipelines.base import REFUSED
from ml_backend.pipelines.restyle.remote import RemoteRestyle
from ml_backend.requests import ImagineRequest, RestyleRequest
from ml_backend.serving import curation, endpoints, jobs, loading, registry
from ml_backend.shipping import asking
from ml_backend.shipping.asking import Endpoint, HttpCall, Place

MANIFEST = Manifest("brand", "restyle", "endpoint", {"defaults": {"size": 64, "steps": 3, "guidance": 4.0}}, "0" * 64)


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(asking, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(asking, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(endpoints, "_breakers", {})
    loading._loaded.clear()
    yield
    loading._loaded.clear()


def photo(width=90, height=120):
    return Image.fromarray(np.random.default_rng(1).integers(0, 255, (height, width, 3), np.uint8))


def middle(width=90, height=120):
    mask = np.zeros((height, width), np.float32)
    mask[40:80, 30:60] = 1
    return mask


# --- the engines ----------------------------------------------------------------------------------------------------


@pytest.fixture
def restyle(there):
    def make(manifest=MANIFEST, **options):
        place = Place.parse(there.url)
        return RemoteRestyle(manifest, Endpoint("brand", lambda: HttpCall(place, 10.0), seconds=10.0, **options))

    return make


def test_only_the_window_leaves_and_only_the_marked_part_changes(there, restyle):
    given, mask = photo(900, 1200), np.zeros((1200, 900), np.float32)
    mask[400:480, 300:380] = 1
    came = []
    requests = [RestyleRequest("a blue dress", seed, "diffusion") for seed in (7, 8)]
    made = restyle()(given, mask, requests, on_image=lambda number, one: came.append((number, len(there.asked))))
    assert came == [(0, 1), (1, 2)], "each is handed over as soon as it is there"
    assert [body["seed"] for body in there.asked] == [7, 8]
    body = there.asked[0]
    said = {name: body[name] for name in ("inputs", "num_inference_steps", "guidance_scale", "num_images_per_prompt")}
    assert said == {
        "inputs": "a blue dress", "num_inference_steps": 3, "guidance_scale": 4.0, "num_images_per_prompt": 1,
    }  # fmt: skip
    from tests.shipping.asked import picture_of

    assert picture_of(body["input_img"]).size == (body["width"], body["height"]) == (64, 64)
    for one in made:
        before, after = np.asarray(given), np.asarray(one.image)
        assert (after[mask == 0] == before[mask == 0]).all()
        assert (after[420:460, 320:360] != before[420:460, 320:360]).any()
        assert (one.request.steps, one.request.size, one.request.scheduler) == (3, 64, None)
        assert (one.request.model, one.notes) == (MANIFEST.reference, ())


def test_an_endpoint_that_knows_only_squares_and_no_seed_serves_too(there, restyle):
    there.plain = True
    mask = np.zeros((120, 90), np.float32)
    mask[5:115, 40:50] = 1
    request = RestyleRequest("blue", 7, "diffusion", negative_prompt="red", strength=0.5, sketch="fabric")
    (made,) = restyle(extras=False)(photo(), mask, [request])
    assert there.asked[0].keys() == {
        "inputs", "input_img", "mask_img", "num_inference_steps", "guidance_scale", "image_length",
        "num_images_per_prompt",
    }  # fmt: skip
    assert made.image.size == (90, 120)
    assert len(made.notes) == 3
    assert any("takes no seed" in note for note in made.notes)


def test_a_sketch_is_drawn_here_and_sent(there, restyle):
    manifest = Manifest("brand", "restyle", "endpoint", {"defaults": {"size": 64, "sketch": "fabric"}}, "0" * 64)
    (made,) = restyle(manifest)(photo(), middle(), [RestyleRequest("blue and white stripes", 3, "diffusion")])
    assert there.asked[0]["strength"] == made.request.strength == 0.7
    assert made.request.sketch == "fabric"
    (plain,) = restyle()(photo(), middle(), [RestyleRequest("blue and white stripes", 3, "diffusion")])
    assert there.asked[0]["input_img"] != there.asked[1]["input_img"]
    assert there.asked[1]["strength"] == plain.request.strength == 1.0


def test_what_cannot_be_mixed_in_there_is_said(there, restyle):
    request = RestyleRequest("blue", 7, "diffusion", loras=("linen:0.5",), scheduler="lcm")
    (made,) = restyle()(photo(), middle(), [request])
    assert (made.request.loras, made.request.scheduler) == ((), None)
    assert [("LoRA" in note, "scheduler" in note) for note in made.notes] == [(True, False), (False, True)]


def test_what_its_check_blackened_is_refused(there, restyle):
    there.flagged = True
    (made,) = restyle()(photo(), middle(), [RestyleRequest("blue", 7, "diffusion")])
    assert (made.image, made.refused) == (None, REFUSED)


# --- jobs -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def brand(there, db):
    """A version that is served elsewhere, the default of its capability."""
    version = curation.add_elsewhere("brand", {"url": there.url}, size=64)
    curation.serve(version)
    return version


@pytest.fixture
def order(person, make_photo, brand):
    """Orders a restyle as the page does; the job."""
    from studio.restyle import services

    def order(count=1, seed=7, engine="diffusion"):
        from django.core.files.base import ContentFile
        from django.core.files.storage import default_storage

        from studio import pictures
        from studio.photos.models import Mask

        photo = make_photo(person)
        mask = Mask(owner=person, photo=photo, origin=Mask.Origin.BRUSH)
        values = np.zeros((160, 120), np.float32)
        values[60:120, 40:80] = 1
        mask.file = default_storage.save(f"{mask.folder}/mask.png", ContentFile(pictures.mask_file(values)))
        mask.save()
        return services.ask_restyle(person, photo, mask, RestyleRequest("a blue dress", seed, engine), count)

    return order


def test_a_restyle_job_is_done_elsewhere(there, order, brand, work_off):
    from studio.restyle.models import Restyle

    order(2)
    assert work_off() == 1
    job = Job.objects.get()
    assert (job.state, job.version) == ("done", brand.reference), job.message
    assert [body["seed"] for body in there.asked] == [7, 8]
    for row in Restyle.objects.all():
        assert row.file
        assert row.recipe["restyle"]["model"] == brand.reference


@pytest.mark.parametrize("fault", ["500", "401", "hang up", "garbage", "cut"])
def test_an_endpoint_that_is_away_is_no_fault_of_the_job(there, order, work_off, fault, caplog):
    there.always = fault
    order()
    assert work_off() == 1
    job = Job.objects.get()
    assert (job.state, job.attempt, job.pauses, job.paused) == ("queued", 0, 1, True)
    assert job.why_waiting == "The endpoint of the model does not answer; trying again in 5 s."
    there.always = ""
    Job.objects.update(not_before=timezone.now() - timedelta(seconds=0.1))
    assert work_off() == 1
    assert Job.objects.get().state == "done"


def test_pictures_that_came_are_kept_when_it_goes_away(there, order, work_off, caplog):
    order(2)
    there.always = ""
    there.faults = ["", "401"]
    work_off()
    assert Job.objects.get().state == "queued"
    Job.objects.update(not_before=timezone.now() - timedelta(seconds=0.1))
    work_off()
    assert Job.objects.get().state == "done"
    assert [body["seed"] for body in there.asked] == [7, 8, 8]


def test_an_endpoint_that_stays_away_is_named_in_the_end(there, order, work_off, settings, caplog):
    settings.JOB_OUTAGE_SECONDS = 5.0
    there.always = "401"
    order()
    work_off()
    Job.objects.update(not_before=timezone.now() - timedelta(seconds=0.1))
    work_off()
    job = Job.objects.get()
    assert job.state == "failed"
    assert job.message.startswith("The endpoint of the model did not answer for")


@pytest.mark.parametrize(("fault", "says"), [("no json", "no picture"), ("400", "refuses this: Too blue for us.")])
def test_a_wrong_answer_fails_the_job_with_a_sentence(there, order, work_off, fault, says, caplog):
    there.always = fault
    order()
    work_off()
    job = Job.objects.get()
    assert job.state == "failed"
    assert says in job.message


@pytest.mark.django_db(transaction=True)
def test_a_cancelled_job_stops_waiting(there, order):
    there.always = "hang"
    order()
    claim = jobs.claim("default")
    worker = threading.Thread(target=_worked, args=[claim])
    begun = time.monotonic()
    worker.start()
    assert there.begun.wait(20)
    assert jobs.cancel(Job.objects.get())
    worker.join(15)
    assert not worker.is_alive()
    assert time.monotonic() - begun < 15
    assert there.gone.wait(5), "the endpoint is not kept busy"
    assert Job.objects.get().state == "cancelled"


def _worked(claim):
    from django.db import connection

    try:
        jobs.run(claim)
    finally:
        connection.close()


def test_imagine_is_asked_without_pictures(there, brand):
    (made,) = loading.pipeline("imagine-diffusion")([ImagineRequest("a red coat", 9)])
    assert there.asked[0].keys() == {
        "inputs", "num_inference_steps", "guidance_scale", "image_length", "num_images_per_prompt", "seed",
    }  # fmt: skip
    assert made.image.size == (64, 64)
    assert made.request.model == brand.reference


# --- which endpoint -------------------------------------------------------------------------------------------------


def test_a_new_address_counts_from_the_next_job(there, brand):
    first = loading.pipeline("restyle-diffusion")
    assert loading.pipeline("restyle-diffusion") is first
    curation.connect(brand, {"url": there.url, "seconds": 5})
    assert loading.pipeline("restyle-diffusion").endpoint.seconds == 5


def test_a_model_of_here_can_be_run_elsewhere_and_here_again(there, package, db):
    folder = package("painter", capability="restyle")
    version = curation.add(folder)
    curation.serve(version)
    curation.connect(version, {"url": there.url})
    assert isinstance(registry.serving("restyle"), endpoints.Elsewhere)
    assert registry.find(version.reference).manifest.reference == version.reference
    assert not list(registry.loras("restyle"))
    curation.connect(version, {})
    assert not isinstance(registry.serving("restyle"), endpoints.Elsewhere)
    said = list(CurationEvent.objects.filter(action="noted").order_by("pk").values_list("text", flat=True))
    assert said == [f"Served at {there.url}.", "Served by the workers here."]


def test_what_endpoints_cannot_do_is_refused(there, package, brand):
    with pytest.raises(BadPackage, match="works here only"):
        curation.connect(curation.add(package("finder", capability="segment")), {"url": there.url})
    with pytest.raises(BadPackage, match="at its endpoint only"):
        curation.connect(brand, {})
    with pytest.raises(BadInput, match="nothing else"):
        curation.add_elsewhere("x", {"url": there.url}, capability="segment")
    ModelVersion.objects.filter(pk=brand.pk).update(manifest={"config": {"also": ["text-mask"]}})
    with pytest.raises(BadPackage, match="cannot be asked for"):
        loading.pipeline("text-mask")


def test_staff_see_where_it_is_served(there, brand, client_of, staff):
    from django.urls import reverse

    page = client_of(staff).get(reverse("model", args=[brand.pk])).content.decode()
    assert f"from elsewhere: {there.url}" in page


def test_a_token_stands_in_the_environment_only(there, brand, monkeypatch, caplog):
    name = "TOILE_ENDPOINT_TOKEN_BRAND"
    curation.connect(brand, {"url": there.url, "token": name})
    with pytest.raises(BadPackage, match=f"{name} is not set"):
        loading.pipeline("restyle-diffusion")
    monkeypatch.setenv(name, "s3wing-kit")
    there.faults = ["500"]
    loading.pipeline("restyle-diffusion")(photo(), middle(), [RestyleRequest("blue", 1, "diffusion")])
    assert there.tokens == ["Bearer s3wing-kit"] * 2
    brand.refresh_from_db()
    assert "s3wing-kit" not in f"{brand.endpoint} {caplog.text}"
    for other in ("TOILE_SECRET_KEY", "PATH", "s3wing-kit"):
        with pytest.raises(BadInput, match="variable"):
            curation.connect(brand, {"url": there.url, "token": other})


@pytest.mark.parametrize(
    "where",
    [
        {},
        [],
        "https://models.example/",
        {"url": "http://models.example/"},
        {"url": "https://models.example/", "sagemaker": "x", "region": "eu-west-1"},
        {"url": "https://models.example/", "mode": "async"},
        {"url": "https://models.example/", "secret": "x"},
        {"url": "https://models.example/", "seconds": -1},
        {"url": "https://models.example/", "seconds": "60"},
        {"url": "https://models.example/", "seconds": True},
        {"url": "https://models.example/", "extras": "no"},
        {"sagemaker": "x"},
        {"sagemaker": "a b", "region": "eu-west-1"},
        {"sagemaker": "x", "region": "evil.example/"},
        {"sagemaker": "x", "region": "eu-west-1", "mode": "batch"},
        {"sagemaker": "x", "region": "eu-west-1", "mode": "async"},
        {"sagemaker": "x", "region": "eu-west-1", "mode": "async", "inputs": "https://bucket/"},
        {"sagemaker": "x", "region": "eu-west-1", "inputs": "s3://bucket/x"},
    ],
    ids=repr,
)
def test_a_place_that_cannot_be_is_refused(where, settings):
    with pytest.raises(BadInput):
        endpoints.Where.parse(where)


def test_the_site_may_trust_hosts(settings):
    settings.ENDPOINT_HOSTS = ["painter.internal"]
    assert endpoints.Where.parse({"url": "http://painter.internal/invocations"}).url


def test_the_commands(there, db, capsys):
    call_command("models", "connect", "brand", "--url", there.url, "--size", "128")
    version = ModelVersion.objects.get()
    assert (version.status, version.endpoint, version.capabilities) == (
        "candidate", {"url": there.url}, ("restyle", "imagine"),
    )  # fmt: skip
    call_command("models", "serve", "brand")
    call_command("models", "connect", "brand", "--sagemaker", "dresses", "--region", "eu-west-1")
    call_command("models", "list")
    call_command("models", "verify", "brand")
    said = capsys.readouterr().out
    assert "is run at dresses of SageMaker in eu-west-1, real-time; it is serving." in said
    assert "dresses" in said
    with pytest.raises(CommandError, match="https only"):
        call_command("models", "connect", "brand", "--url", "http://169.254.169.254/latest")
    with pytest.raises(CommandError, match="at its endpoint only"):
        call_command("models", "disconnect", "brand")
    call_command("models", "withdraw", "brand")
    call_command("models", "remove", "brand")
    assert not ModelVersion.objects.exists()
