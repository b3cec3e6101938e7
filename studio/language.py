"""In which language a page speaks: the one that was chosen (a cookie), else the browser's, else English."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.utils.cache import patch_vary_headers

from patterns.phrasebook import is_english, said

PROGRAMS = "/api/"
"""Programs read sentences too, in their logs: what is under this address speaks English whoever asks."""

SPEAKS = ("text/html", "text/plain", "application/manifest+json")
"""Types of the answers that hold words of ours; pictures and style sheets are the same in every language."""


class Language(LocaleMiddleware):
    """Django's own, before everything that may refuse a request with a sentence, and silent where nothing is said.

    It asks cookie and header only, so it needs no session.
    """

    def process_request(self, request: HttpRequest) -> None:
        if request.path_info.startswith(PROGRAMS):
            translation.activate("en")
            request.LANGUAGE_CODE = "en"
        else:
            super().process_request(request)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        self._say(response)
        if not response.headers.get("Content-Type", "").startswith(SPEAKS):
            return response
        if not request.path_info.startswith(PROGRAMS):
            patch_vary_headers(response, ("Accept-Language", "Cookie"))
        response.headers.setdefault("Content-Language", translation.get_language() or "en")
        return response

    def _say(self, response: HttpResponseBase) -> None:
        """A refusal that is one plain sentence was made in English; it is said in the language of the page."""
        refused = response.status_code >= 400 and response.headers.get("Content-Type", "").startswith("text/plain")
        if refused and isinstance(response, HttpResponse) and not is_english():
            response.content = said(response.content.decode()).encode()
            if "Content-Length" in response.headers:
                response.headers["Content-Length"] = str(len(response.content))
