"""What ``manage.py check`` says of the settings of this app."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from .address import Proxies


@register(Tags.security)
def proxies_are_named(**_: Any) -> list[CheckMessage]:
    """The setting can be read, and a proxy that is believed in one thing is known in the other."""
    try:
        Proxies.read(settings.TRUSTED_PROXIES)
    except ValueError as error:
        return [Error(f"TOILE_TRUSTED_PROXIES is neither a number nor networks: {error}.", id="toile.E001")]
    if settings.SECURE_PROXY_SSL_HEADER and not settings.TRUSTED_PROXIES:
        return [
            Warning(
                "TOILE_BEHIND_PROXY is set and TOILE_TRUSTED_PROXIES is not: all visitors seem to come from the "
                "proxy's own address and share one visitor's limits.",
                hint="Set TOILE_TRUSTED_PROXIES=1 behind one proxy that adds to X-Forwarded-For.",
                id="toile.W001",
            )
        ]
    return []
