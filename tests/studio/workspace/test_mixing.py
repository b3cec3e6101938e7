"""The drawer in which two fabrics become one, and the choice of the model: what owner, outsider and visitor may do."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from ml_backend.inks import fit_palette, palette_from_seed
from ml_backend.models import Job
from ml_backend.serving import registry
from patterns.models import Pattern
from studio.account.models import User

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
MAKE = "/fabrics/mix/make/"
COLOURS = ["#101820", "#f2aa4c", "#335577", "#ffffff"]


@pytest.fixture
def dreamed(make_pattern, person):
    model = registry.reference("generate")

    def make(owner=None, **fields):
        return make_pattern(
            owner or person, **{"engine": "dreamed", "model": model, "pattern_type": "floral", "seed": 7, **fields}
        )

    return make


@pytest.fixture
def two(dreamed):
    return dreamed(seed=7), dreamed(seed=12, pattern_type="plaid", palette=COLOURS)


@pytest.fixture
def offers(monkeypatch):
    """Two models serve: the real starter and one more."""
    real = registry.Offer(registry.reference("generate"), "dcgan-starter", True)
    both = [real, registry.Offer("meadow-gan@0123456789ab", "meadow-gan", False)]
    monkeypatch.setattr(registry, "offered", lambda capability: both)
    return [offer.reference for offer in both]


def values(one, other, **fields):
    return {"of": one.pk, "with": other.pk, "move": "blend", **fields}


class TestMaking:
    def test_a_blend_is_queued_with_both_its_halves(self, client_of, person, two):
        one, other = two
        answer = client_of(person).post(MAKE, values(one, other, amount="0.3"), headers=HTMX)
        made = Pattern.objects.get(morph_to=12)
        assert f'data-follow="{made.pk}"' in answer.content.decode()
        assert (made.seed, made.morph_amount, made.morph_type, made.model) == (7, 0.3, "plaid", one.model)
        assert (made.parent, made.partner, made.owner) == (one, other, person)

    def test_five_steps_are_five_fabrics(self, client_of, person, two):
        answer = client_of(person).post(MAKE, values(*two, steps=5), headers=HTMX)
        made = Pattern.objects.filter(morph_to=12).order_by("created_at")
        assert [row.morph_amount for row in made] == [0.17, 0.33, 0.5, 0.67, 0.83]
        assert answer.content.decode().count("data-follow=") == 5

    def test_its_drawing_keeps_the_layout(self, client_of, person, dreamed):
        one, other = dreamed(seed=7), dreamed(seed=9)
        client_of(person).post(MAKE, values(one, other, move="drawing"))
        made = Pattern.objects.get(detail_of=9)
        assert (made.seed, made.palette, made.partner) == (7, one.palette, other)

    def test_its_colours_are_there_at_once_and_only_once(self, client_of, person, two, make_pattern):
        one, other = make_pattern(person, pattern_type="dotted"), two[1]
        client = client_of(person)
        for _ in range(2):
            answer = client.post(MAKE, values(one, other, move="colours"), headers=HTMX)
            assert "data-pattern=" in answer.content.decode()
        made = Pattern.objects.get(parent=one)
        assert (made.state, made.partner, tuple(made.palette)) == ("done", other, fit_palette(COLOURS, 4))
        assert made.engine == "drawn", "drawn fabrics wear other colours too"
        assert not Job.objects.exists()

    def test_a_seed_is_enough_for_a_second_fabric(self, client_of, person, dreamed):
        one = dreamed(seed=7)
        client = client_of(person)
        client.post(MAKE, {"of": one.pk, "move": "blend", "seed": 40, "other_type": "zigzag", "with": ""})
        assert Pattern.objects.get(morph_to=40).morph_type == "zigzag"
        client.post(MAKE, {"of": one.pk, "move": "colours", "seed": 41})
        assert Pattern.objects.filter(palette=list(palette_from_seed("floral", 41, 4))).exists()

    def test_without_scripts_one_comes_back_to_the_studio_with_the_drawer_open(self, client_of, person, two):
        one, other = two
        client = client_of(person)
        answer = client.post(MAKE, values(one, other, amount="0.3", next=f"/?pattern={one.pk}&on=dress"))
        made = Pattern.objects.get(morph_to=12)
        assert answer.status_code == 302
        assert answer.url.startswith("/?on=dress&")
        assert f"pattern={made.pk}" in answer.url
        assert client.get(answer.url).status_code == 200

    def test_a_visitor_becomes_a_guest_who_blends_published_fabrics(self, client, other, dreamed):
        one, second = dreamed(other, public=True), dreamed(other, seed=9, public=True)
        client.post(MAKE, values(one, second))
        guest = User.objects.get(is_guest=True)
        assert Pattern.objects.of(guest).get().morph_to == 9

    def test_repeating_makes_another(self, client_of, person, two):
        client = client_of(person)
        for _ in range(2):
            assert client.post(MAKE, values(*two), headers=HTMX).status_code == 200
        assert Pattern.objects.filter(morph_to=12).count() == 2

    @pytest.mark.parametrize("secret", ["of", "with"])
    @pytest.mark.parametrize("move", ["blend", "drawing", "colours"])
    def test_nobodys_private_fabric_is_a_half(self, client_of, person, other, dreamed, secret, move):
        mine, theirs = dreamed(seed=7), dreamed(other, seed=9)
        halves = (theirs, mine) if secret == "of" else (mine, theirs)
        for client in (client_of(person), client_of(None)):
            assert client.post(MAKE, values(*halves, move=move), headers=HTMX).status_code == 404
        assert not Job.objects.exists()
        assert Pattern.objects.count() == 2

    @pytest.mark.parametrize(
        "change",
        [
            {"of": ""}, {"of": "x"}, {"with": "x"}, {"with": ""}, {"move": "weave"}, {"move": ""}, {"amount": "2"},
            {"amount": "nan"}, {"steps": "900"}, {"with": "", "seed": "-1"},
            {"with": "", "seed": 5, "other_type": "tartan"},
        ],
    )  # fmt: skip
    def test_bad_input_is_refused_in_words_and_makes_nothing(self, client_of, person, two, change):
        client = client_of(person)
        answer = client.post(MAKE, values(*two) | change, headers=HTMX)
        assert answer.status_code == 422
        assert len(answer.content) > 10
        plain = client.post(MAKE, values(*two) | change, follow=True)
        assert [str(message) for message in plain.context["messages"]] == [answer.content.decode()]
        assert Pattern.objects.count() == 2

    def test_what_two_fabrics_cannot_become_is_said(self, client_of, person, two, make_pattern):
        drawn = make_pattern(person)
        client = client_of(person)
        for halves in ((drawn, two[0]), (two[0], drawn)):
            answer = client.post(MAKE, values(*halves), headers=HTMX)
            assert answer.status_code == 422
            assert "drawn" in answer.content.decode()

    def test_above_the_cap_nothing_is_half_made(self, client_of, person, two, settings):
        settings.MAX_ACTIVE_JOBS = 3
        answer = client_of(person).post(MAKE, values(*two, steps=5), headers=HTMX)
        assert answer.status_code == 429
        assert Pattern.objects.count() == 2
        assert not Job.objects.exists()

    def test_only_posting_makes(self, client):
        assert client.get(MAKE).status_code == 405
        assert client.post("/fabrics/mix/").status_code == 405


class TestTheDrawer:
    def chosen(self, page, name):
        tags = [tag for tag in re.findall(r"<input[^>]*>", page) if f'name="{name}"' in tag and " checked" in tag]
        return [re.search(r'value="([^"]*)"', tag)[1] for tag in tags]

    def test_it_offers_ones_own_and_says_what_each_is_good_for(self, client_of, person, other, two, make_pattern):
        one, second = two
        drawn, secret = make_pattern(person), make_pattern(other)
        page = client_of(person).get("/fabrics/mix/", {"of": one.pk}).content.decode()
        moves = dict(re.findall(r'value="([0-9a-f-]{36})" data-moves="([^"]*)"', page))
        assert moves[str(second.pk)] == "blend colours", "of another type: no drawing"
        assert moves[str(drawn.pk)] == "colours"
        assert str(one.pk) not in moves
        assert str(secret.pk) not in page
        assert self.chosen(page, "move") == ["blend"]

    def test_a_drawn_fabric_says_why_it_only_takes_colours(self, client_of, person, two, make_pattern):
        page = client_of(person).get("/fabrics/mix/", {"of": make_pattern(person).pk}).content.decode()
        assert "drawn in one piece" in page
        assert self.chosen(page, "move") == ["colours"]
        assert page.count(" disabled") == 2

    def test_a_mix_brings_back_what_made_it(self, client_of, person, two, dreamed, make_garment):
        make_garment("dress")
        one, other = two
        client = client_of(person)
        blend = dreamed(seed=7, morph_to=12, morph_type="plaid", morph_amount=0.35, parent=one, partner=other)
        page = client.get("/", {"pattern": blend.pk}).content.decode()
        assert re.search(r'<details class="mix" id="mix" open>', page)
        assert self.chosen(page, "move") == ["blend"]
        assert self.chosen(page, "with") == [str(other.pk)]
        assert 'name="amount" min="0" max="1" step="0.01" value="0.35"' in page
        assert "Floral and plaid" in page
        assert "35 % of plaid 12" in page

    def test_a_mix_with_a_seed_brings_the_seed_back(self, client_of, person, dreamed):
        page = client_of(person).get("/fabrics/mix/", {"of": dreamed(detail_of=77).pk}).content.decode()
        assert self.chosen(page, "move") == ["drawing"]
        assert self.chosen(page, "with") == [""]
        assert 'inputmode="numeric" value="77"' in page

    def test_a_gallery_fabric_comes_along_as_the_second_one(self, client_of, person, other, dreamed, make_garment):
        make_garment("dress")
        mine, theirs = dreamed(), dreamed(other, seed=9, public=True)
        client = client_of(person)
        assert f'href="/?with={theirs.pk}"' in client.get(reverse("pattern", args=[theirs.pk])).content.decode()
        page = client.get("/", {"with": theirs.pk}).content.decode()
        assert 'id="mix" open' in page
        assert self.chosen(page, "with") == [str(theirs.pk)]
        assert f'name="of" value="{mine.pk}"' in page

    def test_a_drawn_one_comes_along_for_its_colours(self, client_of, person, dreamed, make_pattern):
        one, drawn = dreamed(), make_pattern(person)
        page = client_of(person).get("/fabrics/mix/", {"of": one.pk, "with": drawn.pk}).content.decode()
        assert (self.chosen(page, "move"), self.chosen(page, "with")) == (["colours"], [str(drawn.pk)])

    def test_it_stands_empty_and_takes_nonsense(self, client, other, dreamed):
        for query in ("", "?of=x", "?of=%20&with=1", f"?of={dreamed(other).pk}"):
            page = client.get(f"/fabrics/mix/{query}")
            assert page.status_code == 200
            assert "Make a fabric first" in page.content.decode()

    def test_more_like_a_blend_keeps_it_a_blend(self, client_of, person, two, dreamed):
        blend = dreamed(seed=7, morph_to=12, morph_type="plaid", morph_amount=0.5, parent=two[0], partner=two[1])
        client_of(person).post("/fabrics/", {"pattern_type": "floral", "like": blend.pk, "count": 1})
        made = Pattern.objects.get(parent=blend)
        assert (made.vary_of, made.morph_to, made.morph_amount) == (7, 12, 0.5)

    def test_the_recipe_tells_of_both_halves_and_of_none_that_is_hidden(self, client_of, person, other, two, dreamed):
        one, second = two
        blend = dreamed(
            seed=7, morph_to=12, morph_type="plaid", morph_amount=0.35, parent=one, partner=second, public=True
        )
        mine = client_of(person).get(f"/gallery/{blend.pk}/").content.decode()
        assert f"/gallery/{second.pk}/" in mine
        assert "--morph-to 12 --morph-amount 0.35 --morph-type plaid" in mine
        theirs = client_of(other).get(f"/gallery/{blend.pk}/").content.decode()
        assert "35 % of plaid seed 12" in theirs
        assert f"/gallery/{second.pk}/" not in theirs


class TestTheModel:
    def test_one_model_is_no_choice_and_two_are(self, client, make_garment, offers, monkeypatch):
        make_garment("dress")
        page = client.get("/").content.decode()
        assert f'<option value="{offers[0]}" selected' in page
        assert "Meadow gan" in page
        monkeypatch.setattr(registry, "offered", lambda capability: [registry.Offer(offers[0], "dcgan-starter", True)])
        assert 'name="model"' not in client.get("/").content.decode()

    def test_the_chosen_model_is_asked_for_and_remembered(self, client_of, person, offers, make_garment):
        make_garment("dress")
        client = client_of(person)
        client.post("/fabrics/", {"pattern_type": "floral", "model": offers[1], "count": 1})
        made = Pattern.objects.get()
        assert made.request.model == offers[1]
        page = client.get("/", {"pattern": made.pk}).content.decode()
        assert f'<option value="{offers[1]}" selected' in page

    def test_a_drawn_fabric_asks_for_none(self, client_of, person, offers):
        client_of(person).post(
            "/fabrics/", {"pattern_type": "floral", "engine": "drawn", "model": offers[1], "count": 1}
        )
        assert Pattern.objects.get().model == ""

    @pytest.mark.parametrize("model", ["gone@0123456789ab", "srgan-x8-starter", "x" * 200])
    def test_another_model_is_refused_in_words(self, client_of, person, model):
        answer = client_of(person).post("/fabrics/", {"pattern_type": "floral", "model": model}, headers=HTMX)
        assert answer.status_code == 422
        assert not Pattern.objects.exists()

    def test_a_fabric_whose_model_no_longer_serves_says_so_kindly(self, client_of, person, dreamed, make_garment):
        make_garment("dress")
        old, new = dreamed(model="gone@0123456789ab"), dreamed()
        client = client_of(person)
        note = re.compile(r"data-retired[^>]* hidden>The model that dreamed this fabric no longer serves")
        assert not note.search(client.get("/", {"pattern": old.pk}).content.decode())
        assert note.search(client.get("/", {"pattern": new.pk}).content.decode())
        answer = client.post("/fabrics/", {"pattern_type": "floral", "like": old.pk}, headers=HTMX)
        assert answer.status_code == 422
        assert "no neighbours now" in answer.content.decode()
