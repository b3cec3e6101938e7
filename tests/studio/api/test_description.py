"""The OpenAPI description is valid, whole, and its page needs nothing from elsewhere."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from openapi_spec_validator import OpenAPIV31SpecValidator

from .conftest import Program, error

pytestmark = pytest.mark.django_db

MAKING = {
    "keep_palette",
    "upload_photo",
    "copy_photo",
    "text_mask",
    "upload_mask",
    "restyle",
    "imagine",
    "generate_patterns",
    "recolour_pattern",
    "enlarge_pattern",
    "overlay",
    "make_collection",
    "add_to_collection",
    "match_hero",
    "share_collection",
    "make_print",
    "make_tech_pack",
    "add_profile",
}


@pytest.fixture
def description(client) -> dict[str, Any]:
    return json.loads(client.get("/api/openapi.json").content)


def operations(description: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]


def test_it_is_valid(description):
    OpenAPIV31SpecValidator(description).validate()
    ids = [operation["operationId"] for _, _, operation in operations(description)]
    assert len(ids) == len(set(ids))
    assert set(ids) >= MAKING


def has_example(schema: dict[str, Any], components: dict[str, Any]) -> bool:
    """Itself, or each object in it that can be one, has an example."""
    if "$ref" in schema:
        return has_example(components[schema["$ref"].rpartition("/")[2]], components)
    if "examples" in schema or "example" in schema or schema.get("format") == "binary":
        return True
    if schema.get("type") == "array":
        return has_example(schema["items"], components)
    inner = [one for one in schema.get("properties", {}).values() if "$ref" in one or one.get("type") == "array"]
    return bool(inner) and all(has_example(one, components) for one in inner)


def test_everything_is_explained_by_words_and_examples(description):
    components = description["components"]["schemas"]
    for method, path, operation in operations(description):
        assert operation["summary"], path
        assert len(operation["description"]) > 4, (method, path)
        for response in operation["responses"].values():
            for kind, content in response.get("content", {}).items():
                assert has_example(content["schema"], components), (method, path, kind)
        for kind, content in operation.get("requestBody", {}).get("content", {}).items():
            if kind == "multipart/form-data":
                assert "curl" in operation["description"]
            else:
                assert has_example(content["schema"], components), (method, path)


def test_examples_are_what_they_are_examples_of(description):
    from jsonschema import Draft202012Validator

    whole = {"components": description["components"]}
    for name, schema in description["components"]["schemas"].items():
        for example in schema.get("examples", []):
            found = list(Draft202012Validator({**schema, **whole}).iter_errors(example))
            assert not found, (name, found)


def test_every_operation_needs_a_token(description):
    for method, path, operation in operations(description):
        assert operation["security"] == [{"Token": []}]
        real = re.sub(r"{(pk|item|link)}", "0b9f7c1e-52b1-4a43-9d2c-2f4c7a1f8e10", path)
        real = re.sub(r"{\w+}", "file", real).removeprefix("/api/v1")
        assert error(Program().ask(method, real)) == (401, "unauthenticated")
        assert "401" in operation["responses"]


def test_whatever_makes_something_takes_a_key(description):
    named = {
        operation["operationId"]
        for _, _, operation in operations(description)
        if any(parameter["name"] == "Idempotency-Key" for parameter in operation["parameters"])
    }
    assert named == MAKING


def test_the_page_takes_everything_from_here(client):
    page = client.get("/api/docs")
    assert page.status_code == 200
    assert "script-src 'self';" in page.headers["Content-Security-Policy"]
    text = page.content.decode()
    assert "https://" not in text
    assert "<style" not in text
    addresses = re.findall(r'(?:src|href)="/static/([^"]+)"', text)
    assert len(addresses) >= 5
    for address in addresses:
        assert finders.find(address), address
