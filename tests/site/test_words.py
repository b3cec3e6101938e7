"""The catalogues: every word of the source is in each, translated, with the same places and tags; kept compiled."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.template import engines
from django.template.base import Template
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils import translation
from django.utils.translation import to_locale

from ml_backend.colour import BASIC_COLOURS
from ml_backend.inks import PALETTES
from ml_backend.lattices import LATTICES
from ml_backend.requests import CLOTH_CLASSES, Request
from ml_backend.swatches import SUBTYPES, TYPES
from ml_backend.sweep import plan
from patterns.phrasebook import said
from patterns.phrases import NAMES, SENTENCES
from script import phrases

HERE = Path(settings.BASE_DIR)
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != "en"]
DOMAINS = ("django", "djangojs")
PLACES = re.compile(r"%\(\w+\)[sd]|\{\w+\}|</?\w+[^>]*>|%%")
IN_TEMPLATE = re.compile(r'_\("((?:[^"\\]|\\.)*)"\)')
IN_SCRIPT = re.compile(r'\b(?:gettext|ngettext|pgettext)\(((?:\s*"(?:[^"\\]|\\.)*"\s*,?)+)')


def catalogue(language: str, domain: str) -> polib.POFile:
    return polib.pofile(str(HERE / "locale" / to_locale(language) / "LC_MESSAGES" / f"{domain}.po"))


def said_of(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) or [entry.msgstr]


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_is_translated_with_the_same_places_and_tags(language, domain):
    wrong = []
    for entry in catalogue(language, domain):
        meant = [Counter(PLACES.findall(text)) for text in (entry.msgid, entry.msgid_plural or entry.msgid)]
        for text in said_of(entry):
            if not text or entry.fuzzy or entry.obsolete:
                wrong.append((entry.msgid, "nothing, or a guess"))
            elif set(Counter(PLACES.findall(text))) != set(meant[-1]) and Counter(PLACES.findall(text)) not in meant:
                wrong.append((entry.msgid, text))
            elif '"' in text and '"' not in entry.msgid:
                wrong.append((entry.msgid, "a straight quote ends an attribute"))
    assert wrong == []


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_is_written(language, domain):
    written = catalogue(language, domain)
    compiled = polib.mofile(str(HERE / "locale" / to_locale(language) / "LC_MESSAGES" / f"{domain}.mo"))
    told = [{(entry.msgctxt, entry.msgid): said_of(entry) for entry in one} for one in (written, compiled)]
    assert told[0] == told[1], "run script/words compile"


def test_sentences_and_names_are_those_of_the_source():
    assert issubclass(plan.Judging, Request), "imported, and yet not among the words of people"
    assert (HERE / "patterns" / "phrases.py").read_text(encoding="utf-8") == phrases.collected(), "script/words collect"


@lru_cache(maxsize=1)
def words_of_pages() -> frozenset[str]:
    """Every msgid of templates and of Python that is translated where it stands, and of the generated phrases."""
    found = {*SENTENCES, *NAMES}
    engine = engines["django"].engine
    for file in sorted((HERE / "templates").rglob("*.html")):
        source = file.read_text(encoding="utf-8")
        found |= set(IN_TEMPLATE.findall(source))
        nodes = Template(source, engine=engine).nodelist
        for node in nodes.get_nodes_by_type(TranslateNode):
            found.add(str(node.filter_expression.var.literal).replace("%", "%%"))
        for node in nodes.get_nodes_by_type(BlockTranslateNode):
            found.add(node.render_token_list(node.singular)[0])
    for room in ("studio", "patterns", "fashion_site"):
        for file in (HERE / room).rglob("*.py"):
            found |= set(_of_python(file.read_text(encoding="utf-8")))
    return frozenset(found)


def _of_python(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            first = node.args[0]
            if node.func.id in ("_", "gettext") and isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_pages_is_in_the_catalogue_and_no_other(language):
    kept = {entry.msgid for entry in catalogue(language, "django")}
    assert kept == words_of_pages(), "script/words collect, then translate what is new"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_scripts_is_in_the_catalogue_and_no_other(language):
    found: set[str] = set()
    for file in (HERE / "static" / "js").rglob("*.js"):
        for call in IN_SCRIPT.finditer(file.read_text(encoding="utf-8")):
            texts = [ast.literal_eval(text) for text in re.findall(r'"(?:[^"\\]|\\.)*"', call[1])]
            found.add(texts[1] if call[0].startswith("pgettext") else texts[0])
    kept = {entry.msgid for entry in catalogue(language, "djangojs")}
    assert kept == found, "script/words collect, then translate what is new"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_library_s_names_have_a_translation(language):
    names = [
        *TYPES,
        *(name.replace("-", " ") for name in SUBTYPES),
        *LATTICES,
        *PALETTES,
        *BASIC_COLOURS,
        *CLOTH_CLASSES,
    ]
    told = [json.loads(file.read_text()) for file in (HERE / "ml_backend" / "garments").glob("*/meta.json")]
    names += [re.sub(r", (back|front)$", "", garment["name"].lower()) for garment in told]
    kept = {entry.msgid for entry in catalogue(language, "django")}
    assert [name for name in names if name not in kept] == [], "patterns/names.py knows none of these"


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_that_are_made_of_pieces_are_read_and_said(language):
    with translation.override(language):
        for text in (
            "The scale must be a number from 1 to 200, not -4.",
            "Something went wrong in the workshop. Nothing of yours is lost; please try again.",
            "A warm rust beside your navy jacket: complementary, so each makes the other brighter.",
            "One repeat (half-drop): 24 × 24 cm at 300 dpi, 2835 × 2835 pixels, as PNG.",
            "Weaving picture 2 of 4",
            "Something went wrong in the workshop. Nothing of yours is lost; please try again; trying again in 5 s.",
            "jacket, top and second top",
        ):
            assert said(text) != text
        told = said("Found “the hat”. Could not find “the fox” here. Try another word, or paint it with the brush.")
        assert "“the hat”" in told and "“the fox”" in told
        assert "here" not in told
        assert said("No sentence of ours, and words of a person.") == "No sentence of ours, and words of a person."
    with translation.override("en"):
        assert said("Weaving picture 2 of 4") == "Weaving picture 2 of 4"
