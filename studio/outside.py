"""Text from outside, looked at in one place before anything uses it.

A NUL cannot be stored by PostgreSQL, half of a surrogate pair by no database, and what is not UTF-8 means nothing here.
Addresses, queries and cookies are looked at as a request comes in, form fields and file names before the view, and the
strings of a JSON body where it is read (:mod:`studio.api.reading`); nobody further in has to think of them.
"""

from __future__ import annotations

import codecs
import errno
from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from patterns.htmx import is_htmx

from .storable import SENTENCE, TOO_LONG, is_storable


class ReadableText:
    """Middleware: 400 with a sentence (404 for an address) where text from outside cannot be read or stored."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not _is_utf8(request):
            return refuse(request, SENTENCE)
        if not is_storable(request.path_info):
            return refuse(request, SENTENCE, 404)
        cookies = (text for pair in request.COOKIES.items() for text in pair)
        if not all(map(is_storable, [*_texts(request.GET), *cookies])):
            return refuse(request, SENTENCE)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        """Reads a form, if there is one; here the strange ways in which reading one can fail end as well."""
        if request.method != "POST":
            return None
        try:
            texts = [*_texts(request.POST), *(str(file.name) for file in _files(request))]
        except RequestDataTooBig:
            return refuse(request, TOO_LONG, 413)
        except (LookupError, UnicodeError):  # a part that names an encoding of its own
            return refuse(request, SENTENCE)
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:  # the ending of a file's name becomes that of a temporary file
                raise
            return refuse(request, TOO_LONG)
        return None if all(map(is_storable, texts)) else refuse(request, SENTENCE)


def _is_utf8(request: HttpRequest) -> bool:
    """What a request says of itself; what names no encoding of text at all :mod:`fashion_site.limits` has refused."""
    return request.encoding is None or codecs.lookup(request.encoding).name in ("utf-8", "ascii")


def _texts(data: Any) -> Iterable[str]:
    for name, values in data.lists():
        yield name
        yield from values


def _files(request: HttpRequest) -> Iterable[Any]:
    return (file for _, files in request.FILES.lists() for file in files)


def refuse(request: HttpRequest, why: str, status: int = 400) -> HttpResponse:
    """A sentence for htmx and for programs, who get it as JSON (:mod:`studio.api.middleware`); a page for people."""
    if is_htmx(request) or request.path_info.startswith("/api/"):
        return HttpResponse(why, status=status, content_type="text/plain; charset=utf-8")
    return render(request, "400.html", {"why": why}, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Django's ``handler400``: what it refuses by itself, in the same shape."""
    return refuse(request, "This request cannot be read. Nothing was changed; go back, load the page again and repeat.")
