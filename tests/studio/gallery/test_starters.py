"""What a fresh installation shows, loaded once."""

from __future__ import annotations

import io
import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.test import TestCase
from PIL import Image

from ml_backend.errors import BadPackage
from ml_backend.requests import PATTERN_TYPES
from ml_backend.serving import loading, registry
from patterns.models import Pattern
from studio.account.models import User
from studio.gallery import starters
from studio.photos import fitting
from studio.photos.models import Garment

pytestmark = pytest.mark.django_db


@pytest.fixture
def atelier(tmp_path, picture):
    folder = tmp_path / "garments" / "tea-towel"
    folder.mkdir(parents=True)
    (folder / "photo.webp").write_bytes(picture(120, 160, "WEBP"))
    mask = np.zeros((160, 120), np.uint8)
    mask[20:140, 20:100] = 255
    Image.fromarray(mask).save(folder / "mask.png")
    Image.fromarray((mask > 0).astype(np.uint8) * 6).save(folder / "labels.png")
    (folder / "meta.json").write_text(json.dumps({"name": "Tea towel", "order": 3, "alt": "A towel", "px_per_cm": 7.5}))
    (tmp_path / "garments" / "render").mkdir()
    return tmp_path / "garments"


def test_a_dozen_garments_lie_ready_to_be_loaded_from_both_sides():
    ready = {meta.parent.name for meta in starters.GARMENTS.glob("*/meta.json")}
    fronts = {name for name in ready if not name.endswith("-back")}
    assert {"dress", "hoodie", "shirt", "skirt", "t-shirt", "trousers"} <= fronts
    assert len(fronts) >= 12 and ready == fronts | {f"{name}-back" for name in fronts}


def test_a_back_is_another_side_of_the_same_garment(atelier):
    front, back = atelier / "tea-towel", atelier / "tea-towel-back"
    shutil.copytree(front, back)
    about = {"name": "Tea towel, back", "cut": "tea-towel", "side": "back", "wearer": "men", "order": 3}
    (back / "meta.json").write_text(json.dumps(about))
    assert starters.load_garments(atelier) == 2
    one, other = Garment.objects.order_by("slug")
    assert (one.cut, one.side, one.wearer, one.is_back, one.turned) == (
        *("tea-towel", "front", "everybody", False, "tea-towel-back"),
    )
    assert (other.cut, other.side, other.wearer, other.is_back, other.turned) == (
        *("tea-towel", "back", "men", True, "tea-towel"),
    )
    assert list(Garment.objects.fronts()) == [one]


def test_garments_are_loaded_once_and_again_when_they_change(atelier, tmp_path):
    assert starters.load_garments(atelier) == 1
    garment = Garment.objects.get()
    assert (garment.slug, garment.name, garment.order, garment.classes) == ("tea-towel", "Tea towel", 3, ["other"])
    assert (garment.width, garment.height, garment.alt) == (120, 160, "A towel")
    assert garment.fit["px_per_cm"] == garment.fit["full_px_per_cm"] == 7.5
    fitting._fits.clear()
    assert fitting.fitted(garment)[1].px_per_cm == 7.5, "a look is rendered by the known scale too"
    assert garment.preview()["preview_mask"] == "/files/garments/tea-towel/preview_mask"
    assert starters.load_garments(atelier) == 0
    (atelier / "tea-towel" / "meta.json").write_text(json.dumps({"name": "Dish towel", "order": 1}))
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert starters.load_garments(atelier) == 1
    changed = Garment.objects.get()
    assert (changed.pk, changed.name) == (garment.pk, "Dish towel")
    files = [path for path in (tmp_path / "files").rglob("*") if path.is_file()]
    assert len(files) == len(Garment.file_fields), "the files it had before are gone"


def test_samples_are_public_made_once_and_nobody_signs_in_as_their_owner(tmp_path):
    listed = [
        {"pattern_type": "striped", "seed": 1, "engine": "drawn", "size": 64},
        {"pattern_type": "dotted", "seed": 2, "engine": "drawn", "size": 64, "palette": "Riviera"},
    ]
    path = tmp_path / "samples.json"
    path.write_text(json.dumps(listed))
    assert starters.load_samples(path) == 2
    assert starters.load_samples(path) == 0
    house = User.objects.get(username="toile")
    assert not house.is_active
    assert not house.has_usable_password()
    assert Pattern.objects.public().count() == 2
    newest = Pattern.objects.first()
    with default_storage.open(str(newest.tile)) as file, Image.open(io.BytesIO(file.read())) as tile:
        assert tile.size == (64, 64)


def test_dreamed_samples_wait_for_a_model_and_follow_it(tmp_path, monkeypatch):
    path = tmp_path / "samples.json"
    path.write_text(json.dumps([{"pattern_type": "plaid", "seed": 1, "engine": "dreamed", "size": 64}]))
    drawn = loading.pipeline("draw")

    class Dreamer:
        model = "one@1"

        def __call__(self, request):
            from dataclasses import replace

            return replace(drawn(replace(request, engine="drawn")), model=self.model)

    def none(capability):
        raise BadPackage("no model")

    dreamer = Dreamer()
    monkeypatch.setattr(loading, "pipeline", lambda name: dreamer)
    monkeypatch.setattr(registry, "serving", none)
    assert starters.load_samples(path) == 0
    for model in ("one@1", "two@2"):
        dreamer.model = model
        serving = SimpleNamespace(manifest=SimpleNamespace(reference=model))
        monkeypatch.setattr(registry, "serving", lambda capability, serving=serving: serving)
        assert starters.load_samples(path) == 1
        assert Pattern.objects.get().model == model
        assert starters.load_samples(path) == 0


def test_the_listed_samples_show_every_type():
    listed = json.loads(starters.SAMPLES.read_text())
    assert {entry["pattern_type"] for entry in listed} == set(PATTERN_TYPES)
    keys = [(entry["pattern_type"], entry["seed"], entry["engine"]) for entry in listed]
    assert len(keys) == len(set(keys))
