"""ASGI entry: ``uvicorn fashion_site.asgi:application``."""

import logging
import os
from typing import Any

import django
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fashion_site.settings")
django.setup(set_prefix=False)


class Handler(ASGIHandler):
    """Django's own, whose middleware and views go into one thread together.

    None of them is asynchronous.  Django would go to the thread, back to the loop and to the thread again.
    """

    _middleware_chain: Any

    def load_middleware(self, is_async: bool = True) -> None:  # noqa: ARG002  (Django's signature)
        super().load_middleware(is_async=False)
        self._middleware_chain = sync_to_async(self._middleware_chain)


django_application = Handler()

from django.conf import settings  # noqa: E402  (settings are ready only now)

from .limits import limit_body  # noqa: E402
from .logs import NoQuery  # noqa: E402

logging.getLogger("uvicorn.access").addFilter(NoQuery())

# An upload plus the other fields and the multipart frame around it.
application = limit_body(django_application, settings.MAX_UPLOAD_BYTES + 1024 * 1024, settings.MAX_TEXT_BYTES)
