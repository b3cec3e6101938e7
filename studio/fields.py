"""Fields of forms from the rules of requests: their ranges are said there, once."""

from __future__ import annotations

from typing import Any

from django import forms

from ml_backend.requests import Number, OneOf, Prompt, Request, Rule, Whole


class Choice(forms.ChoiceField):
    """One of the names of a rule, or a name of before."""

    def __init__(self, rule: OneOf, **options: Any) -> None:
        super().__init__(choices=[(name, name) for name in rule.names], **options)
        self.rule = rule

    def to_python(self, value: Any) -> str:
        return str(self.rule.today(super().to_python(value)))


class Measure(forms.FloatField):
    """A number with a point or, as most of the world writes it, a comma."""

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and value.count(",") == 1 and "." not in value:
            value = value.replace(",", ".")
        return super().to_python(value)


def field_of(kind: type[Request], name: str, **options: Any) -> forms.Field:
    """The field of a form for ``name`` of a request; it may be left empty."""
    return field(kind.rules()[name], **options)


def field(rule: Rule, **options: Any) -> forms.Field:
    """A field that takes what ``rule`` takes, or nothing."""
    options = {"required": False, **options}
    if isinstance(rule, OneOf):
        return Choice(rule, **options)
    if isinstance(rule, Whole):
        return forms.IntegerField(min_value=rule.low, max_value=rule.high, **options)
    if isinstance(rule, Number):
        return Measure(min_value=rule.low, max_value=rule.high, **options)
    if isinstance(rule, Prompt):
        return forms.CharField(max_length=rule.html()["maxlength"], **options)
    raise TypeError(f"There is no field for {type(rule).__name__}.")
