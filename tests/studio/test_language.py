"""In which language a page speaks, and what is said in it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from ml_backend.lattices import LATTICES
from ml_backend.models import Job
from studio.account.models import User
from studio.fields import Measure

pytestmark = pytest.mark.django_db

FRENCH = {"HTTP_ACCEPT_LANGUAGE": "fr-CH, de;q=0.8, en;q=0.5"}


@pytest.fixture(autouse=True)
def _english_afterwards():
    yield
    translation.activate("en")


def choose(client: Client, language: str, next: str = "/gallery/") -> Client:
    answer = client.post(reverse("set_language"), {"language": language, "next": next})
    assert (answer.status_code, answer["Location"]) == (302, next)
    return client


def heading(page: str) -> str:
    return re.search(r"<h1[^>]*>(.*?)</h1>", page, re.DOTALL)[1].strip()


def page_of(client: Client, address: str, **headers: str) -> str:
    return client.get(address, **headers).content.decode()


@pytest.mark.parametrize(
    ("language", "tag", "says"),
    [("en", "en", "Gallery"), ("fr", "fr", "Galerie"), ("es", "es", "Galería"), ("zh-hans", "zh-hans", "图库")],
)
def test_a_guest_chooses_a_language_and_it_stays(client, language, tag, says):
    choose(client, language)
    cookie = client.cookies["django_language"]
    assert (cookie["samesite"], int(cookie["max-age"])) == ("Lax", 365 * 86_400)
    for _ in range(2):
        page = page_of(client, "/gallery/")
        assert f'<html lang="{tag}" dir="ltr"' in page
        assert heading(page) == says
        assert re.search(rf'value="{language}" lang="{language}" aria-current="true"', page)
    assert heading(page_of(client, "/gallery/", HTTP_ACCEPT_LANGUAGE="de")) == says, (
        "the choice goes before the browser's"
    )


def test_what_is_chosen_from_a_list_means_the_same_in_every_language(client, person, make_pattern):
    """The words are of the language, what is sent is not."""
    client.force_login(person)
    address = reverse("print", args=[make_pattern(person).pk])
    for name in ("id_repeat", "pack_repeat"):
        list_of = re.compile(rf'<select id="{name}".*?</select>', re.DOTALL)
        english, french = (list_of.search(page_of(client, address, **told))[0] for told in ({}, FRENCH))
        assert english != french
        assert [re.findall(r'<option value="([^"]*)"', one) for one in (english, french)] == [list(LATTICES)] * 2


def test_the_choice_outlives_signing_up_and_out(client):
    choose(client, "fr")
    form = {"username": "ana", "email": "", "password1": "s3wing-kit-2", "password2": "s3wing-kit-2"}
    page = client.post("/accounts/sign-up/", form, follow=True).content.decode()
    assert "Bienvenue, ana. Tout ce que vous avez fait est gardé à votre nom." in page
    client.post("/accounts/sign-out/")
    assert heading(page_of(client, "/accounts/sign-in/")) == "Se connecter"
    assert not User.objects.filter(username="ana").exclude(is_guest=False)


@pytest.mark.parametrize("language", ["tlh", "", "zz", "../../etc", "f" * 400, "de"])
def test_a_language_that_nobody_speaks_here_changes_nothing(client, language):
    client.post(reverse("set_language"), {"language": language, "next": "/gallery/"})
    assert heading(page_of(client, "/gallery/")) == "Gallery"
    client.cookies["django_language"] = language
    assert heading(page_of(client, "/gallery/")) == "Gallery"


def test_one_stays_on_the_page_where_one_chose(client):
    page = "http://testserver/gallery/?type=floral"
    answer = client.post(reverse("set_language"), {"language": "fr"}, HTTP_REFERER=page)
    assert answer["Location"] == page
    elsewhere = client.post(reverse("set_language"), {"language": "fr"}, HTTP_REFERER="https://elsewhere.example/")
    assert elsewhere["Location"] == "/"


def test_asking_by_get_or_with_an_address_elsewhere_changes_nothing(client):
    assert "django_language" not in client.get(reverse("set_language"), {"language": "fr"}).cookies
    answer = client.post(reverse("set_language"), {"language": "fr", "next": "https://elsewhere.example/"})
    assert answer["Location"] == "/"


def test_a_form_from_elsewhere_is_refused(person):
    client = Client(enforce_csrf_checks=True)
    assert client.post(reverse("set_language"), {"language": "fr", "next": "/"}).status_code == 403


def test_the_browser_is_asked_where_nobody_chose(client):
    answer = client.get("/gallery/", **FRENCH)
    assert heading(answer.content.decode()) == "Galerie"
    assert answer["Content-Language"] == "fr"
    assert {"Accept-Language", "Cookie"} <= {part.strip() for part in answer["Vary"].split(",")}
    assert heading(page_of(client, "/gallery/", HTTP_ACCEPT_LANGUAGE="zh-CN")) == "图库"
    assert heading(page_of(client, "/gallery/", HTTP_ACCEPT_LANGUAGE="ja, de")) == "Gallery"


def test_pictures_and_scripts_are_the_same_in_every_language(client, make_pattern, person):
    pattern = make_pattern(person, public=True)
    answer = client.get(pattern.thumb_url, **FRENCH)
    assert "Content-Language" not in answer
    assert "Accept-Language" not in answer.get("Vary", "")
    assert client.get(reverse("service-worker"), **FRENCH).content == client.get(reverse("service-worker")).content
    assert client.get(reverse("offline"), **FRENCH).content == client.get(reverse("offline")).content


def test_programs_are_spoken_to_in_english(client, person, client_of):
    for one in (client, choose(client_of(person), "fr", "/")):
        answer = one.get("/api/v1/photos/none", **FRENCH)
        assert "There is no" in answer.json()["error"]["message"] or "token" in answer.json()["error"]["message"]
    limits = client.get("/api/v1/options", **FRENCH)
    assert "Fleuri" not in limits.content.decode()


def test_mistakes_in_forms_are_told_in_french(client, person, client_of):
    choose(client, "fr")
    page = client.post("/accounts/sign-up/", {"username": person.username, "password1": "x", "password2": "y"}).content
    assert "Ce nom est pris ; choisissez-en un autre.".replace(" ;", "\u00a0;") in page.decode()
    owner = choose(client_of(person), "fr", "/")
    page = owner.post("/accounts/delete/", {"password": "no"}).content.decode()
    assert "Rien n&#x27;a été supprimé" in page


def test_what_is_refused_to_a_script_is_told_in_french(client):
    choose(client, "fr")
    answer = client.post(reverse("fabric-new"), {"pattern_type": "none"}, HTTP_HX_REQUEST="true")
    assert answer.status_code == 422
    assert re.search(r"[àéè]|choix|type de motif", answer.content.decode())
    assert "choose" not in answer.content.decode()
    assert client.post(reverse("set_language"), {"language": "en", "next": "/"}).status_code == 302
    english = client.post(reverse("fabric-new"), {"pattern_type": "none"}, HTTP_HX_REQUEST="true")
    assert english.content != answer.content


def test_what_a_worker_said_in_english_is_read_in_ones_own_language(person, client_of, make_pattern):
    pattern = make_pattern(person)
    pattern.job = Job.objects.create(
        owner=person, kind="fabric", state=Job.State.FAILED,
        message="Something went wrong in the workshop. Nothing of yours is lost; please try again.",
    )  # fmt: skip
    pattern.tile = ""
    pattern.save()
    page = page_of(choose(client_of(person), "es", "/"), reverse("pattern", args=[pattern.pk]))
    assert "Algo falló en el taller." in page
    assert "Something went wrong" not in page


def test_a_name_that_a_person_gave_is_nobody_s_to_translate(person, client_of):
    owner = choose(client_of(person), "fr", "/")
    owner.post(reverse("boards"), {"name": "Dress"})
    assert ">Dress<" in page_of(owner, reverse("boards"))


def test_pages_run_from_right_to_left_where_their_language_does(client, settings):
    settings.LANGUAGES = [*settings.LANGUAGES, ("he", "עברית")]
    translation.trans_real.get_languages.cache_clear()
    translation.trans_real._get_supported_language_variant.cache_clear()
    try:
        choose(client, "he")
        assert '<html lang="he" dir="rtl"' in page_of(client, "/gallery/")
    finally:
        translation.trans_real.get_languages.cache_clear()
        translation.trans_real._get_supported_language_variant.cache_clear()


def test_scripts_find_their_words_at_an_address_of_their_own(client):
    assert "/words/" not in page_of(client, "/gallery/"), "English scripts speak by themselves"
    choose(client, "fr")
    address = re.search(r'<script src="(/words/fr-[0-9a-f]{12}\.js)" defer>', page_of(client, "/gallery/"))[1]
    for one in (client, Client()):
        answer = one.get(address)
        assert answer["Content-Type"].startswith("text/javascript")
        assert "immutable" in answer["Cache-Control"]
        assert "Vous \\u00eates hors ligne." in answer.content.decode()
        assert '"half-drop": "saut\\u00e9"' in answer.content.decode()
    assert client.get("/words/fr-old.js")["Cache-Control"] == "no-cache"
    assert client.get("/words/xx-000000000000.js").status_code == 404


@pytest.mark.parametrize(("typed", "read"), [("12,5", 12.5), ("12.5", 12.5), (" 7 ", 7.0), ("", None)])
def test_a_measure_may_be_typed_with_a_comma(typed, read):
    assert Measure(required=False).clean(typed) == read


@pytest.mark.parametrize("typed", ["1,2,3", "1.200,5", "a"])
def test_a_measure_is_one_number(typed):
    from django.core.exceptions import ValidationError

    with pytest.raises(ValidationError):
        Measure(required=False).clean(typed)


class Read(HTMLParser):
    """What a page says: its text, and the attributes that are read out or seen."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self.silent = 0
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.silent += tag in ("script", "style", "code", "kbd", "template")
        told = ("title", "aria-label", "alt", "data-say", "aria-valuetext", "data-name", "data-title")
        self.said += [value for name, value in attrs if name in told and value]

    def handle_endtag(self, tag):
        self.silent -= tag in ("script", "style", "code", "kbd", "template")

    def handle_data(self, data):
        if not self.silent and data.strip():
            self.said.append(data.strip())


ENGLISH = re.compile(
    r"\b(the|of|and|your|you|with|is|are|it|to|by|this|from|here|not|seed|fabrics?|cloth|one|repeats?|sheet)\b",
    re.IGNORECASE,
)
WORDS_OF_PROMPTS = re.compile(
    r"anglais|inglés|英文|“not”|\bnot\b|^(an?|light|plaid|white|natural|wool|black|burgundy|animal) ", re.IGNORECASE
)


@pytest.mark.parametrize("language", ["es", "zh-hans"])
def test_no_page_is_left_half_in_english(language, person, client_of, make_pattern, make_photo, make_garment):
    """But for the words that the engines read, which are English."""
    make_garment("dress")
    fabric, photo = make_pattern(person, pattern_type="floral", public=True), make_photo(person)
    client = choose(client_of(person), language, "/")
    pages = [
        "/", f"/?photo={photo.pk}", "/restyle/", f"/restyle/?photo={photo.pk}", "/imagine/", "/gallery/",
        "/gallery/?whose=mine",
        "/gallery/?whose=fresh", "/gallery/?whose=favourites", "/gallery/looks/", "/gallery/restyled/?whose=mine",
        "/gallery/imagined/", f"/gallery/{fabric.pk}/", f"/gallery/{fabric.pk}/delete/", f"/gallery/{fabric.pk}/print/",
        f"/fabrics/inks/?fabric={fabric.pk}", f"/fabrics/mix/?of={fabric.pk}", f"/photos/{photo.pk}/suggestions/",
        "/account/", "/accounts/tokens/", "/accounts/delete/", "/accounts/password/", "/palettes/", "/collections/",
        "/trends/", "/prints/", "/cloth/", "/nothing/",
    ]  # fmt: skip
    left = {}
    for address in pages:
        answer = client.get(address)
        assert answer.status_code in (200, 404), address
        texts = [text for text in Read(answer.content.decode()).said if ENGLISH.search(text)]
        texts = [text for text in texts if not WORDS_OF_PROMPTS.search(text)]
        if texts:
            left[address] = texts
    assert left == {}
