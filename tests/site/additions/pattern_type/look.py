"""Run in a copy of the project that holds one file more: prints as JSON where the new pattern type is found."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import Any

NEW = "wreathed"

os.environ["DJANGO_SETTINGS_MODULE"] = "fashion_site.settings"
sys.path.insert(0, str(Path.cwd()))


def pages() -> dict[str, Any]:
    """What a person and a program see; no torch may be loaded for it."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.test import Client
    from django.urls import reverse
    from PIL import Image

    from patterns.models import Pattern

    unwritten = io.StringIO()
    call_command("makemigrations", check_changes=False, dry_run=True, stdout=unwritten)
    call_command("migrate", verbosity=0)
    visitor = Client(headers={"host": "localhost"})
    picture = visitor.get(reverse("type-picture", args=[NEW, 128]))
    made = visitor.post(reverse("fabric-new"), {"pattern_type": NEW, "engine": "drawn"})
    return {
        "migrations": unwritten.getvalue(),
        "studio": f'value="{NEW}"' in visitor.get("/").content.decode(),
        "gallery": f"type={NEW}" in visitor.get("/gallery/").content.decode(),
        "api": f'"{NEW}"' in visitor.get(reverse("api:openapi-json")).content.decode(),
        "picture": Image.open(io.BytesIO(picture.content)).size,
        "made": [made.status_code, *{(row.pattern_type, row.engine) for row in Pattern.objects.all()}],
        "torch": "torch" in sys.modules,
    }


def words() -> dict[str, Any]:
    import numpy as np

    from ml_backend.training.data.captioned import Words
    from ml_backend.training.data.captions import caption
    from ml_backend.words.palettes import median_name, palette_of
    from ml_backend.words.reading import read

    reading = read("a tossed wreaths dress in red")
    rng = np.random.default_rng(0)
    said = {caption(Words("dress", ("red",), NEW), rng) for _ in range(100)}
    palette = palette_of(reading, 1)
    return {
        "read": reading.pattern,
        "not_understood": reading.unknown,
        "colour": median_name(palette, (0.7, 0.2, 0.1, 0.0, 0.0)),
        "captions": sorted(said),
    }


def networks(folder: Path) -> dict[str, Any]:
    """Networks that learned ten types, and ones that learned the eleventh too."""
    import torch

    from ml_backend.errors import BadInput
    from ml_backend.evaluation.generators import generator_quality
    from ml_backend.evaluation.patterns import classifier_accuracy
    from ml_backend.networks.classifier import ClassifierConfig, PatternClassifier
    from ml_backend.networks.dcgan import DCGANConfig, Generator
    from ml_backend.packaging import Package, save_package
    from ml_backend.pipelines.generate import GeneratePipeline
    from ml_backend.requests import GenerateRequest

    torch.manual_seed(0)

    def judge(classes: int) -> Package:
        config = ClassifierConfig(classes=classes, maps=(4, 8))
        state = PatternClassifier(config).state_dict()
        given = {"name": "judge", "capability": "classify", "architecture": "classifier"}
        return save_package(folder / f"judge-{classes}", **given, config=config, state_dict=state)

    def dreamer(classes: int) -> Package:
        config = DCGANConfig(size=64, latent=8, embedding=4, maps=4, classes=classes)
        given = {"name": "dreamer", "capability": "generate", "architecture": "dcgan"}
        return save_package(
            folder / f"dreamer-{classes}", **given, config=config, state_dict=Generator(config).state_dict()
        )

    def refused(request: GenerateRequest) -> str:
        try:
            GeneratePipeline(dreamer(10))(request)
        except BadInput as error:
            return str(error)
        return ""

    asked = GenerateRequest(NEW, 1, size=64)
    morph = GenerateRequest("floral", 1, size=64, morph_to=2, morph_type=NEW, morph_amount=0.5)
    return {
        "dreamed": GeneratePipeline(dreamer(11))(asked).image.size,
        "refused": refused(asked),
        "refused_morph": refused(morph),
        "accuracy": list(classifier_accuracy(judge(11), range(2))),
        "accuracy_of_ten": list(classifier_accuracy(judge(10), range(2))),
        "quality_of_ten": list(generator_quality(dreamer(10), judge(11), 2)),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps({**pages(), **words(), **networks(Path("networks"))}))
