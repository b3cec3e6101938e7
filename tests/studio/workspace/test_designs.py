"""Designs that have names, in the studio: chosen, drawn, said when they cannot be, and there again after a refresh."""

from __future__ import annotations

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from patterns.models import Pattern

pytestmark = pytest.mark.django_db

NEW = {"pattern_type": "plaid", "subtype": "houndstooth", "engine": "dreamed", "count": 1, "seed": 5}


def test_a_named_design_is_asked_for_and_drawn(client_of, person):
    assert client_of(person).post(reverse("fabric-new"), NEW).status_code == 302
    row = Pattern.objects.get()
    assert (row.pattern_type, row.subtype, row.engine, row.model) == ("plaid", "houndstooth", "drawn", "")
    assert row.request.subtype == "houndstooth"
    assert str(row) == "houndstooth 5"
    assert "toile-houndstooth-5" in row.file_title("tile")


def test_a_visitor_may_too_and_more_of_the_type_without_a_name(client):
    client.post(reverse("fabric-new"), {**NEW, "subtype": ""})
    assert (Pattern.objects.get().subtype, Pattern.objects.get().engine) == ("", "dreamed")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"pattern_type": "floral"}, "A houndstooth is one of the plaid fabrics, not of the floral ones."),
        ({"subtype": "sequins"}, "sequins"),
    ],
)
def test_a_design_that_cannot_be_is_said(client_of, person, changes, sentence):
    response = client_of(person).post(reverse("fabric-new"), {**NEW, **changes})
    said = " ".join(str(message) for message in get_messages(response.wsgi_request)) + response.content.decode()
    assert sentence in said
    assert not Pattern.objects.exists()


def test_the_page_offers_the_designs_of_every_type_and_keeps_the_chosen_one(client_of, person, make_pattern):
    row = make_pattern(person, pattern_type="plaid", engine="drawn", subtype="glen-check")
    page = client_of(person).get("/", {"pattern": row.pk}).content.decode()
    assert '<option value="glen-check" selected>glen check</option>' in page
    assert '<option value="leopard">leopard</option>' in page
    assert "Glen check" in page
    other = client_of(person).get("/", {"pattern": row.pk, "type": "floral"})
    assert other.context["chosen_subtype"] == ""


def test_its_page_tells_the_command_that_makes_it_again(client_of, person, make_pattern):
    row = make_pattern(person, pattern_type="plaid", engine="drawn", subtype="glen-check")
    assert (
        "--type plaid --subtype glen-check" in client_of(person).get(reverse("pattern", args=[row.pk])).content.decode()
    )


def test_more_like_it_keeps_to_the_design(client_of, person, make_pattern):
    row = make_pattern(person, pattern_type="plaid", engine="drawn", subtype="argyle")
    client_of(person).post(reverse("fabric-new"), {"pattern_type": "plaid", "like": row.pk, "count": 2})
    assert {one.subtype for one in Pattern.objects.all()} == {"argyle"}
