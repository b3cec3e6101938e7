"""What pages answer to values that are wrong: shortly, and about models that no longer serve."""

from __future__ import annotations

import pytest

from ml_backend.models import Job
from ml_backend.serving import registry
from studio.models import Imagining, Restyle

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/fabrics/", {"pattern_type": "x" * 9000}),
        ("/fabrics/", {"pattern_type": "floral", "palette": "#ffffff," * 2000}),
        ("/fabrics/", {"pattern_type": "floral", "palette": "y" * 110}),
        ("/imagine/ask/", {"prompt": "a dress", "engine": "x" * 9000}),
        ("/imagine/ask/", {"prompt": "a dress", "built": "x" * 9000}),
    ],
)
def test_a_form_does_not_say_a_wrong_value_whole(client, path, data):
    answer = client.post(path, data, headers=HTMX)
    assert answer.status_code == 422
    assert 10 < len(answer.content) < 500
    assert "x" * 100 not in answer.content.decode()
    assert not Job.objects.exists()


def test_a_short_wrong_value_is_said_as_it_is(client):
    answer = client.post("/fabrics/", {"pattern_type": "tartan"}, headers=HTMX)
    assert answer.content.decode() == "Select a valid choice. tartan is not one of the available choices."


def test_the_same_garment_many_times_in_an_address_is_one(client, make_garment):
    make_garment("dress")
    assert client.get("/?" + "garments=dress&" * 300).status_code == 200


def test_a_remix_says_when_its_model_no_longer_serves(client_of, person, make_photo):
    client = client_of(person)
    params = {"prompt": "a dress", "seed": 7, "engine": "fabric"}
    made = {"owner": person, "params": params, "file": "x.png", "thumb": "x.webp", "width": 9, "height": 9}

    def recipe(kind: str, model: str) -> dict[str, object]:
        return {kind: {**params, "model": model}}

    serving = registry.reference("generate")
    for model, said in ((serving, False), ("gone@0123456789ab", True)):
        one = Imagining.objects.create(**made, recipe=recipe("imagine", model))
        other = Restyle.objects.create(**made, recipe=recipe("restyle", model), photo=make_photo(person))
        for page in (f"/imagine/?remix={one.pk}", f"/restyle/?remix={other.pk}"):
            text = client.get(page).content.decode()
            assert (f"{model}, no longer serves; another one makes it now." in text) is said
