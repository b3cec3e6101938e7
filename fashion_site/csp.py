"""Content-Security-Policy for every page (Django 5.2 has no policy of its own)."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

HEADER = "Content-Security-Policy"


def policy() -> str:
    """Scripts and styles from here only, no inline script, no eval; style attributes may carry swatch colours."""
    images = " ".join(["'self'", "data:", "blob:", *_bucket_origins()])
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self'",
            "style-src 'self'",
            "style-src-attr 'unsafe-inline'",
            f"img-src {images}",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def _bucket_origins() -> list[str]:
    """Where signed addresses of stored pictures lead: the bucket is named in the path or in the host."""
    if not settings.S3_BUCKET:
        return []
    if not settings.S3_ENDPOINT:
        return ["https://*.amazonaws.com"]
    scheme, host = urlsplit(settings.S3_ENDPOINT)[:2]
    return [f"{scheme}://{host}", f"{scheme}://{settings.S3_BUCKET}.{host}"]


class ContentSecurityPolicy:
    """Adds the header unless the view set its own (stored files set a stricter one)."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]) -> None:
        self.get_response = get_response
        self.policy = policy()
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        response = self.get_response(request)
        if isinstance(response, HttpResponseBase):
            return self._with_header(response)
        return self._later(response)

    async def _later(self, response: Awaitable[HttpResponseBase]) -> HttpResponseBase:
        return self._with_header(await response)

    def _with_header(self, response: HttpResponseBase) -> HttpResponseBase:
        response.headers.setdefault(HEADER, self.policy)
        return response
