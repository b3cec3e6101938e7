"""What every made thing has: one meaning of its state, and an end that takes files and work along."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from ml_backend.models import Job
from patterns.made import Made, Published
from patterns.models import Pattern
from studio.cloth.models import ClothPhoto
from studio.imagine.models import Imagining
from studio.looks.models import Look
from studio.photos.models import Garment, Mask, Photo
from studio.restyle.models import Restyle

pytestmark = pytest.mark.django_db


def job_of(person, state: str) -> Job:
    return Job.objects.create(owner=person, turn=person.turn, kind="any", state=state)


def every_kind(person, **values) -> list[Made]:
    """One of each, of the same job, with nothing made yet."""
    photo = Photo.objects.create(owner=person, image="x.jpg", width=9, height=9, **values)
    mask = Mask.objects.create(owner=person, photo=photo, origin="brush", **values)
    return [
        photo,
        mask,
        Pattern.objects.create(owner=person, pattern_type="floral", seed=1, engine="drawn", **values),
        Look.objects.create(owner=person, photo=photo, **values),
        Restyle.objects.create(owner=person, photo=photo, mask=mask, **values),
        Imagining.objects.create(owner=person, **values),
        ClothPhoto.objects.create(owner=person, width=9, height=9, **values),
    ]


def concrete(model: type[Made]) -> set[type[Made]]:
    below = {one for sub in model.__subclasses__() for one in concrete(sub)}
    return below if model._meta.abstract else {model, *below}


def test_every_kind_is_looked_at(person):
    assert {type(made) for made in every_kind(person)} == concrete(Made)


@pytest.mark.parametrize(
    ("job", "state"),
    [
        ("queued", "queued"),
        ("running", "running"),
        ("failed", "failed"),
        ("cancelled", "cancelled"),
        ("done", "failed"),
        (None, "failed"),
    ],
)
def test_state_means_the_same_of_everything(person, job, state):
    asked = job_of(person, job) if job else None
    for made in every_kind(person, job=asked):
        assert (made.state, made.ready) == (state, False), made
        setattr(made, made.main_file, "made.png")
        assert (made.state, made.ready) == ("done", True), made


def test_only_ones_own_and_what_is_published_is_seen(person, other):
    for made in every_kind(person):
        rows = type(made).objects
        assert not rows.visible_to(other).exists(), made
        rows.filter(pk=made.pk).update(**{made.main_file: "made.png"})
        if isinstance(made, Published):
            made.refresh_from_db()
            made.publish(True)
            assert rows.visible_to(other).get() == rows.public().get() == made
            made.publish(False)
        assert not rows.visible_to(other).exists(), made
        assert rows.visible_to(person).get() == rows.of(person).get() == rows.all().ready().get() == made


@pytest.mark.django_db(transaction=True)
def test_deleting_takes_files_and_work_along(person):
    for made in reversed(every_kind(person)):
        job = job_of(person, "queued")
        key = default_storage.save(f"{made.folder}/made.png", ContentFile(b"made"))
        type(made).objects.filter(pk=made.pk).update(job=job, **{made.file_fields[0]: key})
        type(made).objects.get(pk=made.pk).delete()
        job.refresh_from_db()
        assert (job.state, default_storage.exists(key)) == ("cancelled", False), made


@pytest.mark.django_db(transaction=True)
def test_a_garment_takes_its_files_along():
    key = default_storage.save("garments/cape/cape.png", ContentFile(b"cape"))
    Garment.objects.create(slug="cape", name="Cape", image=key, width=9, height=9).delete()
    assert not default_storage.exists(key)
