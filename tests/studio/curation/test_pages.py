"""Staff's pages of the models: for staff alone, in every state of a model, and what a card or a log may not do."""

from __future__ import annotations

import pytest
from django.urls import reverse

from ml_backend.models import CurationEvent, Job, ModelVersion, TrainingRun
from ml_backend.serving import curation, registry
from studio.curation import cards
from studio.curation.models import ComparedPicture, Comparison, ModelUpload

pytestmark = pytest.mark.django_db

Status = ModelVersion.Status
HOSTILE = """---
licence: nobody's
---
# Title <script>alert(1)</script>
<img src=x onerror=alert(2)> [here](javascript:alert(3)) [there](/accounts/sign-out/) ![spy](https://spy.example/x.png)

| a | b |
| - | - |
| <b>1</b> | [web](https://example.org) |
"""


def addresses(version: ModelVersion) -> dict[str, tuple[str, dict[str, str]]]:
    """Every address of the room: its method, and a body that it takes."""
    owner = version.events.first().by
    comparison = Comparison.objects.create(
        one=version.reference, work="generate", params={"words": ["x"], "seeds": [1]}
    )
    cell = ComparedPicture.objects.create(comparison=comparison, number=0, side="one")
    upload = ModelUpload.objects.create(owner=owner, name="a.safetensors", size=9)
    key = [version.pk]
    posts = {
        reverse("model-promote", args=key): {},
        reverse("model-default", args=key): {},
        reverse("model-retire", args=key): {},
        reverse("model-remove", args=key): {},
        reverse("model-note", args=key): {"text": "good"},
        reverse("starter-serve", args=["xgan-starter"]): {},
        reverse("models-roll-back", args=["segment"]): {},
        reverse("model-upload-begin"): {"name": "a.safetensors", "size": "9"},
        reverse("model-upload-part", args=[upload.pk]): {"offset": "0"},
        reverse("model-upload-delete", args=[upload.pk]): {},
        reverse("comparison-vote", args=[comparison.pk]): {"q0": "neither"},
        reverse("comparison-delete", args=[comparison.pk]): {},
        reverse("model-compare", args=key): {"work": "generate"},
    }
    reads = [
        reverse("models"),
        reverse("models-figures"),
        reverse("model", args=key),
        reverse("model-sample", args=[version.pk, 0]),
        reverse("model-compare", args=key),
        reverse("starter", args=["unet-starter"]),
        reverse("models-log"),
        reverse("model-upload"),
        reverse("model-upload-status", args=[upload.pk]),
        reverse("comparisons"),
        reverse("comparison", args=[comparison.pk]),
        reverse("compared-picture", args=[cell.pk]),
    ]
    return {address: ("get", {}) for address in reads} | {address: ("post", body) for address, body in posts.items()}


@pytest.fixture
def version(kept, staff, picture):
    return kept(
        "florals", "generate", card=HOSTILE, samples={"a.png": picture(8, 8, "PNG"), "b.html": b"<p>"}, by=staff
    )


@pytest.mark.parametrize("who", ["outsider", "guest", "nobody"])
def test_for_anybody_but_staff_there_are_no_such_pages(who, version, client_of, person, make_person):
    client = client_of({"outsider": person, "guest": make_person(is_guest=True), "nobody": None}[who])
    before = list(CurationEvent.objects.all())
    for address, (method, body) in addresses(version).items():
        assert getattr(client, method)(address, body).status_code == 404, address
        assert client.head(address).status_code in (404, 405), address
    assert list(CurationEvent.objects.all()) == before
    assert ModelVersion.objects.get(pk=version.pk).status == "candidate"
    assert "Workshop" not in client.get("/account/").content.decode()


def test_what_changes_something_is_only_posted(version, client_of, staff):
    client = client_of(staff)
    for address, (method, _) in addresses(version).items():
        if method == "post" and address != reverse("model-compare", args=[version.pk]):
            assert client.get(address).status_code == 405, address
    assert ModelVersion.objects.get(pk=version.pk).status == "candidate"


def test_a_member_of_staff_without_more_rights_curates(make_person, version, client_of):
    client = client_of(make_person(is_staff=True))
    for address, (method, _) in addresses(version).items():
        if method == "get" and "pictures" not in address:
            assert client.get(address).status_code in (200, 404 if "/add/" in address else 200), address
    page = client.get("/account/").content.decode()
    assert f'href="{reverse("models")}"' in page


# --- all of them ------------------------------------------------------------------------------------------------------


def test_every_capability_has_a_shelf_and_the_default_is_marked(kept, client_of, staff):
    first, second = kept("first"), kept("second", status=Status.DRAFT)
    curation.serve(first)
    page = client_of(staff).get(reverse("models"))
    shelves = {shelf.capability: shelf for shelf in page.context["shelves"]}
    assert set(shelves) == set(registry.CAPABILITIES)
    cloth = shelves["segment"]
    assert [one.name for one in cloth.versions] == ["first", "second", "unet-starter"]
    assert (cloth.serves, cloth.can_roll_back) == (first.reference, True)
    assert [one.status for one in cloth.versions] == ["serving", "draft", "retired"]
    html = page.content.decode()
    assert html.count("is-default") == sum(bool(shelf.serves) for shelf in shelves.values())
    assert reverse("model", args=[second.pk]) in html
    assert reverse("starter", args=["unet-starter"]) in html


def test_a_starter_that_nobody_chose_has_a_page_and_can_serve_again(kept, client_of, staff):
    client = client_of(staff)
    address = reverse("starter", args=["unet-starter"])
    assert "serves because nobody chose another" in client.get(address).content.decode()
    curation.serve(kept("cloth"))
    assert "Let it serve" in client.get(address).content.decode()
    client.post(reverse("starter-serve", args=["unet-starter"]))
    assert registry.serving("segment").manifest.name == "unet-starter"
    assert client.get(reverse("starter", args=["nobody"])).status_code == 404


# --- one version ------------------------------------------------------------------------------------------------------


def test_a_hostile_card_is_only_text(version, client_of, staff):
    page = client_of(staff).get(reverse("model", args=[version.pk])).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "onerror=alert(2)&gt;" in page
    assert "licence: nobody" not in page
    for bad in ("javascript:", "<img src=x", 'src="https://spy', 'href="/accounts/sign-out/"'):
        assert bad not in page.replace("[here](javascript:alert(3))", "")
    assert '<a href="https://example.org" rel="nofollow noopener noreferrer">web</a>' in page
    assert "<h3>Title" in page, "below the page's own headings"


def test_a_table_without_a_head_has_no_empty_one():
    html = cards.rendered("| | b |\n| - | - |\n| 1 | 2 |\n")
    assert "<th></th>" not in html
    assert html.count("<td>") == html.count("</td>") == 3
    assert "<th>b</th>" in html


@pytest.mark.parametrize("card", ["", "x" * 300_000, "[" * 50_000, "> " * 20_000, "*a **b " * 10_000, "\0\x07"])
def test_no_card_is_too_much(card):
    assert len(cards.rendered(card)) < 10 * cards.MOST


def test_its_samples_are_pictures_and_nothing_else(version, client_of, staff):
    client = client_of(staff)
    answer = client.get(reverse("model-sample", args=[version.pk, 0]))
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert client.get(reverse("model-sample", args=[version.pk, 1])).status_code == 404
    assert version.manifest["samples"] == ["a.png"]


def test_the_run_that_made_it_is_drawn_and_named(version, client_of, staff):
    curve = [{"step": step, "loss": 1 / step} for step in range(1, 101)]
    run = TrainingRun.objects.create(recipe="lora", config={"steps": 100}, curve=curve)
    ModelVersion.objects.filter(pk=version.pk).update(recipe={"run": run.pk})
    page = client_of(staff).get(reverse("model", args=[version.pk])).content.decode()
    assert 'role="img" aria-label="Loss from 1 to 0.01 over 100 steps"' in page
    assert page.count("<polyline") == 1
    assert reverse("training-run", args=[run.pk]) in page


def test_figures_stand_beside_those_of_parent_and_default(kept, client_of, staff):
    parent = kept("parent")
    curation.serve(kept("best"))
    rows = [
        {
            "metric": "kid",
            "value": 0.0123,
            "deviation": 0.002,
            "n": 400,
            "features": "classifier",
            "data": "",
            "command": "",
        },
        {
            "metric": "kid",
            "value": 0.5,
            "deviation": None,
            "n": 400,
            "features": "inception",
            "data": "",
            "command": "",
        },
    ]
    child = kept(
        "child", descent=curation.Descent(parent=parent, metrics=rows, data_name="spring", data_sha256="ab" * 32)
    )
    page = client_of(staff).get(reverse("model", args=[child.pk]))
    beside = page.context["beside"]
    assert [one.name for one in beside["versions"]] == ["child", "parent", "best"]
    table = {row.metric: [figure and figure.value for figure in row.figures] for row in beside["rows"]}
    assert table == {
        "kid (classifier)": ["0.0123", None, None],
        "kid (inception)": ["0.5", None, None],
        "iou": [None, "0.5", "0.5"],
    }
    html = page.content.decode()
    assert "± 0.002, n 400" in html
    assert "spring" in html
    chosen = client_of(staff).get(
        reverse("models-figures"), {"of": [child.pk, parent.pk, "unet-starter", "nobody", "9" * 30]}
    )
    assert [one.name for one in chosen.context["versions"]] == ["child", "parent", "unet-starter"]


# --- moving on --------------------------------------------------------------------------------------------------------


def said(answer):
    return [str(message) for message in answer.context["messages"]]


def test_promote_retire_and_roll_back_by_one_press_each(kept, client_of, staff):
    client = client_of(staff)
    first, second = kept("first", status=Status.DRAFT), kept("second")

    def press(name, version):
        return said(client.post(reverse(name, args=[version.pk]), follow=True))

    assert press("model-promote", first) == ["first is candidate now. Workers know with their next job."]
    press("model-promote", first)
    assert registry.reference("segment") == first.reference
    press("model-promote", second)
    assert registry.reference("segment") == second.reference
    back = reverse("models-roll-back", args=["segment"])
    assert "serves again" in said(client.post(back, {"seen": second.reference}, follow=True))[0]
    assert registry.reference("segment") == first.reference
    assert "Meanwhile first@" in said(client.post(back, {"seen": second.reference}, follow=True))[0], "pressed twice"
    assert registry.reference("segment") == first.reference
    press("model-retire", first)
    assert registry.serving("segment").manifest.name == "unet-starter"
    assert {event.by for event in CurationEvent.objects.exclude(action="added")} == {staff}


def test_what_cannot_be_is_said_and_changes_nothing(kept, client_of, staff):
    client = client_of(staff)
    draft, lora = kept("draft", status=Status.DRAFT), kept("linen", "lora")
    assert "make a candidate of it" in said(client.post(reverse("model-default", args=[draft.pk]), follow=True))[0]
    assert "is a LoRA" in said(client.post(reverse("model-default", args=[lora.pk]), follow=True))[0]
    assert "never changed" in said(client.post(reverse("models-roll-back", args=["segment"]), follow=True))[0]
    assert client.post(reverse("models-roll-back", args=["lora"])).status_code == 404
    curation.serve(served := kept("served"))
    assert "let another serve" in said(client.post(reverse("model-remove", args=[served.pk]), follow=True))[0]
    client.post(reverse("model-remove", args=[draft.pk]))
    assert not ModelVersion.objects.filter(pk=draft.pk).exists()
    assert client.post(reverse("model-promote", args=[draft.pk])).status_code == 404


def test_a_note_is_kept_as_text_and_the_log_tells_it(version, client_of, staff):
    client, where = client_of(staff), reverse("model-note", args=[version.pk])
    client.post(where, {"text": "Sharper <b>edges</b>\nbut fewer colours"})
    assert "Write a word or two" in said(client.post(where, {"text": " "}, follow=True))[-1]
    assert "2000" in said(client.post(where, {"text": "x" * 2001}, follow=True))[0]
    for address in (reverse("model", args=[version.pk]), reverse("models-log"), reverse("models-log") + "?of=generate"):
        assert "Sharper &lt;b&gt;edges&lt;/b&gt;<br>but fewer colours" in client.get(address).content.decode()
    assert "Sharper" not in client.get(reverse("models-log") + "?of=segment").content.decode()
    version.delete()
    page = client.get(reverse("models-log")).content.decode()
    assert version.reference in page
    assert "staff" in page


def test_no_page_or_admin_changes_the_log(version, client_of, staff):
    client, event = client_of(staff), CurationEvent.objects.first()
    assert client.get(f"/admin/ml_backend/curationevent/{event.pk}/change/").status_code == 200
    assert client.post(f"/admin/ml_backend/curationevent/{event.pk}/change/", {"text": "other"}).status_code == 403
    assert client.post(f"/admin/ml_backend/curationevent/{event.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get("/admin/ml_backend/curationevent/add/").status_code == 403
    assert CurationEvent.objects.get(pk=event.pk).text == event.text


def test_a_version_tells_how_many_jobs_ran_with_it_and_not_whose(version, person, client_of, staff):
    Job.objects.create(owner=person, turn="ana", kind="generate", version=f"srgan@0\n{version.reference}")
    Job.objects.create(owner=person, turn="ana", kind="generate", version="srgan@0")
    page = client_of(staff).get(reverse("model", args=[version.pk])).content.decode()
    assert "1 job of the last 30 days" in page
    assert "ana" not in page[page.index("<main") :].replace("manage", "")


def test_many_figures_are_folded_away(kept, client_of, staff):
    rows = [{"metric": f"metric {number}", "value": number / 7} for number in range(20)]
    version = kept("cloth", descent=curation.Descent(metrics=rows))
    beside = client_of(staff).get(reverse("model", args=[version.pk])).context["beside"]
    assert (len(beside["first"]), len(beside["more"])) == (12, len(beside["rows"]) - 12)
    assert beside["rows"][1].figures[0].value == "0.1429"
