"""What was made before opens as before."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from studio.photos.models import Mask


@pytest.mark.django_db(transaction=True)
def test_a_masks_words_survive_into_its_request(person, make_photo):
    kept = Mask.objects.create(owner=person, photo=make_photo(person), params={"prompt": "the dress"}, origin="words")
    drawn = Mask.objects.create(owner=person, photo=kept.photo, origin="brush")
    try:
        call_command("migrate", "studio", "0007", verbosity=0)
        before = (
            MigrationExecutor(connection).loader.project_state(("studio", "0007_taps")).apps.get_model("studio", "Mask")
        )
        assert before.objects.get(pk=kept.pk).words == "the dress"
        before.objects.filter(pk=kept.pk).update(params={}, words="the skirt")
    finally:
        call_command("migrate", verbosity=0)
    assert Mask.objects.get(pk=kept.pk).request.prompt == Mask.objects.get(pk=kept.pk).words == "the skirt"
    assert (Mask.objects.get(pk=drawn.pk).words, Mask.objects.get(pk=drawn.pk).request) == ("", None)
