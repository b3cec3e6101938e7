"""The API put together: routes, token, errors, documentation."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from ninja import NinjaAPI, Swagger

from . import errors
from .auth import Token
from .reading import SmallJson
from .routes import (
    catalogue,
    collections,
    imaginings,
    jobs,
    looks,
    masks,
    palettes,
    patterns,
    photos,
    prints,
    restyles,
)

DESCRIPTION = """\
Design a fabric, see it worn; repaint a photo from words. Everything that the pages do, with the same limits.

**Token.** Make one on your account page and send it with every request: `Authorization: Bearer toile_...`.

**Work is queued.** What takes more than a moment answers at once with 202 and a `job`; ask for `/api/v1/jobs/{id}`
about once a second. What is made stays in your gallery.

**Sending again.** A POST that makes something may carry an `Idempotency-Key` of your choice: sent again within 24 hours
it gets the first answer (marked `Idempotency-Replayed: true`) and makes nothing new. Another request with the same key
is refused with 422 (`key_reused`). A refusal is not kept.

**Errors** have one shape, `{"error": {"code", "message"}}`. 429 is a limit, of unfinished work or of what
is asked for in a minute or an hour: wait for `Retry-After` seconds.
"""


class Docs(Swagger):
    """The documentation page, with no script and no style from anywhere else."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        given = {**self.settings, "url": self.get_openapi_url(api, kwargs)}
        return render(request, "studio/api/docs.html", {"swagger": given})


api = NinjaAPI(
    title="Toile",
    version="1",
    description=DESCRIPTION,
    urls_namespace="api",
    openapi_url="openapi.json",
    docs_url="docs",
    docs=Docs({"docExpansion": "list", "defaultModelsExpandDepth": 0, "deepLinking": True}),
    auth=Token(),
    parser=SmallJson(),
)
errors.register(api)
api.add_router("/v1/photos", photos.router)
api.add_router("/v1/masks", masks.router)
api.add_router("/v1/restyles", restyles.router)
api.add_router("/v1/imaginings", imaginings.router)
api.add_router("/v1/patterns", patterns.router)
api.add_router("/v1/looks", looks.router)
api.add_router("/v1/collections", collections.router)
api.add_router("/v1/prints", prints.router)
api.add_router("/v1/profiles", prints.profiles)
api.add_router("/v1/jobs", jobs.router)
api.add_router("/v1", palettes.router)
api.add_router("/v1", catalogue.router)
