"""What a field may be is said once, by the rule of the request: forms, the API and pages tell the same."""

from __future__ import annotations

import pytest
from django.template import Context, Template

from ml_backend.requests import (
    GenerateRequest,
    ImagineRequest,
    Number,
    OverlayRequest,
    RestyleRequest,
    TextMaskRequest,
    Whole,
)
from studio.api.schemas import Fit, NewImagining, NewMask, NewPatterns, NewRestyle
from studio.imagine.forms import ImagineForm
from studio.looks.forms import FitForm
from studio.restyle.forms import RestyleForm
from studio.workspace.forms import FabricForm

BODIES = [
    (GenerateRequest, NewPatterns),
    (OverlayRequest, Fit),
    (TextMaskRequest, NewMask),
    (RestyleRequest, NewRestyle),
    (ImagineRequest, NewImagining),
]
FORMS = [(GenerateRequest, FabricForm), (OverlayRequest, FitForm), (RestyleRequest, RestyleForm)]


@pytest.mark.parametrize(("kind", "body"), BODIES)
def test_the_api_tells_the_rules_of_the_request(kind, body):
    told = body.model_json_schema()["properties"]
    for name, rule in kind.rules().items():
        if (kind, name) == (GenerateRequest, "size"):
            assert name not in told, "tiles have one size"
            continue
        for key, said in rule.schema().items():
            shown = told[name][key]
            assert ([one for one in shown if one] if key == "enum" else shown) == said, name
        assert rule.says in ("", told[name].get("description")), name


@pytest.mark.parametrize(("kind", "form"), FORMS)
def test_forms_take_what_the_request_takes(kind, form):
    for name, rule in kind.rules().items():
        field = form.base_fields.get(name)
        if isinstance(rule, Whole | Number) and getattr(field, "min_value", None) is not None:
            assert (field.min_value, field.max_value) == (rule.low, rule.high), name


def test_a_forms_choices_are_the_requests():
    chosen = [value for value, _ in ImagineForm.base_fields["engine"].choices]
    assert chosen == list(ImagineRequest.rules()["engine"].names)


def test_pages_write_the_range_of_the_rule_and_what_differs():
    page = Template('{% load ranges %}{% range_of "restyle" "steps" %}|{% range_of "fit" "rotate" max=180 %}')
    assert page.render(Context()) == ' min="1" max="150" step="1"| min="-360" max="180" step="any"'
    assert Template('{% load ranges %}{% range_of "imagine" "prompt" %}').render(Context()) == ' maxlength="500"'
