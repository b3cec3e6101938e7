"""Two versions answer the same questions; whoever judges does not know which is which."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from django.core.files.storage import default_storage
from django.urls import reverse
from PIL import Image

from ml_backend.errors import BadInput
from ml_backend.models import CurationEvent, Job
from ml_backend.serving import curation, loading, registry
from studio.curation import comparing
from studio.curation.models import ComparedPicture, Comparison, Vote

pytestmark = pytest.mark.django_db


class Painters:
    """Stands in for every pipeline: a plain picture whose colour tells the model, and a list of what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None, object]] = []
        self.breaks_after = 99

    def pipeline(self, name, model=None):
        shade = 40 + 20 * sum(map(ord, model or "default")) % 180

        def one(request):
            if len(self.asked) >= self.breaks_after:
                raise RuntimeError("the brush broke")
            self.asked.append((name, model, request))
            refused = "Not shown." if "forbidden" in getattr(request, "prompt", "") else ""
            return SimpleNamespace(
                image=None if refused else Image.new("RGB", (700, 900), (shade,) * 3), refused=refused
            )

        def paint(*given, should_stop=None):
            return one(given[0]) if name == "generate" else [one(request) for request in given[-1]]

        return paint


@pytest.fixture
def painters(monkeypatch):
    painters = Painters()
    monkeypatch.setattr(loading, "pipeline", painters.pipeline)
    return painters


@pytest.fixture
def pair(kept):
    """Two versions that dream: one that serves and one that might."""
    serving, candidate = kept("old", "generate"), kept("new", "generate")
    curation.promote(serving)
    return serving, candidate


def ask(client, version, **fields):
    body = {"work": "generate", "types": ["floral", "plaid"], "seed": 5, "seeds": 2, **fields}
    return client.post(reverse("model-compare", args=[version.pk]), body)


def looked_at(client, where):
    """What stands on the page, its form's token aside."""
    page = client.get(where).content.decode()
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page[page.index("<main") : page.index("</main>")])


def test_both_get_the_same_words_and_seeds(pair, painters, client_of, staff, work_off):
    old, new = pair
    answer = ask(client_of(staff), new, other=old.reference)
    comparison = Comparison.objects.get()
    assert answer.url == reverse("comparison", args=[comparison.pk])
    work_off()
    assert Job.objects.get().state == "done"
    asked = {
        model: [(request.pattern_type, request.seed) for _, who, request in painters.asked if who == model]
        for model in (old.reference, new.reference)
    }
    assert asked[old.reference] == asked[new.reference] == [("floral", 5), ("floral", 6), ("plaid", 5), ("plaid", 6)]
    assert ComparedPicture.objects.count() == 8
    with default_storage.open(ComparedPicture.objects.first().file.name) as file:
        assert max(Image.open(file).size) == 512
    events = CurationEvent.objects.filter(action="compared", by=staff)
    assert {event.reference for event in events} == {old.reference, new.reference}


def test_one_judges_without_knowing_and_learns_it_after_the_last(pair, painters, client_of, staff, other, work_off):
    old, new = pair
    client = client_of(staff)
    ask(client, new, other=old.reference)
    comparison = Comparison.objects.get()
    work_off()
    where = reverse("comparison", args=[comparison.pk])
    page = looked_at(client, where)
    for told in (old.name + "@", new.name + "@", old.sha256[:12], "one", "other"):
        assert told not in page, told
    assert page == looked_at(client, where), "nor by looking twice"
    shown = re.findall(r'name="q(\d)" value="([0-9a-f-]{36})"', page)
    assert len(shown) == 8
    sides = {str(cell.pk): cell.side for cell in ComparedPicture.objects.all()}
    news = {f"q{number}": pk for number, pk in shown if sides[pk] == "one"}
    client.post(reverse("comparison-vote", args=[comparison.pk]), {**news, "q3": "neither"})
    told = client.get(where).content.decode()
    assert "preferred 3 times" in told
    assert "4 choices by 1 person who did not know" in told
    assert new.reference in told
    client.post(reverse("comparison-vote", args=[comparison.pk]), {"q3": news["q3"]})
    assert comparing.tally(comparison) == comparing.Tally(4, 0, 0, 1), "one may change one's mind"


def test_the_order_is_by_chance_and_of_everybodys_own(pair, painters, client_of, staff, other, work_off):
    old, new = pair
    ask(client_of(staff), new, other=old.reference, types=["floral", "plaid", "dotted", "striped"], seeds=4)
    comparison = Comparison.objects.get()
    work_off()
    mine, theirs = ([pair.first.side for pair in comparing.blind(comparison, who)] for who in (staff, other))
    assert set(mine) == {"one", "other"}
    assert mine != theirs


@pytest.mark.parametrize("chosen", ["other-pair", "00000000-0000-0000-0000-000000000000", "x"])
def test_a_vote_for_what_is_no_answer_counts_nothing(pair, painters, client_of, staff, work_off, chosen):
    old, new = pair
    ask(client_of(staff), new, other=old.reference)
    comparison = Comparison.objects.get()
    work_off()
    if chosen == "other-pair":
        chosen = str(comparison.cells.filter(number=1).first().pk)
    client_of(staff).post(reverse("comparison-vote", args=[comparison.pk]), {"q0": chosen, "q9": "neither"})
    assert not Vote.objects.exists()


def test_garments_of_the_house_are_repainted_and_nobodys_photo(
    kept, painters, client_of, staff, make_garment, work_off
):
    old, new = kept("old", "restyle"), kept("new", "restyle")
    curation.serve(old)
    make_garment("skirt")
    client = client_of(staff)
    where = reverse("model-compare", args=[new.pk])
    assert "nobody’s own photo" in client.get(where + "?work=restyle").content.decode()
    body = {"work": "restyle", "words": "red plaid\n\n forbidden ", "seed": 1, "seeds": 1, "other": old.reference}
    assert "at least one garment" in client.post(where, body).content.decode()
    client.post(where, {**body, "garments": ["skirt"]})
    work_off()
    comparison = Comparison.objects.get()
    assert [(name, request.prompt) for name, _, request in painters.asked] == [
        ("restyle-diffusion", "red plaid"),
        ("restyle-diffusion", "forbidden"),
    ] * 2
    assert sorted(comparison.cells.values_list("number", "refused")) == [
        (0, ""),
        (0, ""),
        (1, "Not shown."),
        (1, "Not shown."),
    ]
    assert "Not shown." in client.get(reverse("comparison", args=[comparison.pk]) + "?sheet").content.decode()


def test_a_lora_is_lent_to_what_serves_and_is_offered_to_nobody(
    kept, painters, client_of, staff, work_off, monkeypatch
):
    monkeypatch.setattr(registry, "serves", lambda capability: True)
    lora = kept("linen", "lora", status="draft")
    seen = []
    real = painters.pipeline

    def pipeline(name, model=None):
        seen.append((name, model, dict.fromkeys(registry.Loras(None), True)))
        return real(name, model)

    monkeypatch.setattr(loading, "pipeline", pipeline)
    body = {"work": "imagine", "words": "a linen shirt", "seed": 1, "seeds": 1, "other": ""}
    client_of(staff).post(reverse("model-compare", args=[lora.pk]), body)
    work_off()
    assert seen == [("imagine-diffusion", None, {"linen": True}), ("imagine-diffusion", None, {})]
    assert [request.loras for *_, request in painters.asked] == [("linen",), ()]
    assert "linen" not in registry.Loras(None)


def test_a_job_that_is_tried_again_makes_only_what_is_missing(pair, painters, client_of, staff, work_off):
    old, new = pair
    client = client_of(staff)
    ask(client, new, other=old.reference)
    painters.breaks_after = 3
    work_off()
    job = Job.objects.get()
    assert (job.state, ComparedPicture.objects.count()) == ("failed", 3)
    painters.breaks_after = 99
    client.post(reverse("job-retry", args=[job.pk]))
    work_off()
    assert (ComparedPicture.objects.count(), len(painters.asked)) == (8, 8)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"types": []}, "a line for each question"),
        ({"types": ["tartanic"]}, "tartanic"),
        ({"seeds": 9}, "4"),
        ({"seed": -1}, "0"),
        ({"other": "nobody@000000000000"}, "cannot be compared"),
        ({"other": ""}, "cannot be compared"),
        (
            {"types": ["floral"] * 3 + ["plaid", "dotted", "striped", "zigzag", "animal", "paisley"], "seeds": 4},
            "at most 48",
        ),
    ],
)
def test_what_cannot_be_asked_is_said(pair, client_of, staff, fields, why):
    old, new = pair
    answer = ask(client_of(staff), new, **{"other": old.reference, **fields})
    assert answer.status_code == 422
    assert why in answer.content.decode()
    assert not Comparison.objects.exists()
    assert not Job.objects.exists()


def test_a_comparison_that_is_deleted_takes_its_work_and_pictures(pair, painters, client_of, staff, work_off, tmp_path):
    old, new = pair
    client = client_of(staff)
    ask(client, new, other=old.reference)
    comparison = Comparison.objects.get()
    client.post(reverse("comparison-delete", args=[comparison.pk]))
    assert Job.objects.get().state == "cancelled"
    assert not Comparison.objects.exists()
    work_off()
    assert painters.asked == []


def test_what_makes_no_picture_for_words_is_not_compared(kept, client_of, staff):
    cloth = kept("cloth", "segment")
    assert comparing.works_of(cloth) == []
    assert client_of(staff).get(reverse("model-compare", args=[cloth.pk])).status_code == 404
    with pytest.raises(BadInput, match="cannot be compared"):
        comparing.compare(staff, cloth, "", "segment", comparing.Asked(("x",), (1,)))
