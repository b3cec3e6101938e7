"""Patterns know nothing of the studio: not in imports (a contract), and not in templates and addresses either."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

import patterns
from patterns import urls

ROOT = Path(patterns.__file__).parent
TEMPLATES = ROOT.parent / "templates"
TAG = re.compile(r"{%\s*(include|extends|url|load)\s+([^%]*?)\s*%}")
WHOLE_SITE = {"base.html"}
"""What every page extends, and the site fills."""


def names(resolver: URLResolver | list) -> Iterator[str]:
    for entry in getattr(resolver, "url_patterns", resolver):
        if isinstance(entry, URLPattern):
            yield entry.name or ""
        else:
            yield from names(entry)


def of_templates(folder: Path, others: set[str]) -> list[str]:
    found = []
    for template in folder.rglob("*.html"):
        for kind, said in TAG.findall(template.read_text(encoding="utf-8")):
            name = said.split()[0].strip("\"'")
            of_others = kind in ("include", "extends") and not name.startswith("patterns/") and name not in WHOLE_SITE
            of_others |= kind == "url" and name in others
            of_others |= kind == "load" and bool({*said.split()} & {"shop", "outfit", "ranges"})
            found += [f"{template.name}: {kind} {name}"] if of_others else []
    return found


def of_modules(folder: Path, others: set[str]) -> list[str]:
    found = []
    for module in folder.rglob("*.py"):
        if "migrations" in module.parts:
            continue
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called, first = ast.unparse(node.func).rpartition(".")[2], node.args[0]
            texts = [
                one.value for one in ast.walk(first) if isinstance(one, ast.Constant) and isinstance(one.value, str)
            ]
            if called in ("reverse", "redirect", "reverse_lazy"):
                found += [f"{module.name}: {called} {text}" for text in texts if text in others]
            if called in ("render", "render_to_string", "get_template"):
                texts += [one.value for one in node.args[1:2] if isinstance(one, ast.Constant)]
                found += [f"{module.name}: {called} {text}" for text in texts if str(text).startswith("studio/")]
    return found


def test_patterns_name_nothing_of_the_studio():
    others = set(names(get_resolver())) - set(names(urls.urlpatterns))
    assert {"studio", "pattern", "gallery"} <= others, "the studio's own addresses are looked for"
    assert of_templates(TEMPLATES / "patterns", others) == []
    assert of_modules(ROOT, others) == []


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("page.html", '{% include "studio/_staff.html" with item=pattern %}', "page.html: include studio/_staff.html"),
        ("page.html", '{% extends "studio/page.html" %}', "page.html: extends studio/page.html"),
        ("page.html", "<a href='{% url \"studio\" %}?with=1'>", "page.html: url studio"),
        ("views.py", 'from django.urls import reverse\nreverse("studio")\n', "views.py: reverse studio"),
        ("views.py", "redirect(f\"{reverse('gallery')}?whose=mine\")\n", "views.py: reverse gallery"),
        ("views.py", 'render(request, "studio/page.html")\n', "views.py: render studio/page.html"),
    ],
)
def test_and_what_would_is_found(tmp_path, name, text, said):
    (tmp_path / name).write_text(text)
    others = {"studio", "gallery"}
    assert said in of_templates(tmp_path, others) + of_modules(tmp_path, others)


@pytest.mark.parametrize(
    "text", ['{% extends "base.html" %}{% include "patterns/_a.html" %}{% url "pattern-file" 1 %}']
)
def test_what_is_its_own_is_not(tmp_path, text):
    (tmp_path / "page.html").write_text(text)
    assert of_templates(tmp_path, {"studio"}) == []
