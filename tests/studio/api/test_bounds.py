"""Every list, string and body has a bound, and what is wrong is answered shortly."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from ml_backend.errors import quoted
from ml_backend.models import Job
from ml_backend.requests import MAX_LORAS, ImagineRequest
from studio.imagine.models import Imagining

from .conftest import error
from .test_description import description, operations  # noqa: F401

pytestmark = pytest.mark.django_db

SHORT = 1000
"""Bytes of an answer that says no."""


def unbounded(schema: Any, components: dict[str, Any], where: str) -> list[str]:
    """The strings without a longest length, and the lists without a largest number, in a schema."""
    if "$ref" in schema:
        return unbounded(components[schema["$ref"].rpartition("/")[2]], components, where)
    found = []
    for inner in (*schema.get("anyOf", ()), *schema.get("allOf", ()), *schema.get("oneOf", ())):
        found += unbounded({**inner}, components, where)
    for name, inner in schema.get("properties", {}).items():
        found += unbounded(inner, components, f"{where}.{name}")
    if schema.get("type") == "array":
        found += [] if "maxItems" in schema else [where]
        found += unbounded(schema["items"], components, f"{where}[]")
    fixed = "enum" in schema and not {"anyOf", "maxLength"} & set(schema)
    if schema.get("type") == "string" and schema.get("format") not in ("uuid", "binary") and not fixed:
        found += [] if "maxLength" in schema else [where]
    return found


def test_every_string_and_list_that_is_taken_has_a_bound(description):  # noqa: F811
    components = description["components"]["schemas"]
    found = []
    for method, path, operation in operations(description):
        for parameter in operation.get("parameters", []):
            if parameter["in"] in ("query", "header"):
                found += unbounded(parameter["schema"], components, f"{method} {path} ?{parameter['name']}")
        for content in operation.get("requestBody", {}).get("content", {}).values():
            found += unbounded(content["schema"], components, f"{method} {path}")
    assert found == []


def test_that_test_can_find_something():
    schema = {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}}}}
    assert unbounded(schema, {}, "body") == ["body.a", "body.a[]"]
    assert unbounded({"anyOf": [{"type": "string"}, {"type": "null"}]}, {}, "x") == ["x"]


def test_hundreds_of_thousands_of_loras_are_refused_at_once(program, person):
    body = {"prompt": "a red dress", "loras": ["linen:0.5"] * 340_000}
    started = time.perf_counter()
    answer = program.post("/imaginings", body)
    assert time.perf_counter() - started < 2
    assert error(answer) == (413, "too_large")
    assert len(answer.content) < SHORT
    assert not Imagining.objects.exists()
    assert not Job.objects.exists()


@pytest.mark.parametrize("count", [MAX_LORAS + 1, 4 * MAX_LORAS + 1, 3000])
def test_a_few_loras_too_many_are_refused_in_words(program, count):
    answer = program.post("/imaginings", {"prompt": "a red dress", "engine": "diffusion", "loras": ["linen"] * count})
    assert error(answer)[0] == 422
    assert "at most" in answer.json()["error"]["message"]
    assert len(answer.content) < SHORT


LONG = "xyz" * 5000


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/patterns", {"pattern_type": LONG}),
        ("/patterns", {"pattern_type": "x" * 55}),
        ("/patterns", {"pattern_type": "floral", "palette": [LONG, LONG]}),
        ("/patterns", {"pattern_type": "floral", "palette": ["#ffffff"] * 5000}),
        ("/patterns", {"pattern_type": "floral", "model": LONG}),
        ("/patterns", {"pattern_type": "floral", "model": "m" * 150}),
        ("/patterns", {"pattern_type": "floral", "seed": 10**4000}),
        ("/patterns", {"pattern_type": "floral", "morph_amount": 1e300}),
        ("/patterns", {"pattern_type": "floral", LONG: 1}),
        ("/patterns", {f"{name}-{LONG[:200]}": 1 for name in range(50)}),
        ("/imaginings", {"prompt": LONG}),
        ("/imaginings", {"prompt": "a dress", "negative_prompt": LONG}),
        ("/imaginings", {"prompt": "a dress", "engine": LONG}),
        ("/imaginings", {"prompt": "a dress", "engine": "diffusion", "loras": [LONG]}),
        ("/imaginings", {"prompt": "a dress", "engine": "diffusion", "loras": ["?" * 100]}),
        ("/imaginings", {"prompt": "a dress", "count": int("9" * 300)}),
        ("/photos/copies", {"garment": LONG}),
    ],
)
def test_a_wrong_value_is_not_said_whole(program, path, body):
    answer = program.post(path, body)
    assert error(answer)[0] in (400, 404, 422)
    assert len(answer.content) < SHORT
    assert "xyz" * 50 not in answer.content.decode()
    assert not Job.objects.exists()


def test_queries_are_bounded_and_not_said_whole_either(program):
    for query in (f"pattern_type={LONG}", f"colour={LONG}", "pattern_type=tartan", f"limit={'9' * 400}", "offset=1e9"):
        answer = program.get(f"/patterns?{query}")
        assert error(answer)[0] == 422
        assert len(answer.content) < SHORT


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("[" * 3000 + "]" * 3000, 400),
        ('{"a":' * 5000 + "1" + "}" * 5000, 400),
        ('{"prompt": "a", "loras": ' + "[" * 20 + "]" * 20 + "}", 400),
        ("{", 400),
        ('{"prompt": NaN}', 400),
        ("\ud800", 400),
        ('{"prompt": "\\ud800"}', 422),
        ('{"prompt": "a", "\\u0000": 1}', 422),
        ('{"prompt": "a", "seed": Infinity}', 400),
        ("1" * 5000, 400),
        ("7", 422),
        ('"words"', 422),
        (" " * 70_000, 413),
    ],
)
@pytest.mark.parametrize("key", ["", "the-same"])
def test_a_body_that_is_no_small_shallow_json_is_refused(program, body, expected, key):
    answer = program.ask("post", "/imaginings", body.encode("utf-8", "surrogatepass"), key=key)
    assert error(answer)[0] == expected
    assert len(answer.content) < SHORT


@pytest.mark.parametrize("body", [b"{", b"[" * 3000, b'{"a": "\\u0000"}', b"\xff\xfe"])
def test_a_body_where_none_is_wanted_breaks_nothing(program, person, make_pattern, body):
    row = make_pattern(person)
    answer = program.ask("post", f"/patterns/{row.pk}/large", body, key="once")
    assert answer.status_code < 500


def test_json_that_calls_itself_a_form_is_not_read(program):
    answer = program.client.post(
        "/api/v1/imaginings",
        json.dumps({"prompt": "a red dress"}),
        content_type="multipart/form-data; boundary=x",
        headers=program.headers,
    )
    assert error(answer)[0] == 400
    assert not Imagining.objects.exists()


def test_a_value_is_quoted_shortly():
    assert quoted("stripey") == "'stripey'"
    for value in ("x" * 10**6, ["y" * 10**5] * 10**5, {"k" * 999: {"v": 1}}, 10**5000, b"z" * 10**6, "\0\ud800" * 99):
        assert len(quoted(value)) < 400
        assert quoted(value).isprintable()


def test_what_is_within_the_bounds_passes(program, monkeypatch):
    names = [f"lora-{number}" for number in range(MAX_LORAS)]
    asked = ImagineRequest("a dress", 1, loras=tuple(names), engine="fabric")
    assert len(asked.loras) == MAX_LORAS
    words = "word " * 100  # 500 characters, and the last one is white space
    answer = program.post("/imaginings", {"prompt": words, "engine": "fabric", "loras": names})
    assert answer.status_code == 202, answer.content
