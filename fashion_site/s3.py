"""How the site speaks to its S3 server."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.config import Config


def s3_client(addressing: str | None, seconds: float) -> Config:
    """Signed the current way, and impatient: botocore's own minute and five tries would hold a visitor for minutes.

    ``addressing`` is ``path`` or ``virtual``; None leaves the choice to botocore.  A server that says nothing for
    ``seconds`` is tried once more; then a visitor gets a page that says so, and a job waits.
    """
    from botocore.config import Config

    return Config(
        signature_version="s3v4",
        s3={"addressing_style": addressing},
        connect_timeout=min(seconds, 2.0),
        read_timeout=seconds,
        retries={"mode": "standard", "total_max_attempts": 2},
    )
