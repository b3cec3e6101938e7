"""Writes ``patterns/phrases.py``: every sentence and name that is made in English and shown to people.

    script/words collect

Sentences are read from the source (:func:`sentences`), names from the tables that have them (:func:`names`); nothing is
listed twice.  ``{placeholders}`` are named after what the source puts there.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
TARGET = HERE / "patterns" / "phrases.py"

ROOMS = ("ml_backend", "patterns", "studio")
UNSEEN = re.compile(
    r"ml_backend/(cli|training|evaluation|sweep|networks|packaging|shipping|management|migrations)/"
    r"|ml_backend/(__main__|admin|s3|signing|tasks|apps)\.py"
    r"|ml_backend/pipelines/diffusion/(engine|loading|model|settings|memory|loras)"
    r"|ml_backend/(inks|images|models)\.py|ml_backend/pipelines/(base|describe|upscale|worn|surface|generate|refine)\.py"
    r"|ml_backend/pipelines/overlay/|ml_backend/printing/(tech_pack|plates|strike_off|vectors|writers)"
    r"|ml_backend/repair\.py|ml_backend/serving/training\.py|studio/workshop/(presets|runs|run_views|learned|curves)\.py"
    r"|ml_backend/serving/(sagemaker|curation|endpoints|copies|loading)"
    r"|studio/(api|curation|shell|management)/|studio/(admin|tasks)\.py|/migrations/"
    r"|patterns/phrases\.py"
)
"""Where sentences are for staff, programs or the log, which speak English."""

BUGS = {"ValueError", "TypeError", "RuntimeError", "AssertionError", "KeyError", "NotImplementedError", "LookupError"}
"""Raised for whoever programs; nobody else sees them."""

SENTENCE = re.compile(r"[A-Z“{'].*\s.*[.!?…”]$", re.DOTALL)
LEAST_LETTERS = 9
"""A sentence of fewer letters beside its placeholders would be found in anything."""


def sentences() -> Iterator[str]:
    """Of every file that speaks to people, in the order of the files."""
    for room in ROOMS:
        for file in sorted((HERE / room).rglob("*.py")):
            if not UNSEEN.search(file.relative_to(HERE).as_posix()):
                yield from sentences_of(ast.parse(file.read_text(encoding="utf-8")))


def sentences_of(tree: ast.AST) -> Iterator[str]:
    """The sentences of a module: no docstrings, no bugs, nothing that is logged or translated where it stands."""
    choices = _choices(tree)
    for node in _spoken(tree):
        for text in _texts(node, choices):
            if (
                SENTENCE.fullmatch(text)
                and "TOILE_" not in text
                and len(re.sub(r"\{\w+\}|[^A-Za-z]", "", text)) >= LEAST_LETTERS
            ):
                yield text


def stages() -> Iterator[str]:
    """What a job says that it is doing: the words given to ``progress`` and its like."""
    for room in ROOMS:
        for file in sorted((HERE / room).rglob("*.py")):
            if UNSEEN.search(file.relative_to(HERE).as_posix()) and "/curation/" not in file.as_posix():
                continue
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and _called(node) in STAGES:
                    for given in [*node.args, *(word.value for word in node.keywords)]:
                        yield from (text for text in _texts(given) if re.fullmatch(r"[A-Z][a-z]+ .*[^.]", text))


STAGES = {"progress", "report", "on_progress", "stage", "step", "say", "at", "tell"}


def _spoken(node: ast.AST) -> Iterator[ast.expr]:
    """Strings and f-strings below ``node``, outermost first."""
    if isinstance(node, ast.Raise) and node.exc is not None and _called(node.exc) in BUGS:
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    if isinstance(node, ast.Call):
        if _called(node) in SILENT or _called(node).endswith("Rule"):
            return
        if (
            isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "log"
        ):
            return
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        yield node
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(node, ast.keyword) and node.arg in UNSEEN_WORDS:
            return
        yield from _spoken(child)


SILENT = {"_", "gettext", "ngettext", "gettext_lazy", "noop", "compile"}
SILENT |= {"ruled", "Whole", "Number", "OneOf", "Prompt", "YesNo", "Field"}
"""Translated where they stand, or rules of requests, which speak to programs."""

UNSEEN_WORDS = {"says", "description", "summary"}
"""Keywords that say something to programs."""


def _called(node: ast.expr) -> str:
    name = node.func if isinstance(node, ast.Call) else node
    return name.attr if isinstance(name, ast.Attribute) else name.id if isinstance(name, ast.Name) else ""


def _texts(node: ast.expr, choices: dict[str, list[str]] | None = None) -> list[str]:
    """What a string can be: an f-string with a choice in it is one text for each arm."""
    if isinstance(node, ast.Constant):
        return [re.sub(r"\{(\w+)[^}]*\}", r"{\1}", node.value)] if isinstance(node.value, str) else []
    if not isinstance(node, ast.JoinedStr):
        return []
    used: dict[str, str] = {}
    pieces: list[list[str]] = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            pieces.append([str(part.value)])
        elif isinstance(part, ast.FormattedValue):
            arms = _arms(part.value) or (choices or {}).get(_called(part.value))
            pieces.append(arms or [f"{{{_named(part.value, used)}}}"])
    return ["".join(chosen) for chosen in product(*pieces)]


def _choices(tree: ast.AST) -> dict[str, list[str]]:
    """What is one of two words in a module: ``article = "an" if ... else "a"``, or a function that returns such."""
    found: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and isinstance(node.body[-1], ast.Return) and node.body[-1].value:
            name, value = node.name, node.body[-1].value
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name, value = node.targets[0].id, node.value
        else:
            continue
        if arms := _arms(value):
            found[name] = [*found.get(name, []), *arms]
    return found


def _arms(node: ast.expr) -> list[str]:
    if isinstance(node, ast.IfExp) and all(isinstance(arm, ast.Constant) for arm in (node.body, node.orelse)):
        return [str(arm.value) for arm in (node.body, node.orelse) if isinstance(arm, ast.Constant)]
    if isinstance(node, ast.Call) and _called(node) == "pluralize":
        ends = node.args[1].value if len(node.args) > 1 and isinstance(node.args[1], ast.Constant) else ",s"
        return str(ends).split(",")
    return []


def _named(node: ast.expr, used: dict[str, str]) -> str:
    """A name for a placeholder: the last name of the expression, made unlike the others."""
    found = [child.id for child in ast.walk(node) if isinstance(child, ast.Name)]
    attributes = [child.attr for child in ast.walk(node) if isinstance(child, ast.Attribute)]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "join":
        attributes = []
    name = (attributes[0] if attributes and not isinstance(node, ast.Name) else found[-1] if found else "value").lower()
    name = name.strip("_") or "value"
    whole = ast.unparse(node)
    number = 2
    plain = name
    while used.get(name, whole) != whole:
        name, number = f"{plain}{number}", number + 1
    used[name] = whole
    return name


def names() -> Iterator[str]:
    """Words that have a place of their own in the library: types, colours, garments, repeats, parts, choices."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fashion_site.settings")
    sys.path.insert(0, str(HERE))
    import django

    django.setup()
    from patterns.names import every

    yield from every()


def written(told: Iterable[str], called: Iterable[str]) -> str:
    """The module."""
    lines = ['"""Written by ``script/words collect``; see :mod:`patterns.phrasebook`."""', ""]
    lines += ["from django.utils.translation import gettext_noop as _", ""]
    for name, texts in (("SENTENCES", told), ("NAMES", called)):
        lines += [f"{name} = (", *(f"    _({_quoted(text)})," for text in dict.fromkeys(texts)), ")", ""]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def collected() -> str:
    return written(sentences(), [*names(), *stages()])


if __name__ == "__main__":
    TARGET.write_text(collected(), encoding="utf-8")
