"""ASGI entry: ``uvicorn fashion_site.asgi:application``."""

import logging
import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fashion_site.settings")
django_application = get_asgi_application()

from django.conf import settings  # noqa: E402  (settings are ready only now)

from .limits import limit_body  # noqa: E402
from .logs import NoQuery  # noqa: E402

logging.getLogger("uvicorn.access").addFilter(NoQuery())

# An upload plus the other fields and the multipart frame around it.
application = limit_body(django_application, settings.MAX_UPLOAD_BYTES + 1024 * 1024, settings.MAX_TEXT_BYTES)
