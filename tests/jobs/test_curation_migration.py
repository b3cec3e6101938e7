"""Models that were kept before they had a status."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from ml_backend.models import CurationEvent, ModelVersion

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def models_at(name: str):
    return MigrationExecutor(connection).loader.project_state(("ml_backend", name)).apps.get_model


def test_what_served_serves_and_what_was_kept_may(person):
    try:
        call_command("migrate", "ml_backend", "0008", verbosity=0)
        create = models_at("0008_turns_and_sizes")("ml_backend", "ModelVersion").objects.create
        for number, (name, capability, values) in enumerate(
            [
                ("best", "segment", {"serving": True, "default": True, "source": "them/best@0123", "notes": "sharp"}),
                ("other", "segment", {"manifest": {"metrics": {"iou": 0.5, "street_n": 40, "by": {}}}}),
                ("linen", "lora", {"source": "linen.safetensors"}),
                ("dcgan-starter", "generate", {"starter": "dcgan-starter"}),
            ]
        ):
            create(name=name, capability=capability, sha256=f"{number:064x}", **values)
        call_command("migrate", verbosity=0)
        rows = ModelVersion.objects.order_by("sha256")
        assert [(row.status, row.origin, row.default) for row in rows] == [
            ("serving", "hub", True),
            ("candidate", "trained", False),
            ("serving", "uploaded", False),
            ("retired", "starter", False),
        ]
        assert [(row["metric"], row["value"]) for row in rows[1].metrics] == [("iou", 0.5)]
        assert [(event.version, event.text) for event in CurationEvent.objects.all()] == [(rows[0], "sharp")]

        ModelVersion.objects.create(name="own", capability="lora", sha256="f" * 64, owner=person)
        call_command("migrate", "ml_backend", "0008", verbosity=0)
        before = models_at("0008_turns_and_sizes")("ml_backend", "ModelVersion").objects.order_by("sha256")
        assert [(row.name, row.serving, row.default, row.notes) for row in before] == [
            ("best", True, True, "sharp"),
            ("other", False, False, ""),
            ("linen", False, False, ""),
            ("dcgan-starter", False, False, ""),
        ], "what was somebody's own is not everybody's now"
        call_command("migrate", "ml_backend", "0005", verbosity=0)
    finally:
        call_command("migrate", verbosity=0)
    assert [row.name for row in ModelVersion.objects.filter(status="serving", default=True)] == ["best"]
