"""Of every template: what was said in English, in the language of the page."""

from __future__ import annotations

from django import template
from django.forms.utils import ErrorList
from django.utils.safestring import SafeString

from .. import phrasebook

register = template.Library()


@register.filter
def said(text: object) -> str:
    """See :func:`patterns.phrasebook.said`; markup is nobody's sentence and stays as it is."""
    return text if isinstance(text, SafeString) else phrasebook.said("" if text is None else text)


@register.filter
def said_errors(errors: ErrorList) -> ErrorList:
    """The mistakes of a form, each said so."""
    told: ErrorList = errors.copy()
    told.data = [phrasebook.said(error) for error in errors]
    return told
